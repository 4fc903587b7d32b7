package mariadb_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/mariadb"
	"github.com/editlock/editlock/store/storetest"
)

// TestStore_PagesReadFewRows counts the rows that the server reads for a page of
// each filter: about those of the page, or those of one piece of the log.
func TestStore_PagesReadFewRows(t *testing.T) {
	const names, limit = 6000, 50
	url := database(t)
	e, err := mariadb.OpenEngine(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	st := core.New(e)
	defer func() { _ = st.Close() }()
	for at := 0; at < names; at += 500 {
		swaps := make([]store.Op, 500)
		for i := range swaps {
			who := store.Party{Session: "many", User: "many"}
			if i == 7 {
				who = store.Party{Session: "few", User: "few"}
			}
			swaps[i] = store.Op{
				Name: fmt.Sprintf("%c/mode/%d", 'a'+i%2, at+i), Do: store.Acquire, Expect: store.Expect{Free: true},
				Holder: &who, Terms: &store.Terms{}, Event: &store.Event{Kind: "captured", Actor: who},
			}
		}
		if res, err := st.Commit(t.Context(), store.Txn{Ops: swaps}); err != nil || !res.Done {
			t.Fatal(res.Done, err)
		}
	}
	db, err := sql.Open("mysql", enginetest.MariaDBSource(url))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows := func() (n int) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), "SELECT CAST(SUM(VARIABLE_VALUE) AS UNSIGNED) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME "+
			"IN ('HANDLER_READ_FIRST','HANDLER_READ_KEY','HANDLER_READ_LAST','HANDLER_READ_NEXT','HANDLER_READ_PREV','HANDLER_READ_RND','HANDLER_READ_RND_NEXT')").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	rows()
	itself := -rows() + rows()
	for _, q := range storetest.PageQueries {
		q.Limit = limit
		before := rows()
		page, err := st.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		read := rows() - before - itself
		if read > 10*limit {
			t.Errorf("%+v: %d rows read for %d records", q, read, len(page.Records))
		}
	}
	all, err := st.Log(t.Context(), store.LogQuery{Limit: names})
	if err != nil || len(all.Entries) != names {
		t.Fatal(len(all.Entries), err)
	}
	middle := all.Entries[names/2].Seq
	for _, q := range []store.LogQuery{
		{Before: middle},
		{After: middle},
		{User: "many", Before: middle},
		{User: "many", After: middle},
		{User: "few", Before: middle},
		{},
		{Name: "a/mode/0"},
		{Name: "nosuch"},
		{Prefix: "nosuch"},
		{Prefix: "b/"},
		{Infix: "nosuch"},
		{User: "many"},
		{User: "few"},
		{User: "nosuch"},
		{Kinds: []string{"nosuch"}},
		{User: "many", Prefix: "nosuch"},
		{User: "many", Prefix: "nosuch", Before: middle},
	} {
		q.Limit = limit
		for _, q.Newest = range []bool{false, true} {
			before := rows()
			page, err := st.Log(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			read := rows() - before - itself
			if page.Examined > limit+store.LogPiece || read > 2*page.Examined+600 {
				t.Errorf("%+v: %d rows read, %d examined, for %d entries", q, read, page.Examined, len(page.Entries))
			}
		}
	}
}
