-- What all scripts share that change records.

local function next_number() return call('INCR', P .. 'seq') end

-- news are the tickets that left their queues, for who waits to hear.
local news = {}

-- member stands for a record in due: whatever becomes of the record, it tells
-- which indexes speak of it.
local function member(rec) return pack('<I4c0I4c0', #rec.session, rec.session, #rec.user, rec.user) .. rec.name end

-- Where Redis keeps a name for longer than its record lasts.
local function keep(name, expires)
  local ms = math.max(0, math.ceil((expires - now) / 1000)) + GRACE
  for _, kind in ipairs({ 'q:', 't:', 'c:' }) do
    if expires == 0 then call('PERSIST', P .. kind .. name) else call('PEXPIRE', P .. kind .. name, ms) end
  end
end

local function unindex(rec)
  call('ZREM', P .. 's:' .. rec.session, rec.name)
  if rec.user ~= '' then call('ZREM', P .. 'u:' .. rec.user, rec.name) end
  if rec.due ~= 0 then call('ZREM', P .. 'due', member(rec)) end
end

-- put writes a record, over old or where none was. rest is its request and its
-- data.
local function put(rec, rest, old)
  local name, expires = rec.name, rec.expires
  old = old or vacant[name]
  if old and old.session == rec.session and old.user == rec.user then
    -- An early place in due is put right when it is met; a late one would not be.
    rec.due = old.due
    if expires ~= 0 and (rec.due == 0 or expires < rec.due) then
      rec.due = expires
      call('ZADD', P .. 'due', expires, member(rec))
    end
  else
    if old then unindex(old) else call('ZADD', P .. 'names', 0, name) end
    call('ZADD', P .. 's:' .. rec.session, 0, name)
    if rec.user ~= '' then call('ZADD', P .. 'u:' .. rec.user, 0, name) end
    rec.due = expires
    if expires ~= 0 then call('ZADD', P .. 'due', expires, member(rec)) end
  end
  rec.raw = pack('<dddddddHHB', rec.token, rec.taken, rec.touched, expires, rec.idle, rec.hold, rec.due, rec.idle_ns,
    rec.hold_ns, rec.state) .. rec.holder .. rest
  rec.rest = 62 + #rec.holder
  if expires == 0 then
    call('SET', P .. 'r:' .. name, rec.raw)
  else
    call('SET', P .. 'r:' .. name, rec.raw, 'PX', math.max(0, math.ceil((expires - now) / 1000)) + GRACE)
  end
  if rec.state == QUEUED then keep(name, expires) end
end

-- erase forgets a record, or that there was one, whose queue is empty.
local function erase(rec)
  call('DEL', P .. 'r:' .. rec.name)
  call('ZREM', P .. 'names', rec.name)
  unindex(rec)
end

-- expiry is when a record dies that was touched now.
local function expiry(rec, confirm)
  local at = 0
  if rec.idle > 0 or rec.idle_ns > 0 then at = now + rec.idle end
  if rec.hold > 0 or rec.hold_ns > 0 then
    local till = rec.taken + rec.hold
    if at == 0 or till < at then at = till end
  end
  if confirm >= 0 and (at == 0 or now + confirm < at) then at = now + confirm end
  return at
end

-- remove takes a ticket out of its queue.
local function remove(t)
  call('ZREM', P .. 'q:' .. t.name, t.id)
  call('HDEL', P .. 't:' .. t.name, t.id)
  if t.life ~= 0 then
    if call('HINCRBY', P .. 'c:' .. t.name, t.life, -1) <= 0 then call('HDEL', P .. 'c:' .. t.name, t.life) end
    call('HDEL', P .. 'b:' .. t.life, t.id)
  end
end

-- first is the first ticket that lives; the dead before it go. died tells that
-- there were some.
local function first(name)
  local died = false
  while true do
    local id = call('ZRANGE', P .. 'q:' .. name, 0, 0)[1]
    if not id then return nil, died end
    local v = call('HGET', P .. 't:' .. name, id)
    if v then
      local t = ticket(name, id, v)
      if alive(t.life) then return t, died end
      died = true
      remove(t)
    else
      call('ZREM', P .. 'q:' .. name, id)
    end
  end
end

-- terms reads what a ticket says besides who waits: spans, the holder, then
-- its data, the note of the grant, and its value.
local function terms(t)
  local idle, hold, idle_ns, hold_ns, confirm, _, pos = unpack('<ddHHdH', t.raw, t.pos)
  pos = pos + 10 -- claim_after
  t.session, t.user, t.holder, pos = party(t.raw, pos)
  local n = unpack('<I4', t.raw, pos)
  t.data, pos = sub(t.raw, pos, pos + 3 + n), pos + 4 + n
  n, pos = unpack('<I4', t.raw, pos)
  if n > 0 then t.note = sub(t.raw, pos, pos + n - 1) end
  t.idle, t.hold, t.idle_ns, t.hold_ns, t.confirm = idle, hold, idle_ns, hold_ns, confirm
end

-- schedule puts a name with a queue where it belongs in due.
local function schedule(rec)
  local at = rec.expires
  if rec.state == QUEUED then
    local t = first(rec.name)
    if t and t.claim > 0 and t.asked == rec.token and (at == 0 or t.claim < at) then at = t.claim end
  end
  if at == rec.due then return end
  if at == 0 then call('ZREM', P .. 'due', member(rec)) else call('ZADD', P .. 'due', at, member(rec)) end
  rec.due = at
  rec.raw = sub(rec.raw, 1, 48) .. pack('<d', at) .. sub(rec.raw, 57)
  call('SETRANGE', P .. 'r:' .. rec.name, 48, pack('<d', at))
end

-- grant gives a name, vacated by old, to its first ticket.
local function grant(old, t)
  if not t.holder then terms(t) end
  remove(t)
  local rec = {
    name = t.name, token = next_number(), taken = now, touched = now, idle = t.idle, hold = t.hold, idle_ns = t.idle_ns,
    hold_ns = t.hold_ns, state = QUEUED, session = t.session, user = t.user, holder = t.holder,
  }
  if call('EXISTS', P .. 'q:' .. t.name) == 0 then rec.state = PLAIN end
  rec.expires = expiry(rec, t.confirm)
  put(rec, text(t.id) .. t.data, old)
  if t.note then
    log(t.name, rec.token, rec.token, now, rec.holder, rec.user, NOBODY, '', t.note, t.id)
  end
  schedule(rec)
  news[#news + 1] = t
  return rec
end

-- own is the note of what the store does by itself.
local function own(rec, kind, reason) return text(kind) .. rec.holder .. text(reason) .. text(rec.name) .. NOTHING end

-- settle brings a name up to date with the clock.
local function settle(rec)
  if not rec then return nil end
  local dead = not live(rec)
  if not dead and rec.state == PLAIN then return rec end
  if dead then
    log(rec.name, next_number(), rec.token, rec.expires, rec.holder, rec.user, NOBODY, '', own(rec, 'expired', ''), '')
  end
  if rec.state == QUEUED then
    local t, died = first(rec.name)
    if t and not dead then
      if t.claim == 0 or t.asked ~= rec.token or now < t.claim then
        -- A refused swap changes nothing more, and no sweep finds the dead again.
        if died then schedule(rec) end
        return rec
      end
      terms(t)
      log(rec.name, next_number(), rec.token, now, rec.holder, rec.user, t.holder, t.user,
        own(rec, 'handed_over', 'no_answer'), '')
    end
    if t then return grant(rec, t) end
    rec.state = PLAIN
    if not dead then call('SETRANGE', P .. 'r:' .. rec.name, 60, '\0') end
  end
  if not dead then return rec end
  erase(rec)
  return nil
end

-- tell publishes what the step did: who was granted what, if somebody waits,
-- and that the log grew, if somebody asked to hear. after finds records.
local function tell(after, armed)
  for _, t in ipairs(news) do
    local said = 'T' .. pack('<I4c0I4c0d', #t.peer, t.peer, #t.id, t.id, now)
    local rec = after(t.name)
    local given = rec and unpack('<I4c0', rec.raw, rec.rest) == t.id and inforce(t.name, rec)
    if given then
      if type(given) == 'string' then given = { given, 0 } end
      said = said .. text(given[1]) .. text(t.name) .. pack('<I4', given[2])
      for i = 3, #given do said = said .. text(given[i]) end
    end
    call('PUBLISH', P .. 'news', said)
  end
  if grew and armed then announce() end
end
