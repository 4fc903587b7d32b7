package core_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/memory"
)

// guarded is an engine on which an application's transaction guards a hold.
type guarded struct {
	shared
	on    atomic.Bool
	tries atomic.Int64
}

const guardedName = "a"

func (e *guarded) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	answers := make([]kv.Answer, len(txns))
	for i := range txns {
		ends := slices.ContainsFunc(txns[i].Then, func(w kv.Write) bool { return w.Key == "h"+guardedName && !w.Renew })
		if ends && e.on.Load() {
			e.tries.Add(1)
			answers[i].Guarded = true
			continue
		}
		got, err := e.shared.Commit(ctx, txns[i:i+1])
		if err != nil {
			return nil, err
		}
		answers[i] = got[0]
	}
	return answers, nil
}

func release(name, session string) store.Op {
	return store.Op{Name: name, Do: store.Release, Expect: store.Expect{Session: &session}, Event: &store.Event{Kind: "released"}}
}

func TestAGuardedHoldEndsWithTheGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &guarded{shared: shared{memory.NewEngine(nil)}}
		st := core.New(e)
		defer func() { _ = st.Close() }()
		op := func(ctx context.Context, sw store.Op) error {
			res, err := st.Commit(ctx, store.Txn{Ops: []store.Op{sw}})
			if err == nil && !res.Done {
				t.Errorf("refused: %+v", sw)
			}
			return err
		}
		if err := op(t.Context(), acquire(guardedName, "ann")); err != nil {
			t.Fatal(err)
		}
		e.on.Store(true)
		released := make(chan error, 1)
		go func() { released <- op(t.Context(), release(guardedName, "ann")) }()
		for range 100 {
			began := time.Now()
			if err := errors.Join(op(t.Context(), acquire("b", "bob")), op(t.Context(), release("b", "bob"))); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(began); d > 0 {
				t.Errorf("another name waited %v", d)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := e.tries.Load(); n < 10 || n > 40 {
			t.Errorf("tried %d times within a second", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := op(ctx, release(guardedName, "ann")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the end of its patience: %v", err)
		}
		e.on.Store(false)
		if err := <-released; err != nil {
			t.Error(err)
		}
		if view, err := st.Get(t.Context(), guardedName, ""); err != nil || view.Record != nil {
			t.Errorf("after the guard: %+v, %v", view.Record, err)
		}
	})
}

func TestASweepDoesNotWaitForGuards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &guarded{shared: shared{memory.NewEngine(nil)}}
		st := core.New(e)
		defer func() { _ = st.Close() }()
		for _, name := range []string{guardedName, "b"} {
			sw := acquire(name, "ann")
			sw.Terms = &store.Terms{Idle: time.Second}
			if _, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{sw}}); err != nil {
				t.Fatal(err)
			}
		}
		e.on.Store(true)
		time.Sleep(2 * time.Second)
		due, err := st.Sweep(t.Context(), store.Retention{})
		if err != nil || due <= 0 || due > time.Second || e.tries.Load() > 3 {
			t.Errorf("a sweep is due in %v after %d tries: %v", due, e.tries.Load(), err)
		}
		if page, err := st.Log(t.Context(), store.LogQuery{Name: "b"}); err != nil || len(page.Entries) != 1 {
			t.Errorf("another name was not swept: %+v, %v", page.Entries, err)
		}
		e.on.Store(false)
		if due, err := st.Sweep(t.Context(), store.Retention{}); err != nil || due != -1 {
			t.Errorf("after the guard a sweep is due in %v: %v", due, err)
		}
	})
}

func TestCloseEndsTheWaitForAGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &guarded{shared: shared{memory.NewEngine(nil)}}
		st := core.New(e)
		if _, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{acquire(guardedName, "ann")}}); err != nil {
			t.Fatal(err)
		}
		e.on.Store(true)
		released := make(chan error, 1)
		go func() {
			_, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{release(guardedName, "ann")}})
			released <- err
		}()
		synctest.Wait()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
		if err := <-released; !errors.Is(err, store.ErrClosed) {
			t.Errorf("released with %v", err)
		}
	})
}
