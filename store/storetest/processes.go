package storetest

import (
	"slices"
	"time"
)

var processLaws = []law{
	{"a beat returns the tickets of its peer that still wait", lawKeepAliveReturns, 0},
	{"a peer is dead from the end of its lease on", lawProcessBoundary, exactClock},
	{"beats keep all tickets of a peer alive", lawBeatsKeep, 0},
	{"a beat may shorten the lease", lawKeepAliveShortens, 0},
	{"a peer that died has lost its tickets for good", lawDeadForGood, 0},
	{"a ticket that died with its peer is never granted, swept or not", lawDeadSwept, 0},
	{"a beat frees and takes nothing", lawKeepAliveChangesNothing, 0},
}

func lawKeepAliveReturns(t *test) {
	t.wantSame("tickets of a new peer", []string{}, t.keepAlive("peer", 100))
	t.keepAlive("other", 100)
	for _, name := range []string{"a", "b", "c"} {
		t.do(acquire(name, "ann", t.idle(60)))
		t.do(join(name, "wendy in "+name, "peer", t.idle(60)))
		t.do(join(name, "olga in "+name, "other", t.idle(60)))
	}
	waits := func(process string, want ...string) {
		t.Helper()
		got := t.keepAlive(process, 100)
		slices.Sort(got)
		t.wantSame("tickets of "+process, want, got)
	}
	waits("peer", "ticket of wendy in a", "ticket of wendy in b", "ticket of wendy in c")
	t.do(release("a", "ann"))
	t.do(leave("b", "wendy in b"))
	waits("peer", "ticket of wendy in c")
	waits("other", "ticket of olga in a", "ticket of olga in b", "ticket of olga in c")
	waits("stranger")
}

func lawProcessBoundary(t *test) {
	for _, name := range []string{"in time", "too late"} {
		t.do(acquire(name, "ann", t.idle(60)))
		t.keepAlive(name, 5)
		t.do(join(name, "waiter "+name, name, t.idle(60)))
	}
	t.clock.Advance(5*time.Second - time.Microsecond)
	if rec := t.get("in time"); rec.Waiting != 1 {
		t.Errorf("%d wait just before the end", rec.Waiting)
	}
	t.wantHolder(t.do(release("in time", "ann")), "waiter in time")
	t.clock.Advance(time.Microsecond)
	if rec := t.get("too late"); rec.Waiting != 0 {
		t.Errorf("%d wait at the end", rec.Waiting)
	}
	t.wantHolder(t.do(release("too late", "ann")), "")
}

func lawBeatsKeep(t *test) {
	t.keepAlive("peer", 3)
	for _, name := range []string{"a", "b"} {
		t.do(acquire(name, "ann", t.idle(600)))
		t.do(join(name, "wendy in "+name, "peer", t.idle(600)))
	}
	for range 6 {
		t.pass(1.5)
		if ids := t.keepAlive("peer", 3); len(ids) != 2 {
			t.Fatalf("the tickets %q wait", ids)
		}
		t.sweep()
	}
	for _, name := range []string{"a", "b"} {
		t.wantHolder(t.do(release(name, "ann")), "wendy in "+name)
	}
}

func lawKeepAliveShortens(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.keepAlive("peer", 3)
	t.pass(4)
	t.wantHolder(t.do(release("a", "ann")), "")
}

// Otherwise a late keep-alive could leave somebody waiting for a name that has
// become free while they were dead, with nothing due to grant it.
func lawDeadForGood(t *test) {
	t.keepAlive("peer", 3)
	t.do(acquire("freed", "ann", t.idle(60)))
	t.do(acquire("held", "ann", t.idle(60)))
	t.do(join("freed", "wendy", "peer", t.idle(60)))
	t.do(join("held", "walt", "peer", t.idle(60)))
	t.pass(4)
	t.wantHolder(t.do(release("freed", "ann")), "")
	t.wantSame("tickets after the death", []string{}, t.keepAlive("peer", 100))
	if rec := t.get("held"); rec.Waiting != 0 {
		t.Errorf("%+v waits again", rec.Waiters)
	}
	t.wantHolder(t.do(acquire("freed", "bob", t.idle(60))), "bob")
	t.wantHolder(t.do(release("held", "ann")), "")
	t.do(acquire("held", "ann", t.idle(60)))
	t.do(join("held", "walter", "peer", t.idle(60))) // the process may wait again
	t.wantHolder(t.do(release("held", "ann")), "walter")
}

func lawDeadSwept(t *test) {
	t.keepAlive("peer", 3)
	t.do(acquire("a", "ann", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.pass(4)
	t.sweep()
	t.wantSame("tickets after the sweep", []string{}, t.keepAlive("peer", 100))
	t.wantHolder(t.do(release("a", "ann")), "")
}

func lawKeepAliveChangesNothing(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	t.do(acquire("expired", "ann", t.idle(3)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.pass(4)
	before := t.everything()
	for range 3 {
		t.keepAlive("peer", 100)
		t.keepAlive("ann", 100) // a process is no session
	}
	t.wantSame("the store after beats", before, t.everything())
}
