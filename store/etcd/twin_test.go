package etcd_test

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"editlock/internal/enginetest"
	"editlock/store"
	"editlock/store/storetest"
)

// twin is two stores with one prefix, as two processes have it, whose calls
// go to the one and the other in turn.
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

func (s *server) twin(t testing.TB, clock *storetest.Clock) store.Store {
	url := s.url()
	return &twin{stores: [2]store.Store{s.at(t, clock, url), s.at(t, clock, url)}}
}

func TestStore_SharedByTwo(t *testing.T) {
	s := &server{Etcd: enginetest.StartEtcd(t)}
	storetest.Run(t, storetest.Harness{Open: s.twin, Quick: os.Getenv("EDITLOCK_LONG") == ""})
}

// TestStore_RealTime has the store tell the time by etcd, as it does outside
// of tests (and in tests/endtoend). It is for the long mode: a machine that is
// busy with other tests may be late for a fifth of a second.
func TestStore_RealTime(t *testing.T) {
	if os.Getenv("EDITLOCK_LONG") == "" {
		return
	}
	s := &server{Etcd: enginetest.StartEtcd(t)}
	storetest.Run(t, storetest.Harness{
		Open:   func(t testing.TB, _ *storetest.Clock) store.Store { return s.open(t, nil) },
		Second: 200 * time.Millisecond,
		Quick:  true,
	})
}

// TestStore_RealTimeSharedByTwo is for the long mode: each of its stores takes
// up to a second to open.
func TestStore_RealTimeSharedByTwo(t *testing.T) {
	if os.Getenv("EDITLOCK_LONG") == "" {
		return
	}
	s := &server{Etcd: enginetest.StartEtcd(t)}
	storetest.Run(t, storetest.Harness{
		Open:   func(t testing.TB, _ *storetest.Clock) store.Store { return s.twin(t, nil) },
		Second: 200 * time.Millisecond,
		Quick:  true,
	})
}
