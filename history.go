package editlock

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/editlock/editlock/store"
)

// History implements Locker. What is not in the query's areas is passed over by
// the store where they are one range of names, or one mode, else here, and so is
// what has not its text; either way as far as searchMost.
func (m *Manager) History(ctx context.Context, q HistoryQuery) (HistoryPage, error) {
	if err := q.validate(); err != nil {
		return HistoryPage{}, err
	}
	limit, cursor := q.Limit, q.Cursor
	if limit == 0 {
		limit = DefaultPage
	}
	q.Limit, q.Cursor, q.Visible = 0, "", narrowed(q.Visible, "", "")
	position, err := m.cursors.open(ctx, q, cursor)
	if err != nil {
		return HistoryPage{}, err
	}
	areas := narrowed(q.Visible, q.Group, q.Mode)
	if len(areas) == 0 {
		return HistoryPage{}, nil
	}
	lq, whole := logOf(areas)
	whole = whole && exact(q.Group, q.Mode) && q.Text == ""
	text := fold(q.Text)
	lq.User, lq.From, lq.To, lq.Newest = q.UserID, q.From, q.To, true
	switch {
	case q.Tree:
		lq.Tree = q.ID.String()
	case q.ID != nil:
		lq.Name = q.ID.String()
	}
	for _, k := range q.Kinds {
		lq.Kinds = append(lq.Kinds, string(k))
	}
	if position != "" {
		lq.Before, _ = strconv.ParseUint(position, 10, 64) // as it was sealed
	}
	var page HistoryPage
	for read, begun := 0, time.Now(); ; {
		if lq.Limit = limit + 1 - len(page.Entries); !whole {
			lq.Limit = scanPage
		}
		var got store.LogPage
		var found []Event
		err := m.searches.piece(ctx, read > 0, func() (err error) {
			if got, err = m.store.Log(ctx, lq); err != nil {
				return err
			}
			if found = entries(got.Entries); whole {
				return nil
			}
			found = slices.DeleteFunc(found, func(e Event) bool {
				return !of(e.ID, q.Group, q.Mode) || !slices.ContainsFunc(areas, func(a Area) bool { return a.hasID(e.ID) }) ||
					text != "" && !e.contains(text)
			})
			return nil
		})
		if err != nil {
			return HistoryPage{}, m.storeError(ctx, err)
		}
		page.Entries = append(page.Entries, found...)
		if len(page.Entries) > limit {
			page.Entries = page.Entries[:limit]
			page.Next = m.cursors.seal(ctx, q, strconv.FormatUint(page.Entries[limit-1].Seq, 10))
			return page, nil
		}
		if got.Next == 0 {
			return page, nil
		}
		if read += got.Examined; read >= searchMost || time.Since(begun) > searchFor {
			page.Next = m.cursors.seal(ctx, q, strconv.FormatUint(got.Next, 10))
			return page, nil
		}
		lq.Before = got.Next
	}
}

// contains reports whether a folded text stands in the ID, the reason or an owner.
func (e *Event) contains(text string) bool {
	return strings.Contains(fold(e.ID.plain()), text) || strings.Contains(fold(e.Reason), text) ||
		e.Owner.contains(text) || e.Actor.contains(text) || e.Other.contains(text)
}

func (o *Owner) contains(text string) bool {
	for _, s := range []string{o.Name, o.Login, o.UserID, o.Host, o.Session, o.OnBehalfOf} {
		if strings.Contains(fold(s), text) {
			return true
		}
	}
	return o.Kind != Person && strings.Contains(o.Kind.String(), text)
}

// logOf selects the entries of some areas' mutexes, and maybe others': whole
// tells that there are no others.
func logOf(areas []Area) (q store.LogQuery, whole bool) {
	first := areas[0]
	q.Prefix, whole = first.prefix()
	if len(areas) == 1 {
		if !whole && !strings.HasSuffix(first.Mode, "*") {
			q.Infix, whole = infix(first.Mode), true
		}
		return q, whole
	}
	for _, a := range areas[1:] {
		other, _ := a.prefix()
		for !strings.HasPrefix(other, q.Prefix) {
			q.Prefix = q.Prefix[:len(q.Prefix)-1]
		}
	}
	q.Prefix = store.WholeLetters(q.Prefix)
	return q, false
}
