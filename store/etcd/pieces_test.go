package etcd_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/etcd"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/storetest"
)

// TestStore_LogPassesFewKeys reads pages of a long log, from either end and from
// within: etcd goes through about the keys that a page needs, and not through the
// whole log. Some entries are close together, others far apart.
func TestStore_LogPassesFewKeys(t *testing.T) {
	const names, rounds = 500, 120 // some 4,000 keys of the log
	s := &server{Etcd: enginetest.StartEtcd(t)}
	st := s.at(t, storetest.NewClock(), s.url())
	swap := func(swaps ...store.Op) {
		t.Helper()
		if res, err := st.Commit(t.Context(), store.Txn{Ops: swaps}); err != nil || !res.Done {
			t.Fatal(res.Done, err)
		}
	}
	e, _ := s.engines.Load(st)
	for round := range rounds {
		etcd.Skip(e.(kv.Engine), 20_000) // microseconds
		swaps := make([]store.Op, names)
		for i := range swaps {
			if name := fmt.Sprintf("%03d", i); round%2 == 0 {
				swaps[i] = take(name, "ann", store.Terms{})
			} else {
				swaps[i] = drop(name, "ann")
			}
		}
		swap(swaps...)
		swap(take(fmt.Sprint("lone", round), "bob", store.Terms{}))
	}
	all, err := st.Log(t.Context(), store.LogQuery{Newest: true, Limit: rounds * (names + 1)})
	if err != nil || len(all.Entries) != rounds*(names+1) {
		t.Fatal(len(all.Entries), err)
	}
	middle := all.Entries[len(all.Entries)/2].Seq
	reads := s.reads(st)
	for _, q := range []store.LogQuery{
		{},
		{Newest: true},
		{Newest: true, Before: middle},
		{After: middle},
		{After: middle, Before: middle + 2},
		{Newest: true, Prefix: "nosuch"},
		{Newest: true, Before: middle, Prefix: "nosuch"},
		{After: middle, Prefix: "nosuch"},
		{Name: "007"},
		{Newest: true, Name: "007"},
		{Newest: true, Name: "nosuch"},
		{Newest: true, Name: "lone7"},
	} {
		reads.Reset()
		page, err := st.Log(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		passed := 4000 // those of a first window that is too wide, and the page's
		if !q.Newest && q.After == 0 && q.Name == "" {
			passed += rounds * (names/16 + 2) // where the log begins has to be found
		}
		if reads.Calls > 36 || reads.Passed > passed || reads.Keys > 2500 {
			t.Errorf("%+v: %d calls, %d keys passed and %d read for %d entries of %d examined", q, reads.Calls, reads.Passed, reads.Keys, len(page.Entries), page.Examined)
		}
	}
}

// TestStore_PagesPassFewKeys reads pages of a list from within many: etcd goes through
// about the keys that a page needs, and not through all that the filter selects.
func TestStore_PagesPassFewKeys(t *testing.T) {
	const names, limit = 20_000, 50
	s := &server{Etcd: enginetest.StartEtcd(t)}
	clock, url := storetest.NewClock(), s.url()
	st := s.at(t, clock, url)
	for at := 0; at < names; at += 500 {
		swaps := make([]store.Op, 500)
		for i := range swaps {
			who := "many"
			if i == 7 {
				who = "few"
			}
			swaps[i] = take(fmt.Sprintf("%c/mode/%d", 'a'+i%2, at+i), who, store.Terms{Idle: time.Hour})
			swaps[i].Holder.User = who
		}
		if res, err := st.Commit(t.Context(), store.Txn{Ops: swaps}); err != nil || !res.Done {
			t.Fatal(res.Done, err)
		}
	}
	st = s.at(t, clock, url) // the one that wrote is still at its index
	reads := s.reads(st)
	for _, q := range storetest.PageQueries {
		q.Limit = limit
		reads.Reset()
		page, err := st.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if reads.Passed > names/4 || reads.Keys > 200+2*len(page.Records) || reads.Calls > 8 {
			t.Errorf("%+v: %d calls, %d keys passed and %d read for %d records", q, reads.Calls, reads.Passed, reads.Keys, len(page.Records))
		}
	}
	reads.Reset()
	if _, err := st.Sweep(t.Context(), store.Retention{}); err != nil {
		t.Fatal(err)
	}
	if reads.Passed > names/4 {
		t.Errorf("a sweep that finds nothing due passed %d keys", reads.Passed)
	}
	clock.Advance(2 * time.Hour) // all have expired, and no sweep has removed one
	for _, q := range storetest.PageQueries {
		q.Limit = limit
		reads.Reset()
		page, err := st.List(t.Context(), q)
		if err != nil || len(page.Records) > 0 {
			t.Fatal(len(page.Records), err)
		}
		if reads.Passed > names/2 || reads.Keys > 3*(limit+store.ListPiece) || page.Examined > limit+store.ListPiece {
			t.Errorf("%+v of what expired: %d calls, %d keys passed and %d read, %d records examined", q, reads.Calls, reads.Passed, reads.Keys, page.Examined)
		}
	}
}
