package storetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/editlock/editlock/store"
)

var requestLaws = []law{
	{"several swaps are performed together", lawTogether, 0},
	{"one refused swap refuses all, and all that is in force is told", lawAllOrNone, 0},
	{"a refused request still settles its names", lawRefusedSettles, 0},
	{"swaps on different names may be of different kinds", lawMixed, 0},
	{"a thousand names go in one request", lawThousand, 0},
	{"requests for the same names in opposite orders don't block each other", lawOpposite, 0},
	{"a request that names one name twice is an error and changes nothing", lawTwice, 0},
	{"a request that lacks what its action needs is an error and changes nothing", lawMalformed, 0},
	{"of many who take a free name at once one gets it and all are told who", lawOneWinner, 0},
}

func lawTogether(t *test) {
	res := t.commit("", acquire("a", "ann", t.idle(60)), acquire("b", "ann", t.idle(60)), acquire("c", "ann", t.idle(60)))
	if !res.Done {
		t.Fatal("refused")
	}
	for i, name := range []string{"a", "b", "c"} {
		if rec := res.Records[i]; rec == nil || rec.Name != name || rec.Holder != party("ann") || !rec.Acquired.Equal(res.Now) {
			t.Errorf("record %d is %+v", i, rec)
		}
		t.wantSame("what stands under "+name, res.Records[i], t.get(name))
	}
}

func lawAllOrNone(t *test) {
	held := t.do(acquire("b", "bob", t.idle(60)))
	before := t.everything()
	res := t.commit("some request", acquire("a", "ann", t.idle(60)), acquire("b", "ann", t.idle(60)), acquire("c", "ann", t.idle(60)))
	if res.Done {
		t.Fatal("done although one name was held")
	}
	t.wantSame("records in force", []*store.Record{nil, held, nil}, res.Records)
	after := t.everything()
	after.Last = before.Last // numbers may be spent on nothing
	t.wantSame("the store after a refusal", before, after)
}

func lawRefusedSettles(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(3)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.do(acquire("b", "bob", t.idle(60)))
	t.pass(4)
	res := t.commit("", acquire("a", "carl", t.idle(60)), acquire("b", "carl", t.idle(60)))
	if res.Done {
		t.Fatal("done")
	}
	t.wantHolder(res.Records[0], "wendy")
	t.wantSame("what stands there", res.Records[0], t.get("a"))
	t.wantSame("kinds", []string{captured, waiting, store.KindExpired, captured}, t.kinds("a"))
}

func lawMixed(t *test) {
	t.keepAlive("peer", 100)
	a := t.do(acquire("a", "ann", t.idle(60)))
	b := t.do(acquire("b", "bob", t.idle(60)))
	t.do(acquire("d", "dora", t.idle(60)))
	res := t.commit("mixed",
		release("a", "ann"), renew("b", b.Token), acquire("c", "carl", t.idle(60)), join("d", "wendy", "peer", t.idle(60)))
	if !res.Done {
		t.Fatal("refused")
	}
	for i, session := range []string{"", "bob", "carl", "dora"} {
		t.wantHolder(res.Records[i], session)
	}
	if res.Records[3].Waiting != 1 || res.Records[2].Token <= a.Token {
		t.Errorf("records are %+v, %+v", res.Records[2], res.Records[3])
	}
}

func lawThousand(t *test) {
	ops := make([]store.Op, 1000)
	for i := range ops {
		ops[i] = acquire(fmt.Sprintf("n%03d", i), "ann", t.idle(3600))
	}
	if res := t.commit("", ops...); !res.Done {
		t.Fatal("refused")
	}
	if n := len(t.list(store.RecordQuery{Session: "ann", Limit: 2000})); n != 1000 {
		t.Fatalf("ann holds %d names", n)
	}
	for i := range ops {
		ops[i] = release(ops[i].Name, "ann")
	}
	if res := t.commit("", ops...); !res.Done {
		t.Fatal("the drop was refused")
	}
	if n := len(t.list(store.RecordQuery{})); n != 0 {
		t.Fatalf("%d names are still held", n)
	}
}

func lawOpposite(t *test) {
	const rounds = 50
	var wg sync.WaitGroup
	for _, names := range [][2]string{{"a", "b"}, {"b", "a"}} {
		session := names[0] + names[1]
		wg.Go(func() {
			for won, tries := 0, 0; won < rounds; tries++ {
				if tries > 10_000 {
					t.Errorf("%s got both names only %d times in %d tries", session, won, tries)
					return
				}
				held, err := t.st.Commit(t.ctx, store.Txn{Ops: []store.Op{
					acquire(names[0], session, t.idle(600)), acquire(names[1], session, t.idle(600)),
				}})
				if err != nil {
					t.Error(err)
					return
				}
				if !held.Done {
					continue
				}
				won++
				freed, err := t.st.Commit(t.ctx, store.Txn{Ops: []store.Op{
					release(names[1], session), release(names[0], session),
				}})
				if err != nil || !freed.Done {
					t.Errorf("drop of what %s holds: %+v, %v", session, freed, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func lawTwice(t *test) {
	before := t.everything()
	for _, second := range []store.Op{
		acquire("a", "ann", t.idle(60)), release("a", "ann"), join("a", "ann", "peer", t.idle(60)), leave("a", "ann"),
	} {
		res, err := t.st.Commit(t.ctx, store.Txn{Ops: []store.Op{acquire("a", "ann", t.idle(60)), second}})
		if err == nil {
			t.Errorf("no error; the result is %+v", res)
		}
	}
	t.wantSame("the store after", before, t.everything())
}

func lawMalformed(t *test) {
	t.do(acquire("held", "ann", t.idle(60)))
	before := t.everything()
	for _, c := range []struct {
		name string
		op   store.Op
	}{
		{"a take without a holder", store.Op{Name: "a", Do: store.Acquire, Expect: store.Expect{Free: true}, Terms: &store.Terms{}}},
		{"a take without terms", store.Op{Name: "a", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: ptr(party("ann"))}},
		{"a join without a ticket", store.Op{Name: "held", Do: store.Join}},
		{"a join with a ticket that has no ID", store.Op{Name: "held", Do: store.Join, Waiter: &store.Waiter{Process: "peer"}}},
		{"a leave without a ticket", store.Op{Name: "held", Do: store.Leave}},
		{"a revoke of nothing", store.Op{Name: "held", Do: store.Revoke}},
		{"no action", store.Op{Name: "held"}},
		{"an unknown action", store.Op{Name: "held", Do: 99}},
	} {
		if _, err := t.st.Commit(t.ctx, store.Txn{Ops: []store.Op{c.op}}); err == nil {
			t.Errorf("%s is no error", c.name)
		}
	}
	t.wantSame("the store after", before, t.everything())
}

func lawOneWinner(t *test) {
	rounds := 50
	if t.quick() {
		rounds = 5
	}
	const clients = 64
	var last uint64
	for round := range rounds {
		results := make([]store.Result, clients)
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range clients {
			wg.Go(func() {
				<-start
				var err error
				req := store.Txn{Ops: []store.Op{acquire("a", fmt.Sprint("client ", i), t.idle(3600))}}
				if results[i], err = t.st.Commit(context.WithoutCancel(t.ctx), req); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		wg.Wait()
		if t.Failed() {
			t.FailNow()
		}
		now := t.get("a")
		won := 0
		for i, res := range results {
			if res.Done {
				won++
				t.wantHolder(now, fmt.Sprint("client ", i))
			}
			if rec := res.Records[0]; rec == nil || rec.Token != now.Token || rec.Holder != now.Holder {
				t.Fatalf("round %d: client %d was told %+v; %+v holds", round, i, rec, now)
			}
		}
		if won != 1 || now.Token <= last {
			t.Fatalf("round %d: %d winners, token %d after %d", round, won, now.Token, last)
		}
		last = now.Token
		t.do(release("a", now.Holder.Session))
	}
}
