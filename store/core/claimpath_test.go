package core_test

import (
	"testing"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// claimed is a world in which ann holds all of g/m/ and g/m/1, and wendy may claim the
// latter, but for the former.
func claimed(t *testing.T) (*world, store.Op) {
	w := newWorld(t)
	w.keepAlive("p", time.Hour)
	w.commit(w.other, acquire("g/m/", "ann"))
	w.commit(w.other, acquire("g/m/1", "ann"))
	if res := w.commit(w.other, join("g/m/1", "wendy", "p", 2*time.Second)); !res.Done {
		t.Fatalf("wendy can't wait: %+v", res)
	}
	w.clock.Advance(3 * time.Second)
	return w, store.Op{Name: "g/m/", Do: store.Release, Expect: store.Expect{Session: new("ann")}}
}

func (w *world) wantWendy(after string) {
	w.Helper()
	view, err := w.other.Get(w.Context(), "g/m/1", "")
	if err != nil || view.Record == nil || view.Record.Holder.Session != "wendy" {
		w.Errorf("after %s g/m/1 is held by %+v, %v", after, view.Record, err)
	}
}

// A claim that is kept back by a hold above is met by the step in whose time that ends.
func TestAClaimIsMetByTheStepThatFindsItsPathClear(t *testing.T) {
	for name, step := range map[string]func(w *world) (done bool){
		"a sweep": func(w *world) bool {
			if _, err := w.st.Sweep(w.Context(), store.Retention{}); err != nil {
				w.Fatal(err)
			}
			return false
		},
		"a refusal to make way": func(w *world) bool {
			sw := leave("g/m/1", "wendy")
			sw.Event = &store.Event{Kind: "declined"}
			return w.commit(w.st, sw).Done
		},
		"a renewal that is noted": func(w *world) bool {
			sw := renew("g/m/1", nil, nil, &store.Event{Kind: "refreshed"})
			sw.Expect.Session = new("ann")
			return w.commit(w.st, sw).Done
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, release := claimed(t)
			var clear func(txns []kv.Txn)
			clear = func(txns []kv.Txn) {
				if len(txns[0].Then) == 0 { // it only looks
					w.engine.before = clear
					return
				}
				w.commit(w.other, release)
			}
			w.engine.before = clear
			if step(w) {
				t.Error("it was done, although wendy had a claim by then")
			}
			if name == "a sweep" { // what was changed meanwhile is still due
				step(w)
			}
			w.wantWendy(name)
		})
	}
}

// A renewal in one round trip does not look above and below. It may come before a claim
// whose path has become clear, but no longer than a closed name waits for a look.
func TestARenewalMayComeBeforeAClaimWhosePathIsClearForFiveSecondsAtMost(t *testing.T) {
	w, release := claimed(t)
	if _, err := w.st.Sweep(t.Context(), store.Retention{}); err != nil { // wendy's alarm rang, to no avail
		t.Fatal(err)
	}
	w.commit(w.other, release)
	w.clock.Advance(4900 * time.Millisecond)
	w.renew("g/m/1", "ann")
	w.clock.Advance(200 * time.Millisecond)
	if res := w.commit(w.st, store.Op{Name: "g/m/1", Do: store.Renew, Expect: store.Expect{Session: new("ann")}}); res.Done {
		t.Error("a renewal was done five seconds after the path of a claim had become clear")
	}
	w.wantWendy("that")
}

// Who is passed a hold on the path of what they wait for can't take their place again.
func TestAPlaceIsNotTakenAgainByWhoHoldsOnItsPathByThen(t *testing.T) {
	w := newWorld(t)
	w.keepAlive("p", time.Hour)
	w.keepAlive("q", time.Hour)
	w.commit(w.other, acquire("g/m/2", "bob"))
	w.commit(w.other, acquire("g/m/1", "cid")) // who stays in the way
	w.commit(w.other, join("g/m/", "wendy", "p", 0))
	pass := store.Op{Name: "g/m/2", Do: store.Renew, Expect: store.Expect{Session: new("bob")}, Holder: &store.Party{Session: "wendy", User: "wendy"}}
	var passed func(txns []kv.Txn)
	passed = func(txns []kv.Txn) {
		if len(txns[0].Then) == 0 {
			w.engine.before = passed
		} else if res := w.commit(w.other, pass); !res.Done {
			t.Fatalf("the hold can't be passed on: %+v", res)
		}
	}
	w.engine.before = passed
	if res := w.commit(w.st, join("g/m/", "wendy", "q", 0)); res.Done {
		t.Error("wendy waits above a hold of the same session, at another process")
	}
}

// Who holds all of something, and waits for a part of it, as another login did before, may
// have the part: but not by the step by which a claim takes all from them.
func TestAClaimIsNotMetBesideAPartThatIsGrantedByTheSameStep(t *testing.T) {
	for _, order := range [][]string{{"g/m/", "g/m/1"}, {"g/m/1", "g/m/"}} {
		w := newWorld(t)
		w.keepAlive("p", time.Hour)
		w.must(acquire("g/m/", "yan"))
		w.must(join("g/m/", "wendy", "p", 2*time.Second))
		w.must(join("g/m/1", "zoe", "p", 0))
		w.must(passOn("g/m/", "yan", store.Party{Session: "zoe", User: "yan"}))
		w.clock.Advance(3 * time.Second)
		if res := w.commit(w.st, release(order[0], "nobody"), release(order[1], "nobody")); res.Done {
			t.Error("nobody holds what they dropped")
		}
		w.apart("g/m/", "g/m/1")
		if view, err := w.other.Get(t.Context(), order[0], ""); err != nil || view.Record == nil {
			t.Errorf("nobody got %s: %v", order[0], err)
		}
	}
}
