-- Performs a request of the plainest kind: to take one free name, to touch or
-- drop what one name holds, with nobody waiting and nothing expired. It says
-- what swap.lua says in general, and leaves the rest to it. What it must not
-- do is make garbage: to Lua in Redis, that costs more than all else. So no
-- functions, no tables.
local id = ARGV[1]
if ARGV[2] == '1' then
  local action, expects, gives, token, idle, hold, idle_ns, hold_ns, confirm = unpack('<BBBdddHHd', ARGV[4])
  local name, at = ARGV[3], 5
  local found = call('MGET', P .. 'r:' .. name, P .. 'armed', P .. 'i:' .. id)
  local v = found[1]
  local general = id ~= '' and found[3] -- a retry
    or action > 3 or expects % 16 >= 4 -- queues, or a condition on data or on who waits
    or action == 1 and v -- somebody else's
    or action == 2 and gives % 4 ~= 0 -- what changes besides the times
  local old_token, taken, touched, expires, old_idle, old_hold, old_idle_ns, old_hold_ns, queued, session, user, n, pos
  if v and not general then
    old_token, taken, touched, expires, old_idle, old_hold, old_idle_ns, old_hold_ns, queued, session, user, n, pos =
      unpack('<ddddddHHBI4c0I4c0I4', v)
    general = queued == 1 or expires ~= 0 and now >= expires
  end
  if not general then
    local allowed = v and expects % 2 == 0 and (token == 0 or token == old_token) or not v and action == 1 and expects % 2 == 1
    if expects % 4 >= 2 then
      allowed = allowed and (not v or ARGV[at] == session)
      at = at + 1
    end
    if not allowed then return { 0, now, v } end
    local holder, rest, seq
    if action == 1 then
      holder, rest, at = ARGV[at], ARGV[at + 1], at + 2
      session, user = unpack('<I4c0I4c0', holder)
      seq = call('INCR', P .. 'seq')
      old_token, taken = seq, now
    else
      holder, rest = sub(v, 54, pos + n - 1), sub(v, pos + n)
    end
    local member = pack('<I4c0I4c0', #session, session, #user, user) .. name
    local in_force = false
    if action == 3 then
      call('DEL', P .. 'r:' .. name)
      call('ZREM', P .. 'names', name)
      call('ZREM', P .. 's:' .. session, name)
      if user ~= '' then call('ZREM', P .. 'u:' .. user, name) end
      if expires ~= 0 then call('ZREM', P .. 'due', member) end
    else
      if action == 2 then
        if idle == 0 and idle_ns == 0 then idle, idle_ns = old_idle, old_idle_ns elseif idle < 0 then idle = 0 end
        if hold == 0 and hold_ns == 0 then hold, hold_ns = old_hold, old_hold_ns elseif hold < 0 then hold = 0 end
      end
      local till = 0
      if idle > 0 or idle_ns > 0 then till = now + idle end
      if (hold > 0 or hold_ns > 0) and (till == 0 or taken + hold < till) then till = taken + hold end
      if action == 2 and confirm >= 0 and (till == 0 or now + confirm < till) then till = now + confirm end
      in_force = pack('<ddddddHHB', old_token, taken, now, till, idle, hold, idle_ns, hold_ns, 0) .. holder .. rest
      if till == 0 then
        call('SET', P .. 'r:' .. name, in_force)
      else
        call('SET', P .. 'r:' .. name, in_force, 'PX', math.max(0, math.ceil((till - now) / 1000)) + GRACE)
      end
      if action == 1 then
        call('ZADD', P .. 'names', 0, name)
        call('ZADD', P .. 's:' .. session, 0, name)
        if user ~= '' then call('ZADD', P .. 'u:' .. user, 0, name) end
      end
      if till ~= 0 and (action == 1 or expires == 0 or till < expires) then call('ZADD', P .. 'due', till, member) end
      if till ~= 0 and now >= till then in_force = false end
    end
    if gives >= 16 then
      if not seq then seq = call('INCR', P .. 'seq') end
      log(name, seq, old_token, now, holder, user, NOBODY, '', ARGV[at], id)
      if found[2] then announce() end
    end
    return { 1, now, in_force }
  end
end
