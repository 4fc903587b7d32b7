package editlock_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
)

// stubborn is a store where joins of one name take their time.
type stubborn struct {
	store.Store
	name string
	each atomic.Int64 // of a join, in nanoseconds
}

func (s *stubborn) Commit(ctx context.Context, txn store.Txn) (store.Result, error) {
	if op := txn.Ops[0]; op.Do == store.Join && op.Name == s.name {
		time.Sleep(time.Duration(s.each.Load()))
	}
	return s.Store.Commit(ctx, txn)
}

// A crowd rejoins one after the other, which takes long. Newcomers to the same mutex wait
// for that, and keep nobody from another one.
func TestManager_NewcomersBehindARejoinKeepNobodyFromAnotherQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &stubborn{Store: unplugged(t), name: report.String()}
		m, line := cut(t, st)
		other := editlock.ID{ID: "other"}
		for _, id := range []editlock.ID{report, other} {
			takes(t, m, "holder", id)
		}
		for n := range 20 {
			waitsFor(t, m, fmt.Sprint("early ", n), report)
		}
		time.Sleep(time.Second)
		st.each.Store(int64(time.Second))
		line.away(13 * time.Second)
		time.Sleep(2 * time.Second) // they rejoin
		for n := range 100 {
			waitsFor(t, m, fmt.Sprint("late ", n), report)
		}
		time.Sleep(100 * time.Millisecond)
		waitsFor(t, m, "ann", other)
		time.Sleep(time.Second)
		if _, got, err := m.Request(t.Context(), other); err != nil || got.Waiting != 1 {
			t.Errorf("%d wait for the other mutex, %v", got.Waiting, err)
		}
	})
}
