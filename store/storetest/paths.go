package storetest

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/editlock/editlock/store"
)

// pathOps is how many operations on names of a path the suite checks at least, over
// all histories.
const pathOps = 4000

var pathLaws = []law{
	{"random histories of names that are above and below each other are linearizable, and the log replays them", lawPathHistories, restarts},
}

func lawPathHistories(t *test) {
	want := pathOps
	switch {
	case t.quick():
		want /= 2
	case os.Getenv("EDITLOCK_LONG") != "":
		want = historyOps
	}
	if !t.clock.manual() {
		want /= 10
	}
	total, overlapping, n := 0, 0, 0
	kinds := map[string]int{}
	for ; total < want; n++ {
		if n == 3 { // from now on somebody looks at what is left to waiters
			t.listen("listener")
		}
		h := &history{test: t, several: 12, seed: uint64(n), each: 40, clients: 4 + n%5, hasty: true}
		for i, name := range []string{"/", "/m/", "/m/a", "/m/b", "/m/c", "/m/b#a", "/m/b#c", "/b"} {
			h.names = append(h.names, fmt.Sprintf("t%d%s", n, name))
			for range i {
				h.often = append(h.often, h.names[i])
			}
		}
		h.run(n%5 == 4 && t.h.Reopen != nil)
		for _, op := range h.ops {
			if op.Return > op.Call+1 {
				overlapping++
			}
		}
		rested := n%2 == 0 && t.clock.manual()
		if rested {
			h.rest()
		}
		total += len(h.ops)
		if h.err != nil {
			t.Fatalf("history %d: %v", n, h.err)
		}
		log := h.pathLog()
		for _, e := range log {
			kinds[e.Kind]++
		}
		end, err := newReplay(h.names, log, h.clock.Now()).order(h.ops)
		if err != nil {
			t.Fatalf("history %d: %v", n, err)
		}
		if rested {
			h.wantServed(end)
		}
	}
	t.Logf("%d operations in %d histories, %d%% overlapping others: %v", total, n, 100*overlapping/total, kinds)
	if overlapping < total/3 || kinds[captured] < total/40 {
		t.Errorf("only %d of %d operations overlap others, and %d captures: this proves little", overlapping, total, kinds[captured])
	}
}

func (h *history) pathLog() []store.LogEntry {
	h.Helper()
	return h.log(store.LogQuery{Prefix: h.names[0], Limit: 100_000}).Entries
}

// rest lets time pass, all processes living, until nothing happens any more.
func (h *history) rest() {
	h.Helper()
	r := &recorder{client: h.clients, clock: h.clock, tick: &h.tick, yield: func() {}, Store: h.st}
	for same, last := 0, 0; same < 2; same++ {
		for i := range h.clients {
			_, _ = r.KeepAlive(h.ctx, fmt.Sprintf("%s/p%d", h.names[0], i), time.Minute)
		}
		h.clock.Advance(25 * time.Second)
		_, _ = r.Sweep(h.ctx, store.Retention{})
		if n := len(h.pathLog()); n != last {
			same, last = -1, n
		}
	}
	_, _ = r.List(h.ctx, store.RecordQuery{Prefix: h.names[0], Limit: 1000})
	for _, name := range h.names {
		_, _ = r.Get(h.ctx, name, "nobody")
	}
	h.ops = append(h.ops, r.ops...)
	if h.err == nil {
		h.err = r.err
	}
}

// wantServed fails if somebody waits for what is to be had.
func (h *history) wantServed(end *moment) {
	h.Helper()
	env := end.env(nil, h.clock.Now())
	for name, s := range end.states {
		live := s.Live(env.Now)
		i := slices.IndexFunc(s.Queue, func(t store.Waiter) bool { return env.Alive(t.Process) })
		if i < 0 || live.Record != nil || len(live.Shared) > 0 {
			continue
		}
		first := s.Queue[i]
		above, own := end.others(name, first.Holder.Session, true, env.Now)
		below, _ := end.others(name, first.Holder.Session, false, env.Now)
		before := slices.DeleteFunc(end.waits(name, true, env), func(t store.Waiter) bool { return t.Seq >= first.Seq })
		if len(above)+len(below) == 0 && (own || len(before) == 0) {
			h.Errorf("history %d: %s has waited for %s since %v, which is free", h.seed, first.ID, name, first.Since)
		}
	}
}
