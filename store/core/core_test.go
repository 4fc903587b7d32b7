package core_test

import (
	"context"
	"runtime"
	"testing"

	"editlock/store"
	"editlock/store/core"
	"editlock/store/kv"
	"editlock/store/memory"
	"editlock/store/storetest"
)

// shared is an engine in memory whose transactions share commits.
type shared struct{ *memory.Engine }

func (shared) Limits() kv.Limits { return kv.Limits{Txns: 64, Bytes: 1 << 20, Calls: 2} }

func (e shared) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	runtime.Gosched() // so that others arrive meanwhile
	return e.Engine.Commit(ctx, txns)
}

func TestStoreWithSharedCommits(t *testing.T) {
	storetest.Run(t, storetest.Harness{Open: func(t testing.TB, clock *storetest.Clock) store.Store {
		st := core.New(shared{memory.NewEngine(&memory.Options{Now: clock.Now})})
		t.Cleanup(func() { _ = st.Close() })
		return st
	}})
}

// Two processes on one engine, each with what it has seen and assumes.
func TestTwoStoresOnOneEngine(t *testing.T) {
	storetest.Run(t, storetest.Harness{Open: func(t testing.TB, clock *storetest.Clock) store.Store {
		e := memory.NewEngine(&memory.Options{Now: clock.Now})
		st := storetest.Twin(core.New(e), core.New(e))
		t.Cleanup(func() { _ = st.Close() })
		return st
	}})
}
