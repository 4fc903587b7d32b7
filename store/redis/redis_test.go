package redis_test

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/redis"
	"github.com/editlock/editlock/store/storetest"
)

// ticker tells Redis what time the suite has.
type ticker struct {
	now     func() time.Time
	mu      sync.Mutex
	last    int64
	changes uint64
}

func (c *ticker) tell() (micros int64, change uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if micros := c.now().UnixMicro(); micros != c.last {
		c.last = micros
		c.changes++
	}
	return c.last, c.changes
}

// stores remembers what the stores of a test are on.
type stores struct {
	server *enginetest.Redis
	mu     sync.Mutex
	urls   map[store.Store]string
	clocks map[*storetest.Clock]*ticker
}

func newStores(server *enginetest.Redis) *stores {
	return &stores{server: server, urls: map[store.Store]string{}, clocks: map[*storetest.Clock]*ticker{}}
}

// at opens the store at a URL, on the clock of the suite unless it is real.
func (s *stores) at(t testing.TB, clock *storetest.Clock, url string, real bool) store.Store {
	t.Helper()
	var o *redis.Options
	if !real {
		s.mu.Lock()
		c := s.clocks[clock]
		if c == nil {
			c = &ticker{now: clock.Now}
			s.clocks[clock] = c
		}
		s.mu.Unlock()
		o = redis.Keeping(c.tell)
	}
	st, err := redis.Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.urls[st] = url
	return st
}

func (s *stores) open(t testing.TB, clock *storetest.Clock) store.Store {
	return s.at(t, clock, s.server.Store(), false)
}

// reopen opens the store again: crashed, on a server that was killed and
// started again.
func (s *stores) reopen(t testing.TB, clock *storetest.Clock, st store.Store, crashed bool) store.Store {
	t.Helper()
	s.mu.Lock()
	url := s.urls[st]
	s.mu.Unlock()
	if crashed {
		s.server.Kill()
		s.server.Start()
	} else if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return s.at(t, clock, url, false)
}

func TestStore(t *testing.T) {
	t.Parallel()
	s := newStores(enginetest.StartRedis(t, enginetest.Durable...))
	storetest.Run(t, storetest.Harness{Open: s.open, Reopen: s.reopen})
}

// TestStore_RealClock is for the long mode: a machine that is busy with other
// tests may be late for a seventh of a second. tests/endtoend has Redis's own
// clock too.
func TestStore_RealClock(t *testing.T) {
	if os.Getenv("EDITLOCK_LONG") == "" {
		return
	}
	t.Parallel()
	s := newStores(enginetest.StartRedis(t))
	storetest.Run(t, storetest.Harness{
		Open: func(t testing.TB, clock *storetest.Clock) store.Store {
			return s.at(t, clock, s.server.Store(), true)
		},
		Quick: true, Second: 150 * time.Millisecond,
	})
}
