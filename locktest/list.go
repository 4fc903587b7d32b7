package locktest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

// testList checks the list of captured mutexes.
func testList(t *testing.T, h Harness) {
	t.Run("Filters", func(t *testing.T) { listFilters(t, h) })
	t.Run("Text", func(t *testing.T) { listText(t, h) })
	t.Run("Paging", func(t *testing.T) { listPaging(t, h) })
	t.Run("Live", func(t *testing.T) { listLive(t, h) })
}

// list collects all pages of a query.
func list(t *testing.T, l editlock.Locker, q editlock.Query) []editlock.Mutex {
	t.Helper()
	var all []editlock.Mutex
	for {
		page, err := l.List(as(t, smith), q)
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		all = append(all, page.Mutexes...)
		if page.Next == "" {
			return all
		}
		q.Cursor = page.Next
	}
}

// names are the canonical IDs of mutexes.
func names(all []editlock.Mutex) []string {
	out := make([]string, 0, len(all))
	for _, m := range all {
		out = append(out, m.ID.String())
	}
	return out
}

// wantNames compares a list with the canonical IDs expected, in their order.
func wantNames(t *testing.T, got []editlock.Mutex, want ...string) {
	t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(append([]string{}, want...), names(got)); diff != "" {
		t.Errorf("mutexes listed (-want +got):\n%s", diff)
	}
}

func listFilters(t *testing.T, h Harness) {
	s := h.Open(t)
	for _, held := range []struct {
		id string
		by editlock.Owner
	}{
		{"a/doc/1", ivanov},
		{"a/doc/2", petrova},
		{"a/doc2/1", ivanovAgain},
		{"a/row/1", ivanov},
		{"ab/doc/1", smith},
		{"b/doc/1", petrova},
		{"/doc/1", ivanov},
		{"//1", ivanovAgain},
	} {
		id, err := editlock.ParseID(held.id)
		if err != nil {
			t.Fatal(err)
		}
		capture(as(t, held.by), t, s.Locker, id, nil)
	}
	for _, tt := range []struct {
		name  string
		query editlock.Query
		want  []string
	}{
		{"everything", editlock.Query{}, []string{"a/doc/1", "a/doc/2", "a/doc2/1", "a/row/1", "ab/doc/1", "b/doc/1", "/doc/1", "//1"}},
		{"a group, not those that begin like it", editlock.Query{Group: "a"}, []string{"a/doc/1", "a/doc/2", "a/doc2/1", "a/row/1"}},
		{"a mode in all groups", editlock.Query{Mode: "doc"}, []string{"a/doc/1", "a/doc/2", "ab/doc/1", "b/doc/1", "/doc/1"}},
		{"a group and a mode", editlock.Query{Group: "a", Mode: "doc"}, []string{"a/doc/1", "a/doc/2"}},
		{"a session", editlock.Query{Session: ivanov.Session}, []string{"a/doc/1", "a/row/1", "/doc/1"}},
		{"a user in all sessions", editlock.Query{UserID: ivanov.UserID}, []string{"a/doc/1", "a/doc2/1", "a/row/1", "/doc/1", "//1"}},
		{"a session and its user", editlock.Query{Session: ivanov.Session, UserID: ivanov.UserID}, []string{"a/doc/1", "a/row/1", "/doc/1"}},
		{"a session and another user", editlock.Query{Session: ivanov.Session, UserID: petrova.UserID}, nil},
		{"a group and a session", editlock.Query{Group: "a", Session: petrova.Session}, []string{"a/doc/2"}},
		{"all filters together", editlock.Query{Group: "a", Mode: "doc", Session: ivanov.Session, UserID: ivanov.UserID, Text: "иванов"}, []string{"a/doc/1"}},
		{"a group nobody has", editlock.Query{Group: "c"}, nil},
		{"a group in another letter case", editlock.Query{Group: "A"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantNames(t, list(t, s.Locker, tt.query), tt.want...)
		})
		t.Run(tt.name+", one by one", func(t *testing.T) {
			q := tt.query
			q.Limit = 1
			wantNames(t, list(t, s.Locker, q), tt.want...)
		})
	}
}

func listText(t *testing.T, h Harness) {
	s := h.Open(t)
	for _, held := range []struct {
		id   editlock.ID
		by   editlock.Owner
		data string
	}{
		{editlock.ID{Group: "Бухгалтерия", Mode: "счёт", ID: "2024/117"}, editlock.Owner{Session: "Q1", UserID: "u-ANNA", Login: "anna", Name: "Анна Ёлкина", Host: "PC-12.example"}, "Страница 3"},
		{editlock.ID{Group: "Sales", Mode: "Offer", ID: "100% sure"}, editlock.Owner{Session: "Q2", UserID: "u-bob", Login: "BOB", Name: "Bob O'Neil", Host: "pc_13"}, "draft\nsecond line"},
		{editlock.ID{Group: "Sales", Mode: "Offer", ID: "100 of 200"}, editlock.Owner{Session: "Q3", UserID: "u-eve", Login: "eve", Name: "ΣΟΦΙΑ", Host: "pcx13"}, "[a-z]*"},
	} {
		capture(as(t, held.by), t, s.Locker, held.id, &editlock.CaptureOptions{StatusData: held.data})
	}
	const anna, bob, eve = "Бухгалтерия/счёт/2024%2F117", "Sales/Offer/100%25%20sure", "Sales/Offer/100%20of%20200"
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"in a group", "бухгалт", []string{anna}},
		{"in a mode", "СЧЁТ", []string{anna}},
		{"in an ID, as it was given", "2024/117", []string{anna}},
		{"in a name, upper case", "АННА ЁЛ", []string{anna}},
		{"in a name, lower case", "анна ёл", []string{anna}},
		{"in a name, Greek", "σοφια", []string{eve}},
		{"in a login", "bob", []string{bob}},
		{"in a user ID", "U-EVE", []string{eve}},
		{"in a session", "q2", []string{bob}},
		{"in a host", "EXAMPLE", []string{anna}},
		{"in status data", "СТРАНИЦА", []string{anna}},
		{"in a second line of status data", "SECOND", []string{bob}},
		{"of several mutexes", "sales", []string{bob, eve}},
		{"literal: a percent sign is no wildcard", "100%", []string{bob}},
		{"literal: an underscore is no wildcard", "pc_1", []string{bob}},
		{"literal: brackets and stars", "[a-z]*", []string{eve}},
		{"literal: a quote", "o'n", []string{bob}},
		{"literal: blanks count", "100 o", []string{eve}},
		{"not two fields run together", "anna" + "анна", nil},
		{"literal: not in the encoding of a name", "%20", nil},
		{"not found", "nobody", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantNames(t, list(t, s.Locker, editlock.Query{Text: tt.text}), tt.want...)
		})
	}
}

func listPaging(t *testing.T, h Harness) {
	s := h.Open(t)
	const n = editlock.DefaultPage + 5
	var want, texts []string
	for i := range n {
		id := editlock.ID{Group: "g", Mode: "m", ID: fmt.Sprint(i)}
		o := &editlock.CaptureOptions{}
		if i%10 == 0 {
			o.StatusData = "needle"
			texts = append(texts, id.String())
		}
		capture(as(t, ivanov), t, s.Locker, id, o)
		want = append(want, id.String())
	}
	t.Run("a page has 100 unless said otherwise", func(t *testing.T) {
		page, err := s.Locker.List(as(t, smith), editlock.Query{})
		if err != nil || len(page.Mutexes) != editlock.DefaultPage || page.Next == "" {
			t.Fatalf("List gives %d mutexes, next %q, %v", len(page.Mutexes), page.Next, err)
		}
		rest, err := s.Locker.List(as(t, smith), editlock.Query{Cursor: page.Next})
		if err != nil || rest.Next != "" {
			t.Fatalf("the rest: next %q, %v", rest.Next, err)
		}
		wantNames(t, append(page.Mutexes, rest.Mutexes...), want...)
	})
	for _, limit := range []int{1, 7, n - 1, n, n + 1, editlock.MaxPage} {
		t.Run(fmt.Sprintf("by %d: everything once, in order", limit), func(t *testing.T) {
			wantNames(t, list(t, s.Locker, editlock.Query{Limit: limit}), want...)
			wantNames(t, list(t, s.Locker, editlock.Query{Limit: limit, Text: "NEEDLE"}), texts...)
		})
	}
	t.Run("no page is longer than its limit", func(t *testing.T) {
		page, err := s.Locker.List(as(t, smith), editlock.Query{Limit: 7, Session: ivanov.Session})
		if err != nil || len(page.Mutexes) != 7 {
			t.Errorf("List gives %d mutexes, %v; want 7", len(page.Mutexes), err)
		}
	})
	t.Run("what comes and goes between the pages disturbs nobody else", func(t *testing.T) {
		page, err := s.Locker.List(as(t, smith), editlock.Query{Limit: 50})
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		last := page.Mutexes[len(page.Mutexes)-1]
		release(as(t, ivanov), t, s.Locker, last.ID) // the one the cursor stands on
		capture(as(t, ivanov), t, s.Locker, editlock.ID{Group: "a", ID: "before"}, nil)
		rest := list(t, s.Locker, editlock.Query{Limit: 50, Cursor: page.Next})
		wantNames(t, append(page.Mutexes, rest...), want...)
	})
}

func listLive(t *testing.T, h Harness) {
	t.Run("nothing is held: an empty page", func(t *testing.T) {
		s := h.Open(t)
		page, err := s.Locker.List(as(t, smith), editlock.Query{})
		if err != nil || len(page.Mutexes) != 0 || page.Next != "" {
			t.Errorf("List = %+v, %v", page, err)
		}
	})
	t.Run("the released and the expired are not listed", func(t *testing.T) {
		s := h.Open(t)
		ids := []editlock.ID{{ID: "a"}, {ID: "b"}, {ID: "c"}}
		capture(as(t, ivanov), t, s.Locker, ids[0], nil)
		capture(as(t, ivanov), t, s.Locker, ids[1], nil)
		dying := capture(as(t, ivanov), t, s.Locker, ids[2], &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)})
		release(as(t, ivanov), t, s.Locker, ids[1])
		s.lapse(t, dying)
		for _, q := range []editlock.Query{{}, {Session: ivanov.Session}, {UserID: ivanov.UserID}, {Text: "ивАнов"}} {
			wantNames(t, list(t, s.Locker, q), "//a")
		}
	})
	t.Run("tells all of a mutex", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{
			StatusData: "x", AutoRelease: editlock.AutoRelease{Idle: time.Minute, MaxHold: time.Hour}, GrantAfter: time.Minute,
		})
		got := list(t, s.Locker, editlock.Query{})
		if len(got) != 1 {
			t.Fatalf("List gives %v", names(got))
		}
		sameMutex(t, "the mutex listed", got[0], held)
		if got[0].AsOf.Before(held.AsOf) {
			t.Errorf("as of %v, before the capture", got[0].AsOf)
		}
	})
	t.Run("changes nothing", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		s.pass(10 * time.Second)
		list(t, s.Locker, editlock.Query{Text: strings.ToUpper(ivanov.Name)})
		wantStanding(t, s.Locker, held)
	})
}
