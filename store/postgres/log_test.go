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
