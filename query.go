package editlock

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/editlock/editlock/internal/meant"
	"github.com/editlock/editlock/store"
)

// Request implements Locker.
func (m *Manager) Request(ctx context.Context, id ID) (State, Mutex, error) {
	caller := OwnerFrom(ctx)
	if err := id.Validate(); err != nil {
		return 0, Mutex{}, err
	}
	if caller != (Owner{}) { // not a stranger
		if err := caller.Validate(); err != nil {
			return 0, Mutex{}, err
		}
	}
	view, err := m.store.Get(ctx, id.String(), caller.key())
	if err != nil {
		return 0, Mutex{}, m.storeError(ctx, err)
	}
	state := standing(view.Record, caller)
	if state == Free {
		if view.Path == nil {
			return Free, Mutex{}, nil
		}
		holder, others, err := m.blocker(ctx, view.Path, view.Now)
		if len(others) > 1 {
			holder.Others = others[1:]
			holder.Beside = len(others) - 1 + view.Path.More
		}
		holder.Draining = drains(view.Path)
		return CapturedByOther, holder, err
	}
	held := mutex(view.Record, view.Now)
	for _, rec := range view.Record.Others {
		held.Others = append(held.Others, mutex(rec, view.Now))
	}
	if token := meant.Token(ctx); token != 0 {
		rec, err := m.holdBy(ctx, view.Record, token)
		if err != nil {
			return 0, Mutex{}, err
		}
		if _, told := held.ByToken(Token(token)); rec != nil && !told {
			held.Others = append(held.Others, mutex(rec, view.Now))
		}
	}
	return state, held, nil
}

// holdBy is the hold of a mutex with a token; nil: there is none. What was read of the
// mutex may tell of the first of many holds only.
func (m *Manager) holdBy(ctx context.Context, read *store.Record, token uint64) (*store.Record, error) {
	all := holdings(read)
	if i := slices.IndexFunc(all, func(r *store.Record) bool { return r.Token == token }); i >= 0 {
		return all[i], nil
	}
	if read.Beside <= len(read.Others) {
		return nil, nil
	}
	// It is never done, and answered with the hold.
	rec, _, err := m.commit(ctx, "", store.Op{Name: read.Name, Do: store.Release, Expect: store.Expect{Free: true, Token: token}})
	if err != nil || rec == nil || rec.Token != token {
		return nil, err
	}
	return rec, nil
}

const (
	// scanFirst is how many records are read first to search among them, and where a
	// part is passed over; scanPage is how many are read at a time later on.
	scanFirst, scanPage = 125, 1000
	// readCosts is what a read counts for among searchMost beside what it finds.
	readCosts = 100
)

// List implements Locker. What the query's areas and filters leave is read by
// ranges of names, or by whose mutexes they are. A filter by text, or by a mode
// of all groups, reads through what these leave, as far as searchMost.
func (m *Manager) List(ctx context.Context, q Query) (Page, error) {
	if err := q.validate(); err != nil {
		return Page{}, err
	}
	limit, cursor := q.Limit, q.Cursor
	if limit == 0 {
		limit = DefaultPage
	}
	q.Limit, q.Cursor, q.Visible = 0, "", narrowed(q.Visible, "", "")
	after, err := m.cursors.open(ctx, q, cursor)
	if err != nil {
		return Page{}, err
	}
	list, contains := q.ranges(spot(after)), q.contains()
	var page Page
	var last spot // on it
	for read, begun := 0, time.Now(); ; {
		next := list.first()
		switch {
		case next == nil:
			return page, nil
		case next.read:
		case (read >= searchMost || time.Since(begun) > searchFor) && next.at() > spot(after): // a step on, at least
			page.Next = m.cursors.seal(ctx, q, string(next.at()))
			return page, nil
		default:
			wanted := limit - len(page.Mutexes) + 1
			if q.Text != "" || !next.whole {
				wanted = next.some
			}
			looked := 0
			err := m.searches.piece(ctx, read >= scanPage, func() (err error) {
				looked, err = next.fill(ctx, m.store, wanted)
				return err
			})
			if err != nil {
				return Page{}, m.storeError(ctx, err)
			}
			read += looked + readCosts
			continue
		}
		rec := list.pop(next)
		mu := mutex(rec, next.now)
		switch {
		case !contains(mu):
		case len(page.Mutexes) == limit:
			page.Next = m.cursors.seal(ctx, q, string(last))
			return page, nil
		default:
			page.Mutexes = append(page.Mutexes, mu)
			last = spotOf(rec)
		}
	}
}

// contains applies the filters that stores don't know: by text, and by names
// that end like the patterns of areas.
func (q Query) contains() func(Mutex) bool {
	text := fold(q.Text)
	return func(m Mutex) bool {
		if !of(m.ID, q.Group, q.Mode) {
			return false
		}
		if text == "" {
			return true
		}
		return strings.Contains(fold(m.ID.plain()), text) || strings.Contains(fold(m.StatusData), text) ||
			m.Owner.contains(text)
	}
}

// fold makes texts that differ in letter case only equal, in all scripts.
func fold(s string) string {
	return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, s)
}
