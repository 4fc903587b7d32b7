-- What all scripts begin with. KEYS[1] is the head of all keys of the store, with
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
-- A record is packed: token, taken, touched, expires (0: never), idle, hold, its
-- place in due (0: none), the nanoseconds of idle and hold, and its state (PLAIN,
-- QUEUED: tickets wait, or may; VACANT: dropped, and still in the indexes);
-- then the holder, the request and the data.
--
-- Times and spans are microseconds, in doubles, which are exact to 2^53. Spans
-- carry nanoseconds apart, which nothing reckons with. Texts are packed with
-- their length before them. Only what must be parsed is.
local P = KEYS[1]
local spread = unpack
local call, pack, unpack, sub, byte = redis.call, struct.pack, struct.unpack, string.sub, string.byte

-- Redis 6.2 may be set up to replicate scripts instead of what they write.
if redis.replicate_commands then redis.replicate_commands() end

local function clock()
  local t = call('TIME')
  return t[1] * 1000000 + t[2]
end
local now = clock()

-- GRACE is how long Redis keeps what expired, for a sweep to log it: a day.
local GRACE = 86400000

-- LINGER is how long the indexes keep what was dropped. Who takes it again
-- meanwhile finds it there, which spares both most of their work. What is small
-- and was due within LINGER_MOST anyway stays until then: to put it forward would
-- cost more than all the rest.
local LINGER, LINGER_MOST, SMALL = 60000000, 330000000, 1000

local NOTHING, NOBODY = '\0\0\0\0', '\0\0\0\0\0\0\0\0\0\0\0\0' -- packed
local PLAIN, QUEUED, VACANT = 0, 1, 2
