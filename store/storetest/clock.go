package storetest

import (
	"sync"
	"time"
)

// Clock is the clock of a store under test. Engines that can be given one
// read it; for the others the suite lets real time pass instead of advancing
// it, and leases are as much shorter.
type Clock struct {
	mu     sync.Mutex
	now    time.Time
	second time.Duration // real time for a second of the suite; 0: not real
}

// NewClock returns a clock that only Advance moves.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC)}
}

// Now is the time to give to an engine. It is safe for concurrent use.
func (c *Clock) Now() time.Time {
	if c.second > 0 {
		return time.Now()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance lets so much of the store's time pass. A negative duration sets the
// clock back, as an administrator might.
func (c *Clock) Advance(d time.Duration) {
	if c.second > 0 {
		time.Sleep(d + time.Millisecond)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// manual reports whether time stands still but for Advance.
func (c *Clock) manual() bool { return c.second == 0 }

// scale turns seconds of the suite into the store's.
func (c *Clock) scale(d time.Duration) time.Duration {
	if c.second == 0 {
		return d
	}
	return time.Duration(float64(d) / float64(time.Second) * float64(c.second))
}
