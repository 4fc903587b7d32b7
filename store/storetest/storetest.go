// Package storetest holds engines to the contract of package store.
//
// Run is the whole suite: the table of all states and operations compared with
// store.Run, the laws one by one, and random histories of concurrent clients
// checked for linearizability, of names by themselves and of names on a path. An
// engine's own test is a Harness and a call:
//
//	storetest.Run(t, storetest.Harness{
//		Open: func(t testing.TB, clock *storetest.Clock) store.Store {
//			st := memory.New(&memory.Options{Now: clock.Now})
//			t.Cleanup(func() { _ = st.Close() })
//			return st
//		},
//	})
//
// With -short the histories are fewer and the table is a sample; with
// EDITLOCK_LONG=1 the histories are ten times as many.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/editlock/editlock/store"
)

// Harness tells the suite how to run an engine.
type Harness struct {
	// Open returns an empty store that keeps to clock, and sees to its
	// closing when the test ends.
	Open func(t testing.TB, clock *Clock) store.Store

	// Reopen returns a store on the data of st: crashed, as the disk has it
	// while st is still open, or else after closing st. Nil: the engine has
	// no disk.
	Reopen func(t testing.TB, clock *Clock, st store.Store, crashed bool) store.Store

	// Quick makes the suite do as little as with -short.
	Quick bool

	// Parallel runs laws beside each other, on stores of their own. Those that
	// restart the engine run alone.
	Parallel bool

	// Steady says that the store's time never falls, whatever its clock does.
	Steady bool

	// Second is for engines that can't be given a clock: how long to wait
	// where the suite would advance its own by a second. What needs a time
	// to the microsecond is left out then. 0: the engine keeps to clock.
	Second time.Duration
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	for _, topic := range topics {
		t.Run(topic.name, func(t *testing.T) {
			for _, l := range topic.laws {
				if l.appliesTo(h) {
					t.Run(l.name, func(t *testing.T) {
						if h.Parallel && (h.Reopen == nil || l.needs&(disk|restarts) == 0) {
							t.Parallel()
						}
						l.run(newTest(t, h))
					})
				}
			}
		})
	}
}

var topics = []struct {
	name string
	laws []law
}{
	{"Table", tableLaws},
	{"Requests", requestLaws},
	{"Retries", retryLaws},
	{"Expiry", expiryLaws},
	{"Tokens", tokenLaws},
	{"Queue", queueLaws},
	{"Claims", claimLaws},
	{"Peers", processLaws},
	{"Trees", treeLaws},
	{"Get", getLaws},
	{"List", listLaws},
	{"Log", logLaws},
	{"Pieces", pieceLaws},
	{"Pruning", pruneLaws},
	{"Sweep", sweepLaws},
	{"Listen", listenLaws},
	{"Turns", turnLaws},
	{"Life", lifeLaws},
	{"Data", dataLaws},
	{"Histories", historyLaws},
	{"Paths", pathLaws},
}

// law is one thing every engine must keep to; its name says it.
type law struct {
	name  string
	run   func(t *test)
	needs needs
}

type needs uint8

const (
	exactClock needs = 1 << iota
	disk
	restarts // where there is a disk
)

func (l law) appliesTo(h Harness) bool {
	return (l.needs&exactClock == 0 || h.Second == 0) && (l.needs&disk == 0 || h.Reopen != nil)
}

// test is one store under test.
type test struct {
	*testing.T
	ctx   context.Context
	h     Harness
	clock *Clock
	st    store.Store
	told  map[string]bool // waiters whose grant was told to a subscription
}

func newTest(t *testing.T, h Harness) *test {
	t.Helper()
	clock := NewClock()
	clock.second = h.Second
	return &test{T: t, ctx: t.Context(), h: h, clock: clock, st: h.Open(t, clock)}
}

// quick reports whether a part will do.
func (t *test) quick() bool { return testing.Short() || t.h.Quick }

// reopen restarts the engine.
func (t *test) reopen(crashed bool) {
	t.Helper()
	t.st = t.h.Reopen(t, t.clock, t.st, crashed)
}

// seconds is a duration of the store's clock.
func (t *test) seconds(n float64) time.Duration {
	return t.clock.scale(time.Duration(n * float64(time.Second)))
}

// pass lets time pass.
func (t *test) pass(seconds float64) {
	t.clock.Advance(t.seconds(seconds))
}

// idle are terms: dead so many seconds after the last renewal.
func (t *test) idle(seconds float64) store.Terms {
	return store.Terms{Idle: t.seconds(seconds)}
}

// operation sends a request and fails the test on an error.
func (t *test) commit(id string, ops ...store.Op) store.Result {
	t.Helper()
	res, err := t.st.Commit(t.ctx, store.Txn{ID: id, Ops: ops})
	if err != nil {
		t.Fatalf("Swap: %v", err)
	}
	if len(res.Records) != len(ops) {
		t.Fatalf("Swap of %d returned %d records", len(ops), len(res.Records))
	}
	return res
}

// do sends one operation that must be performed, and returns what is in force.
func (t *test) do(sw store.Op) *store.Record {
	t.Helper()
	res := t.commit("", sw)
	if !res.Done || res.Replayed {
		t.Fatalf("Done, Replayed = %v, %v for %+v; in force is %+v", res.Done, res.Replayed, sw, res.Records[0])
	}
	return res.Records[0]
}

// refuse sends one operation that must be refused, and returns what is in force.
func (t *test) refuse(sw store.Op) *store.Record {
	t.Helper()
	res := t.commit("", sw)
	if res.Done || res.Replayed {
		t.Fatalf("Done, Replayed = %v, %v for %+v; want it refused", res.Done, res.Replayed, sw)
	}
	return res.Records[0]
}

func (t *test) get(name string) *store.Record {
	t.Helper()
	view, err := t.st.Get(t.ctx, name, "")
	if err != nil {
		t.Fatalf("Get(%q): %v", name, err)
	}
	return view.Record
}

func (t *test) list(q store.RecordQuery) []store.Record {
	t.Helper()
	page, err := t.st.List(t.ctx, q)
	if err != nil {
		t.Fatalf("List(%+v): %v", q, err)
	}
	return page.Records
}

func (t *test) log(q store.LogQuery) store.LogPage {
	t.Helper()
	page, err := t.st.Log(t.ctx, q)
	if err != nil {
		t.Fatalf("Log(%+v): %v", q, err)
	}
	return page
}

// kinds are the kinds of a name's entries, oldest first.
func (t *test) kinds(name string) []string {
	t.Helper()
	var kinds []string
	for _, e := range t.log(store.LogQuery{Name: name, Limit: 1000}).Entries {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (t *test) keepAlive(process string, seconds float64) []string {
	t.Helper()
	ids, err := t.st.KeepAlive(t.ctx, process, t.seconds(seconds))
	if err != nil {
		t.Fatalf("Beat(%q): %v", process, err)
	}
	return ids
}

func (t *test) sweep() time.Duration {
	t.Helper()
	due, err := t.st.Sweep(t.ctx, store.Retention{})
	if err != nil {
		t.Fatalf("Sweep: %v", err)
	}
	return due
}

// wantHolder fails unless the record is of this session; "" stands for free.
func (t *test) wantHolder(rec *store.Record, session string) {
	t.Helper()
	switch {
	case rec == nil && session != "":
		t.Fatalf("free; want it held by %q", session)
	case rec != nil && rec.Holder.Session != session:
		t.Fatalf("held by %q; want %q", rec.Holder.Session, session)
	}
}

// wantSame compares, with nil and empty slices as equals.
func (t *test) wantSame(what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// everything is all there is to see of a store, to compare before and after.
type everything struct {
	Records []store.Record
	Entries []store.LogEntry
	Last    uint64
}

func (t *test) everything() everything {
	t.Helper()
	page := t.log(store.LogQuery{Limit: 10000})
	return everything{t.list(store.RecordQuery{Limit: 10000}), page.Entries, page.Last}
}
