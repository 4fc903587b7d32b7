package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/postgres"
)

// TestReadsScanNoTable: however long the log and however many the rows, and
// whatever the planner's statistics say, what is asked for is found by an index.
// A connection plans a function by what it finds at its first call, so one calls
// them while there is nothing, and another when there is a lot.
func TestReadsScanNoTable(t *testing.T) {
	const many, limit = 12_000, 50
	url, schema := start(t).Schema(t)
	e := openEngine(t, url, "", nil)
	in := func(text string) string { return strings.ReplaceAll(text, "@s@", schema) }

	tag := func(of string) string { return fmt.Sprintf(`'\x%x'`, postgres.Hash(of)) }
	page := func(tag string, above, below int64, newest int) string {
		return in(fmt.Sprintf("SELECT cardinality(entries) FROM @s@.editlock_page(ARRAY[ROW(0, %s, %d, %d, %d, %d)::@s@.editlock_query])", tag, above, below, newest, limit))
	}
	find := func(way, state int, key, till, tag string) string {
		const wide = 2 // read by when rows are due where state is 2
		return in(fmt.Sprintf("SELECT cardinality(got) FROM @s@.editlock_read(ARRAY[ROW(0, 0, 0, -1, %d, %d, %s, %s, %s, %d, %d, 0, NULL, 0)::@s@.editlock_range])", way, state, key, till, tag, limit, wide))
	}
	var calls []string
	for newest := range 2 {
		for _, tag := range []string{"NULL", tag("all"), tag("few"), tag("none")} {
			calls = append(calls, page(tag, 0, 1<<62, newest), page(tag, 3000, 1<<62, newest), page(tag, 0, 3000, newest))
		}
	}
	for _, tag := range []string{`'all'`, `'few'`, `'none'`} {
		calls = append(calls, find(1, 1, `''`, `'\xff'`, tag), find(1, 1, `'r3'`, `'\xff'`, tag), find(1, 0, `'r3'`, `'\xff'`, tag))
	}
	calls = append(calls, find(0, 1, `'r'`, `'s'`, "NULL"), find(0, 1, `'r5'`, `'r6'`, "NULL"), find(0, 0, `'x'`, `'y'`, "NULL"), find(0, 2, `'r'`, `'s'`, "NULL"),
		find(2, 1, `''`, `'\xff'`, `'lease'`), find(3, 0, `''`, `'\xff'`, "NULL"))

	// read is how many rows a call met in tables and indexes.
	met := in("SELECT sum(pg_stat_get_xact_tuples_returned(oid))::int FROM pg_class WHERE relnamespace = '@s@'::regnamespace")
	read := func(conn *pgx.Conn, call string) (rows, found int) {
		t.Helper()
		var before, after int
		tx, err := conn.Begin(t.Context())
		if err == nil {
			err = tx.QueryRow(t.Context(), met).Scan(&before) // of transactions before, too
		}
		if err == nil {
			err = tx.QueryRow(t.Context(), "SELECT coalesce(("+call+"), 0)").Scan(&found)
		}
		if err == nil {
			err = tx.QueryRow(t.Context(), met).Scan(&after)
		}
		if err == nil {
			err = tx.Rollback(t.Context())
		}
		if err != nil {
			t.Fatalf("%s: %v", call, err)
		}
		return after - before, found
	}
	open := func() *pgx.Conn {
		conn := connect(t, server.URL)
		for name, value := range postgres.Planning {
			if _, err := conn.Exec(t.Context(), "SET "+name+" = "+value); err != nil {
				t.Fatal(err)
			}
		}
		return conn
	}
	early := open()
	for _, call := range calls {
		read(early, call)
	}

	for n := 0; n < many; {
		var txns []kv.Txn
		for range 200 {
			tags := []string{"all"}
			if n%2000 == 7 {
				tags = append(tags, "few")
			}
			row := kv.Write{Key: fmt.Sprintf("r%05d", n), Number: 1, Value: []byte("v"), Tags: tags, TTL: time.Hour}
			if n%3 == 1 {
				row.Lease = "lease"
			}
			if n == 0 {
				row = kv.Write{Key: "lease", Number: 1, Value: []byte("v"), TTL: time.Hour}
			}
			txns = append(txns, kv.Txn{Numbers: 1, Then: []kv.Write{row}, Log: []kv.Entry{{Number: 1, Value: []byte("v"), Tags: tags}}})
			n++
		}
		if _, err := e.Commit(t.Context(), txns); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil { // what it did not index is indexed here
		t.Fatal(err)
	}
	late := open()
	for _, do := range []string{"SELECT @s@.editlock_reindex(1000000)", "ANALYZE @s@.editlock_log, @s@.editlock_tag, @s@.editlock_row"} {
		if _, err := late.Exec(t.Context(), in(do)); err != nil {
			t.Fatal(err)
		}
	}
	for name, conn := range map[string]*pgx.Conn{"planned early": early, "planned late": late} {
		for _, call := range calls {
			if rows, found := read(conn, call); rows > 5*limit {
				t.Errorf("%s: %d rows read to find %d: %s", name, rows, found, call)
			}
		}
	}
}

// TestCommitsReadFewRows: what a transaction reads does not grow with what there
// is, at any size for which statements may have been planned.
func TestCommitsReadFewRows(t *testing.T) {
	for _, many := range []int{0, 50, 500, 3000, 20_000} {
		t.Run(fmt.Sprint(many), func(t *testing.T) {
			url, schema := start(t).Schema(t)
			conn := connect(t, server.URL)
			in := func(text string) string { return strings.ReplaceAll(text, "@s@", schema) }
			met := func() (rows int) {
				err := conn.QueryRow(t.Context(), in("SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE schemaname = '@s@') + "+
					"(SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = '@s@')")).Scan(&rows)
				if err != nil {
					t.Fatal(err)
				}
				return rows
			}
			commit := func(e kv.Engine, txns ...kv.Txn) {
				t.Helper()
				answers, err := e.Commit(t.Context(), txns)
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range answers {
					if !a.Done {
						t.Fatal("a transaction was not done")
					}
				}
			}
			row := func(key string) kv.Write {
				return kv.Write{Key: key, Number: 1, Value: []byte("v"), Tags: []string{"all"}, TTL: time.Hour}
			}
			log := []kv.Entry{{Number: 1, Value: []byte("v"), Tags: []string{"all"}}}
			e := openEngine(t, url, "", nil)
			commit(e, kv.Txn{Numbers: 1, Then: []kv.Write{row("lease")}})
			for n := 0; n < many; n += 50 {
				var txns []kv.Txn
				for i := range 50 {
					w := row(fmt.Sprintf("r%05d", n+i))
					if i%3 == 1 {
						w.Lease = "lease"
					}
					txns = append(txns, kv.Txn{Numbers: 1, Then: []kv.Write{w}, Log: log})
				}
				commit(e, txns...)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			for _, do := range []string{"SELECT @s@.editlock_reindex(1000000)", "ANALYZE @s@.editlock_log, @s@.editlock_tag, @s@.editlock_row"} {
				if _, err := conn.Exec(t.Context(), in(do)); err != nil {
					t.Fatal(err)
				}
			}
			conn = connect(t, server.URL)
			before := met()
			e = openEngine(t, url, "", nil)
			const rounds = 20
			for i := range rounds {
				key := fmt.Sprint("own", i)
				commit(e, kv.Txn{If: []kv.Cond{{Key: key, Absent: true}}, Numbers: 1, Then: []kv.Write{row(key)}, Log: log, Read: []kv.Range{{Key: key}}})
				commit(e, kv.Txn{If: []kv.Cond{{Key: key}, {Prefix: "own-none"}}, Then: []kv.Write{{Key: key, Renew: true}}, Read: []kv.Range{{Key: key}}})
				commit(e, kv.Txn{If: []kv.Cond{{Key: "lease"}}, Numbers: 1, Then: []kv.Write{
					{Key: key + "/", Number: 1, Numbered: true, Value: []byte("v"), Lease: "lease"}, {Key: "lease", Renew: true},
				}})
				commit(e, kv.Txn{If: []kv.Cond{{Key: key}}, Numbers: 1, Then: []kv.Write{{Key: key, Delete: true}}, Log: log})
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			conn = connect(t, server.URL)
			if rows := met() - before; rows > 4*rounds*20 {
				t.Errorf("%d transactions met %d rows", 4*rounds, rows)
			}
		})
	}
}
