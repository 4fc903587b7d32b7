package storetest

import "github.com/editlock/editlock/store"

var getLaws = []law{
	{"a name never held is free", lawGetUnknown, 0},
	{"a record is returned as it was written", lawGetWhole, 0},
	{"what a Get returns changes nothing in the store", lawGetCopies, 0},
	{"reading settles nothing and writes nothing", lawReadsChangeNothing, 0},
	{"what a caller does to their request later changes nothing", lawRequestCopied, 0},
}

func lawGetUnknown(t *test) {
	view, err := t.st.Get(t.ctx, "never held", "")
	if err != nil || view.Record != nil || view.Now.IsZero() {
		t.Fatalf("Get = %+v, %v", view, err)
	}
}

func lawGetWhole(t *test) {
	t.keepAlive("peer", 100)
	terms := store.Terms{Idle: t.seconds(60), MaxHold: t.seconds(600)}
	res := t.commit("request", acquire("a", "ann", terms))
	want := &store.Record{
		Name: "a", Token: res.Records[0].Token, Holder: party("ann"), Data: "data of ann", Terms: terms,
		Acquired: res.Now, Renewed: res.Now, Expires: res.Now.Add(terms.Idle), Request: "request",
	}
	t.wantSame("record that Swap returned", want, res.Records[0])
	sw := join("a", "wendy", "peer", terms)
	sw.Waiter.GrantAfter, sw.Waiter.ConfirmWithin = t.seconds(33), t.seconds(7)
	res = t.commit("", sw)
	waiter := *sw.Waiter
	waiter.Name, waiter.Since, waiter.GrantAt = "a", res.Now, res.Now.Add(waiter.GrantAfter)
	waiter.Seq, waiter.Asked = res.Records[0].Waiters[0].Seq, want.Token
	want.Waiters, want.Waiting = []store.Waiter{waiter}, 1
	t.wantSame("record with a waiter, from Swap", want, res.Records[0])
	t.wantSame("from Get", want, t.get("a"))
	t.wantSame("from List", []store.Record{*want}, t.list(store.RecordQuery{}))
}

func lawGetCopies(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	before := t.everything()
	for _, rec := range []*store.Record{t.get("a"), &t.list(store.RecordQuery{})[0], t.refuse(acquire("a", "bob", t.idle(60)))} {
		rec.Holder.Session, rec.Data, rec.Waiters[0].ID, rec.Waiting = "somebody", "something", "changed", 99
		rec.Waiters = append(rec.Waiters[:0], store.Waiter{ID: "forged"})
	}
	after := t.everything()
	t.wantSame("the store after its answers were changed", before, after)
	t.wantHolder(t.do(release("a", "ann")), "wendy")
}

func lawReadsChangeNothing(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(3)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.do(acquire("b", "ann", t.idle(3)))
	t.pass(4)
	last := t.log(store.LogQuery{}).Last
	for range 3 {
		t.wantHolder(t.get("a"), "")
		t.wantHolder(t.get("b"), "")
		if recs := t.list(store.RecordQuery{}); len(recs) != 0 {
			t.Fatalf("listed is %+v", recs)
		}
	}
	if page := t.log(store.LogQuery{}); page.Last != last || len(page.Entries) != 3 {
		t.Fatalf("reading wrote entries: %+v", page)
	}
}

func lawRequestCopied(t *test) {
	t.keepAlive("peer", 100)
	sw := acquire("a", "ann", t.idle(60))
	t.do(sw)
	queued := join("a", "wendy", "peer", t.idle(60))
	t.do(queued)
	before := t.everything()
	sw.Holder.Session, *sw.Data, sw.Terms.Idle, sw.Event.Kind = "somebody", "something", 1, "forged"
	queued.Waiter.ID, queued.Waiter.Holder.Session, queued.Waiter.Event.Kind = "changed", "somebody", "forged"
	t.wantSame("the store after the requests were changed", before, t.everything())
	t.wantHolder(t.do(release("a", "ann")), "wendy")
}
