package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/editlock/editlock/store"
)

// Twin is two stores on the same data, as two processes have it, whose calls
// go to the one and the other in turn: for engines that several may share.
func Twin(one, other store.Store) store.Store { return &twin{stores: [2]store.Store{one, other}} }

type twin struct {
	stores [2]store.Store
	calls  atomic.Uint64
}

func (s *twin) next() store.Store { return s.stores[s.calls.Add(1)%2] }

func (s *twin) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	return s.next().Commit(ctx, req)
}

func (s *twin) Get(ctx context.Context, name, session string) (store.View, error) {
	return s.next().Get(ctx, name, session)
}

func (s *twin) List(ctx context.Context, q store.RecordQuery) (store.RecordPage, error) {
	return s.next().List(ctx, q)
}

func (s *twin) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	return s.next().Log(ctx, q)
}

func (s *twin) Ends(ctx context.Context, holds []store.Hold, kinds []string) (store.Ends, error) {
	return s.next().Ends(ctx, holds, kinds)
}

func (s *twin) KeepAlive(ctx context.Context, process string, ttl time.Duration) ([]string, error) {
	return s.next().KeepAlive(ctx, process, ttl)
}

func (s *twin) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	return s.next().Sweep(ctx, keep)
}

func (s *twin) Subscribe(process string) *store.Subscription { return s.next().Subscribe(process) }

func (s *twin) Close() error { return errors.Join(s.stores[0].Close(), s.stores[1].Close()) }
