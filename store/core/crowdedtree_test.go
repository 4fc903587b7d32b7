package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
)

func TestANodeIsGrantedHoweverManyWaitBelow(t *testing.T) {
	w := newWorld(t)
	w.keepAlive("p", time.Hour)
	w.commit(w.st, acquire("g/m/0", "ann"))
	w.commit(w.st, join("g/m/", "all", "p", 0))
	const below = 300
	for i := range below {
		if res := w.commit(w.st, join(fmt.Sprint("g/m/", i+1), fmt.Sprint("one", i+1), "p", 0)); !res.Done {
			t.Fatalf("could not wait for g/m/%d", i+1)
		}
	}
	session := "ann"
	w.commit(w.st, store.Op{Name: "g/m/0", Do: store.Release, Expect: store.Expect{Session: &session}})
	sweep := func() {
		w.clock.Advance(6 * time.Second)
		if _, err := w.st.Sweep(t.Context(), store.Retention{}); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	view, err := w.st.Get(t.Context(), "g/m/", "")
	if err != nil || view.Record == nil || view.Record.Holder.Session != "all" {
		t.Fatalf("who waits for all has %+v, %v", view.Record, err)
	}
	session = "all"
	w.commit(w.st, store.Op{Name: "g/m/", Do: store.Release, Expect: store.Expect{Session: &session}})
	sweep()
	for i := range below {
		view, err := w.st.Get(t.Context(), fmt.Sprint("g/m/", i+1), "")
		if err != nil || view.Record == nil || view.Record.Holder.Session != fmt.Sprint("one", i+1) {
			t.Fatalf("who waits for one of them has %+v, %v", view.Record, err)
		}
	}
}

func TestANameThatIsLeftAgainWhileSomebodyLooksIsLookedAtAgain(t *testing.T) {
	if n := core.Watched(false); n != 0 {
		t.Errorf("%d names are looked at that are open", n)
	}
	if n := core.Watched(true); n != 1 {
		t.Errorf("%d names are looked at that were left again", n)
	}
}

func TestARefusalTellsOfANodeThatIsHeldForTheFirstTime(t *testing.T) {
	w := newWorld(t)
	for _, sw := range []store.Op{acquire("g/m/", "ann"), {Name: "g/m/", Do: store.Release}} {
		w.commit(w.st, sw) // this process knows that modes are held as a whole, and no more
	}
	for _, name := range []string{"g/m/", "g/"} {
		w.commit(w.other, acquire(name, "ann"))
	}
	res := w.commit(w.st, acquire("g/m/1", "bob"))
	if res.Done || len(res.Paths) != 1 || len(res.Paths[0].Above) != 2 {
		t.Errorf("in the way of g/m/1 are g/ and g/m/: %+v", res)
	}
}

func TestANodeIsFreeHoweverManyDiedBelow(t *testing.T) {
	w := newWorld(t)
	const died, together = 21_000, 1000
	for i := 0; i < died; i += together {
		ops := make([]store.Op, together)
		for j := range ops {
			ops[j] = acquire(fmt.Sprint("g/m/", i+j), fmt.Sprint("job ", i+j))
			ops[j].Terms = &store.Terms{MaxHold: time.Second}
		}
		if res := w.commit(w.st, ops...); !res.Done {
			t.Fatalf("names from %d on were refused", i)
		}
	}
	w.clock.Advance(2 * time.Second)
	if res := w.commit(w.st, acquire("g/m/", "import")); !res.Done {
		t.Errorf("after all below died the node is refused: %+v", res)
	}
}
