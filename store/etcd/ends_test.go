package etcd_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/storetest"
)

// TestStore_EndsReadLittle looks up ends of holds whose names have a long
// history, in steps of many entries: a few entries of each name are read, those
// that share a key with them, and the end of the log, which is not indexed yet.
func TestStore_EndsReadLittle(t *testing.T) {
	const names, rounds = 500, 20
	s := &server{Etcd: enginetest.StartEtcd(t)}
	st := s.at(t, storetest.NewClock(), s.url())
	holds := make([]store.Hold, names)
	for round := range rounds {
		for _, swap := range []func(name, session string) store.Op{
			func(name, session string) store.Op { return take(name, session, store.Terms{}) }, drop,
		} {
			swaps := make([]store.Op, names)
			for i := range swaps {
				swaps[i] = swap(fmt.Sprintf("%03d", i), "ann")
			}
			res, err := st.Commit(t.Context(), store.Txn{Ops: swaps})
			if err != nil || !res.Done {
				t.Fatalf("%v, %v", res.Done, err)
			}
			for i, rec := range res.Records {
				if round == 0 && rec != nil {
					holds[i] = store.Hold{Name: rec.Name, Token: rec.Token}
				}
			}
		}
	}
	busy := store.Hold{Name: "busy"}
	for range 100 { // what else is told of a name while it is held
		who := store.Party{Session: "bob"}
		sw := store.Op{Name: "busy", Do: store.Renew, Expect: store.Expect{Token: busy.Token}, Event: &store.Event{Kind: "asked", Actor: who}}
		if busy.Token == 0 {
			sw = take("busy", "bob", store.Terms{})
		}
		res, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{sw}})
		if err != nil || !res.Done {
			t.Fatalf("%v, %v", res.Done, err)
		}
		busy.Token = res.Records[0].Token
	}
	if res, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{drop("busy", "bob")}}); err != nil || !res.Done {
		t.Fatalf("%v, %v", res.Done, err)
	}
	const tailKeys, tail = 256, 1200 // what may be not indexed, or so
	reads := s.reads(st)
	find := func(holds []store.Hold) {
		t.Helper()
		reads.Reset()
		ends, err := st.Ends(t.Context(), holds, []string{"released"})
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range ends.Entries {
			if e == nil || e.Token != holds[i].Token {
				t.Fatalf("the end of %+v is %+v", holds[i], e)
			}
		}
	}
	find(slices.Clone(holds[7:8]))
	if reads.Calls > 4 || reads.Keys > tailKeys+16 || reads.Entries > tail+5*16 {
		t.Errorf("for the end of one hold: %d calls, %d keys and %d entries read", reads.Calls, reads.Keys, reads.Entries)
	}
	find([]store.Hold{busy})
	if reads.Calls > 4 || reads.Keys > 2*tailKeys || reads.Entries > 2*tail {
		t.Errorf("for the end of a busy hold: %d calls, %d keys and %d entries read", reads.Calls, reads.Keys, reads.Entries)
	}
	find(holds)
	if reads.Calls > 3 || reads.Keys > tailKeys+8*names || reads.Entries > tail+6*names {
		t.Errorf("for the ends of %d holds: %d calls, %d keys and %d entries read", names, reads.Calls, reads.Keys, reads.Entries)
	}
}
