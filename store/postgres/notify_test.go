package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
)

// The look once a second would hide that nobody is notified.
func TestSwap_NotifiesWhoIsGrantedInAnotherProcess(t *testing.T) {
	url, _ := enginetest.StartPostgres(t).Schema(t)
	open := func() *Store {
		s, err := Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	holders, waiters := open(), open()
	ear, err := pgx.Connect(t.Context(), url[:strings.IndexByte(url, '?')])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ear.Close(context.WithoutCancel(t.Context())) }()
	if _, err := ear.Exec(t.Context(), holders.target.fill(`LISTEN "@channel@"`)); err != nil {
		t.Fatal(err)
	}
	ann, bob := store.Party{Session: "ann"}, store.Party{Session: "bob"}
	sub := waiters.Listen("peer of bob")
	defer sub.Close()
	if _, err := waiters.Beat(t.Context(), "peer of bob", time.Minute); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// The first rounds may come before the waiter's process listens; it looks
	// for the grant then.
	for round := 0; ; round++ {
		name := fmt.Sprint("a", round)
		ticket := "ticket of bob for " + name
		swap := func(s *Store, sw store.Swap) {
			t.Helper()
			sw.Name = name
			res, err := s.Swap(ctx, store.Request{Swaps: []store.Swap{sw}})
			if err != nil || !res.Done {
				t.Fatalf("%+v: %v, %v", sw, res.Done, err)
			}
		}
		swap(holders, store.Swap{Do: store.Take, Expect: store.Expect{Free: true}, Holder: &ann, Terms: &store.Terms{}})
		swap(waiters, store.Swap{Do: store.Join, Ticket: &store.Ticket{ID: ticket, Peer: "peer of bob", Holder: bob}})
		swap(holders, store.Swap{Do: store.Drop, Expect: store.Expect{Session: &ann.Session}})
		for told := false; !told; {
			n, err := ear.WaitForNotification(ctx)
			if err != nil {
				t.Fatalf("no word of the grant: %v", err)
			}
			told = strings.Contains(n.Payload, ticket)
		}
		n := news(ctx, t, sub, ticket)
		if n.Peer == "" {
			continue // found by a look
		}
		// The waiter need not ask what he was granted.
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
