-- What all scripts share that read records.

-- party is the session, the user and the packed whole of whom v has at pos,
-- and what is behind.
local function party(v, pos)
  local session, user, n, after = unpack('<I4c0I4c0I4', v, pos)
  return session, user, sub(v, pos, after + n - 1), after + n
end

local function text(s) return pack('<I4c0', #s, s) end

-- parse reads a record.
local function parse(name, v)
  local token, taken, touched, expires, idle, hold, due, idle_ns, hold_ns, state, session, user, n, pos =
    unpack('<dddddddHHBI4c0I4c0I4', v)
  return {
    name = name, raw = v, token = token, taken = taken, touched = touched, expires = expires, idle = idle, hold = hold,
    due = due, idle_ns = idle_ns, hold_ns = hold_ns, state = state, session = session, user = user,
    holder = sub(v, 62, pos + n - 1), rest = pos + n,
  }
end

-- held is a record that was read, unless it is vacant: that one goes aside.
local vacant = {}
local function held(name, v)
  local rec = v and parse(name, v)
  if rec and rec.state == VACANT then
    vacant[name] = rec
    return nil
  end
  return rec
end

local function load(name) return held(name, call('GET', P .. 'r:' .. name)) end

local function live(rec) return rec.expires == 0 or now < rec.expires end

-- ticket reads a ticket of a queue.
local function ticket(name, id, v)
  local seq, since, claim, asked, life, peer, pos = unpack('<dddddI4c0', v)
  return { name = name, id = id, raw = v, seq = seq, since = since, claim = claim, asked = asked, life = life, peer = peer, pos = pos }
end

-- lives are those that last, by number; 0 is the life of the dead.
local lives
local function alive(life)
  if not lives then
    lives = {}
    local all = call('HGETALL', P .. 'lives')
    for i = 1, #all, 2 do
      local till = tonumber(all[i + 1])
      if now < till then lives[tonumber(all[i])] = till end
    end
  end
  return lives[life] ~= nil
end

-- inforce is a record as it is handed out: false if it is dead; with its
-- tickets and their number, if any wait.
local function inforce(name, rec)
  if not rec or not live(rec) then return false end
  if rec.state == PLAIN then return rec.raw end
  local waiting = 0
  local counts = call('HGETALL', P .. 'c:' .. name)
  for i = 1, #counts, 2 do
    if alive(tonumber(counts[i])) then waiting = waiting + counts[i + 1] end
  end
  local answer = { rec.raw, waiting }
  local shown, at = math.min(waiting, 20), 0
  while shown > 0 do
    local ids = call('ZRANGE', P .. 'q:' .. name, at, at + 19)
    if #ids == 0 then break end
    at = at + #ids
    local found = call('HMGET', P .. 't:' .. name, spread(ids))
    for i, v in ipairs(found) do
      if shown > 0 and alive((unpack('<d', v, 33))) then
        answer[#answer + 1] = ids[i]
        answer[#answer + 1] = v
        shown = shown - 1
      end
    end
  end
  return answer
end
