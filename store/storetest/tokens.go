package storetest

import "github.com/editlock/editlock/store"

var tokenLaws = []law{
	{"a token is never zero and fits a JavaScript number", lawTokenRange, 0},
	{"tokens rise through release, expiry, takeover and grant", lawTokensRise, 0},
	{"a touch keeps the token, even for a new holder", lawRenewKeepsToken, 0},
	{"a stale token matches nothing any more", lawStaleToken, 0},
	{"tokens rise through restarts", func(t *test) { lawTokensReopened(t, false) }, disk},
	{"tokens rise through crashes", func(t *test) { lawTokensReopened(t, true) }, disk},
	{"what was acknowledged outlives a restart", func(t *test) { lawDurable(t, false) }, disk},
	{"what was acknowledged outlives a crash", func(t *test) { lawDurable(t, true) }, disk},
}

func lawTokenRange(t *test) {
	if token := t.do(acquire("a", "ann", t.idle(60))).Token; token == 0 || token >= 1<<53 {
		t.Fatalf("token %d", token)
	}
}

func lawTokensRise(t *test) {
	t.keepAlive("peer", 3600)
	var last uint64
	next := func(how string, rec *store.Record) uint64 {
		t.Helper()
		if rec == nil || rec.Token <= last {
			t.Fatalf("after a %s the record is %+v; the token before was %d", how, rec, last)
		}
		last = rec.Token
		return last
	}
	for range 3 {
		next("free name", t.do(acquire("a", "ann", t.idle(60))))
		t.do(release("a", "ann"))
		next("release", t.do(acquire("a", "ann", t.idle(3))))
		t.pass(4)
		token := next("expiry", t.do(acquire("a", "ann", t.idle(60))))
		next("takeover", t.do(takeOver("a", "bob", token, t.idle(60))))
		t.do(join("a", "wendy", "peer", t.idle(60)))
		next("grant", t.do(release("a", "bob")))
		t.do(release("a", "wendy"))
		t.sweep()
	}
}

func lawRenewKeepsToken(t *test) {
	rec := t.do(acquire("a", "ann", t.idle(60)))
	sw := renew("a", rec.Token)
	sw.Holder, sw.Event = ptr(party("ann again")), note(refreshed, "ann")
	if got := t.do(sw); got.Token != rec.Token {
		t.Fatalf("token %d became %d", rec.Token, got.Token)
	}
}

func lawStaleToken(t *test) {
	first := t.do(acquire("a", "ann", t.idle(60)))
	t.do(release("a", "ann"))
	second := t.do(acquire("a", "ann", t.idle(60)))
	stale := store.Expect{Token: first.Token}
	for _, sw := range []store.Op{
		renew("a", first.Token), takeOver("a", "bob", first.Token, t.idle(60)),
		{Name: "a", Do: store.Release, Expect: stale},
		{Name: "a", Do: store.Acquire, Expect: stale, Holder: ptr(party("b")), Terms: &store.Terms{}},
	} {
		t.wantSame("in force", second, t.refuse(sw))
	}
	bob := join("a", "bob", "peer", t.idle(60))
	bob.Expect = stale
	t.refuse(bob)
}

func lawTokensReopened(t *test, crashed bool) {
	var last uint64
	for range 4 {
		rec := t.do(acquire("a", "ann", t.idle(3)))
		if rec.Token <= last {
			t.Fatalf("token %d after %d", rec.Token, last)
		}
		t.do(release("a", "ann"))
		rec = t.do(acquire("a", "bob", t.idle(3)))
		last = rec.Token
		t.reopen(crashed)
		t.pass(4)
	}
}

func lawDurable(t *test, crashed bool) {
	t.keepAlive("peer", 3600)
	t.do(acquire("free", "ann", t.idle(60)))
	t.do(release("free", "ann"))
	t.do(acquire("held", "ann", store.Terms{Idle: t.seconds(600), MaxHold: t.seconds(900)}))
	t.do(acquire("forever", "ann", store.Terms{}))
	t.do(acquire("queued", "ann", t.idle(600)))
	for _, session := range []string{"wendy", "walt"} {
		sw := join("queued", session, "peer", t.idle(60))
		sw.Waiter.GrantAfter, sw.Waiter.ConfirmWithin = t.seconds(300), t.seconds(5)
		t.do(sw)
	}
	t.do(acquire("soon", "ann", t.idle(3)))
	t.do(join("soon", "wilma", "peer", t.idle(60)))
	before := t.everything()
	t.reopen(crashed)
	t.wantSame("the store after it was opened again", before, t.everything())
	t.pass(4)
	t.wantHolder(t.do(release("queued", "ann")), "wendy")
	t.sweep()
	t.wantHolder(t.get("soon"), "wilma")
	t.wantSame("tickets that wait", []string{"ticket of walt"}, t.keepAlive("peer", 3600))
}
