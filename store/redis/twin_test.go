package redis_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"editlock"
	"editlock/internal/enginetest"
	"editlock/locktest"
	"editlock/store"
	"editlock/store/redis"
	"editlock/store/storetest"
)

// twin is two stores on one prefix, as two processes have them, whose calls go
// to the one and the other in turn.
type twin struct {
	stores [2]store.Store
	calls  atomic.Uint64
}

func (s *twin) next() store.Store { return s.stores[s.calls.Add(1)%2] }

func (s *twin) Swap(ctx context.Context, req store.Request) (store.Result, error) {
	return s.next().Swap(ctx, req)
}

func (s *twin) Get(ctx context.Context, name string) (store.View, error) {
	return s.next().Get(ctx, name)
}

func (s *twin) List(ctx context.Context, q store.Query) (store.Page, error) {
	return s.next().List(ctx, q)
}

func (s *twin) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	return s.next().Log(ctx, q)
}

func (s *twin) Beat(ctx context.Context, peer string, ttl time.Duration) ([]string, error) {
	return s.next().Beat(ctx, peer, ttl)
}

func (s *twin) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	return s.next().Sweep(ctx, keep)
}

func (s *twin) Listen(peer string) *store.Subscription { return s.next().Listen(peer) }

func (s *twin) Close() error { return errors.Join(s.stores[0].Close(), s.stores[1].Close()) }

func TestStore_SharedByTwo(t *testing.T) {
	t.Parallel()
	s := newStores(enginetest.StartRedis(t))
	storetest.Run(t, storetest.Harness{
		Open: func(t testing.TB, clock *storetest.Clock) store.Store {
			url := s.server.Store()
			return &twin{stores: [2]store.Store{s.at(t, clock, url, false), s.at(t, clock, url, false)}}
		},
		Quick: true,
	})
}

func TestManager(t *testing.T) {
	t.Parallel()
	server := enginetest.StartRedis(t)
	locktest.Run(t, locktest.Harness{Open: func(t *testing.T) locktest.System {
		var clock locktest.Clock
		c := &ticker{now: clock.Now}
		url := server.Store()
		open := func() *editlock.Manager {
			st, err := redis.Open(t.Context(), url, redis.Keeping(c.tell))
			if err != nil {
				t.Fatal(err)
			}
			m := editlock.NewManager(st, nil)
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
