package core_test

import (
	"testing"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// A waiter who leaves a queue may be granted the name instead, as nothing on its path is
// another's by now. If that changes right then, there is no grant.
func TestAWaiterWhoLeavesIsNotGrantedANodeBesideAnother(t *testing.T) {
	w := newWorld(t)
	w.keepAlive("p", time.Hour)
	waits := func(name, id string) {
		t.Helper()
		sw := join(name, id, "p", 0)
		sw.Waiter.Holder.Session = "ann"
		if res := w.commit(w.other, sw); !res.Done {
			t.Fatalf("ann can't wait for %s: %+v", name, res)
		}
	}
	w.commit(w.other, acquire("g/m/1", "bob"))
	waits("g/m/1", "for one")
	waits("g/m/", "for all")
	w.commit(w.other, release("g/m/1", "bob")) // ann holds one, and may have all

	var steal func(txns []kv.Txn)
	steal = func(txns []kv.Txn) {
		if len(txns[0].Then) == 0 { // it only looks
			w.engine.before = steal
			return
		}
		sw := acquire("g/m/1", "carl")
		sw.Expect = store.Expect{Session: new("ann")}
		if res := w.commit(w.other, sw); !res.Done {
			t.Fatalf("carl can't take over: %+v", res)
		}
	}
	w.engine.before = steal
	res := w.commit(w.st, leave("g/m/", "for all"))
	view, err := w.other.Get(t.Context(), "g/m/", "")
	if err != nil || view.Record != nil {
		t.Errorf("beside carl's part %+v holds all, %v", view.Record, err)
	}
	if !res.Done {
		t.Errorf("ann still waits: %+v", res)
	}
}

// A waiter who holds a part may capture what is below that, and pass it on to another
// login of the same user, while they are granted the whole.
func TestAWaiterIsNotGrantedANodeBesideAPartPassedOnMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.keepAlive("p", time.Hour)
	ann := store.Party{Session: "ann", User: "ann"}
	w.must(acquire("g/z#a", "bob")) // parts are in use
	w.must(acquire("g/m/1", "bob"))
	for _, name := range []string{"g/m/1", "g/m/"} {
		sw := join(name, "for "+name, "p", 0)
		sw.Waiter.Holder = ann
		w.must(sw)
	}
	w.must(release("g/m/1", "bob")) // ann holds one, and may have all
	w.clock.Advance(6 * time.Second)
	w.meanwhile(func() {
		w.must(acquire("g/m/1#a", "ann"))
		w.must(passOn("g/m/1#a", "ann", store.Party{Session: "ann again", User: "ann"}))
	})
	if _, err := w.st.Sweep(t.Context(), store.Retention{}); err != nil {
		t.Fatal(err)
	}
	w.apart("g/m/", "g/m/1#a")
}
