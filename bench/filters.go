package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
)

// filter is a query, by pages.
type filter struct {
	name string
	// page reads the page behind a cursor, and counts what is on it.
	page   func(ctx context.Context, cursor string) (found int, next string, err error)
	atOnce int // so many ask at a time, for their first page only; 0: one asks for all
}

// searched is the table of what searches cost.
func searched(what, found string) table {
	return table{what, "filter", found, "pages", "all pages", "longest page", "others meanwhile, p50 / p99"}
}

// search reads all that a filter finds, and looks at the others meanwhile.
func (l *logbook) search(ctx context.Context, b *bench, f filter) ([]string, error) {
	row := []string{"", "", "", ""}
	if f.atOnce == 0 {
		var longest time.Duration
		found, pages, cursor, begun := 0, 0, "", time.Now()
		for more := true; more; pages++ {
			from := time.Now()
			n, next, err := f.page(ctx, cursor)
			if err != nil {
				return nil, err
			}
			longest = max(longest, time.Since(from))
			found, cursor, more = found+n, next, next != ""
		}
		row = []string{fmt.Sprint(found), fmt.Sprint(pages), fmt.Sprint(round(time.Since(begun))), fmt.Sprint(round(longest))}
	}
	meanwhile, err := l.beside(ctx, b, func(ctx context.Context) error {
		var wg sync.WaitGroup
		var failed error
		for i := range max(1, f.atOnce) {
			wg.Go(func() {
				if _, _, err := f.page(ctx, ""); i == 0 {
					failed = err
				}
			})
		}
		wg.Wait()
		return failed
	})
	return append(row, meanwhile), err
}

// show searches by each filter, and shows a row for it.
func (l *logbook) show(ctx context.Context, b *bench, filters table, name string, all []filter) error {
	fmt.Println()
	filters.head()
	for _, f := range all {
		row, err := l.search(ctx, b, f)
		if err != nil {
			return err
		}
		filters.row(append([]string{name, f.name}, row...)...)
	}
	return nil
}

// filters are those of the history.
func (l *logbook) filters() (all []filter) {
	id := editlock.ID{Group: "archive", Mode: "mode-7", ID: "7"}
	at := time.Now()
	for _, f := range []struct {
		name   string
		query  editlock.HistoryQuery
		atOnce int
	}{
		{"id", editlock.HistoryQuery{ID: &id}, 0},
		{"id of nothing", editlock.HistoryQuery{ID: &editlock.ID{ID: "nosuch"}}, 0},
		{"group of nothing", editlock.HistoryQuery{Group: "nosuch"}, 0},
		{"mode of nothing", editlock.HistoryQuery{Mode: "nosuch"}, 0},
		{"user", editlock.HistoryQuery{UserID: person(7).UserID}, 0},
		{"user of nothing", editlock.HistoryQuery{UserID: "nosuch"}, 0},
		{"kind of nothing", editlock.HistoryQuery{Kinds: []editlock.EventKind{editlock.KindDeclined}}, 0},
		{"later than all", editlock.HistoryQuery{From: at.Add(time.Hour)}, 0},
		{"before all", editlock.HistoryQuery{To: at.Add(-24 * time.Hour)}, 0},
		{"mode of nothing, eight at once", editlock.HistoryQuery{Mode: "nosuch"}, 8},
	} {
		all = append(all, filter{f.name, func(ctx context.Context, cursor string) (int, string, error) {
			q := f.query
			q.Cursor = cursor
			page, err := l.m.History(ctx, q)
			return len(page.Entries), page.Next, err
		}, f.atOnce})
	}
	return all
}

// lists asks what the filters of a list cost on each engine, with many held.
func lists(ctx context.Context, b *bench) error {
	chosen, err := choose(b.engines, engines, engine.called)
	if err != nil {
		return fmt.Errorf("-engines %w", err)
	}
	filters := searched(fmt.Sprintf("%d held", b.large), "mutexes")
	for _, e := range chosen {
		err := onHost(ctx, b.dir, func(h *host) error {
			l := &logbook{st: must(e.open(ctx, e.serve(h)("lists")))}
			l.m = editlock.NewManager(l.st, nil)
			defer l.m.Close()
			if err := l.hold(ctx, b.large); err != nil {
				return err
			}
			return l.show(ctx, b, filters, e.name, l.listFilters())
		})
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

// hold takes n mutexes, in few steps: half of them in one session.
func (l *logbook) hold(ctx context.Context, n int) error {
	const step = 500
	for at := 0; at < n; at += step {
		swaps := make([]store.Op, step)
		for i := range swaps {
			k := at + i
			who := person(k % 1000)
			if k%2 == 0 {
				who = person(0)
			}
			party := store.Party{Session: who.Session, User: who.UserID, Value: `{"l":"ivanov","n":"Ivan Ivanov","h":"desk-17.example"}`}
			swaps[i] = store.Op{
				Name: editlock.ID{Group: fmt.Sprint("group-", k%100), Mode: fmt.Sprint("mode-", k%10), ID: fmt.Sprint(k)}.String(),
				Do:   store.Acquire, Holder: &party, Terms: &store.Terms{}, Expect: store.Expect{Free: true},
			}
		}
		res, err := l.st.Commit(ctx, store.Txn{Ops: swaps})
		if err == nil && !res.Done {
			err = errors.New("not free")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// listFilters are those of lists.
func (l *logbook) listFilters() (all []filter) {
	for _, f := range []struct {
		name   string
		query  editlock.Query
		atOnce int
	}{
		{"group", editlock.Query{Group: "group-7"}, 0},
		{"group of nothing", editlock.Query{Group: "nosuch"}, 0},
		{"mode of nothing", editlock.Query{Mode: "nosuch"}, 0},
		{"group and mode", editlock.Query{Group: "group-7", Mode: "mode-7"}, 0},
		{"user", editlock.Query{UserID: person(7).UserID}, 0},
		{"user of nothing", editlock.Query{UserID: "nosuch"}, 0},
		{"user of half, and group", editlock.Query{UserID: person(0).UserID, Group: "group-8"}, 0},
		{"user of half, and mode of nothing", editlock.Query{UserID: person(0).UserID, Mode: "nosuch"}, 0},
		{"session of half, and user of nothing", editlock.Query{Session: person(0).Session, UserID: "nosuch"}, 0},
		{"text of nothing", editlock.Query{Text: "nosuch"}, 0},
		{"text of nothing, eight at once", editlock.Query{Text: "nosuch"}, 8},
	} {
		all = append(all, filter{f.name, func(ctx context.Context, cursor string) (int, string, error) {
			q := f.query
			q.Cursor, q.Limit = cursor, editlock.MaxPage
			page, err := l.m.List(ctx, q)
			return len(page.Mutexes), page.Next, err
		}, f.atOnce})
	}
	return all
}
