package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
)

// Who holds a name on the path may not wait, however many hold names there.
func TestWhoHoldsOneOfManyOnAPathMayNotWaitThere(t *testing.T) {
	for _, test := range []struct {
		name, wants string
		holds       func(w *world, n int, session string)
	}{
		{"below", "g/m/", func(w *world, n int, session string) { w.must(acquire(fmt.Sprintf("g/m/%02d", n), session)) }},
		{"above", "g/m/1", func(w *world, _ int, session string) { w.must(together("g/m/", session)) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.keepAlive("p", time.Hour)
			for n := range 50 {
				test.holds(w, n, fmt.Sprint("s", n))
			}
			for _, n := range []int{0, 49} {
				res := w.commit(w.st, join(test.wants, fmt.Sprint("s", n), "p", 0))
				if res.Done || res.Paths == nil || res.Paths[0] == nil || !res.Paths[0].Own {
					t.Errorf("%d may wait: %+v", n, res)
				} else if way := res.Paths[0]; len(way.Above)+len(way.Below)+way.More != 49 {
					t.Errorf("in the way of %d: %+v", n, way)
				}
			}
			if res := w.commit(w.st, join(test.wants, "eve", "p", 0)); !res.Done {
				t.Errorf("eve may not wait: %+v", res)
			}
		})
	}
}

// A user who logs in again keeps all of something, however many parts of it they hold, too.
func TestWhoHoldsManyPartsMovesTheWholeToAnotherLogin(t *testing.T) {
	w := newWorld(t)
	w.must(acquire("g/m/", "ann"))
	for n := range 50 {
		w.must(acquire(fmt.Sprintf("g/m/%02d", n), "ann"))
	}
	again := store.Party{Session: "ann again", User: "ann"}
	if res := w.commit(w.st, passOn("g/m/", "ann", again)); !res.Done {
		t.Errorf("refused: %+v", res)
	}
}

// A name is free, but for what is held above or below, and has waiters then.
func TestAWaiterForAFreeNameJoinsAgainWhereItWaitsAtNoOtherProcess(t *testing.T) {
	w := newWorld(t)
	w.must(acquire("g/m/1", "ann"))
	w.keepAlive("p", time.Second)
	w.keepAlive("q", time.Hour)
	again := func(process string) bool {
		op := join("g/m/", "eve", process, 0)
		op.Expect.Here = true
		return w.commit(w.st, op).Done
	}
	for range 2 {
		if !again("p") {
			t.Error("it waits nowhere else, and is refused")
		}
	}
	if again("q") {
		t.Error("it waits at another process, and is moved")
	}
	w.clock.Advance(2 * time.Second)
	if !again("q") {
		t.Error("the other process has died, and it is refused")
	}
}

func TestWhoHoldsANameAndAPartOfItMayNotWaitForIt(t *testing.T) {
	w := newWorld(t)
	w.must(acquire("g/m/1", "ann"))
	w.must(acquire("g/m/1#a", "ann"))
	w.keepAlive("p", time.Hour)
	if res := w.commit(w.st, join("g/m/1", "ann", "p", 0)); res.Done || res.Paths == nil || res.Paths[0] == nil || !res.Paths[0].Own {
		t.Errorf("not told that a hold of its own is in the way: %+v", res)
	}
}
