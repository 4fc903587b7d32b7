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
	note := func(kind string) *store.Note { return &store.Note{Kind: kind, Actor: ann} }
	take := func(name string, who store.Party) store.Swap {
		return store.Swap{
			Name: name, Do: store.Take, Expect: store.Expect{Free: true}, Holder: &who, Data: new(string),
			Terms: &store.Terms{Idle: time.Minute}, Note: note("captured"),
		}
	}
	shared := func(sw store.Swap, share store.Share) store.Swap {
		sw.Share = &share
		return sw
	}
	swap := func(id string, swaps ...store.Swap) func() (store.Result, error) {
		return func() (store.Result, error) { return st.Swap(ctx, store.Request{ID: id, Swaps: swaps}) }
	}
	if _, err := st.Beat(ctx, "process", time.Hour); err != nil {
		t.Fatal(err)
	}
	ticket := &store.Ticket{ID: "ticket", Peer: "process", Holder: bob, Terms: store.Terms{Idle: time.Minute}}
	data, session, bobs := "", "ann", "bob"
	for _, step := range []struct {
		name string
		call func() (store.Result, error)
		done bool
	}{
		{"a capture", swap("1", take("a", ann)), true},
		{"a capture repeated", swap("1", take("a", ann)), true},
		{"a refused capture, with its holder", swap("2", take("a", bob)), false},
		{"a renewal by session", swap("", store.Swap{Name: "a", Do: store.Touch, Expect: store.Expect{Session: &session}}), true},
		{"a renewal by status data", swap("", store.Swap{Name: "a", Do: store.Touch, Expect: store.Expect{Session: &session, Data: &data}}), true},
		{"a release", swap("3", store.Swap{Name: "a", Do: store.Drop, Expect: store.Expect{Session: &session}, Note: note("released")}), true},
		{"a capture of several", swap("4", take("a", ann), take("b", ann), take("c", ann)), true},
		{"a place in a queue", swap("ticket", store.Swap{Name: "b", Do: store.Join, Ticket: ticket, Note: note("waiting")}), true},
		{"a takeover", swap("5", store.Swap{
			Name: "a", Do: store.Take, Expect: store.Expect{Session: &session}, Holder: &bob, Terms: &store.Terms{}, Note: note("taken_over"),
		}), true},
		{"a release to a waiter who was seen", swap("6", store.Swap{
			Name: "b", Do: store.Drop, Expect: store.Expect{Session: &session}, Note: note("released"),
		}), true},
		{"a capture with a limit", swap("8", shared(take("l", ann), 2)), true},
		{"another capture within the limit", swap("9", shared(take("l", bob), 2)), true},
		{"a capture beyond the limit, refused", swap("10", shared(take("l", cid), 2)), false},
		{"a renewal of one of several", swap("", store.Swap{Name: "l", Do: store.Touch, Expect: store.Expect{Session: &session}}), true},
		{"a release of one of several", swap("11", store.Swap{Name: "l", Do: store.Drop, Expect: store.Expect{Session: &session}, Note: note("released")}), true},
		{"a release of the last of several", swap("12", store.Swap{Name: "l", Do: store.Drop, Expect: store.Expect{Session: &bobs}, Note: note("released")}), true},
		{"a capture to read", swap("13", shared(take("l", ann), store.Shared)), true},
		{"a withdrawal", swap("7", store.Swap{Name: "a", Do: store.Revoke}), true},
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
	if _, err := st.Beat(ctx, "process", time.Hour); err != nil || e.trips != 1 {
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
	if page, err := st.List(ctx, store.Query{}); err != nil || len(page.Records) != 4 || e.trips != 2 {
		t.Errorf("a list of %d records took %d round trips: %v", len(page.Records), e.trips-1, err)
	}
}
