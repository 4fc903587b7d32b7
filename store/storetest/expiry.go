package storetest

import (
	"time"

	"github.com/editlock/editlock/store"
)

var expiryLaws = []law{
	{"a hold is alive until its expiry and dead from that moment on", lawBoundary, exactClock},
	{"an expired name is free for everybody and everything", lawExpiredIsFree, 0},
	{"max hold ends a hold however often it is touched", lawMaxHold, exactClock},
	{"a hold without terms never ends", lawNever, exactClock},
	{"a touch counts idleness again", lawRenewExtends, exactClock},
	{"a touch may shorten, change and clear the terms", lawRenewTerms, exactClock},
	{"a touch that ends the hold at once frees the name", lawRenewEnds, exactClock},
	{"a touch may bound the hold until the next touch", lawRenewBound, exactClock},
	{"a take may bound the hold until a touch", lawAcquireBound, exactClock},
	{"a touch never moves when it was taken", lawAcquired, 0},
	{"a late touch does not revive", lawLateRenew, 0},
	{"an expiry is logged as of when it happened", lawExpiryLogged, 0},
	{"times are whole microseconds in UTC", lawMicroseconds, 0},
	{"answers carry the store's time", lawAsOf, exactClock},
	{"a clock set back takes nothing from a holder and tokens still rise", lawClockBack, exactClock},
}

func lawBoundary(t *test) {
	for _, c := range []struct {
		name  string
		terms store.Terms
	}{
		{"idle", t.idle(10)},
		{"max hold", store.Terms{MaxHold: t.seconds(10)}},
		{"both", store.Terms{Idle: t.seconds(10), MaxHold: t.seconds(10)}},
	} {
		rec := t.do(acquire(c.name, "ann", c.terms))
		if end := t.clock.Now().Add(10 * time.Second); !rec.Expires.Equal(end) {
			t.Fatalf("%s: expires at %v; want %v", c.name, rec.Expires, end)
		}
	}
	t.clock.Advance(10*time.Second - time.Microsecond)
	for _, name := range []string{"idle", "max hold", "both"} {
		t.wantHolder(t.get(name), "ann")
		t.wantHolder(t.refuse(acquire(name, "bob", t.idle(10))), "ann")
	}
	if n := len(t.list(store.RecordQuery{})); n != 3 {
		t.Fatalf("%d records are listed just before the end", n)
	}
	t.clock.Advance(time.Microsecond)
	if n := len(t.list(store.RecordQuery{})); n != 0 {
		t.Fatalf("%d records are listed at the end", n)
	}
	for _, name := range []string{"idle", "max hold", "both"} {
		t.wantHolder(t.get(name), "")
		t.wantHolder(t.do(acquire(name, "bob", t.idle(10))), "bob")
	}
}

func lawExpiredIsFree(t *test) {
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		t.do(acquire(name, "ann", t.idle(3)))
	}
	t.pass(4)
	t.refuse(release("a", "ann"))
	t.refuse(store.Op{Name: "b", Do: store.Renew})
	t.refuse(join("c", "wendy", "peer", t.idle(3)))
	t.refuse(store.Op{Name: "d", Do: store.Acquire, Expect: store.Expect{Session: ptr("ann")}, Holder: ptr(party("ann")), Terms: &store.Terms{}})
	t.wantHolder(t.do(acquire("e", "ann", t.idle(3))), "ann")
	t.wantSame("kinds", []string{captured, store.KindExpired, captured}, t.kinds("e"))
}

func lawMaxHold(t *test) {
	rec := t.do(acquire("a", "ann", store.Terms{Idle: t.seconds(3), MaxHold: t.seconds(7)}))
	for range 3 {
		t.pass(2)
		rec = t.do(renew("a", rec.Token))
	}
	if end := rec.Acquired.Add(t.seconds(7)); !rec.Expires.Equal(end) {
		t.Fatalf("expires at %v; want %v", rec.Expires, end)
	}
	t.pass(1)
	t.refuse(renew("a", rec.Token))
}

func lawNever(t *test) {
	rec := t.do(acquire("a", "ann", store.Terms{}))
	if !rec.Expires.IsZero() {
		t.Fatalf("expires at %v", rec.Expires)
	}
	t.clock.Advance(100 * 365 * 24 * time.Hour)
	t.sweep()
	rec = t.do(renew("a", rec.Token))
	if !rec.Expires.IsZero() {
		t.Fatalf("expires at %v after a touch", rec.Expires)
	}
}

func lawRenewExtends(t *test) {
	rec := t.do(acquire("a", "ann", t.idle(3)))
	for range 5 {
		t.pass(2)
		rec = t.do(renew("a", rec.Token))
		if now := t.clock.Now(); !rec.Renewed.Equal(now) || !rec.Expires.Equal(now.Add(t.seconds(3))) {
			t.Fatalf("touched at %v, expires at %v; it is %v", rec.Renewed, rec.Expires, now)
		}
	}
}

func lawRenewTerms(t *test) {
	rec := t.do(acquire("a", "ann", store.Terms{Idle: t.seconds(60), MaxHold: t.seconds(100)}))
	for _, c := range []struct {
		name          string
		give          store.Terms // seconds, as nanoseconds
		idle, maxHold float64
	}{
		{"nothing", store.Terms{}, 60, 100},
		{"a shorter idle", store.Terms{Idle: 5}, 5, 100},
		{"a longer idle", store.Terms{Idle: 70}, 70, 100},
		{"a shorter max hold", store.Terms{MaxHold: 50}, 70, 50},
		{"no max hold", store.Terms{MaxHold: -1}, 70, 0},
		{"no idle", store.Terms{Idle: -1}, 0, 0},
		{"both again", store.Terms{Idle: 10, MaxHold: 20}, 10, 20},
	} {
		sw := renew("a", rec.Token)
		sw.Terms = &store.Terms{Idle: c.give.Idle * time.Second, MaxHold: c.give.MaxHold * time.Second}
		rec = t.do(sw)
		if want := (store.Terms{Idle: t.seconds(c.idle), MaxHold: t.seconds(c.maxHold)}); rec.Terms != want {
			t.Errorf("given %s the terms are %+v; want %+v", c.name, rec.Terms, want)
		}
	}
}

func lawRenewEnds(t *test) {
	rec := t.do(acquire("a", "ann", t.idle(60)))
	t.pass(5)
	sw := renew("a", rec.Token)
	sw.Terms = &store.Terms{MaxHold: t.seconds(5)}
	t.wantHolder(t.do(sw), "")
	t.wantHolder(t.get("a"), "")
	t.wantHolder(t.do(acquire("a", "bob", t.idle(60))), "bob")
}

func lawRenewBound(t *test) {
	rec := t.do(acquire("a", "ann", t.idle(60)))
	last := renew("a", rec.Token)
	last.ConfirmWithin = t.seconds(3)
	rec = t.do(last)
	if want := rec.Renewed.Add(t.seconds(3)); !rec.Expires.Equal(want) {
		t.Fatalf("bound, it expires at %v; want %v", rec.Expires, want)
	}
	t.pass(2)
	rec = t.do(renew("a", rec.Token))
	if want := rec.Renewed.Add(t.seconds(60)); !rec.Expires.Equal(want) {
		t.Fatalf("touched again, it expires at %v; want %v", rec.Expires, want)
	}
	t.do(last)
	t.pass(3)
	t.wantHolder(t.get("a"), "")
}

func lawAcquireBound(t *test) {
	for _, terms := range []store.Terms{t.idle(60), {}} {
		first := acquire("a", "ann", terms)
		first.ConfirmWithin = t.seconds(3)
		rec := t.do(first)
		if want := rec.Acquired.Add(t.seconds(3)); !rec.Expires.Equal(want) {
			t.Fatalf("bound, it expires at %v; want %v", rec.Expires, want)
		}
		t.pass(2)
		rec = t.do(renew("a", rec.Token))
		if rec.Terms != terms || rec.Within() != 0 {
			t.Fatalf("touched, it is %+v", rec)
		}
		t.do(release("a", "ann"))
		t.do(first)
		t.pass(3)
		t.wantHolder(t.get("a"), "")
	}
}

func lawAcquired(t *test) {
	first := t.do(acquire("a", "ann", t.idle(60)))
	t.pass(2)
	sw := renew("a", first.Token)
	sw.Holder, sw.Data = ptr(party("ann-2")), ptr("new data")
	rec := t.do(sw)
	if !rec.Acquired.Equal(first.Acquired) || rec.Token != first.Token || rec.Request != first.Request {
		t.Errorf("the touch made %+v of %+v", rec, first)
	}
	if rec.Holder != party("ann-2") || rec.Data != "new data" || !rec.Renewed.After(first.Renewed) {
		t.Errorf("the touch did not replace what it gave: %+v", rec)
	}
}

func lawLateRenew(t *test) {
	rec := t.do(acquire("a", "ann", t.idle(3)))
	t.pass(4)
	t.wantHolder(t.refuse(renew("a", rec.Token)), "")
	t.wantHolder(t.get("a"), "")
	bobs := t.do(acquire("a", "bob", t.idle(60)))
	t.wantSame("in force after a late touch", bobs, t.refuse(renew("a", rec.Token)))
}

func lawExpiryLogged(t *test) {
	rec := t.do(acquire("a", "ann", t.idle(3)))
	t.pass(8)
	t.do(acquire("a", "bob", t.idle(60)))
	entries := t.log(store.LogQuery{Name: "a"}).Entries
	if len(entries) != 3 {
		t.Fatalf("the log is %+v", entries)
	}
	e := entries[1]
	if e.Kind != store.KindExpired || e.Token != rec.Token || !e.At.Equal(rec.Expires) || e.Owner != rec.Holder || e.Actor != rec.Holder {
		t.Errorf("the entry of the expiry is %+v; the record was %+v", e, rec)
	}
	t.sweep()
	if n := len(t.kinds("a")); n != 3 {
		t.Errorf("the log has %d entries after a sweep", n)
	}
}

func lawMicroseconds(t *test) {
	t.keepAlive("peer", 100)
	odd := time.Duration(1_000_001_501) // 1.000001501 s
	check := func(what string, at time.Time) {
		t.Helper()
		if at.Location() != time.UTC || at.Nanosecond()%1000 != 0 {
			t.Errorf("%s is %v", what, at)
		}
	}
	t.do(acquire("a", "ann", store.Terms{Idle: odd, MaxHold: 2 * odd}))
	sw := join("a", "wendy", "peer", store.Terms{Idle: odd})
	sw.Waiter.GrantAfter, sw.Waiter.ConfirmWithin = odd, odd
	rec := t.do(sw)
	check("Taken", rec.Acquired)
	check("Touched", rec.Renewed)
	check("Expires", rec.Expires)
	check("a ticket's Since", rec.Waiters[0].Since)
	check("a ticket's Claim", rec.Waiters[0].GrantAt)
	check("Expires of a grant", t.do(release("a", "ann")).Expires)
	for _, e := range t.log(store.LogQuery{}).Entries {
		check("an entry's At", e.At)
	}
	view, err := t.st.Get(t.ctx, "a", "")
	if err != nil {
		t.Fatal(err)
	}
	check("a view's Now", view.Now)
	check("a listed Expires", t.list(store.RecordQuery{})[0].Expires)
}

func lawAsOf(t *test) {
	for range 3 {
		now := t.clock.Now()
		res := t.commit("", acquire("a", "ann", t.idle(1)))
		view, err := t.st.Get(t.ctx, "a", "")
		if err != nil {
			t.Fatal(err)
		}
		page, err := t.st.List(t.ctx, store.RecordQuery{})
		if err != nil {
			t.Fatal(err)
		}
		if !res.Now.Equal(now) || !view.Now.Equal(now) || !page.Now.Equal(now) {
			t.Fatalf("Swap, Get and List say it is %v, %v and %v; it is %v", res.Now, view.Now, page.Now, now)
		}
		t.pass(1)
	}
}

func lawClockBack(t *test) {
	t.keepAlive("peer", 3600)
	first := t.do(acquire("a", "ann", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.pass(-1000)
	t.wantHolder(t.get("a"), "ann")
	renewed, now := t.do(renew("a", first.Token)), t.clock.Now()
	if t.h.Steady {
		now = first.Acquired
	}
	if !renewed.Renewed.Equal(now) {
		t.Errorf("touched at %v; it is %v", renewed.Renewed, now)
	}
	granted := t.do(release("a", "ann"))
	t.wantHolder(granted, "wendy")
	t.pass(-1000)
	over := t.do(takeOver("a", "bob", granted.Token, t.idle(60)))
	if first.Token >= granted.Token || granted.Token >= over.Token {
		t.Fatalf("tokens are %d, %d, %d", first.Token, granted.Token, over.Token)
	}
	seqs := t.log(store.LogQuery{Name: "a"}).Entries
	for i := 1; i < len(seqs); i++ {
		if seqs[i].Seq <= seqs[i-1].Seq {
			t.Fatalf("entry %d follows %d", seqs[i].Seq, seqs[i-1].Seq)
		}
	}
	if t.h.Steady {
		t.pass(2000)
	}
	t.pass(61)
	t.wantHolder(t.get("a"), "")
}
