package editlock_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// long is a store whose log, or whose list, goes on forever without anything
// that a caller looks for.
type long struct {
	store.Store
	asked func(ctx context.Context)
}

var names atomic.Int64 // that lists have given

func (l *long) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	const last = 1 << 40
	l.asked(ctx)
	if q.Newest {
		before := q.Before
		if before == 0 {
			before = last
		}
		return store.LogPage{Next: before - store.LogPiece, Examined: store.LogPiece}, ctx.Err()
	}
	page := store.LogPage{Last: last}
	for seq := q.After + 1; seq < last && len(page.Entries) < q.Limit; seq++ {
		page.Entries = append(page.Entries, store.LogEntry{Seq: seq})
	}
	return page, ctx.Err()
}

func (l *long) List(ctx context.Context, q store.RecordQuery) (store.RecordPage, error) {
	l.asked(ctx)
	page := store.RecordPage{Records: make([]store.Record, q.Limit)}
	if q.Session != "" && q.User != "" {
		return page, errors.New("a search through all that the session holds, at once")
	}
	for i := range page.Records {
		page.Records[i].Name = fmt.Sprintf("%012d/m/1", names.Add(1))
		page.Next = page.Records[i].Name
	}
	page.Examined = q.Limit
	return page, ctx.Err()
}

func TestManager_ASearchAnswersWithWhereToReadOn(t *testing.T) {
	const piece, first, most = 1000, 8, 100_000 // the first pieces are smaller
	for name, call := range map[string]func(ctx context.Context, m *editlock.Manager) (found int, next string, err error){
		"History": func(ctx context.Context, m *editlock.Manager) (int, string, error) {
			page, err := m.History(ctx, editlock.HistoryQuery{Mode: "nosuch"})
			return len(page.Entries), page.Next, err
		},
		"List by text": func(ctx context.Context, m *editlock.Manager) (int, string, error) {
			page, err := m.List(ctx, editlock.Query{Text: "nosuch"})
			return len(page.Mutexes), page.Next, err
		},
		"List by session and user": func(ctx context.Context, m *editlock.Manager) (int, string, error) {
			page, err := m.List(ctx, editlock.Query{Session: "tab", UserID: "nosuch"})
			return len(page.Mutexes), page.Next, err
		},
		"List by mode": func(ctx context.Context, m *editlock.Manager) (int, string, error) {
			page, err := m.List(ctx, editlock.Query{Mode: "nosuch"})
			return len(page.Mutexes), page.Next, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			pieces := 0
			m := editlock.NewManager(&long{memory.New(nil), func(context.Context) { pieces++ }}, nil)
			defer func() { _ = m.Close() }()
			found, next, err := call(t.Context(), m)
			if found != 0 || next == "" || err != nil || pieces > first+most/piece {
				t.Errorf("%d found in %d pieces, next %q, %v", found, pieces, next, err)
			}
		})
		t.Run(name+" ends when its caller is gone", func(t *testing.T) {
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			pieces := 0
			m := editlock.NewManager(&long{memory.New(nil), func(ctx context.Context) {
				if pieces++; pieces == 3 {
					leave()
				}
			}}, nil)
			defer func() { _ = m.Close() }()
			if _, _, err := call(ctx, m); !errors.Is(err, context.Canceled) || pieces > 4 {
				t.Errorf("%d pieces, %v", pieces, err)
			}
		})
	}
}

// freeReads, in a context, is how many reads of a call need no turn.
type freeReads struct{}

func TestManager_SearchesTakeTurns(t *testing.T) {
	for _, test := range []struct {
		name string
		free int
		call func(ctx context.Context, m *editlock.Manager)
	}{
		{"history", 1, func(ctx context.Context, m *editlock.Manager) {
			_, _ = m.History(ctx, editlock.HistoryQuery{Mode: "nosuch"})
		}},
		{"a list by text", 3, func(ctx context.Context, m *editlock.Manager) {
			_, _ = m.List(ctx, editlock.Query{Text: "nosuch"})
		}},
		{"an event stream that resumes far behind", 2, func(ctx context.Context, m *editlock.Manager) {
			for e, err := range m.Watch(ctx, editlock.WatchQuery{Group: "nosuch", After: new(uint64)}) {
				if err == nil {
					t.Errorf("an event: %+v", e)
				}
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { searchesTakeTurns(t, test.free, test.call) })
		})
	}
}

// searchesTakeTurns lets many search at a time, in a bubble: no search ends for its time
// there.
func searchesTakeTurns(t *testing.T, free int, call func(ctx context.Context, m *editlock.Manager)) {
	// Each search tells when it reads a piece that needs a turn, and waits there: no
	// other may read one meanwhile.
	reading, goOn := make(chan struct{}), make(chan struct{})
	m := editlock.NewManager(&long{memory.New(nil), func(ctx context.Context) {
		free, searching := ctx.Value(freeReads{}).(*int)
		if !searching {
			return
		}
		if *free--; *free >= 0 {
			return
		}
		select {
		case reading <- struct{}{}:
			<-goOn
		case <-ctx.Done():
		}
	}}, nil)
	ctx, leave := context.WithCancel(t.Context())
	const many = 8
	var searches sync.WaitGroup
	for range many {
		free := free
		searches.Go(func() { call(context.WithValue(ctx, freeReads{}, &free), m) })
	}
	for range 3 * many {
		<-reading
		synctest.Wait()
		select {
		case <-reading:
			t.Error("two searches read at a time")
			goOn <- struct{}{}
		default:
		}
		goOn <- struct{}{}
	}
	leave()
	searches.Wait()
	_ = m.Close()
}

// slowly is a store whose log and lists take their time.
type slowly struct {
	store.Store
	each time.Duration
}

func (s *slowly) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	time.Sleep(s.each)
	return s.Store.Log(ctx, q)
}

func (s *slowly) List(ctx context.Context, q store.RecordQuery) (store.RecordPage, error) {
	time.Sleep(s.each)
	return s.Store.List(ctx, q)
}

// However slow the store is, a search is answered before callers and proxies give up.
func TestManager_ASearchOfASlowStoreAnswersInTime(t *testing.T) {
	for name, call := range map[string]func(ctx context.Context, m *editlock.Manager) (next string, err error){
		"History": func(ctx context.Context, m *editlock.Manager) (string, error) {
			page, err := m.History(ctx, editlock.HistoryQuery{Mode: "nosuch"})
			return page.Next, err
		},
		"List": func(ctx context.Context, m *editlock.Manager) (string, error) {
			page, err := m.List(ctx, editlock.Query{Mode: "nosuch"})
			return page.Next, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				endless := &long{memory.New(nil), func(context.Context) {}}
				m := editlock.NewManager(&slowly{endless, 900 * time.Millisecond}, nil)
				defer func() { _ = m.Close() }()
				begun := time.Now()
				next, err := call(t.Context(), m)
				if took := time.Since(begun); err != nil || next == "" || took > 10*time.Second {
					t.Errorf("next %q after %v, %v", next, took, err)
				}
			})
		})
	}
}

// Each answer is a step on, also where many areas have to be read side by side for it.
func TestManager_AListOfManyAreasOfASlowStoreGetsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const names, many = 2500, 12
		st := &slowly{Store: memory.New(nil)}
		m := editlock.NewManager(st, nil)
		defer func() { _ = m.Close() }()
		var ids []editlock.ID
		for n := range names {
			ids = append(ids, editlock.ID{Group: strings.Repeat("a", many), Mode: strings.Repeat("m", many), ID: fmt.Sprint(n)})
		}
		for some := range slices.Chunk(ids, editlock.MaxBatch) {
			if _, err := m.CaptureAll(in(t, "ann"), some, nil); err != nil {
				t.Fatal(err)
			}
		}
		var areas []editlock.Area
		for n := range many {
			areas = append(areas, editlock.Area{Group: strings.Repeat("a", n+1) + "*", Mode: strings.Repeat("m", many-n) + "*"})
		}
		st.each = 900 * time.Millisecond
		calls := 0
		for q := (editlock.Query{Text: "nosuch", Visible: areas}); ; calls++ {
			page, err := m.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
			if calls == 100 {
				t.Fatal("the list does not end")
			}
		}
		if calls < 2 {
			t.Errorf("the list ends after %d answers with where to read on: this proves little", calls)
		}
	})
}

func TestSearch_FindsPartsAndWhatStandsForAll(t *testing.T) {
	m := editlock.NewManager(memory.New(nil), nil)
	t.Cleanup(func() { _ = m.Close() })
	ctx := editlock.WithOwner(t.Context(), editlock.Owner{Session: "s"})
	for _, id := range []editlock.ID{{Group: "crm", Below: true}, {Group: "crm", Mode: "contract", Below: true}, {Group: "crm", Mode: "contract", ID: "7", Part: "the address"}} {
		if _, err := m.Capture(ctx, id, nil); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]int{"7#THE ADDR": 1, "crm/contract/": 2, "crm/": 3, "crm//": 0} {
		list, err := m.List(ctx, editlock.Query{Text: text})
		if err != nil || len(list.Mutexes) != want {
			t.Errorf("%q finds %d mutexes, want %d (%v)", text, len(list.Mutexes), want, err)
		}
		past, err := m.History(ctx, editlock.HistoryQuery{Text: text})
		if err != nil || len(past.Entries) != want {
			t.Errorf("%q finds %d entries, want %d (%v)", text, len(past.Entries), want, err)
		}
	}
}

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
