package redis_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/storetest"
)

// TestStore_ListLooksAtFewNamesAtATime lists what is behind many names that are
// not wanted: no script looks at more than a thousand, as Redis serves nobody
// else meanwhile.
func TestStore_ListLooksAtFewNamesAtATime(t *testing.T) {
	server := enginetest.StartRedis(t, "appendonly=no")
	clock := storetest.NewClock()
	st := newStores(server).open(t, clock)
	const many = 3500
	hold := func(user string, from, n int, terms store.Terms) {
		t.Helper()
		swaps := make([]store.Swap, n)
		for i := range swaps {
			swaps[i] = store.Swap{
				Name: fmt.Sprintf("%05d", from+i), Do: store.Take, Expect: store.Expect{Free: true},
				Holder: &store.Party{Session: "s", User: user}, Terms: &terms,
			}
		}
		if res, err := st.Swap(t.Context(), store.Request{Swaps: swaps}); err != nil || !res.Done {
			t.Fatal(res.Done, err)
		}
	}
	for i := 0; i < many; i += 500 {
		hold("ann", i, 500, store.Terms{Idle: time.Minute})
	}
	hold("bob", many, 1, store.Terms{})
	look := func(what string, q store.Query) {
		t.Helper()
		scripts, gets := calls(t, server, "evalsha"), calls(t, server, "get")
		page, err := st.List(t.Context(), q)
		if err != nil || len(page.Records) != 1 || page.Records[0].Holder.User != "bob" {
			t.Fatalf("behind %s: %d records, %v", what, len(page.Records), err)
		}
		scripts, gets = calls(t, server, "evalsha")-scripts, calls(t, server, "get")-gets
		if gets < many || gets > 1100*scripts {
			t.Errorf("behind %s: %d names looked at by %d scripts", what, gets, scripts)
		}
	}
	look("another user's", store.Query{Session: "s", User: "bob"})
	clock.Advance(time.Hour)
	look("expired ones", store.Query{Session: "s"})
	look("expired ones", store.Query{})
}

// calls is how often a command was called.
func calls(t *testing.T, server *enginetest.Redis, command string) int {
	t.Helper()
	n, err := server.Ask(t, "EVAL", "return tonumber(string.match(redis.call('INFO', 'commandstats'), 'cmdstat_"+command+":calls=(%d+)') or 0)", "0")
	if err != nil {
		t.Fatal(err)
	}
	calls, err := strconv.Atoi(n)
	if err != nil {
		t.Fatal(err)
	}
	return calls
}
