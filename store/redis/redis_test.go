package redis_test

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/kv/kvtest"
	"github.com/editlock/editlock/store/redis"
	"github.com/editlock/editlock/store/storetest"
)

// stores remembers what the stores of a test are on.
type stores struct {
	server  *enginetest.Redis
	mu      sync.Mutex
	urls    map[store.Store]string
	tickers map[*storetest.Clock]*redis.Ticker
}

func newStores(server *enginetest.Redis) *stores {
	return &stores{server: server, urls: map[store.Store]string{}, tickers: map[*storetest.Clock]*redis.Ticker{}}
}

// at opens the store at a URL, on the clock of the suite unless that is nil.
func (s *stores) at(t testing.TB, clock *storetest.Clock, url string) store.Store {
	t.Helper()
	var c *redis.Ticker
	if clock != nil {
		s.mu.Lock()
		if c = s.tickers[clock]; c == nil {
			c = &redis.Ticker{Now: clock.Now}
			s.tickers[clock] = c
		}
		s.mu.Unlock()
	}
	e, err := redis.OpenEngine(t.Context(), url, c)
	if err != nil {
		t.Fatal(err)
	}
	st := core.New(e)
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
	return s.at(t, clock, s.server.Store())
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
	return s.at(t, clock, url)
}

func TestEngine(t *testing.T) {
	t.Parallel()
	server := enginetest.StartRedis(t)
	kvtest.Run(t, func(t testing.TB, clock *kvtest.Clock) kv.Engine {
		e, err := redis.OpenEngine(t.Context(), server.Store(), &redis.Ticker{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		return e
	})
}

func TestStore(t *testing.T) {
	t.Parallel()
	s := newStores(enginetest.StartRedis(t, enginetest.Durable...))
	storetest.Run(t, storetest.Harness{Open: s.open, Reopen: s.reopen, Parallel: true, Quick: race && os.Getenv("EDITLOCK_LONG") == ""})
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
		Open:  func(t testing.TB, _ *storetest.Clock) store.Store { return s.at(t, nil, s.server.Store()) },
		Quick: true, Second: 150 * time.Millisecond,
	})
}
