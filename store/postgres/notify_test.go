package postgres

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"editlock/internal/enginetest"
	"editlock/store"
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
	swap := func(s *Store, sw store.Swap) {
		t.Helper()
		sw.Name = "a"
		res, err := s.Swap(t.Context(), store.Request{Swaps: []store.Swap{sw}})
		if err != nil || !res.Done {
			t.Fatalf("%+v: %v, %v", sw, res.Done, err)
		}
	}
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
	swap(holders, store.Swap{Do: store.Take, Expect: store.Expect{Free: true}, Holder: &ann, Terms: &store.Terms{}})
	swap(waiters, store.Swap{Do: store.Join, Ticket: &store.Ticket{ID: "ticket of bob", Peer: "peer of bob", Holder: bob}})
	swap(holders, store.Swap{Do: store.Drop, Expect: store.Expect{Session: &ann.Session}})

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		n, err := ear.WaitForNotification(ctx)
		if err != nil {
			t.Fatalf("no word of the grant: %v", err)
		}
		if strings.Contains(n.Payload, "ticket of bob") {
			break
		}
	}
	// The waiter need not ask what he was granted.
	for {
		select {
		case <-sub.C:
		case <-ctx.Done():
			t.Fatal("the waiter was not told what he was granted")
		}
		news, _ := sub.Drain()
		for _, n := range news {
			if rec := n.Granted.Record; n.Peer != "" && n.Ticket == "ticket of bob" {
				if rec == nil || rec.Name != "a" || rec.Holder != bob || rec.Request != n.Ticket {
					t.Errorf("told of %+v", rec)
				}
				return
			}
		}
	}
}
