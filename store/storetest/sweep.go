package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/editlock/editlock/store"
)

var sweepLaws = []law{
	{"an idle sweep writes nothing", lawIdleSweep, 0},
	{"a sweep tells when the next hold ends", lawSweepDue, exactClock},
	{"nothing is due where nothing can end", lawSweepNever, 0},
	{"a sweep ends all that is due and leaves the rest", lawSweepAll, 0},
	{"a sweeper that relies on what it is told ends everything on time", lawSweepOnTime, exactClock},
	{"sweeps come to rest at any moment", lawSweepRests, exactClock},
	{"two sweepers at once expire each hold once", lawSweepTwo, 0},
}

func lawIdleSweep(t *test) {
	t.keepAlive("peer", 1000)
	t.do(acquire("a", "ann", t.idle(600)))
	t.do(join("a", "wendy", "peer", t.idle(600)))
	before := t.everything()
	for range 5 {
		t.sweep()
	}
	t.wantSame("the store after sweeps", before, t.everything())
}

func lawSweepDue(t *test) {
	for i, seconds := range []float64{30, 10, 20} {
		t.do(acquire(fmt.Sprint("n", i), "ann", t.idle(seconds)))
	}
	for _, want := range []float64{10, 10, 10} {
		if due := t.sweep(); due != t.seconds(want) {
			t.Fatalf("due in %v; want %v seconds", due, want)
		}
		t.pass(want - 1)
		if due := t.sweep(); due != t.seconds(1) {
			t.Fatalf("due in %v; want a second", due)
		}
		t.pass(1)
	}
	if due := t.sweep(); due >= 0 {
		t.Fatalf("due in %v although nothing is held", due)
	}
}

func lawSweepNever(t *test) {
	if due := t.sweep(); due >= 0 {
		t.Errorf("due in %v in an empty store", due)
	}
	t.do(acquire("a", "ann", store.Terms{}))
	if due := t.sweep(); due >= 0 {
		t.Errorf("due in %v although the only hold is forever", due)
	}
}

func lawSweepAll(t *test) {
	for i := range 300 {
		t.do(acquire(fmt.Sprintf("n%03d", i), "ann", t.idle([]float64{3, 600, 4}[i%3])))
	}
	t.pass(5)
	for range 10 {
		if t.sweep() != 0 {
			break
		}
	}
	expired := t.log(store.LogQuery{Kinds: []string{store.KindExpired}, Limit: 1000}).Entries
	if n, held := len(expired), len(t.list(store.RecordQuery{Limit: 1000})); n != 200 || held != 100 {
		t.Fatalf("%d expiries are logged and %d names held", n, held)
	}
}

// lawSweepOnTime advances the clock only to where a sweep said that something
// is due: every end must be settled at its very time.
func lawSweepOnTime(t *test) {
	start := t.clock.Now()
	t.keepAlive("peer", 10_000)
	t.keepAlive("doomed", 7)
	ends := map[string]float64{} // by name
	for i := range 20 {
		name := fmt.Sprint("n", i)
		ends[name] = float64(5 + i*3)
		t.do(acquire(name, "ann", t.idle(ends[name])))
		switch i % 5 {
		case 1: // granted at the end
			t.do(join(name, "w on "+name, "peer", store.Terms{}))
		case 2: // claimed before the end
			ends[name] = float64(3 + i)
			sw := t.claim(name, "w on "+name, "peer", ends[name])
			sw.Waiter.Terms = store.Terms{}
			t.do(sw)
		case 3: // claimed by the second, the first being dead by then
			t.do(join(name, "d on "+name, "doomed", t.idle(60)))
			ends[name] = float64(8 + i)
			sw := t.claim(name, "w on "+name, "peer", ends[name])
			sw.Waiter.Terms = store.Terms{}
			t.do(sw)
		}
	}
	steps := 0
	for due := t.sweep(); due >= 0; due = t.sweep() {
		if steps++; steps > 200 {
			t.Fatalf("after %d sweeps still due in %v", steps, due)
		}
		t.clock.Advance(due)
	}
	for name, end := range ends {
		at := start.Add(t.seconds(end))
		entries := t.log(store.LogQuery{Name: name, Kinds: []string{store.KindExpired, store.KindHandedOver}}).Entries
		if len(entries) != 1 || !entries[0].At.Equal(at) {
			t.Errorf("%s should end at %v: %+v", name, at, entries)
		}
		if rec := t.get(name); rec != nil && !rec.Acquired.Equal(at) {
			t.Errorf("%s was granted at %v instead of %v", name, rec.Acquired, at)
		}
	}
}

// lawSweepRests builds up all kinds of states and sweeps at every moment until
// nothing is due: soon, and then no live waiter stands before a free name, or
// before one that they may claim.
func lawSweepRests(t *test) {
	cells := slices.DeleteFunc(allCells(), func(c *cell) bool {
		return c.expect.name != "anything" || c.act.name != "touch" && c.act.name != "drop" && c.act.name != "join again from elsewhere"
	})
	if t.quick() {
		cells = sample(cells, 5)
	}
	t.keepAlive(lively, 40)
	t.keepAlive("elsewhere", 20)
	t.keepAlive(doomed, late/2)
	for _, c := range cells {
		early, _ := c.setUp(t)
		for _, sw := range early {
			t.do(sw)
		}
	}
	for second := range 130 {
		for sweeps := 0; ; sweeps++ {
			if due := t.sweep(); due != 0 {
				if due > 0 && due < time.Microsecond {
					t.Fatalf("due in %v, which no clock tells from now", due)
				}
				break
			}
			if sweeps > 3 {
				t.Fatalf("second %d: sweeps never come to rest", second)
			}
		}
		for _, c := range cells {
			view, err := t.st.Get(t.ctx, c.name, "")
			if err != nil {
				t.Fatal(err)
			}
			if rec := view.Record; rec != nil && rec.Waiting > 0 {
				if w := rec.Waiters[0]; !w.GrantAt.IsZero() && !view.Now.Before(w.GrantAt) {
					t.Fatalf("second %d: %s stands at %v before %s, which it may claim since %v", second, w.ID, view.Now, c.name, w.GrantAt)
				}
			}
		}
		if second == late {
			for _, c := range cells {
				_, last := c.setUp(t)
				for _, sw := range last {
					t.commit("", sw)
				}
				sw := c.act.op(t, c, nil)
				sw.Name, sw.Expect = c.name, c.expect.of(nil)
				t.commit("", sw)
			}
		}
		t.pass(1)
	}
	for _, process := range []string{lively, "elsewhere", doomed} {
		t.wantSame("tickets of "+process, []string{}, t.keepAlive(process, 1000))
	}
	for _, c := range cells {
		before := t.kinds(c.name)
		t.refuse(leaving9(c))
		t.wantSame("log of "+c.name+" after one more settling", before, t.kinds(c.name))
	}
}

func leaving9(c *cell) store.Op {
	sw := leaving(c.waiter(9), "")
	sw.Name = c.name
	return sw
}

func lawSweepTwo(t *test) {
	for i := range 100 {
		t.do(acquire(fmt.Sprint("n", i), "ann", t.idle(3)))
	}
	t.pass(4)
	errs := make(chan error)
	for range 4 {
		go func() {
			_, err := t.st.Sweep(t.ctx, store.Retention{})
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	if n := len(t.log(store.LogQuery{Kinds: []string{store.KindExpired}, Limit: 1000}).Entries); n != 100 {
		t.Fatalf("%d expiries are logged", n)
	}
}
