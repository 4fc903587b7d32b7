package core_test

import (
	"context"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/memory"
)

// counted is an engine that counts its round trips.
type counted struct {
	*memory.Engine
	trips int
}

func (e *counted) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	e.trips++
	return e.Engine.Commit(ctx, txns)
}

func (e *counted) Log(ctx context.Context, queries ...kv.LogQuery) ([]kv.LogPage, error) {
	e.trips++
	return e.Engine.Log(ctx, queries...)
}

func (e *counted) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	e.trips++
	return e.Engine.Read(ctx, ranges...)
}

func TestUncontendedCallsTakeOneRoundTrip(t *testing.T) {
	e := &counted{Engine: memory.NewEngine(nil)}
	st := core.New(e)
	t.Cleanup(func() { _ = st.Close() })
	ctx := t.Context()

	ann, bob, cid := store.Party{Session: "ann", User: "a"}, store.Party{Session: "bob", User: "b"}, store.Party{Session: "cid"}
	note := func(kind string) *store.Event { return &store.Event{Kind: kind, Actor: ann} }
	acquire := func(name string, who store.Party) store.Op {
		return store.Op{
			Name: name, Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Data: new(string),
			Terms: &store.Terms{Idle: time.Minute}, Event: note("captured"),
		}
	}
	shared := func(sw store.Op, share store.Share) store.Op {
		sw.Share = &share
		return sw
	}
	op := func(id string, ops ...store.Op) func() (store.Result, error) {
		return func() (store.Result, error) { return st.Commit(ctx, store.Txn{ID: id, Ops: ops}) }
	}
	if _, err := st.KeepAlive(ctx, "process", time.Hour); err != nil {
		t.Fatal(err)
	}
	waiter := &store.Waiter{ID: "ticket", Process: "process", Holder: bob, Terms: store.Terms{Idle: time.Minute}}
	data, session, bobs := "", "ann", "bob"
	for _, step := range []struct {
		name string
		call func() (store.Result, error)
		done bool
	}{
		{"a capture", op("1", acquire("a", ann)), true},
		{"a capture repeated", op("1", acquire("a", ann)), true},
		{"a refused capture, with its holder", op("2", acquire("a", bob)), false},
		{"a renewal by session", op("", store.Op{Name: "a", Do: store.Renew, Expect: store.Expect{Session: &session}}), true},
		{"a renewal by status data", op("", store.Op{Name: "a", Do: store.Renew, Expect: store.Expect{Session: &session, Data: &data}}), true},
		{"a release", op("3", store.Op{Name: "a", Do: store.Release, Expect: store.Expect{Session: &session}, Event: note("released")}), true},
		{"a capture of several", op("4", acquire("a", ann), acquire("b", ann), acquire("c", ann)), true},
		{"a place in a queue", op("ticket", store.Op{Name: "b", Do: store.Join, Waiter: waiter, Event: note("waiting")}), true},
		{"a takeover", op("5", store.Op{
			Name: "a", Do: store.Acquire, Expect: store.Expect{Session: &session}, Holder: &bob, Terms: &store.Terms{}, Event: note("taken_over"),
		}), true},
		{"a release to a waiter who was seen", op("6", store.Op{
			Name: "b", Do: store.Release, Expect: store.Expect{Session: &session}, Event: note("released"),
		}), true},
		{"a capture with a limit", op("8", shared(acquire("l", ann), 2)), true},
		{"another capture within the limit", op("9", shared(acquire("l", bob), 2)), true},
		{"a capture beyond the limit, refused", op("10", shared(acquire("l", cid), 2)), false},
		{"a renewal of one of several", op("", store.Op{Name: "l", Do: store.Renew, Expect: store.Expect{Session: &session}}), true},
		{"a release of one of several", op("11", store.Op{Name: "l", Do: store.Release, Expect: store.Expect{Session: &session}, Event: note("released")}), true},
		{"a release of the last of several", op("12", store.Op{Name: "l", Do: store.Release, Expect: store.Expect{Session: &bobs}, Event: note("released")}), true},
		{"a capture to read", op("13", shared(acquire("l", ann), store.Shared)), true},
		{"a withdrawal", op("7", store.Op{Name: "a", Do: store.Revoke}), true},
	} {
		e.trips = 0
		res, err := step.call()
		if err != nil || res.Done != step.done || res.Records == nil {
			t.Fatalf("%s: %+v, %v", step.name, res, err)
		}
		if e.trips != 1 {
			t.Errorf("%s took %d round trips", step.name, e.trips)
		}
	}
	e.trips = 0
	if _, err := st.KeepAlive(ctx, "process", time.Hour); err != nil || e.trips != 1 {
		t.Errorf("a keep-alive took %d round trips: %v", e.trips, err)
	}
	holds := make([]store.Hold, 1000)
	for i := range holds {
		holds[i] = store.Hold{Name: "a", Token: uint64(i)}
	}
	e.trips = 0
	if ends, err := st.Ends(ctx, holds, []string{"taken_over"}); err != nil || ends.Entries[0] == nil || e.trips != 1 {
		t.Errorf("the ends of %d holds took %d round trips: %v", len(holds), e.trips, err)
	}
	e.trips = 1
	if page, err := st.List(ctx, store.RecordQuery{}); err != nil || len(page.Records) != 4 || e.trips != 2 {
		t.Errorf("a list of %d records took %d round trips: %v", len(page.Records), e.trips-1, err)
	}
}
