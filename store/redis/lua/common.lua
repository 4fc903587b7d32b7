-- What all scripts share. KEYS[1] is the head of all keys of the store, with
-- its hash tag: {PREFIX}: and behind it
--
--   seq        the counter: tokens, entries, places
--   r:NAME     the record, see load
--   q:NAME     tickets that wait, by their places     (sorted set)
--   t:NAME     the tickets by ID, see ticket          (hash)
--   c:NAME     how many tickets wait there, by life   (hash)
--   names      names with a record                    (sorted set, all scores 0)
--   s:SESSION  names by holder's session              (the same)
--   u:USER     names by holder's user                 (the same)
--   due        when a name wants settling             (sorted set, see member)
--   peers      the life of each waiting process       (hash)
--   lives      until when each life lasts             (hash)
--   life       the counter of lives
--   b:LIFE     names by ticket, of one life           (hash)
--   log        the entries                            (stream, IDs are SEQ-0)
--   n:NAME     numbers of its entries                 (list)
--   w:USER     numbers of the entries that speak of him
--   i:REQUEST  number of the last entry it wrote, for the retry window
--   floor      entries up to this number may be pruned
--   armed      somebody wants to hear when the log grows
--
-- Times and spans are microseconds, in doubles, which are exact to 2^53. Spans
-- carry nanoseconds apart, which nothing reckons with. Texts are packed with
-- their length before them. Only what must be parsed is.
local P = KEYS[1]
local spread = unpack
local call, pack, unpack, sub = redis.call, struct.pack, struct.unpack, string.sub

-- Redis 6.2 may be set up to replicate scripts instead of what they write.
if redis.replicate_commands then redis.replicate_commands() end

local function clock()
  local t = call('TIME')
  return t[1] * 1000000 + t[2]
end
local now = clock()

-- GRACE is how long Redis keeps what expired, for a sweep to log it: a day.
local GRACE = 86400000

local function text(s) return pack('<I4c0', #s, s) end
local NOTHING = text('')
local NOBODY = NOTHING .. NOTHING .. NOTHING

-- party is the session, the user and the packed whole of whom v has at pos,
-- and what is behind.
local function party(v, pos)
  local session, user, n, after = unpack('<I4c0I4c0I4', v, pos)
  return session, user, sub(v, pos, after + n - 1), after + n
end

-- parse reads a record: token, taken, touched, expires (0: never), idle, hold,
-- their nanoseconds, whether tickets wait; then the holder, the request and
-- the data.
local function parse(name, v)
  local token, taken, touched, expires, idle, hold, idle_ns, hold_ns, queued, session, user, n, pos =
    unpack('<ddddddHHBI4c0I4c0I4', v)
  return {
    name = name, raw = v, token = token, taken = taken, touched = touched, expires = expires, idle = idle, hold = hold,
    idle_ns = idle_ns, hold_ns = hold_ns, queued = queued, session = session, user = user,
    holder = sub(v, 54, pos + n - 1), rest = pos + n,
  }
end

local function load(name)
  local v = call('GET', P .. 'r:' .. name)
  return v and parse(name, v)
end

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
  if rec.queued == 0 then return rec.raw end
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
