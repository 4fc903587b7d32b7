-- What all scripts begin with. KEYS[1] is the key armed: it begins as all keys of the
-- store, with its hash tag, {PREFIX}: and behind it
--
--   rKEY       a row, see rows.lua; empty: there is none
--   cGROUP     how many rows there are under a group: keys up to a separator, or to the
--              mark of a part
--   gGROUP     their keys                                    (sorted set, all scores 0)
--   bLEASE     the keys of the rows that live with a lease   (set)
--   index      kKEY and tTAG KEY of rows                     (sorted set, all scores 0)
--   due        keys of rows, by when they are due or earlier (sorted set)
--   pending    what changed since index, due and the lists of numbers were brought
--              up to date: names of rows, each with the row as it was before, and
--              first numbers of batches of entries, each with their tags (list)
--   seq        the counter
--   log        batches of entries                            (stream, IDs are FIRST-0)
--   nTAG       numbers of the entries that bear a tag        (list)
--   entries    how many entries those lists speak of
--   floor      entries up to this number were removed
--   iID        when an entry with this ID was logged, as long as that matters
--   armed      somebody wants to hear when the log grows
--
-- Times and durations are microseconds in doubles, which are exact to 2^53.
local P, call = string.sub(KEYS[1], 1, -6), redis.call
local spread, pack, unpack, sub = unpack, struct.pack, struct.unpack, string.sub
if redis.replicate_commands then redis.replicate_commands() end -- Redis 6.2 may be set up otherwise
local time = call('TIME')
local WINDOW = 600000 -- milliseconds that IDs of entries are remembered
local now = time[1] * 1000000 + time[2]
