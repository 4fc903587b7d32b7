package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
)

// TestSwap_NotifiesWhoIsGrantedInAnotherProcess: the look once a second tells of
// the grant too, but not of what was granted.
func TestSwap_NotifiesWhoIsGrantedInAnotherProcess(t *testing.T) {
	url, _ := start(t).Schema(t)
	holders, waiters := open(t, url), open(t, enginetest.With(url, "pool_max_conns=2"))
	ann, bob := store.Party{Session: "ann"}, store.Party{Session: "bob"}
	sub := waiters.Listen("peer of bob")
	defer sub.Close()
	if _, err := waiters.Beat(t.Context(), "peer of bob", time.Minute); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// The first rounds may come before the waiter's process listens.
	for round := 0; ; round++ {
		name := fmt.Sprint("a", round)
		ticket := "ticket of bob for " + name
		swap := func(s store.Store, sw store.Swap) {
			t.Helper()
			sw.Name = name
			res, err := s.Swap(ctx, store.Request{Swaps: []store.Swap{sw}})
			if err != nil || !res.Done {
				t.Fatalf("%+v: %v, %v", sw, res.Done, err)
			}
		}
		swap(holders, store.Swap{Do: store.Take, Expect: store.Expect{Free: true}, Holder: &ann, Terms: &store.Terms{}})
		swap(waiters, store.Swap{Do: store.Join, Ticket: &store.Ticket{ID: ticket, Peer: "peer of bob", Holder: bob}})
		note := &store.Note{Kind: "released", Actor: ann}
		swap(holders, store.Swap{Do: store.Drop, Expect: store.Expect{Session: &ann.Session}, Note: note})
		n := news(ctx, t, sub, ticket)
		if n.Granted.Record == nil && round < 100 {
			continue // found by a look
		}
		// The waiter need not ask what was granted.
		if rec := n.Granted.Record; rec == nil || rec.Name != name || rec.Holder != bob || rec.Request != ticket {
			t.Errorf("told of %+v", rec)
		}
		return
	}
}

// news waits for the first news of a ticket.
func news(ctx context.Context, t *testing.T, sub *store.Subscription, ticket string) store.Signal {
	t.Helper()
	for {
		select {
		case <-sub.C:
		case <-ctx.Done():
			t.Fatal("the waiter was told nothing")
		}
		all, _ := sub.Drain()
		if i := slices.IndexFunc(all, func(n store.Signal) bool { return n.Ticket == ticket }); i >= 0 {
			return all[i]
		}
	}
}
