package core_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/memory"
	"github.com/editlock/editlock/store/storetest"
)

// shared is an engine in memory whose transactions share commits.
type shared struct{ *memory.Engine }

func (shared) Limits() kv.Limits { return kv.Limits{Txns: 64, Bytes: 1 << 20, Calls: 2} }

func (e shared) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	runtime.Gosched() // so that others arrive meanwhile
	return e.Engine.Commit(ctx, txns)
}

func TestStoreWithSharedCommits(t *testing.T) {
	storetest.Run(t, storetest.Harness{Quick: race && os.Getenv("EDITLOCK_LONG") == "", Open: func(t testing.TB, clock *storetest.Clock) store.Store {
		st := core.New(shared{memory.NewEngine(&memory.Options{Now: clock.Now})})
		t.Cleanup(func() { _ = st.Close() })
		return st
	}})
}

// Two processes on one engine, each with what it has seen and assumes.
func TestTwoStoresOnOneEngine(t *testing.T) {
	storetest.Run(t, storetest.Harness{Quick: race && os.Getenv("EDITLOCK_LONG") == "", Open: func(t testing.TB, clock *storetest.Clock) store.Store {
		e := memory.NewEngine(&memory.Options{Now: clock.Now})
		st := storetest.Twin(core.New(e), core.New(e))
		t.Cleanup(func() { _ = st.Close() })
		return st
	}})
}

// slow is an engine whose commits wait for a go.
type slow struct {
	shared
	start chan struct{}
}

func (e slow) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	select {
	case <-e.start:
		return e.Engine.Commit(ctx, txns)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestCloseLetsCommitsUnderWayAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := slow{shared{memory.NewEngine(nil)}, make(chan struct{})}
		st := core.New(e)
		type answer struct {
			res store.Result
			err error
		}
		answers := make(chan answer, 1)
		go func() {
			res, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{acquire("a", "ann")}})
			answers <- answer{res, err}
		}()
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- st.Close() }()
		synctest.Wait()
		close(e.start)
		if a := <-answers; a.err != nil || !a.res.Done {
			t.Errorf("a capture that was committed got %+v, %v", a.res, a.err)
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

// full is an engine with one call at a time that has no room for one name.
type full struct {
	slow
	most *int // transactions that came together
}

func (full) Limits() kv.Limits { return kv.Limits{Txns: 64, Bytes: 1 << 20, Calls: 1} }

func (e full) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	*e.most = max(*e.most, len(txns))
	for i := range txns {
		for _, w := range txns[i].Then {
			if w.Key == "hlarge" {
				return nil, fmt.Errorf("the disk: %w", store.ErrFull)
			}
		}
	}
	return e.slow.Commit(ctx, txns)
}

// Where there is no room for all that share a commit, there may be for some.
func TestAFullStoreRefusesWhatHasNoRoomOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := full{slow{shared{memory.NewEngine(nil)}, make(chan struct{})}, new(int)}
		st := core.New(e)
		defer func() { _ = st.Close() }()
		errs := make(map[string]chan error)
		for _, name := range []string{"first", "a", "large", "b"} {
			errs[name] = make(chan error, 1)
			go func() {
				_, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{acquire(name, "ann")}})
				errs[name] <- err
			}()
			synctest.Wait()
		}
		close(e.start)
		for name, err := range errs {
			if err := <-err; errors.Is(err, store.ErrFull) != (name == "large") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if *e.most != 3 {
			t.Errorf("%d transactions came together", *e.most)
		}
	})
}

// limited is an engine that fails calls beyond its limits.
type limited struct{ shared }

func (e limited) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	if most := e.Limits().Txns; len(txns) > most {
		return nil, fmt.Errorf("%d transactions; at most %d are allowed", len(txns), most)
	}
	return e.shared.Commit(ctx, txns)
}

func TestSweepKeepsTheLimitsOfTheEngine(t *testing.T) {
	clock := storetest.NewClock()
	st := core.New(limited{shared{memory.NewEngine(&memory.Options{Now: clock.Now})}})
	t.Cleanup(func() { _ = st.Close() })
	for i := range 150 {
		sw := acquire(fmt.Sprint(i), "ann")
		sw.Terms = &store.Terms{MaxHold: time.Second}
		if _, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{sw}}); err != nil {
			t.Fatal(err)
		}
	}
	clock.Advance(time.Minute)
	if due, err := st.Sweep(t.Context(), store.Retention{}); err != nil || due >= 0 {
		t.Errorf("after a sweep the next is due in %v: %v", due, err)
	}
}

func TestCloseCutsCommitsShortThatDoNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := core.New(slow{shared{memory.NewEngine(nil)}, nil})
		failed := make(chan error, 1)
		go func() {
			_, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{acquire("a", "ann")}})
			failed <- err
		}()
		synctest.Wait()
		began := time.Now()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d > time.Minute {
			t.Errorf("Close took %v", d)
		}
		if err := <-failed; err == nil {
			t.Error("a commit that was cut short succeeded")
		}
	})
}

func TestAKeepAliveOfNoTimeIsRefused(t *testing.T) {
	st := memory.New(nil)
	defer func() { _ = st.Close() }()
	for _, ttl := range []time.Duration{0, -time.Second, time.Microsecond} {
		if _, err := st.KeepAlive(t.Context(), "process", ttl); err == nil {
			t.Errorf("a process lives for %v", ttl)
		}
	}
}
