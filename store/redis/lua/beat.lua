-- Lengthens the life of a waiting process, or begins a new one. ARGV: the
-- process, and for how long. Answers its tickets.
local peer, ttl = ARGV[1], tonumber(ARGV[2])
local life = tonumber(call('HGET', P .. 'peers', peer) or 0)
if not alive(life) then
  life = call('INCR', P .. 'life')
  call('HSET', P .. 'peers', peer, life)
end
call('HSET', P .. 'lives', life, now + ttl)
local ms = math.ceil(ttl / 1000) + GRACE
call('PEXPIRE', P .. 'peers', ms)
call('PEXPIRE', P .. 'lives', ms)
local tickets = call('HKEYS', P .. 'b:' .. life)
if #tickets > 0 then call('PEXPIRE', P .. 'b:' .. life, ms) end
return tickets
