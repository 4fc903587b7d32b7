package editlock_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"testing"

	"editlock"
	"editlock/store/memory"
)

// FuzzListCursor is of cursors of lists: whatever one says, a page begins
// behind what it names and no page repeats another.
func FuzzListCursor(f *testing.F) {
	m := locks(f)
	var names []string
	for cursor, more := "", true; more; {
		page, err := m.List(f.Context(), editlock.Query{Limit: 2, Cursor: cursor})
		if err != nil {
			f.Fatal(err)
		}
		for _, mu := range page.Mutexes {
			names = append(names, mu.ID.String())
		}
		f.Add(page.Next)
		cursor, more = page.Next, page.Next != ""
	}
	for _, seed := range []string{"AAAA", "AB", "_w", "YQ==", " ", "\n", "YQ\n", "////"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		page, err := m.List(t.Context(), editlock.Query{Cursor: cursor})
		after, bad := base64.RawURLEncoding.DecodeString(cursor)
		if bad != nil {
			blames(t, err, "cursor")
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", cursor, err)
		}
		want := 0
		for _, name := range names {
			if name > string(after) {
				want++
			}
		}
		if len(page.Mutexes) != want || page.Next != "" {
			t.Fatalf("behind %q come %d mutexes, not %d; next %q", after, len(page.Mutexes), want, page.Next)
		}
	})
}

// FuzzHistoryCursor is of cursors of histories: none but a number is one, and
// the page goes on right before it.
func FuzzHistoryCursor(f *testing.F) {
	m := locks(f)
	all, err := m.History(f.Context(), editlock.HistoryQuery{})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"1", "3", "0", "-1", "+1", "007", "1e3", "0x1", "1_0", "9223372036854775808", "٣", " 1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		page, err := m.History(t.Context(), editlock.HistoryQuery{Cursor: cursor})
		if cursor == "" {
			return
		}
		before, bad := strconv.ParseUint(cursor, 10, 63)
		if bad != nil || before == 0 {
			blames(t, err, "cursor")
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", cursor, err)
		}
		want := 0
		for _, e := range all.Entries {
			if e.Seq < before {
				want++
			}
		}
		if len(page.Entries) != want || want > 0 && page.Entries[0].Seq >= before {
			t.Fatalf("before %d come %d entries, not %d", before, len(page.Entries), want)
		}
	})
}

// locks is a manager with five mutexes held.
func locks(f *testing.F) *editlock.Manager {
	m := editlock.NewManager(memory.New(nil), nil)
	f.Cleanup(func() { _ = m.Close() })
	ctx := editlock.WithOwner(context.Background(), editlock.Owner{Session: "s"})
	for _, id := range []editlock.ID{{ID: "1"}, {Group: "g", ID: "2"}, {Group: "g", Mode: "m", ID: "3"}, {ID: "я"}, {ID: "/"}} {
		if _, err := m.Capture(ctx, id, nil); err != nil {
			f.Fatal(err)
		}
	}
	return m
}

func blames(t *testing.T, err error, field string) {
	t.Helper()
	var invalid *editlock.InvalidError
	if !errors.As(err, &invalid) || invalid.Field != field {
		t.Fatalf("%v does not blame %s", err, field)
	}
}
