package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/editlock/editlock/store"
)

var lifeLaws = []law{
	{"a call under an ended context fails with its error and does nothing", lawCancelled, 0},
	{"a call whose context ends returns promptly", lawCancelledMidway, 0},
	{"a closed store answers everything with ErrClosed", lawClosed, 0},
	{"closing in the middle of work ends it cleanly", lawCloseBusy, 0},
	{"all methods may be called at once", lawAllAtOnce, 0},
}

// calls are one call of every method that takes a context.
func (t *test) calls(ctx context.Context) map[string]error {
	errs := map[string]error{}
	_, errs["Swap"] = t.st.Commit(ctx, store.Txn{ID: "r", Ops: []store.Op{acquire("a", "ann", t.idle(60))}})
	_, errs["Get"] = t.st.Get(ctx, "a", "")
	_, errs["List"] = t.st.List(ctx, store.RecordQuery{})
	_, errs["Log"] = t.st.Log(ctx, store.LogQuery{})
	_, errs["Beat"] = t.st.KeepAlive(ctx, "peer", time.Minute)
	_, errs["Sweep"] = t.st.Sweep(ctx, store.Retention{})
	return errs
}

func lawCancelled(t *test) {
	t.do(acquire("b", "ann", t.idle(3)))
	t.pass(4)
	before := t.everything()
	cancelled, cancel := context.WithCancel(t.ctx)
	cancel()
	for method, err := range t.calls(cancelled) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", method, err)
		}
	}
	expired, cancel := context.WithDeadline(t.ctx, time.Unix(0, 0))
	defer cancel()
	for method, err := range t.calls(expired) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", method, err)
		}
	}
	t.wantSame("the store after calls that failed", before, t.everything())
}

// lawCancelledMidway cancels requests at any moment. Each has happened or not,
// as its retry finds out.
func lawCancelledMidway(t *test) {
	for i := range 200 {
		name, id := fmt.Sprint("n", i), fmt.Sprint("r", i)
		ctx, cancel := context.WithCancel(t.ctx)
		go func() {
			for range i * 10 {
				_ = ctx.Err() // a little later each time
			}
			cancel()
		}()
		req := store.Txn{ID: id, Ops: []store.Op{acquire(name, "ann", t.idle(600))}}
		res, err := t.st.Commit(ctx, req)
		cancel()
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		again := t.commit(id, req.Ops...)
		if !again.Done || err == nil && (!res.Done || !again.Replayed) {
			t.Fatalf("the first try: %+v, %v; the retry: %+v", res, err, again)
		}
		t.wantSame("kinds", []string{captured}, t.kinds(name))
	}
}

func lawClosed(t *test) {
	sub := t.st.Subscribe("peer")
	if err := t.st.Close(); err != nil {
		t.Fatal(err)
	}
	for method, err := range t.calls(t.ctx) {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s: %v", method, err)
		}
	}
	sub.Drain()
	sub.Close()
	if err := t.st.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}

func lawCloseBusy(t *test) {
	var wg sync.WaitGroup
	for i := range 16 {
		name := fmt.Sprint("n", i)
		wg.Go(func() {
			for {
				for _, sw := range []store.Op{acquire(name, "ann", t.idle(60)), release(name, "ann")} {
					res, err := t.st.Commit(t.ctx, store.Txn{Ops: []store.Op{sw}})
					if err != nil {
						if !errors.Is(err, store.ErrClosed) {
							t.Errorf("Swap: %v", err)
						}
						return
					}
					if !res.Done {
						t.Errorf("refused: %+v", res)
						return
					}
				}
				if _, err := t.st.Get(t.ctx, name, ""); err != nil {
					if !errors.Is(err, store.ErrClosed) {
						t.Errorf("Get: %v", err)
					}
					return
				}
			}
		})
	}
	for len(t.log(store.LogQuery{Limit: 200}).Entries) < 100 && !t.Failed() {
		continue
	}
	if err := t.st.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

func lawAllAtOnce(t *test) {
	rounds := 30
	if t.quick() {
		rounds = 5
	}
	var wg sync.WaitGroup
	for i := range 8 {
		session, process := fmt.Sprint("s", i), fmt.Sprint("p", i%3)
		fail := func(what string, err error) {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		wg.Go(func() {
			sub := t.st.Subscribe(process)
			defer sub.Close()
			for j := range rounds {
				name := fmt.Sprint("n", (i+j)%4)
				waiter := join(name, session, process, t.idle(60))
				waiter.Waiter.ID = fmt.Sprint(session, "#", j)
				for _, sw := range []store.Op{
					acquire(name, session, t.idle(60)), waiter, leaving(waiter.Waiter.ID, process), release(name, session),
				} {
					sw.Name = name
					_, err := t.st.Commit(t.ctx, store.Txn{Ops: []store.Op{sw}})
					fail("Swap", err)
				}
				_, err := t.st.Get(t.ctx, name, "")
				fail("Get", err)
				_, err = t.st.List(t.ctx, store.RecordQuery{Session: session})
				fail("List", err)
				_, err = t.st.Log(t.ctx, store.LogQuery{Name: name, Newest: true, Limit: 5})
				fail("Log", err)
				_, err = t.st.KeepAlive(t.ctx, process, t.seconds(60))
				fail("Beat", err)
				_, err = t.st.Sweep(t.ctx, store.Retention{MaxEntries: 10})
				fail("Sweep", err)
				sub.Drain()
			}
		})
	}
	wg.Wait()
}
