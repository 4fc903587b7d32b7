-- Settles what is due, a batch of it, and prunes the log. ARGV: the batch, and
-- what to keep of the log: what is not from before that (0: all), at most so
-- many (0: all), and in any case what is no older than so. Answers in how
-- long something is due again (-1: never), and 1 if there is more to prune.
local batch, before, most, young = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local armed = call('GET', P .. 'armed')
local touched = {}

-- reap settles a name where it can, and puts it where it belongs in due.
local function reap(rec)
  local before = rec
  rec = settle(rec)
  if rec and rec == before then schedule(rec) end
  touched[before.name] = rec
end

-- The dead first: who stood behind them may have a claim.
local soonest
local all = call('HGETALL', P .. 'lives')
local dead = {}
for i = 1, #all, 2 do
  local till = tonumber(all[i + 1])
  if till <= now then
    dead[#dead + 1] = all[i]
  elseif not soonest or till < soonest then
    soonest = till
  end
end
local left = batch
if #dead > 0 then
  local gone = {}
  for _, life in ipairs(dead) do
    local tickets = call('HGETALL', P .. 'b:' .. life)
    for i = 1, #tickets, 2 do
      if left > 0 then
        left = left - 1
        local id, name = tickets[i], tickets[i + 1]
        local v = call('HGET', P .. 't:' .. name, id)
        local t = v and ticket(name, id, v)
        if t and t.life == tonumber(life) then
          remove(t)
          local rec = load(name)
          if rec then reap(rec) end
        end
        call('HDEL', P .. 'b:' .. life, id)
      end
    end
    if left > 0 then
      gone[life] = true
      call('HDEL', P .. 'lives', life)
    end
  end
  local peers = call('HGETALL', P .. 'peers')
  for i = 1, #peers, 2 do
    if gone[peers[i + 1]] then call('HDEL', P .. 'peers', peers[i]) end
  end
end

-- Then the names. A member whose record is gone, or another's by now, is stale.
local function names()
  while left > 0 do
    local due = call('ZRANGEBYSCORE', P .. 'due', '-inf', now, 'LIMIT', 0, 100)
    if #due == 0 then return end
    for _, m in ipairs(due) do
      left = left - 1
      local session, user, pos = unpack('<I4c0I4c0', m)
      local name = sub(m, pos)
      local rec = load(name)
      local gone = vacant[name]
      if rec and rec.session == session and rec.user == user then
        reap(rec)
      elseif gone and gone.session == session and gone.user == user then
        erase(gone)
      else
        call('ZREM', P .. 'due', m)
        if not rec and not gone then
          call('ZREM', P .. 'names', name)
          call('ZREM', P .. 's:' .. session, name)
          if user ~= '' then call('ZREM', P .. 'u:' .. user, name) end
        end
      end
    end
  end
end
names()

-- What is due next may have been put off since it was put there.
while left > 0 do
  local next_due = call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')
  if #next_due == 0 then break end
  local at = tonumber(next_due[2])
  local session, user, pos = unpack('<I4c0I4c0', next_due[1])
  local name = sub(next_due[1], pos)
  local rec = load(name)
  local early = rec and rec.session == session and rec.user == user and rec.state == PLAIN and rec.expires ~= at
  if at <= now or not early then
    if not soonest or at < soonest then soonest = at end
    break
  end
  left = left - 1
  schedule(rec)
end
if left <= 0 then soonest = now end

-- prune forgets the log's oldest entries.
local function prune()
  if before == 0 and most == 0 then return 0 end
  local entries = call('XRANGE', P .. 'log', '-', '+', 'COUNT', 200)
  local length = call('XLEN', P .. 'log')
  local cut
  for _, e in ipairs(entries) do
    local body = e[2][2]
    local _, at, pos = unpack('<dd', body)
    if at >= now - young or not (at < before or most > 0 and length > most) then break end
    length = length - 1
    cut = string.match(e[1], '%d+')
    local owner_user, other_user, actor_user, name, _
    _, owner_user, _, pos = party(body, pos)
    _, other_user, _, pos = party(body, pos)
    _, pos = unpack('<I4c0', body, pos)
    _, actor_user, _, pos = party(body, pos)
    _, name = unpack('<I4c0I4c0', body, pos)
    for _, key in ipairs({ 'n:' .. name, 'w:' .. owner_user, 'w:' .. other_user, 'w:' .. actor_user }) do
      if call('LINDEX', P .. key, 0) == cut then call('LPOP', P .. key) end
    end
  end
  if not cut then return 0 end
  call('XTRIM', P .. 'log', 'MINID', tonumber(cut) + 1)
  call('SET', P .. 'floor', cut)
  return #entries == 200 and 1 or 0
end
local more = prune()

if grew or #news > 0 then tell(function(name) return touched[name] end, armed) end
return { soonest and math.max(0, soonest - now) or -1, more }
