package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
)

// takeShared is a take of a name that others may hold beside, for a second.
func acquireShared(name, session string, share store.Share) store.Op {
	sw := acquire(name, session)
	sw.Share, sw.Terms = &share, &store.Terms{MaxHold: time.Second}
	return sw
}

// crowd lets so many hold a name together, and lets them all die.
func (w *world) crowd(name string, n int) {
	w.Helper()
	for i := range n {
		if res := w.commit(w.other, acquireShared(name, fmt.Sprint("reader ", i), store.Shared)); !res.Done {
			w.Fatalf("reader %d was refused", i)
		}
	}
}

func TestANameWhoseManyHoldersDiedIsFree(t *testing.T) {
	for _, n := range []int{199, 200, 201, 401} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t)
			w.crowd("a", n)
			w.clock.Advance(2 * time.Second)
			view, err := w.st.Get(w.Context(), "a", "")
			if err != nil || view.Record != nil {
				t.Errorf("a name whose %d holders died has %+v, %v", n, view.Record, err)
			}
			if res := w.commit(w.st, acquire("a", "writer")); !res.Done {
				t.Errorf("after %d died a writer is refused: %+v", n, res.Records[0])
			}
		})
	}
}

func TestAWaiterGetsTheNameWhenManyHoldersHaveDied(t *testing.T) {
	for _, n := range []int{199, 200, 201, 400} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t)
			w.keepAlive("p", time.Hour)
			w.crowd("a", n)
			if res := w.commit(w.other, join("a", "writer", "p", 0)); !res.Done {
				t.Fatal("a writer can't wait")
			}
			w.clock.Advance(2 * time.Second)
			for range 2 {
				if _, err := w.st.Sweep(w.Context(), store.Retention{}); err != nil {
					t.Fatal(err)
				}
			}
			view, err := w.st.Get(w.Context(), "a", "")
			if err != nil || view.Record == nil || view.Record.Request != "writer" {
				t.Errorf("after %d holders died %+v has the name: %v", n, view.Record, err)
			}
		})
	}
}

func TestAllOfManyReadersWhoWaitGetTheName(t *testing.T) {
	w := newWorld(t)
	w.keepAlive("p", time.Minute)
	w.commit(w.other, acquire("a", "writer"))
	const n = 1100
	share := store.Shared
	for i := range n {
		sw := join("a", fmt.Sprint("reader ", i), "p", 0)
		sw.Waiter.Share = share
		w.commit(w.other, sw)
	}
	writer := "writer"
	w.commit(w.st, store.Op{Name: "a", Do: store.Release, Expect: store.Expect{Session: &writer}})
	for range 2 {
		w.clock.Advance(30 * time.Second)
		w.keepAlive("p", time.Minute)
		if _, err := w.st.Sweep(w.Context(), store.Retention{}); err != nil {
			t.Fatal(err)
		}
	}
	view, err := w.st.Get(w.Context(), "a", "")
	if err != nil || view.Record == nil || view.Record.Beside != n-1 || view.Record.Waiting != 0 {
		t.Errorf("%+v, %v", view.Record, err)
	}
}
