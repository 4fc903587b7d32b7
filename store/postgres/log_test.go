package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock/store/kv"
)

// TestLog_IsFoundBeforeAndAfterItIsIndexed: tags are indexed later, many at a
// time, by any of the processes.
func TestLog_IsFoundBeforeAndAfterItIsIndexed(t *testing.T) {
	url, schema := start(t).Schema(t)
	one, other := openEngine(t, url, "", nil), openEngine(t, url, "", nil)
	conn := connect(t, server.URL)
	indexed := func() (n, tags int64) {
		err := conn.QueryRow(t.Context(), strings.ReplaceAll("SELECT indexed, (SELECT count(*) FROM s.editlock_tag) FROM s.editlock_index", "s.", schema+".")).Scan(&n, &tags)
		if err != nil {
			t.Fatal(err)
		}
		return n, tags
	}
	var all []uint64
	check := func() {
		t.Helper()
		for _, newest := range []bool{false, true} {
			pages, err := other.Log(t.Context(), kv.LogQuery{Tag: "third", Newest: newest, Limit: 10_000}, kv.LogQuery{Tag: "other", Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			var got []uint64
			for _, e := range pages[0].Entries {
				got = append(got, e.Number)
			}
			if newest {
				slices.Reverse(got)
			}
			if !slices.Equal(got, all) || len(pages[1].Entries) != 0 {
				t.Fatalf("of %d entries %d are found", len(all), len(got))
			}
		}
	}
	for n := 0; n < 2400; {
		var txns []kv.Txn
		for range 200 {
			tags := []string{fmt.Sprint("t", n)}
			if n%3 == 0 {
				tags = append(tags, "third")
			}
			txns = append(txns, kv.Txn{Numbers: 1, Log: []kv.Entry{{Number: 1, Value: []byte("v"), Tags: tags}}})
			n++
		}
		answers, err := one.Commit(t.Context(), txns)
		if err != nil {
			t.Fatal(err)
		}
		for i := range answers {
			if (n-200+i)%3 == 0 {
				all = append(all, answers[i].First)
			}
		}
		check()
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if n, tags := indexed(); n >= 1000 && tags > n {
			break
		}
		if time.Now().After(deadline) {
			n, tags := indexed()
			t.Fatalf("entries up to %d are indexed, by %d tags", n, tags)
		}
	}
	check()
}

// TestTrim_ReadsNoMoreThanItRemoves: it is called with every sweep, whatever the
// log has.
func TestTrim_ReadsNoMoreThanItRemoves(t *testing.T) {
	url, schema := start(t).Schema(t)
	e := openEngine(t, url, "", nil)
	conn := connect(t, server.URL)
	const entries, removed = 50_000, 1000
	exec := func(text string) {
		t.Helper()
		if _, err := conn.PgConn().Exec(t.Context(), strings.ReplaceAll(text, "s.", schema+".")).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	exec(fmt.Sprintf("INSERT INTO s.editlock_log (n, at, v, tags) SELECT n, n, '', '' FROM generate_series(1, %d) n; SELECT s.editlock_reindex(%[1]d)", entries))
	for _, tt := range []struct {
		name         string
		before, keep string
		gone         int64
	}{
		{"nothing is too much", "NULL", "10000000", 0},
		{"nothing is too old", "1", "NULL", 0},
		{"a few are too many", "NULL", fmt.Sprint(entries - 10), 10},
		{"some are too old", "1000", "10000000", removed - 1 - 10},
		{"all are too old", "1000000000", "NULL", removed},
		{"half are too many", "NULL", fmt.Sprint(entries / 2), removed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			exec("BEGIN")
			defer exec("COMMIT")
			read := func() (n int64) {
				err := conn.QueryRow(t.Context(), "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE schemaname = $1 AND relname = 'editlock_log'", schema).Scan(&n)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			exec("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL plan_cache_mode = force_generic_plan")
			before := read()
			var gone int64
			err := conn.QueryRow(t.Context(), fmt.Sprintf("SELECT %s.editlock_trim(%s, %s, 600000000, %d)", schema, tt.before, tt.keep, removed)).Scan(&gone)
			if err != nil || gone != tt.gone {
				t.Errorf("%d are removed, %v; want %d", gone, err, tt.gone)
			}
			if n := read() - before; n > 10*removed {
				t.Errorf("it read %d entries", n)
			}
		})
	}
	page, err := e.Log(t.Context(), kv.LogQuery{Limit: 1})
	if err != nil || page[0].Floor < removed || page[0].Last != entries {
		t.Errorf("the log is %+v, %v", page, err)
	}
	var counted, left int64
	err = conn.QueryRow(t.Context(), strings.ReplaceAll("SELECT entries, (SELECT count(*) FROM s.editlock_log) FROM s.editlock_index", "s.", schema+".")).Scan(&counted, &left)
	if err != nil || counted != left {
		t.Errorf("%d entries are counted, and %d left; %v", counted, left, err)
	}
}
