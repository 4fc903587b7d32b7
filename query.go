package editlock

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"unicode"

	"editlock/store"
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
	view, err := m.store.Get(ctx, id.String())
	if err != nil {
		return 0, Mutex{}, m.storeError(ctx, err)
	}
	state := standing(view.Record, caller)
	if state == Free {
		return Free, Mutex{}, nil
	}
	return state, mutex(view.Record, view.Now), nil
}

// scanPage is how many records are read at a time to search among them.
const scanPage = 1000

// List implements Locker. A filter by mode alone, or by text, reads through
// what the other filters leave, as far as searchMost.
func (m *Manager) List(ctx context.Context, q Query) (Page, error) {
	if err := q.validate(); err != nil {
		return Page{}, err
	}
	after, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil {
		return Page{}, invalid("cursor", "is not one that a page gave as next")
	}
	limit := q.Limit
	if limit == 0 {
		limit = DefaultPage
	}
	sq := store.Query{
		Prefix: prefix(q.Group, q.Mode), Session: q.Session, User: q.UserID,
		After: string(after), Limit: limit + 1,
	}
	search := q.Text != "" || q.Mode != "" && q.Group == ""
	if search {
		sq.Limit = scanPage
	}
	match := q.matcher()
	var page Page
	for read := 0; ; {
		var got store.Page
		err := m.searches.piece(ctx, read > 0, func() (err error) {
			got, err = m.store.List(ctx, sq)
			return err
		})
		if err != nil {
			return Page{}, m.storeError(ctx, err)
		}
		for i := range got.Records {
			rec := &got.Records[i]
			mu := mutex(rec, got.Now)
			if search && !match(mu) {
				continue
			}
			if len(page.Mutexes) == limit {
				page.Next = listCursor(page.Mutexes[limit-1].ID.String())
				return page, nil
			}
			page.Mutexes = append(page.Mutexes, mu)
		}
		if len(got.Records) < sq.Limit {
			return page, nil
		}
		sq.After = got.Records[len(got.Records)-1].Name
		if read += len(got.Records); read >= searchMost {
			page.Next = listCursor(sq.After)
			return page, nil
		}
	}
}

func listCursor(name string) string { return base64.RawURLEncoding.EncodeToString([]byte(name)) }

// matcher applies the filters that stores don't know.
func (q Query) matcher() func(Mutex) bool {
	text := fold(q.Text)
	return func(m Mutex) bool {
		if q.Mode != "" && m.ID.Mode != q.Mode {
			return false
		}
		if text == "" {
			return true
		}
		for _, s := range []string{
			m.ID.Group + "/" + m.ID.Mode + "/" + m.ID.ID, m.StatusData, m.Owner.Name, m.Owner.Login,
			m.Owner.UserID, m.Owner.Host, m.Owner.Session,
		} {
			if strings.Contains(fold(s), text) {
				return true
			}
		}
		return false
	}
}

// fold makes texts that differ in letter case only equal, in all scripts.
func fold(s string) string {
	return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, s)
}

// History implements Locker.
func (m *Manager) History(ctx context.Context, q HistoryQuery) (HistoryPage, error) {
	if err := q.validate(); err != nil {
		return HistoryPage{}, err
	}
	lq := store.LogQuery{
		Prefix: prefix(q.Group, q.Mode), User: q.UserID, From: q.From, To: q.To, Newest: true,
	}
	if q.ID != nil {
		lq.Name = q.ID.String()
	}
	for _, k := range q.Kinds {
		lq.Kinds = append(lq.Kinds, string(k))
	}
	if q.Cursor != "" {
		before, err := strconv.ParseUint(q.Cursor, 10, 63)
		if err != nil || before == 0 {
			return HistoryPage{}, invalid("cursor", "is not one that a page gave as next")
		}
		lq.Before = before
	}
	limit := q.Limit
	if limit == 0 {
		limit = DefaultPage
	}
	lq.Limit = limit + 1
	if q.Mode != "" && q.Group == "" {
		lq.Infix = infix(q.Mode)
	}
	var page HistoryPage
	for read := 0; ; {
		var got store.LogPage
		err := m.searches.piece(ctx, read > 0, func() (err error) {
			got, err = m.store.Log(ctx, lq)
			return err
		})
		if err != nil {
			return HistoryPage{}, m.storeError(ctx, err)
		}
		page.Entries = append(page.Entries, entries(got.Entries)...)
		if len(page.Entries) > limit {
			page.Entries = page.Entries[:limit]
			page.Next = strconv.FormatUint(page.Entries[limit-1].Seq, 10)
			return page, nil
		}
		if got.Next == 0 {
			return page, nil
		}
		if read += got.Examined; read >= searchMost {
			page.Next = strconv.FormatUint(got.Next, 10)
			return page, nil
		}
		lq.Limit, lq.Before = limit+1-len(page.Entries), got.Next
	}
}
