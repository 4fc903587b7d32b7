package storetest

import (
	"slices"
	"time"
)

var peerLaws = []law{
	{"a beat returns the tickets of its peer that still wait", lawBeatReturns, 0},
	{"a peer is dead from the end of its lease on", lawPeerBoundary, exactClock},
	{"beats keep all tickets of a peer alive", lawBeatsKeep, 0},
	{"a beat may shorten the lease", lawBeatShortens, 0},
	{"a peer that died has lost its tickets for good", lawDeadForGood, 0},
	{"a ticket that died with its peer is never granted, swept or not", lawDeadSwept, 0},
	{"a beat frees and takes nothing", lawBeatTouchesNothing, 0},
}

func lawBeatReturns(t *test) {
	t.wantSame("tickets of a new peer", []string{}, t.beat("peer", 100))
	t.beat("other", 100)
	for _, name := range []string{"a", "b", "c"} {
		t.do(take(name, "ann", t.idle(60)))
		t.do(join(name, "wendy in "+name, "peer", t.idle(60)))
		t.do(join(name, "olga in "+name, "other", t.idle(60)))
	}
	waits := func(peer string, want ...string) {
		t.Helper()
		got := t.beat(peer, 100)
		slices.Sort(got)
		t.wantSame("tickets of "+peer, want, got)
	}
	waits("peer", "ticket of wendy in a", "ticket of wendy in b", "ticket of wendy in c")
	t.do(drop("a", "ann"))
	t.do(leave("b", "wendy in b"))
	waits("peer", "ticket of wendy in c")
	waits("other", "ticket of olga in a", "ticket of olga in b", "ticket of olga in c")
	waits("stranger")
}

func lawPeerBoundary(t *test) {
	for _, name := range []string{"in time", "too late"} {
		t.do(take(name, "ann", t.idle(60)))
		t.beat(name, 5)
		t.do(join(name, "waiter "+name, name, t.idle(60)))
	}
	t.clock.Advance(5*time.Second - time.Microsecond)
	if rec := t.get("in time"); rec.Waiting != 1 {
		t.Errorf("%d wait just before the end", rec.Waiting)
	}
	t.wantHolder(t.do(drop("in time", "ann")), "waiter in time")
	t.clock.Advance(time.Microsecond)
	if rec := t.get("too late"); rec.Waiting != 0 {
		t.Errorf("%d wait at the end", rec.Waiting)
	}
	t.wantHolder(t.do(drop("too late", "ann")), "")
}

func lawBeatsKeep(t *test) {
	t.beat("peer", 3)
	for _, name := range []string{"a", "b"} {
		t.do(take(name, "ann", t.idle(600)))
		t.do(join(name, "wendy in "+name, "peer", t.idle(600)))
	}
	for range 6 {
		t.pass(1.5)
		if ids := t.beat("peer", 3); len(ids) != 2 {
			t.Fatalf("the tickets %q wait", ids)
		}
		t.sweep()
	}
	for _, name := range []string{"a", "b"} {
		t.wantHolder(t.do(drop(name, "ann")), "wendy in "+name)
	}
}

func lawBeatShortens(t *test) {
	t.beat("peer", 100)
	t.do(take("a", "ann", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.beat("peer", 3)
	t.pass(4)
	t.wantHolder(t.do(drop("a", "ann")), "")
}

// Otherwise a late beat could leave somebody waiting for a name that has
// become free while they were dead, with nothing due to grant it.
func lawDeadForGood(t *test) {
	t.beat("peer", 3)
	t.do(take("freed", "ann", t.idle(60)))
	t.do(take("held", "ann", t.idle(60)))
	t.do(join("freed", "wendy", "peer", t.idle(60)))
	t.do(join("held", "walt", "peer", t.idle(60)))
	t.pass(4)
	t.wantHolder(t.do(drop("freed", "ann")), "")
	t.wantSame("tickets after the death", []string{}, t.beat("peer", 100))
	if rec := t.get("held"); rec.Waiting != 0 {
		t.Errorf("%+v waits again", rec.Waiters)
	}
	t.wantHolder(t.do(take("freed", "bob", t.idle(60))), "bob")
	t.wantHolder(t.do(drop("held", "ann")), "")
	t.do(take("held", "ann", t.idle(60)))
	t.do(join("held", "walter", "peer", t.idle(60))) // the peer may wait again
	t.wantHolder(t.do(drop("held", "ann")), "walter")
}

func lawDeadSwept(t *test) {
	t.beat("peer", 3)
	t.do(take("a", "ann", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.pass(4)
	t.sweep()
	t.wantSame("tickets after the sweep", []string{}, t.beat("peer", 100))
	t.wantHolder(t.do(drop("a", "ann")), "")
}

func lawBeatTouchesNothing(t *test) {
	t.beat("peer", 100)
	t.do(take("a", "ann", t.idle(60)))
	t.do(take("expired", "ann", t.idle(3)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.pass(4)
	before := t.everything()
	for range 3 {
		t.beat("peer", 100)
		t.beat("ann", 100) // a peer is no session
	}
	t.wantSame("the store after beats", before, t.everything())
}
