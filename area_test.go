package editlock_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// counted counts what is read from a store.
type counted struct {
	store.Store
	reads, records int
}

func (c *counted) List(ctx context.Context, q store.RecordQuery) (store.RecordPage, error) {
	page, err := c.Store.List(ctx, q)
	c.reads++
	c.records += len(page.Records)
	return page, err
}

func (c *counted) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	page, err := c.Store.Log(ctx, q)
	c.reads++
	c.records += len(page.Entries)
	return page, err
}

var (
	reader = editlock.Owner{Session: "reader", UserID: "reader"}
	hider  = editlock.Owner{Session: "hider", UserID: "hider", Name: "Hider"}
)

func holds(t *testing.T, l editlock.Locker, o editlock.Owner, status string, ids ...editlock.ID) {
	t.Helper()
	for _, id := range ids {
		if _, err := l.Capture(editlock.WithOwner(t.Context(), o), id, &editlock.CaptureOptions{StatusData: status}); err != nil {
			t.Fatal(err)
		}
	}
}

// follow reads a list to its end, and returns the names and the number of pages.
func follow(t *testing.T, l editlock.Locker, q editlock.Query) (names []string, pages int) {
	t.Helper()
	for pages = 1; ; pages++ {
		page, err := l.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Mutexes {
			names = append(names, m.ID.String())
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return names, pages
		}
	}
}

func TestVisible_LeavesOutAreasBeforePagesAreCut(t *testing.T) {
	m := editlock.NewManager(memory.New(nil), nil)
	t.Cleanup(func() { _ = m.Close() })
	var all []editlock.ID
	for _, group := range []string{"", "a", "ab", "a b", "a/b", "a-", "a*", "z", "я"} {
		for _, mode := range []string{"", "m", "mm", "m/", "m*", "n"} {
			for _, id := range []string{"1", "2"} {
				all = append(all, editlock.ID{Group: group, Mode: mode, ID: id})
			}
		}
	}
	for i, id := range all {
		holds(t, m, []editlock.Owner{hider, reader, {Session: "elsewhere", UserID: "reader"}}[i%3], fmt.Sprint("text ", i%5), id)
	}
	held := map[editlock.ID]editlock.Mutex{}
	for _, id := range all {
		_, held[id], _ = m.Request(editlock.WithoutOwner(t.Context()), id)
	}
	for _, areas := range [][]editlock.Area{
		nil,
		{},
		{{Group: "a", Mode: "*"}},
		{{Group: "a"}},
		{{Group: "a*", Mode: "*"}},
		{{Group: "a*", Mode: "m"}},
		{{Group: "*", Mode: "m*"}},
		{{Group: "*"}},
		{{Group: "*", Mode: "n"}, {Group: "a", Mode: "*"}},
		{{Group: "z", Mode: "*"}, {Group: "a", Mode: "*"}, {Group: "a", Mode: "m"}},
		{{Group: "a b*", Mode: "m/*"}},
		{{Group: "я", Mode: "m/"}},
		{{Group: "nobody", Mode: "*"}},
		{{Group: "*", Mode: "*"}, {Group: "a"}},
		{{Group: "*", Mode: "*", Holder: reader}},
		{{Group: "a*", Mode: "m*", Holder: reader}, {Group: "z", Mode: "*"}},
		{{Group: "*", Mode: "n", Holder: hider}, {Group: "я", Mode: "*"}, {Group: "*", Mode: "m", Holder: reader}},
	} {
		for _, q := range []editlock.Query{
			{},
			{Group: "a"},
			{Mode: "m"},
			{Group: "a*"},
			{Mode: "m*"},
			{Group: "a b", Mode: "m/"},
			{Group: "nobody"},
			{Session: "reader"},
			{UserID: "reader"},
			{UserID: "hider"},
			{Session: "hider", UserID: "reader"},
			{Text: "text 1"},
			{Text: "hider", Mode: "n"},
		} {
			q.Visible = areas
			var want []string
			for _, id := range all {
				mu := held[id]
				if areas != nil && !slices.ContainsFunc(areas, func(a editlock.Area) bool { return a.Contains(id, mu.Owner) }) ||
					q.Group != "" && q.Group != id.Group || q.Mode != "" && q.Mode != id.Mode ||
					q.Session != "" && q.Session != mu.Owner.Session || q.UserID != "" && q.UserID != mu.Owner.UserID ||
					q.Text != "" && !strings.Contains(strings.ToLower(mu.StatusData+mu.Owner.Name), q.Text) {
					continue
				}
				want = append(want, id.String())
			}
			slices.Sort(want)
			for _, limit := range []int{1, 3, 0} {
				q.Limit = limit
				got, pages := follow(t, m, q)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%+v (-want +got):\n%s", q, diff)
				}
				if limit > 0 && pages > max(1, (len(want)+limit-1)/limit) {
					t.Errorf("%+v: %d pages of %d mutexes", q, pages, len(want))
				}
			}
		}
	}
}

func TestVisible_LeavesOutHistoryBeforePagesAreCut(t *testing.T) {
	m := editlock.NewManager(memory.New(nil), nil)
	t.Cleanup(func() { _ = m.Close() })
	var all []editlock.Event
	for i := range 40 {
		o := []editlock.Owner{hider, reader}[i%2]
		holds(t, m, o, "", editlock.ID{Group: []string{"a", "ab", "z", "", "a*"}[i/2%5], Mode: []string{"", "m", "n", "m*"}[i%4], ID: fmt.Sprint(i)})
		holds(t, m, o, "", editlock.ID{Group: []string{"a", "ab", "z", "", "a*"}[i/2%5], Mode: []string{"", "m", "n", "m*"}[i%4], ID: fmt.Sprint(i), Part: "p"})
	}
	page, err := m.History(t.Context(), editlock.HistoryQuery{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	all = page.Entries
	for _, areas := range [][]editlock.Area{
		nil, {}, {{Group: "a", Mode: "*"}}, {{Group: "a*", Mode: "*"}}, {{Group: "*", Mode: "m"}}, {{Group: "z", Mode: "*"}, {Group: "ab", Mode: "n"}}, {{}}, {{Group: "nobody"}},
	} {
		for _, q := range []editlock.HistoryQuery{
			{},
			{Group: "a"},
			{Mode: "m"},
			{UserID: "hider"},
			{ID: &editlock.ID{Group: "z", Mode: "m", ID: "5"}},
			{Group: "a*"},
			{Mode: "m*"},
			{ID: &editlock.ID{Group: "z", Mode: "m", ID: "5"}, Tree: true},
			{ID: &editlock.ID{Group: "a*", Mode: "m*", Below: true}, Tree: true},
			{ID: &editlock.ID{Group: "a", Below: true}, Tree: true},
			{ID: &editlock.ID{Below: true}, Tree: true, UserID: "hider"},
		} {
			q.Visible = areas
			var want []editlock.Event
			for _, e := range all {
				if (areas == nil || slices.ContainsFunc(areas, func(a editlock.Area) bool { return a.Contains(e.ID, editlock.Owner{}) })) &&
					(q.Group == "" || q.Group == e.ID.Group) && (q.Mode == "" || q.Mode == e.ID.Mode) &&
					(q.UserID == "" || q.UserID == e.Owner.UserID) && (q.ID == nil || *q.ID == e.ID || q.Tree && slices.Contains(e.ID.Above(), *q.ID)) {
					want = append(want, e)
				}
			}
			for _, limit := range []int{1, 3, 0} {
				q.Limit, q.Cursor = limit, ""
				var got []editlock.Event
				pages := 0
				for {
					page, err := m.History(t.Context(), q)
					if err != nil {
						t.Fatal(err)
					}
					pages++
					got = append(got, page.Entries...)
					if q.Cursor = page.Next; q.Cursor == "" {
						break
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%+v (-want +got):\n%s", q, diff)
				}
				if limit > 0 && pages > max(1, (len(want)+limit-1)/limit) {
					t.Errorf("%+v: %d pages of %d entries", q, pages, len(want))
				}
			}
		}
	}
}

// A page costs what it shows, however much there is that its reader may not see.
func TestVisible_CostsNothingOutsideOfTheAreas(t *testing.T) {
	st := &counted{Store: memory.New(nil)}
	m := editlock.NewManager(st, nil)
	t.Cleanup(func() { _ = m.Close() })
	for i := range 3000 {
		holds(t, m, hider, "", editlock.ID{Group: fmt.Sprintf("g%02d", i%30), Mode: "hidden", ID: fmt.Sprint(i)})
	}
	holds(t, m, reader, "", editlock.ID{Group: "g10", Mode: "zpublic", ID: "1"}, editlock.ID{Group: "g20", Mode: "zpublic", ID: "2"}, editlock.ID{Group: "zpublic", ID: "3"})
	for _, test := range []struct {
		name           string
		areas          []editlock.Area
		q              editlock.Query
		shown          int
		reads, records int
	}{
		{"a group", []editlock.Area{{Group: "zpublic", Mode: "*"}}, editlock.Query{Limit: 1}, 1, 1, 1},
		{"a group and text", []editlock.Area{{Group: "zpublic", Mode: "*"}}, editlock.Query{Text: "hidden"}, 0, 1, 1},
		{"groups that begin so", []editlock.Area{{Group: "zp*", Mode: "*"}}, editlock.Query{}, 1, 1, 1},
		{"one's own", []editlock.Area{{Group: "*", Mode: "*", Holder: reader}}, editlock.Query{}, 3, 2, 6},
		{"another group's", []editlock.Area{{Group: "zpublic", Mode: "*"}}, editlock.Query{Group: "g01"}, 0, 0, 0},
		{"another mode's", []editlock.Area{{Group: "*", Mode: "zpublic"}}, editlock.Query{Group: "g10"}, 1, 1, 1},
		{"another's", []editlock.Area{{Group: "zpublic", Mode: "*"}}, editlock.Query{UserID: "hider"}, 0, 1, 0},
		{"many groups, of which the first has enough", []editlock.Area{
			{Group: "g10", Mode: "zpublic"}, {Group: "g20", Mode: "zpublic"}, {Group: "zpublic", Mode: "*"},
		}, editlock.Query{Limit: 1}, 1, 2, 2},
	} {
		st.reads, st.records = 0, 0
		test.q.Visible = test.areas
		page, err := m.List(t.Context(), test.q)
		if err != nil || len(page.Mutexes) != test.shown || st.reads != test.reads || st.records != test.records {
			t.Errorf("%s: %d shown, %d reads of %d records, %v", test.name, len(page.Mutexes), st.reads, st.records, err)
		}
	}
	// The modes of many groups are sought group by group, not read through.
	for name, q := range map[string]editlock.Query{"may be seen": {Visible: []editlock.Area{{Group: "*", Mode: "zpublic"}}}, "are asked for": {Mode: "zpublic"}} {
		st.reads, st.records = 0, 0
		if got, _ := follow(t, m, q); !slices.Equal(got, []string{"g10/zpublic/1", "g20/zpublic/2"}) {
			t.Errorf("the modes that %s: %v", name, got)
		}
		t.Logf("the modes that %s: %d reads, %d records", name, st.reads, st.records)
	}
}

// endless has a record under each number from 0 to 149,999.
type endless struct {
	store.Store
	reads int
}

func (e *endless) List(_ context.Context, q store.RecordQuery) (store.RecordPage, error) {
	e.reads++
	var page store.RecordPage
	next := 0
	if _, number, ok := strings.Cut(q.After, "//"); ok {
		next, _ = strconv.Atoi(number)
		next++
	}
	for ; next < 150_000 && len(page.Records) < q.Limit; next++ {
		rec := store.Record{Name: fmt.Sprintf("//%06d", next)}
		if next == 140_000 {
			rec.Data = "needle"
		}
		page.Records = append(page.Records, rec)
		page.Examined++
	}
	if page.Examined == q.Limit {
		page.Next = page.Records[q.Limit-1].Name
	}
	return page, nil
}

// A search ends after so many reads, and goes on behind them. By the clock of a bubble
// no page ends for its time, however busy the machine is.
func TestList_ReadsSoMuchForOnePageAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &endless{Store: memory.New(nil)}
		m := editlock.NewManager(st, nil)
		defer func() { _ = m.Close() }()
		page, err := m.List(t.Context(), editlock.Query{Text: "needle"})
		if err != nil || len(page.Mutexes) != 0 || page.Next == "" || st.reads > 100 {
			t.Errorf("the first page: %d mutexes, next %q, %d reads, %v", len(page.Mutexes), page.Next, st.reads, err)
		}
		if got, pages := follow(t, m, editlock.Query{Text: "needle"}); !slices.Equal(got, []string{"//140000"}) || pages != 2 {
			t.Errorf("in %d pages: %v", pages, got)
		}
	})
}

func TestCursors_AreGoodForTheirQueryOnEachServerOfTheStore(t *testing.T) {
	st := memory.New(nil)
	one, two := editlock.NewManager(st, nil), editlock.NewManager(st, nil)
	t.Cleanup(func() { _ = one.Close() })
	for i := range 4 {
		holds(t, one, hider, "", editlock.ID{Group: "secret", ID: fmt.Sprint(i)})
	}
	page, err := one.List(t.Context(), editlock.Query{Group: "secret", Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	if data, err := base64.RawURLEncoding.DecodeString(page.Next); err != nil || strings.Contains(string(data), "secret") {
		t.Errorf("the cursor says %q, %v", data, err)
	}
	if again, err := one.List(t.Context(), editlock.Query{Group: "secret", Limit: 2}); err != nil || again.Next == page.Next || len(again.Next) != len(page.Next) {
		t.Errorf("cursors of one position are told apart by nothing: %q, %q, %v", page.Next, again.Next, err)
	}
	for name, m := range map[string]*editlock.Manager{"another server": two, "the server that made it": one} {
		if got, err := m.List(t.Context(), editlock.Query{Group: "secret", Limit: 1, Cursor: page.Next}); err != nil || len(got.Mutexes) != 1 || got.Mutexes[0].ID.ID != "2" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, q := range []editlock.Query{
		{},
		{Group: "other"},
		{Group: "secret", Mode: "m"},
		{Group: "secret", Text: "x"},
		{Group: "secret", UserID: "hider"},
		{Group: "secret", Session: "hider"},
		{Group: "secret", Visible: []editlock.Area{{Group: "secret", Mode: "*"}}},
	} {
		q.Cursor = page.Next
		_, err := two.List(t.Context(), q)
		blames(t, err, "cursor")
	}
	_, err = two.History(t.Context(), editlock.HistoryQuery{Cursor: page.Next})
	blames(t, err, "cursor")
	if got, _ := follow(t, two, editlock.Query{}); len(got) != 4 {
		t.Errorf("the list shows what is no mutex: %v", got)
	}
	if got, err := two.History(t.Context(), editlock.HistoryQuery{}); err != nil || len(got.Entries) != 4 {
		t.Errorf("the history shows what is no mutex: %+v, %v", got, err)
	}
	start := uint64(0)
	for e, err := range two.Watch(t.Context(), editlock.WatchQuery{After: &start}) {
		if err != nil || e.ID.Group != "secret" {
			t.Fatalf("an event of what is no mutex: %+v, %v", e, err)
		}
		if e.ID.ID == "last" {
			break
		}
		if e.ID.ID == "3" {
			holds(t, one, hider, "", editlock.ID{Group: "secret", ID: "last"})
		}
	}
}

func TestArea_HasAllOfAGroupOnlyWithAllOfItsModes(t *testing.T) {
	for _, tt := range []struct {
		area editlock.Area
		id   editlock.ID
		want bool
	}{
		{editlock.Area{Group: "crm", Mode: "*"}, editlock.ID{Group: "crm", Below: true}, true},
		{editlock.Area{Group: "c*", Mode: "*"}, editlock.ID{Group: "crm", Below: true}, true},
		{editlock.Area{Group: "crm", Mode: "contract"}, editlock.ID{Group: "crm", Below: true}, false},
		{editlock.Area{Group: "crm", Mode: "c*"}, editlock.ID{Group: "crm", Below: true}, false},
		{editlock.Area{Group: "crm"}, editlock.ID{Group: "crm", Below: true}, false},
		{editlock.Area{Group: "crm", Mode: "contract"}, editlock.ID{Group: "crm", Mode: "contract", Below: true}, true},
		{editlock.Area{Group: "crm", Mode: "contract"}, editlock.ID{Group: "crm", Mode: "deal", Below: true}, false},
		{editlock.Area{Group: "crm", Mode: "contract"}, editlock.ID{Group: "crm", Mode: "contract", ID: "7", Part: "address"}, true},
		{editlock.Area{Group: "hr", Mode: "*"}, editlock.ID{Group: "crm", Below: true}, false},
	} {
		if got := tt.area.Contains(tt.id, editlock.Owner{}); got != tt.want {
			t.Errorf("%+v contains %v: %t, want %t", tt.area, tt.id, got, tt.want)
		}
	}
}
