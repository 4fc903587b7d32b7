package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// The order of two keep-alives shows only when the first waiter should be dead, and
// there are two to the power of thirty ways to read in between.
func TestManyReadsThatOverlapAreJudgedAtOnce(t *testing.T) {
	clock := NewClock()
	var tick atomic.Int64
	st := memory.New(&memory.Options{Now: clock.Now})
	defer func() { _ = st.Close() }()
	r := &recorder{Store: st, clock: clock, yield: func() {}, tick: &tick}
	keepAlive := func(ttl time.Duration) {
		if _, err := r.KeepAlive(t.Context(), "p", ttl); err != nil {
			t.Fatal(err)
		}
	}
	keepAlive(time.Second)
	for _, sw := range []store.Op{acquire("a", "ann", store.Terms{}), join("a", "wendy", "p", store.Terms{})} {
		if _, err := r.Commit(t.Context(), store.Txn{Ops: []store.Op{sw}}); err != nil {
			t.Fatal(err)
		}
	}
	first := len(r.ops)
	keepAlive(2 * time.Second)
	for range 30 {
		if _, err := r.Get(t.Context(), "a", ""); err != nil {
			t.Fatal(err)
		}
	}
	keepAlive(9 * time.Second)
	last := len(r.ops) - 1
	clock.Advance(5 * time.Second)
	keepAlive(time.Second) // answers the waiter: the longer life is the later one
	r.ops[last].Call, r.ops[first].Call = r.ops[first].Call, r.ops[last].Call
	for i := first; i <= last; i++ {
		r.ops[i].ClientId, r.ops[i].Return = i, r.ops[last].Return
	}
	if err := linearizable(r.ops, []string{"a"}, false); err != nil {
		t.Error(err)
	}
}

// A sweep tells nothing of what it grants: a list may be the first to show two holds.
func TestAListMayShowTwoHoldsThatNobodyHasSeen(t *testing.T) {
	clock := NewClock()
	var tick atomic.Int64
	st := memory.New(&memory.Options{Now: clock.Now})
	defer func() { _ = st.Close() }()
	r := &recorder{Store: st, clock: clock, yield: func() {}, tick: &tick}
	if _, err := r.KeepAlive(t.Context(), "p", time.Minute); err != nil {
		t.Fatal(err)
	}
	ops := []store.Op{acquire("a", "ann", store.Terms{Idle: time.Second}), join("a", "wendy", "p", store.Terms{}), join("a", "paul", "p", store.Terms{})}
	for _, sw := range ops {
		if sw.Waiter != nil {
			sw.Waiter.Share = store.Shared
		}
		if _, err := r.Commit(t.Context(), store.Txn{Ops: []store.Op{sw}}); err != nil {
			t.Fatal(err)
		}
	}
	clock.Advance(2 * time.Second)
	if _, err := r.Sweep(t.Context(), store.Retention{}); err != nil {
		t.Fatal(err)
	}
	page, err := r.List(t.Context(), store.RecordQuery{Prefix: "a"})
	if err != nil || len(page.Records) != 2 {
		t.Fatalf("List = %+v, %v", page, err)
	}
	if err := linearizable(r.ops, []string{"a"}, false); err != nil {
		t.Error(err)
	}
}
