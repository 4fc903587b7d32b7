-- Performs a request: store.Run, in one step. ARGV: the request's ID, the
-- number of swaps, and their parts, as package redis writes them. Answers
-- what it came to (0 refused, 1 done, 2 done when it was first sent), the
-- time, and what is in force under each name.
local count, at = tonumber(ARGV[2]), 2

local function arg()
  at = at + 1
  return ARGV[at]
end

-- read takes the parts of one swap from the arguments.
local function read()
  local sw = { name = arg() }
  local head = arg()
  local expects, gives
  sw.action, expects, gives, sw.token, sw.idle, sw.hold, sw.idle_ns, sw.hold_ns, sw.confirm = unpack('<BBBdddHHd', head)
  sw.anything = expects == 0
  sw.free = expects % 2 == 1
  if expects % 4 >= 2 then sw.session = arg() end
  if expects % 8 >= 4 then sw.data = arg() end
  sw.waiting = expects % 16 >= 8
  if gives % 2 == 1 then sw.holder = arg() end
  if gives % 4 >= 2 then sw.rest = arg() end
  if gives % 8 >= 4 then sw.ticket, sw.peer = arg(), arg() end
  if gives % 16 >= 8 then sw.body = arg() end
  if gives % 32 >= 16 then sw.note = arg() end
  return sw
end

-- data is where the data of a record begins, packed.
local function data(rec)
  local n, pos = unpack('<I4', rec.raw, rec.rest)
  return pos + n
end

-- holds tells whether what a swap expects is true of a settled record.
local function holds(sw, rec)
  if sw.free then return not rec end
  if not rec
    or sw.token ~= 0 and rec.token ~= sw.token
    or sw.session and rec.session ~= sw.session
    or sw.data and sub(rec.raw, data(rec) + 4) ~= sw.data then
    return false
  end
  return not sw.waiting or rec.state == QUEUED and first(rec.name) ~= nil
end

-- waits is the ticket of a swap, if it stands in the queue.
local function waits(sw, rec)
  if not rec or rec.state == PLAIN then return nil end
  local v = call('HGET', P .. 't:' .. sw.name, sw.ticket)
  return v and ticket(sw.name, sw.ticket, v)
end

local TAKE, TOUCH, DROP, JOIN, LEAVE = 1, 2, 3, 4, 5

-- allowed tells whether a swap can be performed on a settled record. Nothing
-- is changed before all swaps of a request are.
local function allowed(sw, rec)
  if sw.action == LEAVE then
    local t = waits(sw, rec)
    return t and alive(t.life) and (sw.peer == '' or sw.peer == t.peer) and (sw.anything or holds(sw, rec))
  end
  if sw.action == JOIN then
    if not rec then return false end
    if unpack('<I4c0', rec.raw, rec.rest) == sw.ticket then
      sw.granted = true
      return true
    end
  end
  return holds(sw, rec) and (rec or sw.action == TAKE)
end

local perform = {}

perform[TAKE] = function(sw, old)
  local rec = {
    name = sw.name, token = next_number(), taken = now, touched = now, idle = sw.idle, hold = sw.hold,
    idle_ns = sw.idle_ns, hold_ns = sw.hold_ns, state = old and old.state or PLAIN, holder = sw.holder,
  }
  rec.session, rec.user = unpack('<I4c0I4c0', sw.holder)
  rec.expires = expiry(rec, -1)
  put(rec, sw.rest, old)
  if rec.state == QUEUED then schedule(rec) end
  if sw.note then
    log(sw.name, rec.token, rec.token, now, rec.holder, rec.user, old and old.holder or NOBODY, old and old.user or '',
      sw.note, id)
  end
  return rec
end

perform[TOUCH] = function(sw, old)
  local rec = {
    name = sw.name, token = old.token, taken = old.taken, touched = now, idle = old.idle, hold = old.hold,
    idle_ns = old.idle_ns, hold_ns = old.hold_ns, state = old.state, session = old.session, user = old.user,
    holder = old.holder,
  }
  if sw.idle ~= 0 or sw.idle_ns ~= 0 then rec.idle, rec.idle_ns = math.max(0, sw.idle), sw.idle_ns end
  if sw.hold ~= 0 or sw.hold_ns ~= 0 then rec.hold, rec.hold_ns = math.max(0, sw.hold), sw.hold_ns end
  if sw.holder then
    rec.holder = sw.holder
    rec.session, rec.user = unpack('<I4c0I4c0', sw.holder)
  end
  rec.expires = expiry(rec, sw.confirm)
  if sw.rest then
    put(rec, sub(old.raw, old.rest, data(old) - 1) .. sw.rest, old)
  else
    put(rec, sub(old.raw, old.rest), old)
  end
  if rec.state == QUEUED then schedule(rec) end
  if sw.note then log(sw.name, next_number(), rec.token, now, rec.holder, rec.user, NOBODY, '', sw.note, id) end
  return rec
end

perform[DROP] = function(sw, old)
  local t = old.state == QUEUED and first(sw.name)
  if t then terms(t) end
  if sw.note then
    local other, other_user = NOBODY, ''
    if t and unpack('<I4c0', sw.note) == 'handed_over' then other, other_user = t.holder, t.user end
    log(sw.name, next_number(), old.token, now, old.holder, old.user, other, other_user, sw.note, id)
  end
  if t then return grant(old, t) end
  erase(old)
  return nil
end

perform[JOIN] = function(sw, rec)
  if sw.granted then return rec end
  local life = tonumber(call('HGET', P .. 'peers', sw.peer) or 0)
  if not alive(life) then life = 0 end
  local t = waits(sw, rec)
  if t and not alive(t.life) then -- died, and lost the place
    remove(t)
    t = nil
  end
  local seq, since, claim, asked = 0, now, 0, 0
  local body = sw.body
  if t then -- keeps the place, under the new peer
    remove(t)
    seq, since, claim, asked, body = t.seq, t.since, t.claim, t.asked, sub(t.raw, t.pos)
  else
    seq = next_number()
    local after, after_ns = unpack('<dH', sw.body, 31)
    if after > 0 or after_ns > 0 then claim, asked = now + after, rec.token end
  end
  if rec.state == PLAIN then -- what Redis has kept too long is none of ours
    call('DEL', P .. 'q:' .. sw.name, P .. 't:' .. sw.name, P .. 'c:' .. sw.name)
    rec.state = QUEUED
    rec.raw = sub(rec.raw, 1, 60) .. '\1' .. sub(rec.raw, 62)
    call('SETRANGE', P .. 'r:' .. sw.name, 60, '\1')
  end
  call('ZADD', P .. 'q:' .. sw.name, seq, sw.ticket)
  call('HSET', P .. 't:' .. sw.name, sw.ticket, pack('<dddddI4c0', seq, since, claim, asked, life, #sw.peer, sw.peer) .. body)
  if life ~= 0 then
    call('HINCRBY', P .. 'c:' .. sw.name, life, 1)
    call('HSET', P .. 'b:' .. life, sw.ticket, sw.name)
    call('PEXPIRE', P .. 'b:' .. life, math.ceil((lives[life] - now) / 1000) + GRACE)
  end
  keep(sw.name, rec.expires)
  schedule(rec)
  if not t and sw.note then
    -- A retry of a join is known by its ticket, not by the log.
    log(sw.name, seq, rec.token, now, rec.holder, rec.user, NOBODY, '', sw.note, '')
  end
  return rec
end

perform[LEAVE] = function(sw, rec)
  local t = waits(sw, rec)
  remove(t)
  news[#news + 1] = t
  if sw.note then
    terms(t)
    log(sw.name, next_number(), rec.token, now, rec.holder, rec.user, t.holder, t.user, sw.note, t.id)
  end
  schedule(rec)
  return rec
end

local swaps, recs = {}, {}
for i = 1, count do swaps[i] = read() end

local found = call('MGET', P .. 'r:' .. swaps[1].name, P .. 'armed', P .. 'i:' .. id)
local armed = found[2]
local done = 1
if id ~= '' and found[3] then done = 2 end

for i = 1, count do
  local name = swaps[i].name
  local rec
  if i == 1 then rec = held(name, found[1]) else rec = load(name) end
  if done == 1 then rec = settle(rec) end
  recs[i] = rec
end
for i = 1, count do
  if done == 1 and not allowed(swaps[i], recs[i]) then done = 0 end
end
if done == 1 then
  for i = 1, count do recs[i] = perform[swaps[i].action](swaps[i], recs[i]) end
end

if grew or #news > 0 then
  tell(function(name)
    for i = 1, count do
      if swaps[i].name == name then return recs[i] end
    end
  end, armed)
end
local answer = { done, now }
for i = 1, count do answer[i + 2] = inforce(swaps[i].name, recs[i]) or false end
return answer
