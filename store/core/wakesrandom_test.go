package core_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
)

// Whatever happens in a tree, nobody who waits there needs the net that catches lost
// news: what closed gates that fall due would grant has been granted before.
func TestNobodyInATreeWaitsForTheSweep(t *testing.T) {
	seeds, steps := uint64(40), 120
	if race || testing.Short() {
		seeds, steps = 4, 60
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(w *processes) { w.wander(rand.New(rand.NewPCG(seed, 27)), steps) })
		})
	}
}

// wander does random steps, and now and then lets all gates fall due.
func (w *processes) wander(rng *rand.Rand, steps int) {
	names := []string{"g/", "g/m/", "g/m/1", "g/m/1#a", "g/m/1#b", "g/m/2", "g/n/", "g/n/1"}
	type waiter struct{ name, id string }
	var waiters []waiter
	for n := range steps {
		name, session := names[rng.IntN(len(names))], fmt.Sprint("s", rng.IntN(5))
		st, process := w.p, "p"
		if rng.IntN(2) == 0 {
			st, process = w.q, "q"
		}
		switch k := rng.IntN(10); {
		case k < 3:
			sw := acquire(name, session)
			sw.Event = &store.Event{Kind: "taken"}
			if rng.IntN(4) == 0 {
				sw.Share = new(store.Shared)
			}
			w.try(st, sw)
		case k < 6:
			sw := join(name, fmt.Sprint("w", n), process, 0)
			sw.Waiter.Holder.Session = session
			sw.Event, sw.Waiter.Event = &store.Event{Kind: "waiting"}, &store.Event{Kind: "granted"}
			if rng.IntN(4) == 0 {
				sw.Waiter.Share = store.Shared
			}
			if w.try(st, sw) {
				waiters = append(waiters, waiter{name, sw.Waiter.ID})
			}
		case k < 9:
			view, err := w.cli.Get(w.Context(), name, "")
			if err != nil {
				w.Fatal(err)
			}
			if view.Record != nil {
				w.try(st, release(name, view.Record.Holder.Session))
			}
		case len(waiters) > 0:
			i := rng.IntN(len(waiters))
			w.try(st, leave(waiters[i].name, waiters[i].id))
		}
		if rng.IntN(3) == 0 {
			time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
		}
		if rng.IntN(8) == 0 {
			w.rest()
			before := len(w.log())
			time.Sleep(6 * time.Second)
			for _, e := range w.log()[before:] {
				if e.Kind == "granted" {
					w.Fatalf("step %d: %s was granted to %s by the sweep only", n, e.Name, e.Request)
				}
			}
		}
	}
}

func (w *processes) try(st *core.Store, sw store.Op) bool {
	w.Helper()
	res, err := st.Commit(w.Context(), store.Txn{Ops: []store.Op{sw}})
	if err != nil {
		w.Fatal(err)
	}
	return res.Done
}

func (w *processes) log() []store.LogEntry {
	w.Helper()
	page, err := w.cli.Log(w.Context(), store.LogQuery{Limit: 10_000})
	if err != nil {
		w.Fatal(err)
	}
	return page.Entries
}
