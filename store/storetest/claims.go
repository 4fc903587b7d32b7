package storetest

import (
	"fmt"
	"time"

	"github.com/editlock/editlock/store"
)

var claimLaws = []law{
	{"the name passes to who claims it when the time has come", lawClaim, 0},
	{"a claim falls due to the microsecond", lawClaimBoundary, exactClock},
	{"only the first in the queue may claim", lawClaimOnlyFirst, 0},
	{"a claim binds only the hold that was asked", lawClaimOneHold, 0},
	{"a takeover ends the claims on the hold before", lawClaimTakeover, 0},
	{"a claim of a hold granted in the same step binds that hold", lawClaimOnGrant, 0},
	{"a release before the claim grants as ever", lawClaimRelease, 0},
	{"a claim behind a dead waiter falls due", lawClaimBehindDead, 0},
	{"a claim behind a waiter that a refusal found dead falls due", lawClaimBehindFoundDead, 0},
	{"a claim ends with its ticket", lawClaimLeft, 0},
}

// claim is a join that claims the name after so many seconds.
func (t *test) claim(name, session, process string, seconds float64) store.Op {
	sw := join(name, session, process, t.idle(600))
	sw.Waiter.GrantAfter = t.seconds(seconds)
	return sw
}

func lawClaim(t *test) {
	t.keepAlive("peer", 100)
	anns := t.do(acquire("a", "ann", t.idle(600)))
	rec := t.do(t.claim("a", "wendy", "peer", 5))
	if w := rec.Waiters[0]; !w.GrantAt.Equal(w.Since.Add(t.seconds(5))) {
		t.Fatalf("the ticket is %+v", w)
	}
	t.wantHolder(t.do(renew("a", anns.Token)), "ann") // touching is no answer
	t.pass(6)
	t.wantHolder(t.get("a"), "ann") // until somebody settles it
	t.sweep()
	t.wantHolder(t.get("a"), "wendy")
	entries := t.log(store.LogQuery{Name: "a", Kinds: []string{store.KindHandedOver}}).Entries
	if len(entries) != 1 {
		t.Fatalf("entries: %+v", entries)
	}
	t.wantSame("entry", store.LogEntry{
		Seq: entries[0].Seq, Kind: store.KindHandedOver, Name: "a", Token: anns.Token, At: t.get("a").Acquired,
		Owner: party("ann"), Actor: party("ann"), Other: party("wendy"), Reason: store.ReasonNoAnswer,
	}, entries[0])
	t.refuse(renew("a", anns.Token))
}

func lawClaimBoundary(t *test) {
	t.keepAlive("peer", 100)
	anns := t.do(acquire("a", "ann", t.idle(600)))
	t.do(t.claim("a", "wendy", "peer", 5))
	t.clock.Advance(5*time.Second - time.Microsecond)
	t.sweep()
	t.wantHolder(t.do(renew("a", anns.Token)), "ann")
	t.clock.Advance(time.Microsecond)
	t.wantHolder(t.refuse(renew("a", anns.Token)), "wendy")
}

func lawClaimOnlyFirst(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(600)))
	t.do(join("a", "walt", "peer", t.idle(600)))
	t.do(t.claim("a", "wendy", "peer", 3))
	t.pass(4)
	t.sweep()
	t.wantHolder(t.get("a"), "ann")
	t.do(leave("a", "walt"))
	t.sweep()
	t.wantHolder(t.get("a"), "wendy") // she asked long enough ago
}

// Otherwise all who asked one holder would get the name at one moment, each
// taking it from the one before.
func lawClaimOneHold(t *test) {
	t.keepAlive("peer", 1000)
	anns := t.do(acquire("a", "ann", t.idle(600)))
	for _, session := range []string{"w1", "w2", "w3"} {
		rec := t.do(t.claim("a", session, "peer", 5))
		if w := rec.Waiters[len(rec.Waiters)-1]; w.Asked != anns.Token || w.GrantAt.IsZero() {
			t.Errorf("the ticket is %+v", w)
		}
	}
	for range 3 {
		t.pass(6)
		t.sweep()
		t.sweep()
		rec := t.get("a")
		t.wantHolder(rec, "w1")
		for _, w := range rec.Waiters {
			if !w.GrantAt.IsZero() {
				t.Errorf("%s may claim at %v from w1, who was not asked", w.ID, w.GrantAt)
			}
		}
	}
	t.wantHolder(t.do(release("a", "w1")), "w2")
}

func lawClaimTakeover(t *test) {
	t.keepAlive("peer", 1000)
	rec := t.do(acquire("a", "ann", t.idle(600)))
	t.do(t.claim("a", "wendy", "peer", 5))
	t.do(takeOver("a", "bob", rec.Token, t.idle(600)))
	t.do(t.claim("a", "walt", "peer", 5))
	t.pass(6)
	t.sweep()
	t.wantHolder(t.get("a"), "bob") // walt asked bob, and stands behind wendy
	t.do(leave("a", "wendy"))
	t.sweep()
	t.wantHolder(t.get("a"), "walt")
}

func lawClaimOnGrant(t *test) {
	t.keepAlive("peer", 1000)
	t.do(acquire("a", "ann", t.idle(3)))
	t.do(join("a", "wendy", "peer", t.idle(600)))
	t.pass(4)
	t.do(t.claim("a", "walt", "peer", 9)) // finds ann's hold over and wendy's begun
	t.pass(4)
	t.sweep()
	t.wantHolder(t.get("a"), "wendy")
	t.pass(6)
	t.sweep()
	t.wantHolder(t.get("a"), "walt")
}

func lawClaimRelease(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(600)))
	t.do(t.claim("a", "wendy", "peer", 5))
	t.wantHolder(t.do(release("a", "ann")), "wendy")
	t.pass(6)
	t.sweep()
	t.wantHolder(t.get("a"), "wendy")
	t.wantSame("kinds", []string{captured, waiting, released, captured}, t.kinds("a"))
}

func lawClaimBehindDead(t *test) {
	t.keepAlive("doomed", 3)
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", store.Terms{}))
	t.do(join("a", "dora", "doomed", t.idle(600)))
	t.do(t.claim("a", "wendy", "peer", 8))
	for range 20 { // a sweeper that relies on what it is told
		due := t.sweep()
		if rec := t.get("a"); due < 0 || rec.Holder.Session == "wendy" {
			break
		}
		t.clock.Advance(due)
	}
	rec := t.get("a")
	t.wantHolder(rec, "wendy")
	if t.clock.manual() && !rec.Acquired.Equal(NewClock().Now().Add(8*time.Second)) {
		t.Errorf("granted at %v", rec.Acquired)
	}
}

func lawClaimBehindFoundDead(t *test) {
	t.keepAlive("doomed", 3)
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", store.Terms{}))
	t.do(join("a", "dora", "doomed", t.idle(600)))
	t.do(t.claim("a", "wendy", "peer", 8))
	t.pass(4)
	t.refuse(acquire("a", "bob", store.Terms{}))
	t.pass(5)
	t.sweep()
	t.wantHolder(t.get("a"), "wendy")
}

func lawClaimLeft(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(600)))
	for i := range 3 {
		session := fmt.Sprint("w", i)
		t.do(t.claim("a", session, "peer", 3))
		t.do(leave("a", session))
	}
	t.pass(4)
	t.sweep()
	t.wantHolder(t.get("a"), "ann")
}
