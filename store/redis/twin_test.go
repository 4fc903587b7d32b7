package redis_test

import (
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/locktest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/redis"
	"github.com/editlock/editlock/store/storetest"
)

func TestStore_SharedByTwo(t *testing.T) {
	t.Parallel()
	s := newStores(enginetest.StartRedis(t))
	storetest.Run(t, storetest.Harness{
		Open: func(t testing.TB, clock *storetest.Clock) store.Store {
			url := s.server.Store()
			return storetest.Twin(s.at(t, clock, url), s.at(t, clock, url))
		},
		Parallel: true, Quick: true,
	})
}

func TestManager(t *testing.T) {
	t.Parallel()
	server := enginetest.StartRedis(t)
	locktest.Run(t, locktest.Harness{Open: func(t *testing.T) locktest.System {
		var clock locktest.Clock
		c := &redis.Ticker{Now: clock.Now}
		url := server.Store()
		open := func() *editlock.Manager {
			e, err := redis.OpenEngine(t.Context(), url, c)
			if err != nil {
				t.Fatal(err)
			}
			m := editlock.NewManager(core.New(e), nil)
			t.Cleanup(func() {
				if err := m.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			return m
		}
		return locktest.System{Locker: open(), Second: open(), Advance: clock.Advance}
	}})
}
