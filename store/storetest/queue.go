package storetest

import (
	"fmt"
	"slices"

	"github.com/editlock/editlock/store"
)

var queueLaws = []law{
	{"a drop grants the first waiter in the same step", lawGrant, 0},
	{"an expiry grants the first waiter", lawGrantOnExpiry, 0},
	{"waiters are served in the order they came", lawFIFO, 0},
	{"nobody barges past a waiter", lawNoBarging, 0},
	{"a dead waiter is passed over", lawDeadPassed, 0},
	{"nobody is granted if all waiters are dead", lawAllDead, 0},
	{"who joins again keeps the place, at the peer named last", lawRejoinKeepsPlace, 0},
	{"a join may depend on that its ticket waits at no other peer", lawJoinHere, 0},
	{"nobody queues for a free name", lawJoinFree, 0},
	{"a join under a condition that fails is refused", lawJoinCondition, 0},
	{"who leaves is granted nothing", lawLeave, 0},
	{"a leave names ticket, peer and condition", lawLeaveConditions, 0},
	{"who died has nothing to leave, swept or not", lawLeaveDead, 0},
	{"who died joins at the end, swept or not", lawRejoinDead, 0},
	{"who died and joins in the very step that passes them over waits again", lawRejoinPassed, 0},
	{"a takeover keeps the queue", lawTakeoverKeepsQueue, 0},
	{"a drop may depend on whether somebody waits", lawExpectWaiting, 0},
	{"a hand-over names who got it", lawHandOver, 0},
	{"the first waiters are shown and all are counted", lawManyWaiters, 0},
	{"a grant ends soon unless touched", lawConfirm, 0},
	{"confirmation never makes a hold longer", lawConfirmBound, exactClock},
	{"queues of different names don't mix", lawSeparateQueues, 0},
}

func lawGrant(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	sw := join("a", "wendy", "peer", store.Terms{Idle: t.seconds(30), MaxHold: t.seconds(50)})
	t.do(sw)
	t.pass(1)
	res := t.commit("", release("a", "ann"))
	rec := res.Records[0]
	if rec == nil {
		t.Fatal("free after the drop")
	}
	want := &store.Record{
		Name: "a", Token: rec.Token, Holder: party("wendy"), Data: "data of wendy", Terms: sw.Waiter.Terms,
		Acquired: res.Now, Renewed: res.Now, Expires: res.Now.Add(t.seconds(30)), Request: "ticket of wendy",
	}
	t.wantSame("record granted", want, rec)
	t.wantSame("what stands there", want, t.get("a"))
	entries := t.log(store.LogQuery{Name: "a"}).Entries
	last := entries[len(entries)-1]
	t.wantSame("entry of the grant", store.LogEntry{
		Seq: last.Seq, Kind: captured, Name: "a", Token: rec.Token, At: res.Now, Owner: party("wendy"),
		Actor: party("wendy"), Reason: "because of wendy", Request: "ticket of wendy",
	}, last)
}

func lawGrantOnExpiry(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(3)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.pass(4)
	t.wantHolder(t.get("a"), "") // a Get changes nothing
	t.sweep()
	t.wantHolder(t.get("a"), "wendy")
	t.wantSame("kinds", []string{captured, waiting, store.KindExpired, captured}, t.kinds("a"))
}

func lawFIFO(t *test) {
	t.keepAlive("peer", 1000)
	t.keepAlive("other peer", 1000)
	t.do(acquire("a", "w0", t.idle(600)))
	for i := range 30 {
		rec := t.do(join("a", fmt.Sprint("w", i+1), []string{"peer", "other peer"}[i%2], t.idle(600)))
		if rec.Waiting != i+1 {
			t.Fatalf("%d wait after %d joins", rec.Waiting, i+1)
		}
	}
	for i := range 30 {
		t.wantHolder(t.do(release("a", fmt.Sprint("w", i))), fmt.Sprint("w", i+1))
	}
	t.wantHolder(t.do(release("a", "w30")), "")
}

func lawNoBarging(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(3)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.pass(4)
	t.wantHolder(t.refuse(acquire("a", "barger", t.idle(60))), "wendy")
	t.do(join("a", "walt", "peer", t.idle(60)))
	t.do(release("a", "wendy"))
	t.wantHolder(t.refuse(acquire("a", "barger", t.idle(60))), "walt")
}

func lawDeadPassed(t *test) {
	t.keepAlive("doomed", 3)
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	t.do(join("a", "dora", "doomed", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.do(join("a", "dick", "doomed", t.idle(60)))
	t.do(join("a", "walt", "peer", t.idle(60)))
	t.pass(4)
	rec := t.get("a")
	if rec.Waiting != 2 || len(rec.Waiters) != 2 || rec.Waiters[0].ID != "ticket of wendy" {
		t.Errorf("%d wait: %+v", rec.Waiting, rec.Waiters)
	}
	t.wantHolder(t.do(release("a", "ann")), "wendy")
	t.wantHolder(t.do(release("a", "wendy")), "walt")
	t.wantHolder(t.do(release("a", "walt")), "")
}

func lawAllDead(t *test) {
	t.keepAlive("doomed", 3)
	t.do(acquire("a", "ann", t.idle(60)))
	t.do(join("a", "dora", "doomed", t.idle(60)))
	t.do(join("a", "nobody", "never beat", t.idle(60)))
	t.pass(4)
	t.wantHolder(t.do(release("a", "ann")), "")
	t.wantHolder(t.do(acquire("a", "bob", t.idle(60))), "bob")
	t.wantHolder(t.do(release("a", "bob")), "")
}

func lawRejoinKeepsPlace(t *test) {
	t.keepAlive("old", 3)
	t.keepAlive("new", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	t.do(join("a", "wendy", "old", t.idle(60)))
	t.do(join("a", "walt", "new", t.idle(60)))
	before := t.get("a").Waiters[0]
	rec := t.do(join("a", "wendy", "new", t.idle(60)))
	before.Process = "new"
	if rec.Waiting != 2 {
		t.Fatalf("%d wait", rec.Waiting)
	}
	t.wantSame("ticket after joining again", before, rec.Waiters[0])
	t.wantSame("tickets of the old peer", []string{}, t.keepAlive("old", 3))
	t.pass(4)
	t.wantHolder(t.do(release("a", "ann")), "wendy")
}

// The first in the queue, and one behind all that a record shows.
func lawJoinHere(t *test) {
	t.keepAlive("doomed", 3)
	for _, process := range []string{"old", "new"} {
		t.keepAlive(process, 1000)
	}
	for _, before := range []int{0, store.MaxWaiters + 2} {
		name := fmt.Sprint(before, " before")
		t.do(acquire(name, "ann", t.idle(600)))
		for i := range before {
			t.do(join(name, fmt.Sprint("w", i, " on ", name), "new", t.idle(600)))
		}
		sw := func(session, process string) store.Op {
			sw := join(name, session+" on "+name, process, t.idle(600))
			sw.Expect.Here = true
			return sw
		}
		t.do(sw("wendy", "old"))
		t.do(sw("wendy", "old"))
		if rec := t.refuse(sw("wendy", "new")); rec.Waiting != before+1 {
			t.Errorf("%d wait", rec.Waiting)
		}
		t.do(join(name, "wendy on "+name, "new", t.idle(600)))
		t.refuse(sw("wendy", "old"))
		t.do(join(name, "dora on "+name, "doomed", t.idle(600)))
	}
	t.wantSame("tickets that moved", []string{}, t.keepAlive("old", 1000))
	t.pass(4)
	for _, before := range []int{0, store.MaxWaiters + 2} {
		name := fmt.Sprint(before, " before")
		sw := join(name, "dora on "+name, "old", t.idle(600)) // its process died
		sw.Expect.Here = true
		if rec := t.do(sw); rec.Waiting != before+2 {
			t.Errorf("%d wait", rec.Waiting)
		}
	}
}

func lawJoinFree(t *test) {
	t.keepAlive("peer", 100)
	sw := join("a", "wendy", "peer", t.idle(60))
	t.refuse(sw)
	sw.Expect.Free = true
	t.refuse(sw)
	t.wantSame("tickets that wait", []string{}, t.keepAlive("peer", 100))
	t.wantHolder(t.do(acquire("a", "ann", t.idle(60))), "ann")
	if rec := t.get("a"); rec.Waiting != 0 {
		t.Errorf("%+v waits", rec.Waiters)
	}
}

func lawJoinCondition(t *test) {
	t.keepAlive("peer", 100)
	rec := t.do(acquire("a", "ann", t.idle(60)))
	sw := join("a", "wendy", "peer", t.idle(60))
	sw.Expect = store.Expect{Token: rec.Token + 1}
	t.refuse(sw)
	sw.Expect = store.Expect{Token: rec.Token, Session: ptr("an")}
	t.refuse(sw)
	sw.Expect = store.Expect{Token: rec.Token, Session: ptr("ann")}
	t.do(sw)
}

func lawLeave(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	for _, session := range []string{"wendy", "walt", "wilma"} {
		t.do(join("a", session, "peer", t.idle(60)))
	}
	if rec := t.do(leave("a", "wendy")); rec.Waiting != 2 {
		t.Fatalf("%d wait", rec.Waiting)
	}
	t.do(leave("a", "wilma"))
	t.wantSame("tickets that wait", []string{"ticket of walt"}, t.keepAlive("peer", 100))
	t.wantHolder(t.do(release("a", "ann")), "walt")
	t.wantHolder(t.do(release("a", "walt")), "")
	t.refuse(leave("a", "walt"))
}

func lawLeaveConditions(t *test) {
	t.keepAlive("peer", 100)
	rec := t.do(acquire("a", "ann", t.idle(60)))
	t.do(acquire("b", "ann", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.do(join("a", "walt", "peer", t.idle(60)))
	stranger := leave("a", "nobody")
	t.refuse(stranger)
	elsewhere := leave("b", "wendy")
	t.refuse(elsewhere)
	wrongProcess := leave("a", "wendy")
	wrongProcess.Waiter.Process = "other peer"
	t.refuse(wrongProcess)
	conditional := leave("a", "wendy")
	conditional.Expect = store.Expect{Token: rec.Token, Session: ptr("bob")}
	t.refuse(conditional)
	conditional.Expect.Session = ptr("ann")
	conditional.Event = note(declined, "ann")
	res := t.commit("", conditional)
	if !res.Done || res.Records[0].Waiting != 1 {
		t.Fatalf("the decline: %+v", res)
	}
	entries := t.log(store.LogQuery{Name: "a", Kinds: []string{declined}}).Entries
	if len(entries) != 1 {
		t.Fatalf("entries: %+v", entries)
	}
	t.wantSame("entry of the decline", store.LogEntry{
		Seq: entries[0].Seq, Kind: declined, Name: "a", Token: rec.Token, At: res.Now, Owner: party("ann"),
		Actor: party("ann"), Other: party("wendy"), Reason: "because of ann", Request: "ticket of wendy",
	}, entries[0])
	rightProcess := leave("a", "walt")
	rightProcess.Waiter.Process = "peer"
	t.do(rightProcess)
}

func lawLeaveDead(t *test) {
	for _, name := range []string{"held", "swept"} {
		t.keepAlive("doomed", 3)
		t.do(acquire(name, "ann", t.idle(60)))
		t.do(join(name, "dora on "+name, "doomed", t.idle(60)))
		t.pass(4)
		if name == "swept" {
			t.sweep()
		}
		t.refuse(leave(name, "dora on "+name))
		t.keepAlive("doomed", 100)
		t.refuse(leave(name, "dora on "+name))
		t.wantHolder(t.do(release(name, "ann")), "")
	}
}

func lawRejoinDead(t *test) {
	t.keepAlive("peer", 100)
	for _, name := range []string{"held", "swept"} {
		t.keepAlive("doomed", 3)
		t.do(acquire(name, "ann", t.idle(60)))
		t.do(join(name, "dora on "+name, "doomed", t.idle(60)))
		t.do(join(name, "wendy on "+name, "peer", t.idle(60)))
		t.pass(4)
		if name == "swept" {
			t.sweep()
		}
		rec := t.do(join(name, "dora on "+name, "peer", t.idle(60)))
		if rec.Waiting != 2 || rec.Waiters[1].ID != "ticket of dora on "+name || !rec.Waiters[1].Since.After(rec.Waiters[0].Since) {
			t.Errorf("%s: %d wait: %+v", name, rec.Waiting, rec.Waiters)
		}
		t.wantHolder(t.do(release(name, "ann")), "wendy on "+name)
		t.wantHolder(t.do(release(name, "wendy on "+name)), "dora on "+name)
	}
}

func lawRejoinPassed(t *test) {
	t.keepAlive("doomed", 3)
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(3)))
	t.do(join("a", "dora", "doomed", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.pass(4)
	rec := t.do(join("a", "dora", "peer", t.idle(60)))
	t.wantHolder(rec, "wendy")
	if rec.Waiting != 1 {
		t.Errorf("%d wait", rec.Waiting)
	}
	t.wantSame("tickets that wait", []string{"ticket of dora"}, t.keepAlive("peer", 100))
	t.wantHolder(t.do(release("a", "wendy")), "dora")
}

func lawTakeoverKeepsQueue(t *test) {
	t.keepAlive("peer", 100)
	rec := t.do(acquire("a", "ann", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	over := t.do(takeOver("a", "bob", rec.Token, t.idle(60)))
	if over.Waiting != 1 || over.Holder != party("bob") {
		t.Fatalf("after the takeover: %+v", over)
	}
	entries := t.log(store.LogQuery{Name: "a", Kinds: []string{takenOver}}).Entries
	if len(entries) != 1 || entries[0].Other != party("ann") || entries[0].Owner != party("bob") || entries[0].Token != over.Token {
		t.Errorf("the takeover was logged as %+v", entries)
	}
	t.wantHolder(t.do(release("a", "bob")), "wendy")
}

func lawExpectWaiting(t *test) {
	t.keepAlive("doomed", 3)
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	sw := release("a", "ann")
	sw.Expect.Waiting = true
	t.wantHolder(t.refuse(sw), "ann")
	t.do(join("a", "dora", "doomed", t.idle(60)))
	t.pass(4)
	t.wantHolder(t.refuse(sw), "ann")
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.wantHolder(t.do(sw), "wendy")
}

func lawHandOver(t *test) {
	t.keepAlive("peer", 100)
	rec := t.do(acquire("a", "ann", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	sw := release("a", "ann")
	sw.Event = note(store.KindHandedOver, "ann")
	res := t.commit("hand over", sw)
	t.wantHolder(res.Records[0], "wendy")
	entries := t.log(store.LogQuery{Name: "a", Kinds: []string{store.KindHandedOver}}).Entries
	if len(entries) != 1 {
		t.Fatalf("entries: %+v", entries)
	}
	t.wantSame("entry of the hand-over", store.LogEntry{
		Seq: entries[0].Seq, Kind: store.KindHandedOver, Name: "a", Token: rec.Token, At: res.Now, Owner: party("ann"),
		Actor: party("ann"), Other: party("wendy"), Reason: "because of ann", Request: "hand over",
	}, entries[0])
}

func lawManyWaiters(t *test) {
	const more = 7
	t.keepAlive("peer", 1000)
	t.keepAlive("doomed", 3)
	t.do(acquire("a", "ann", t.idle(600)))
	var want []string
	for i := range store.MaxWaiters + more {
		session := fmt.Sprint("w", i)
		t.do(join("a", session, "peer", t.idle(600)))
		want = append(want, "ticket of "+session)
		t.do(join("a", "dead "+session, "doomed", t.idle(600)))
	}
	t.pass(4)
	check := func(what string, rec *store.Record) {
		t.Helper()
		var got []string
		for _, w := range rec.Waiters {
			got = append(got, w.ID)
		}
		if rec.Waiting != len(want) || !slices.Equal(got, want[:min(len(want), store.MaxWaiters)]) {
			t.Errorf("%s: %d wait, first %q", what, rec.Waiting, got)
		}
	}
	check("Get", t.get("a"))
	check("List", &t.list(store.RecordQuery{})[0])
	check("a refusal", t.refuse(acquire("a", "bob", t.idle(60))))
	check("a touch", t.do(renew("a", t.get("a").Token)))
	for i := range more {
		want = want[1:]
		check("a drop", t.do(release("a", t.get("a").Holder.Session)))
		check(fmt.Sprint("Get after drop ", i), t.get("a"))
	}
	last := leave("a", fmt.Sprint("w", store.MaxWaiters+more-1))
	want = want[:len(want)-1]
	check("a leave from the end", t.do(last))
}

func lawConfirm(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	for _, session := range []string{"wendy", "walt"} {
		sw := join("a", session, "peer", t.idle(60))
		sw.Waiter.ConfirmWithin = t.seconds(3)
		t.do(sw)
	}
	wendys := t.do(release("a", "ann"))
	if !wendys.Expires.Equal(wendys.Acquired.Add(t.seconds(3))) {
		t.Fatalf("the grant is %+v", wendys)
	}
	t.pass(4)
	t.wantHolder(t.refuse(renew("a", wendys.Token)), "walt") // she came too late
	walts := t.do(renew("a", t.get("a").Token))
	if !walts.Expires.Equal(walts.Renewed.Add(t.seconds(60))) {
		t.Fatalf("touched, the grant is %+v", walts)
	}
	t.pass(4)
	t.wantHolder(t.get("a"), "walt")
}

func lawConfirmBound(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	short := join("a", "wendy", "peer", t.idle(5))
	short.Waiter.ConfirmWithin = t.seconds(30)
	t.do(short)
	forEver := join("a", "walt", "peer", store.Terms{})
	forEver.Waiter.ConfirmWithin = t.seconds(30)
	t.do(forEver)
	rec := t.do(release("a", "ann"))
	if !rec.Expires.Equal(rec.Acquired.Add(t.seconds(5))) {
		t.Errorf("a grant with a short idle is %+v", rec)
	}
	rec = t.do(release("a", "wendy"))
	if !rec.Expires.Equal(rec.Acquired.Add(t.seconds(30))) {
		t.Errorf("a grant forever is %+v", rec)
	}
	if rec = t.do(renew("a", rec.Token)); !rec.Expires.IsZero() {
		t.Errorf("touched, it is %+v", rec)
	}
}

func lawSeparateQueues(t *test) {
	t.keepAlive("peer", 100)
	for _, name := range []string{"a", "b", "a/b", "A"} {
		t.do(acquire(name, "ann", t.idle(60)))
	}
	for _, name := range []string{"b", "A", "a"} {
		sw := join(name, "waiter of "+name, "peer", t.idle(60))
		t.do(sw)
	}
	if n := len(t.keepAlive("peer", 100)); n != 3 {
		t.Fatalf("%d tickets wait", n)
	}
	t.wantHolder(t.do(release("a/b", "ann")), "")
	for _, name := range []string{"a", "b", "A"} {
		t.wantHolder(t.do(release(name, "ann")), "waiter of "+name)
	}
}
