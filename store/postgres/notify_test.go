package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
)

// TestSwap_NotifiesWhoIsGrantedInAnotherProcess: the look once a second tells of
// the grant too, but not of what was granted.
func TestSwap_NotifiesWhoIsGrantedInAnotherProcess(t *testing.T) {
	url, _ := start(t).Schema(t)
	holders, waiters := open(t, url), open(t, enginetest.With(url, "pool_max_conns=2"))
	ann, bob := store.Party{Session: "ann"}, store.Party{Session: "bob"}
	sub := waiters.Subscribe("peer of bob")
	defer sub.Close()
	if _, err := waiters.KeepAlive(t.Context(), "peer of bob", time.Minute); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// The first rounds may come before the waiter's process listens.
	for round := 0; ; round++ {
		name := fmt.Sprint("a", round)
		ticket := "ticket of bob for " + name
		swap := func(s store.Store, sw store.Op) {
			t.Helper()
			sw.Name = name
			res, err := s.Commit(ctx, store.Txn{Ops: []store.Op{sw}})
			if err != nil || !res.Done {
				t.Fatalf("%+v: %v, %v", sw, res.Done, err)
			}
		}
		swap(holders, store.Op{Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &ann, Terms: &store.Terms{}})
		swap(waiters, store.Op{Do: store.Join, Waiter: &store.Waiter{ID: ticket, Process: "peer of bob", Holder: bob}})
		note := &store.Event{Kind: "released", Actor: ann}
		swap(holders, store.Op{Do: store.Release, Expect: store.Expect{Session: &ann.Session}, Event: note})
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

// TestNotifications_AreForThoseOnlyWhoMayReadTheTables: any role may notify, and
// listen, on any channel whose name it knows; and read the source of functions.
func TestNotifications_AreForThoseOnlyWhoMayReadTheTables(t *testing.T) {
	pg := start(t)
	url, schema := pg.Schema(t)
	open(t, url)
	conn := connect(t, pg.URL)
	var channel string
	if err := conn.QueryRow(t.Context(), "SELECT channel FROM "+schema+".editlock_meta").Scan(&channel); err != nil || len(channel) < 40 {
		t.Fatalf("the channel is %q, %v", channel, err)
	}
	var told int
	const source = "SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 AND strpos(p.prosrc, $2) > 0"
	if err := conn.QueryRow(t.Context(), source, schema, channel).Scan(&told); err != nil || told != 0 {
		t.Errorf("%d functions name it in their source, %v", told, err)
	}
	role := "reads_" + schema
	for _, text := range []string{"CREATE ROLE " + role, "GRANT USAGE ON SCHEMA " + schema + " TO " + role, "SET ROLE " + role} {
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.QueryRow(t.Context(), "SELECT channel FROM "+schema+".editlock_meta").Scan(&channel); err == nil {
		t.Error("another role reads the channel")
	}
	if err := conn.QueryRow(t.Context(), "SELECT query FROM pg_stat_activity WHERE query LIKE '%'||$1||'%'", channel).Scan(new(string)); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("another role sees a query that names it: %v", err)
	}
	// Another store has another one.
	other, second := pg.Schema(t)
	open(t, other)
	var another string
	conn = connect(t, pg.URL)
	if err := conn.QueryRow(t.Context(), "SELECT channel FROM "+second+".editlock_meta").Scan(&another); err != nil || another == channel {
		t.Errorf("another store's channel is %q, %v", another, err)
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
		if i := slices.IndexFunc(all, func(n store.Signal) bool { return n.Waiter == ticket }); i >= 0 {
			return all[i]
		}
	}
}
