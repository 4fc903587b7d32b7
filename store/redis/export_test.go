package redis

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/editlock/editlock/store/kv"
)

// given is a clock for scripts that goes by what the callers say: their last
// argument is the time, and the number of its change. The newest that any of
// them has seen counts for all.
const given = `local time = (function()
  local change, t = string.match(ARGV[#ARGV], '^(%d+) (%d+)$')
  local known = call('HMGET', P .. 'clock', 'change', 'time')
  if known[1] and tonumber(known[1]) >= tonumber(change) then t = known[2] else call('HSET', P .. 'clock', 'change', change, 'time', t) end
  return { sub(t, 1, -7), sub(t, -6) }
end)()`

// Ticker tells Redis what time a test has. Stores that share their keys share it.
type Ticker struct {
	Now     func() time.Time
	mu      sync.Mutex
	last    int64
	changes uint64
}

func (c *Ticker) tell() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if micros := c.Now().UnixMicro(); micros != c.last {
		c.last = micros
		c.changes++
	}
	return fmt.Sprint(c.changes, " ", c.last)
}

// OpenEngine opens an engine, on a clock of the test's if there is one.
func OpenEngine(ctx context.Context, url string, c *Ticker) (kv.Engine, error) {
	if c == nil {
		return open(ctx, url, "", nil)
	}
	return open(ctx, url, given, c.tell)
}
