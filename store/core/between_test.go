package core_test

import (
	"context"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/memory"
	"github.com/editlock/editlock/store/storetest"
)

// between is an engine that lets something happen right before a Commit.
type between struct {
	*memory.Engine
	before func(txns []kv.Txn)
}

func (e *between) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	if f := e.before; f != nil {
		e.before = nil
		f(txns)
	}
	return e.Engine.Commit(ctx, txns)
}

// world is a store, and another process on the same engine.
type world struct {
	*testing.T
	clock     *storetest.Clock
	engine    *between
	st, other *core.Store
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, clock: storetest.NewClock()}
	e := memory.NewEngine(&memory.Options{Now: w.clock.Now})
	w.engine = &between{Engine: e}
	w.st, w.other = core.New(w.engine), core.New(e)
	t.Cleanup(func() { _ = w.st.Close() })
	return w
}

func (w *world) commit(st *core.Store, ops ...store.Op) store.Result {
	w.Helper()
	res, err := st.Commit(w.Context(), store.Txn{Ops: ops})
	if err != nil {
		w.Fatal(err)
	}
	return res
}

func (w *world) keepAlive(process string, ttl time.Duration) {
	w.Helper()
	if _, err := w.other.KeepAlive(w.Context(), process, ttl); err != nil {
		w.Fatal(err)
	}
}

func acquire(name, session string) store.Op {
	return store.Op{
		Name: name, Do: store.Acquire, Expect: store.Expect{Free: true},
		Holder: &store.Party{Session: session, User: session}, Terms: &store.Terms{},
	}
}

func join(name, id, process string, claim time.Duration) store.Op {
	return store.Op{Name: name, Do: store.Join, Waiter: &store.Waiter{
		ID: id, Process: process, Holder: store.Party{Session: id, User: id}, GrantAfter: claim,
	}}
}

func leave(name, id string) store.Op {
	return store.Op{Name: name, Do: store.Leave, Waiter: &store.Waiter{ID: id}}
}

func renew(name string, data, expect *string, note *store.Event) store.Op {
	return store.Op{Name: name, Do: store.Renew, Expect: store.Expect{Data: expect}, Data: data, Event: note}
}

// renew renews the hold of a session, and fails the test if that is refused.
func (w *world) renew(name, session string) {
	w.Helper()
	sw := store.Op{Name: name, Do: store.Renew, Expect: store.Expect{Session: &session}}
	if res := w.commit(w.st, sw); !res.Done {
		w.Error("a renewal was refused")
	}
}

func TestAlarmsEndWithTheirWaiters(t *testing.T) {
	for _, test := range []struct {
		name string
		race func(w *world)
	}{
		{"one leaves while a sweep moves its alarm", func(w *world) {
			w.clock.Advance(2 * time.Second) // both alarms ring, and only the first waiter may claim
			w.engine.before = func([]kv.Txn) { w.commit(w.other, leave("a", "second")) }
			if _, err := w.st.Sweep(w.Context(), store.Retention{}); err != nil {
				w.Fatal(err)
			}
		}},
		{"one leaves while the first one does", func(w *world) {
			w.engine.before = func([]kv.Txn) { // the look
				w.engine.before = func([]kv.Txn) { w.commit(w.other, leave("a", "second")) }
			}
			w.commit(w.st, leave("a", "first"))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.keepAlive("p", time.Hour)
			w.commit(w.other, acquire("a", "ann"))
			w.commit(w.other, join("a", "first", "p", 0))
			w.commit(w.other, join("a", "second", "p", time.Second))
			test.race(w)
			w.commit(w.other, leave("a", "first"))
			for range 3 {
				w.clock.Advance(40 * time.Minute)
				w.keepAlive("p", time.Hour)
			}
			w.renew("a", "ann")
			if due, err := w.st.Sweep(w.Context(), store.Retention{}); err != nil || due == 0 {
				t.Errorf("a sweep of a name without waiters does not rest: %v", err)
			}
		})
	}
}

func TestAClaimThatWasPutOffIsInForceOnceItsWaiterIsFirst(t *testing.T) {
	w := newWorld(t)
	w.keepAlive("p", time.Hour)
	w.commit(w.other, acquire("a", "ann"))
	w.commit(w.other, join("a", "first", "p", 0))
	w.engine.before = func([]kv.Txn) { // the look
		w.engine.before = func([]kv.Txn) {
			w.commit(w.other, join("a", "second", "p", time.Second))
			w.clock.Advance(2 * time.Second)
			if _, err := w.other.Sweep(t.Context(), store.Retention{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.commit(w.st, leave("a", "first")) // it has not seen the second
	session := "ann"
	third := core.New(w.engine.Engine) // it has seen no queue
	res := w.commit(third, store.Op{Name: "a", Do: store.Renew, Expect: store.Expect{Session: &session}})
	if res.Done || res.Records[0] == nil || res.Records[0].Request != "second" {
		t.Errorf("renewed although a claim is due: %+v, in force is %+v", res, res.Records[0])
	}
}

func TestAWaiterThatMovesToAnotherProcessKeepsItsClaim(t *testing.T) {
	w := newWorld(t)
	w.keepAlive("p", time.Hour)
	w.keepAlive("q", 10*time.Hour)
	w.commit(w.other, acquire("a", "ann"))
	w.commit(w.other, join("a", "first", "p", 0))
	w.commit(w.other, join("a", "second", "p", time.Second))
	w.clock.Advance(2 * time.Second)
	w.engine.before = func([]kv.Txn) { w.commit(w.other, join("a", "second", "q", time.Second)) }
	if _, err := w.st.Sweep(w.Context(), store.Retention{}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * time.Hour) // the first waiter is gone, with its process
	if _, err := w.st.Sweep(w.Context(), store.Retention{}); err != nil {
		t.Fatal(err)
	}
	view, err := w.st.Get(w.Context(), "a", "")
	if err != nil || view.Record == nil || view.Record.Request != "second" {
		t.Errorf("after its time %+v has the name: %v", view.Record, err)
	}
}

func TestARefusalIsTrueOfTheRecordsThatComeWithIt(t *testing.T) {
	w := newWorld(t)
	brief := acquire("a", "ann")
	brief.Terms = &store.Terms{MaxHold: time.Second}
	w.commit(w.other, brief)
	w.commit(w.other, acquire("b", "bob"))
	w.clock.Advance(2 * time.Second)
	data := "new"
	w.engine.before = func([]kv.Txn) { // the look
		w.engine.before = func([]kv.Txn) { w.commit(w.other, renew("b", &data, nil, nil)) }
	}
	res := w.commit(w.st, renew("b", nil, &data, &store.Event{Kind: "renewed"}), acquire("a", "cid"))
	if b := res.Records[0]; !res.Done && b != nil && b.Data == data {
		t.Errorf("refused because the data were not %q, with data %q", data, b.Data)
	}
}

func TestAJoinThatWasGrantedIsDoneWhateverTheData(t *testing.T) {
	w := newWorld(t)
	w.keepAlive("p", time.Hour)
	w.commit(w.other, acquire("a", "ann"))
	w.commit(w.other, join("a", "first", "p", 0))
	w.commit(w.other, store.Op{Name: "a", Do: store.Release})
	data := "other"
	again := join("a", "first", "p", 0)
	again.Expect.Data = &data
	if res := w.commit(w.st, again, acquire("b", "ann")); !res.Done {
		t.Error("a repeated join of a waiter that holds the name was refused")
	}
}

func TestAClaimIsNotMetBeforeItsTimeWhenTheClockIsSetBack(t *testing.T) {
	w := newWorld(t)
	w.keepAlive("p", time.Hour)
	w.commit(w.other, acquire("a", "ann"))
	w.commit(w.other, join("a", "first", "p", time.Minute))
	w.clock.Advance(time.Minute)
	w.engine.before = func([]kv.Txn) { w.clock.Advance(-time.Second) }
	if _, err := w.st.Sweep(w.Context(), store.Retention{}); err != nil {
		t.Fatal(err)
	}
	w.renew("a", "ann")
	w.clock.Advance(time.Second)
	if res := w.commit(w.st, acquire("a", "bob")); res.Done || res.Records[0].Request != "first" {
		t.Errorf("at its time %+v has the name", res.Records[0])
	}
}

func TestAClaimIsMetAsSoonAsTheFirstWaiterIsDead(t *testing.T) {
	w := newWorld(t)
	w.keepAlive("p", 10*time.Second)
	w.keepAlive("q", time.Hour)
	w.commit(w.other, acquire("a", "ann"))
	w.commit(w.other, join("a", "first", "p", 0))
	w.commit(w.other, join("a", "second", "q", time.Second))
	w.clock.Advance(2 * time.Second)
	w.engine.before = func([]kv.Txn) { w.clock.Advance(3 * time.Second) } // the sweep is slow
	if _, err := w.st.Sweep(w.Context(), store.Retention{}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(5 * time.Second)
	session := "ann"
	renewal := store.Op{Name: "a", Do: store.Renew, Expect: store.Expect{Session: &session}}
	if res := w.commit(w.st, renewal); res.Done || res.Records[0].Request != "second" {
		t.Errorf("once the first waiter is dead %+v has the name", res.Records[0])
	}
}

func TestARenewalNoticesThatTheNameMayBeClaimed(t *testing.T) {
	w := newWorld(t)
	hold := func(session string, expect store.Expect) store.Op {
		share := store.Shared
		return store.Op{
			Name: "a", Do: store.Acquire, Expect: expect, Share: &share,
			Holder: &store.Party{Session: session}, Terms: &store.Terms{Idle: time.Minute},
		}
	}
	w.keepAlive("p", time.Minute)
	ann := w.commit(w.st, hold("ann", store.Expect{Free: true})).Records[0].Token
	bob := w.commit(w.st, hold("bob", store.Expect{Free: true})).Records[0].Token
	w.commit(w.st, store.Op{Name: "a", Do: store.Join, Waiter: &store.Waiter{
		ID: "1", Process: "p", Holder: store.Party{Session: "eve"}, Terms: store.Terms{Idle: time.Minute}, GrantAfter: time.Second,
	}})
	cid := w.commit(w.st, hold("cid", store.Expect{Token: bob})).Records[0].Token // who was not asked
	w.clock.Advance(2 * time.Second)
	renew := store.Op{Name: "a", Do: store.Renew, Expect: store.Expect{Token: ann}}
	w.commit(w.st, renew)
	w.engine.before = func([]kv.Txn) {
		w.commit(w.other, store.Op{Name: "a", Do: store.Release, Expect: store.Expect{Token: cid}})
	}
	if res := w.commit(w.st, renew); res.Done || res.Records[0] == nil || res.Records[0].Holder.Session != "eve" {
		t.Errorf("renewed although all that stood in the way of a claim was gone: %+v, in force is %+v", res, res.Records[0])
	}
}

func TestAnExpiryHasTheTimeOfTheEndHoweverLateItIsWritten(t *testing.T) {
	w := newWorld(t)
	sw := acquire("a", "ann")
	sw.Terms.Idle = time.Second
	end := w.commit(w.st, sw).Records[0].Expires
	w.clock.Advance(time.Second)
	w.engine.before = func([]kv.Txn) { w.clock.Advance(time.Second) }
	if _, err := w.st.Sweep(t.Context(), store.Retention{}); err != nil {
		t.Fatal(err)
	}
	page, err := w.st.Log(t.Context(), store.LogQuery{Kinds: []string{store.KindExpired}})
	if err != nil || len(page.Entries) != 1 || !page.Entries[0].At.Equal(end) {
		t.Errorf("the hold ended at %v: %+v, %v", end, page.Entries, err)
	}
}

func TestATakeoverOfOnesOwnHoldIsRefusedOnceAnotherBecomesOnesOwn(t *testing.T) {
	w := newWorld(t)
	shared := store.Shared
	both := func(session string) uint64 {
		sw := acquire("a", session)
		sw.Share = &shared
		w.commit(w.st, sw)
		view, err := w.st.Get(t.Context(), "a", session)
		if err != nil {
			t.Fatal(err)
		}
		return view.Record.Token
	}
	both("bob")
	token := both("ann")
	w.engine.before = func([]kv.Txn) {
		bob := "bob"
		w.commit(w.other, store.Op{
			Name: "a", Do: store.Renew, Expect: store.Expect{Session: &bob}, Holder: &store.Party{Session: "ann", User: "ann"},
		})
	}
	again := acquire("a", "ann")
	again.Expect, again.Share = store.Expect{Token: token}, &shared
	if res := w.commit(w.st, again); res.Done {
		t.Errorf("ann has two holds, and took over the younger one: %+v", res.Records[0])
	}
}
