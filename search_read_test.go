package editlock_test

import (
	"fmt"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store/memory"
)

// A filter that no index answers reads of each group, or of the one of two indexes in
// which it gets on, and not all that the other one has.
func TestManager_AListReadsLittleOfWhatItPassesOver(t *testing.T) {
	const groups, each = 12, 1000
	st := &counted{Store: memory.New(nil)}
	m := editlock.NewManager(st, nil)
	defer func() { _ = m.Close() }()
	owners := []editlock.Owner{{Session: "half", UserID: "half"}, {Session: "rest", UserID: "rest"}, {Session: "half", UserID: "few"}, {Session: "few", UserID: "half"}}
	capture := func(owner editlock.Owner, ids ...editlock.ID) {
		t.Helper()
		if _, err := m.CaptureAll(editlock.WithOwner(t.Context(), owner), ids, nil); err != nil {
			t.Fatal(err)
		}
	}
	for g := range groups {
		for half := range 2 {
			var ids []editlock.ID
			for i := range each / 2 {
				ids = append(ids, editlock.ID{Group: fmt.Sprintf("g%02d", g), Mode: "m", ID: fmt.Sprintf("%03d/%d", i, half)})
			}
			capture(owners[half], ids...)
		}
		capture(owners[2], editlock.ID{Group: fmt.Sprintf("g%02d", g), Mode: "n", ID: "1"})
		capture(owners[3], editlock.ID{Group: fmt.Sprintf("g%02d", g), Mode: "n", ID: "2"})
	}
	for _, test := range []struct {
		q              editlock.Query
		found, records int
	}{
		{editlock.Query{Mode: "nosuch"}, 0, groups * 150},
		{editlock.Query{Mode: "n"}, 2 * groups, groups * 300},
		{editlock.Query{Mode: "nosuch", UserID: "half"}, 0, groups * 150},
		{editlock.Query{Session: "half", UserID: "nosuch"}, 0, 150},
		{editlock.Query{Session: "nosuch", UserID: "half"}, 0, 150},
		{editlock.Query{Session: "half", UserID: "few"}, groups, 150},
		{editlock.Query{Session: "few", UserID: "half"}, groups, 150},
		{editlock.Query{Session: "half", UserID: "rest"}, 0, 2 * groups * each},
		{editlock.Query{Session: "half", UserID: "half"}, groups * each / 2, 2 * groups * each},
	} {
		st.records = 0
		found := 0
		for q := test.q; ; {
			q.Limit = editlock.MaxPage
			page, err := m.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, mu := range page.Mutexes {
				if test.q.UserID != "" && mu.Owner.UserID != test.q.UserID || test.q.Session != "" && mu.Owner.Session != test.q.Session ||
					test.q.Mode != "" && mu.ID.Mode != test.q.Mode {
					t.Errorf("%+v found %+v", test.q, mu)
				}
			}
			if found, q.Cursor = found+len(page.Mutexes), page.Next; q.Cursor == "" {
				break
			}
		}
		if found != test.found || st.records > test.records {
			t.Errorf("%+v: %d found, %d records read; want %d, at most %d", test.q, found, st.records, test.found, test.records)
		}
	}
}
