package mariadb_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/mariadb"
)

// A list asks for who waits with a statement for each name that somebody waits for,
// not for each that is held.
func TestStore_ListAsksLittleOfNamesThatNobodyWaitsFor(t *testing.T) {
	url := database(t)
	e, err := mariadb.OpenEngine(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	st := core.New(e)
	defer func() { _ = st.Close() }()
	db, err := sql.Open("mysql", enginetest.MariaDBSource(url))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	asked := func() (n int) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME='COM_SELECT'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const names = 500
	swaps := make([]store.Op, names)
	for i := range swaps {
		swaps[i] = store.Op{
			Name: fmt.Sprintf("name %03d", i), Do: store.Acquire, Expect: store.Expect{Free: true},
			Holder: &store.Party{Session: "ann"}, Terms: &store.Terms{},
		}
	}
	if res, err := st.Commit(t.Context(), store.Txn{Ops: swaps}); err != nil || !res.Done {
		t.Fatal(res.Done, err)
	}
	if _, err := st.KeepAlive(t.Context(), "peer", time.Hour); err != nil {
		t.Fatal(err)
	}
	waits := map[string]int{}
	for _, step := range []struct{ names, waiters, statements int }{
		{0, 0, 20},
		{10, 3, 50},   // thirty in all
		{1, 400, 60},  // a long queue in the middle
		{300, 1, 700}, // many short ones
	} {
		for n := range step.names {
			name := fmt.Sprintf("name %03d", 100+n)
			for range step.waiters {
				id := fmt.Sprint(name, " ", waits[name])
				waits[name]++
				if res, err := st.Commit(t.Context(), store.Txn{ID: id, Ops: []store.Op{{Name: name, Do: store.Join, Waiter: &store.Waiter{
					ID: id, Process: "peer", Holder: store.Party{Session: id},
				}}}}); err != nil || !res.Done {
					t.Fatal(res.Done, err)
				}
			}
		}
		before := asked()
		page, err := st.List(t.Context(), store.RecordQuery{Limit: names})
		if err != nil || len(page.Records) != names {
			t.Fatal(len(page.Records), err)
		}
		if n := asked() - before; n > step.statements {
			t.Errorf("%+v: %d statements for a page of %d", step, n, names)
		}
		for _, rec := range page.Records {
			if rec.Waiting != waits[rec.Name] || len(rec.Waiters) != min(rec.Waiting, store.MaxWaiters) {
				t.Errorf("%+v: %d wait for %s, and %d are named; want %d", step, rec.Waiting, rec.Name, len(rec.Waiters), waits[rec.Name])
			}
		}
	}
}
