package redis

import "fmt"

// given is a clock for scripts that goes by what the callers say: their last
// argument is the time, and the number of its change. The newest that any of
// them has seen counts for all.
const given = `
local function clock()
  local change, t = string.match(ARGV[#ARGV], '^(%d+) (%d+)$')
  local known = redis.call('HMGET', KEYS[1] .. 'clock', 'change', 'time')
  if known[1] and tonumber(known[1]) >= tonumber(change) then return tonumber(known[2]) end
  redis.call('HSET', KEYS[1] .. 'clock', 'change', change, 'time', t)
  return tonumber(t)
end`

// Keeping makes stores keep to a clock: now tells the time in microseconds,
// and how many other times it has told before.
func Keeping(now func() (micros int64, change uint64)) *Options {
	return &Options{clock: given, now: func() string {
		micros, change := now()
		return fmt.Sprint(change, " ", micros)
	}}
}
