-- Performs a request of the plainest kind: to take one free name, to touch or
-- drop what one name holds, with nobody waiting and nothing expired, or to
-- refuse that. It does what swap.lua does in general, and leaves the rest to
-- it. What it must not do is make garbage: to Lua in Redis that costs more than
-- all else. So no functions and hardly a table.
local id = ARGV[1]
if ARGV[2] == '1' then
  local action, expects, gives, token, idle, hold, idle_ns, hold_ns, confirm = unpack('<BBBdddHHd', ARGV[4])
  local name, at = ARGV[3], 5
  local v, armed, known
  if id == '' and gives < 16 then
    v = call('GET', P .. 'r:' .. name)
  else
    local found = call('MGET', P .. 'r:' .. name, P .. 'armed', P .. 'i:' .. id)
    v, armed, known = found[1], found[2], id ~= '' and found[3]
  end
  local holder, rest, session, user
  if expects % 4 >= 2 then at = 6 end -- behind the session expected
  if action == 1 and expects % 16 < 4 then
    holder, rest, at = ARGV[at], ARGV[at + 1], at + 2
  end
  local general = known -- a retry
    or action > 3 or expects % 16 >= 4 -- queues, or a condition on data or on who waits
    or action == 2 and gives % 4 ~= 0 -- what changes more than the times
  local held = v
  local had_token, taken, touched, expires, had_idle, had_hold, due, had_idle_ns, had_hold_ns, state, had_session, had_user, n, pos
  if v and not general then
    state = byte(v, 61)
    if state == VACANT then
      held = false
      due = unpack('<d', v, 49)
      general = action == 1 and sub(v, 62, 61 + #holder) ~= holder -- it may be in other indexes
    else
      had_token, taken, touched, expires, had_idle, had_hold, due, had_idle_ns, had_hold_ns, state, had_session, had_user, n, pos =
        unpack('<dddddddHHBI4c0I4c0I4', v)
      general = state == QUEUED or expires ~= 0 and now >= expires or action == 1 and expects % 2 == 0
    end
  end
  if not general then
    local allowed
    if held then
      allowed = expects % 2 == 0 and (token == 0 or token == had_token) and (expects % 4 < 2 or ARGV[5] == had_session)
    else
      allowed = action == 1 and expects % 2 == 1
    end
    if not allowed then return { 0, now, held } end
    local seq
    local in_force = false
    if action == 3 then
      -- What is dropped stays where it stands, as vacant, if it goes soon enough
      -- by itself and is small.
      if due ~= 0 and due <= now + LINGER_MOST and #v <= SMALL then
        call('SETRANGE', P .. 'r:' .. name, '60', '\2')
      else
        if due == 0 or due > now + LINGER then
          due = now + LINGER
          call('ZADD', P .. 'due', due, pack('<I4c0I4c0', #had_session, had_session, #had_user, had_user) .. name)
        end
        call('SET', P .. 'r:' .. name,
          pack('<dddddddHHB', 0, 0, 0, 0, 0, 0, due, 0, 0, VACANT) .. sub(v, 62, pos + n - 1) .. NOTHING .. NOTHING,
          'PX', LINGER_MOST / 500)
      end
      if gives >= 16 then user, holder = had_user, sub(v, 62, pos + n - 1) end
    else
      if action == 1 then
        seq = call('INCR', P .. 'seq')
        had_token, taken = seq, now
      else
        session, user, holder, rest = had_session, had_user, sub(v, 62, pos + n - 1), sub(v, pos + n)
        if idle == 0 and idle_ns == 0 then idle, idle_ns = had_idle, had_idle_ns elseif idle < 0 then idle = 0 end
        if hold == 0 and hold_ns == 0 then hold, hold_ns = had_hold, had_hold_ns elseif hold < 0 then hold = 0 end
      end
      local till = 0
      if idle > 0 or idle_ns > 0 then till = now + idle end
      if (hold > 0 or hold_ns > 0) and (till == 0 or taken + hold < till) then till = taken + hold end
      if action == 2 and confirm >= 0 and (till == 0 or now + confirm < till) then till = now + confirm end
      if not v or due == 0 or till ~= 0 and till < due then
        if action == 1 then session, user = unpack('<I4c0I4c0', holder) end
      end
      if not v then
        call('ZADD', P .. 'names', 0, name)
        call('ZADD', P .. 's:' .. session, 0, name)
        if user ~= '' then call('ZADD', P .. 'u:' .. user, 0, name) end
        due = 0
      end
      if till ~= 0 and (due == 0 or till < due) then
        due = till
        call('ZADD', P .. 'due', due, pack('<I4c0I4c0', #session, session, #user, user) .. name)
      end
      in_force = pack('<dddddddHHB', had_token, taken, now, till, idle, hold, due, idle_ns, hold_ns, PLAIN) .. holder .. rest
      if till == 0 then
        call('SET', P .. 'r:' .. name, in_force)
      else
        local ms = sub(ARGV[4], 42)
        if ms == '' then ms = math.max(0, math.ceil((till - now) / 1000)) + GRACE end
        call('SET', P .. 'r:' .. name, in_force, 'PX', ms)
        if now >= till then in_force = false end
      end
    end
    if gives >= 16 then
      if not seq then seq = call('INCR', P .. 'seq') end
      if not user then user = select(2, unpack('<I4c0I4c0', holder)) end
      log(name, seq, had_token, now, holder, user, NOBODY, '', ARGV[at], id)
      if armed then announce() end
    end
    return { 1, now, in_force }
  end
end
