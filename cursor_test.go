package editlock_test

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store/memory"
)

// FuzzCursors is of cursors of lists and histories: none but those that a page of
// the same query gave is one.
func FuzzCursors(f *testing.F) {
	m := locks(f)
	list, err := m.List(f.Context(), editlock.Query{Limit: 2})
	if err != nil {
		f.Fatal(err)
	}
	past, err := m.History(f.Context(), editlock.HistoryQuery{Limit: 2})
	if err != nil {
		f.Fatal(err)
	}
	for _, good := range []string{list.Next, past.Next} {
		data, err := base64.RawURLEncoding.DecodeString(good)
		if err != nil {
			f.Fatal(err)
		}
		for _, at := range []int{0, len(data) / 2, len(data) - 1} {
			data[at] ^= 1
			f.Add(base64.RawURLEncoding.EncodeToString(data))
			data[at] ^= 1
		}
		for _, seed := range []string{good, good + "\n", good + "=", good[1:], good[:len(good)-2], base64.StdEncoding.EncodeToString(data)} {
			f.Add(seed)
		}
	}
	for _, seed := range []string{"1", "3", "-1", "Ly8x", "AAAA", "_w", "YQ==", " ", "\n", "////"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		page, err := m.List(t.Context(), editlock.Query{Cursor: cursor})
		switch cursor {
		case "":
			return
		case list.Next:
			if err != nil || len(page.Mutexes) != 3 || page.Next != "" {
				t.Fatalf("behind the first page: %+v, %v", page, err)
			}
		default:
			blames(t, err, "cursor")
		}
		entries, err := m.History(t.Context(), editlock.HistoryQuery{Cursor: cursor})
		if cursor != past.Next {
			blames(t, err, "cursor")
		} else if err != nil || len(entries.Entries) != 3 || entries.Next != "" {
			t.Fatalf("behind the first page: %+v, %v", entries, err)
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
