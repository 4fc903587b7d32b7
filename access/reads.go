package access

import (
	"context"
	"errors"
	"iter"
	"time"

	"editlock"
	"editlock/auth"
)

// gone tells that a hold ended by itself meanwhile.
func gone(err error) bool {
	return errors.Is(err, editlock.ErrBusy) || errors.Is(err, editlock.ErrNotHeld)
}

// Request implements editlock.Locker.
func (w *guarded) Request(ctx context.Context, id editlock.ID) (editlock.State, editlock.Mutex, error) {
	c, err := w.who(ctx)
	if err == nil {
		err = id.Validate()
	}
	if err != nil {
		return 0, editlock.Mutex{}, err
	}
	if stranger := editlock.OwnerFrom(ctx) == (editlock.Owner{}); !stranger {
		if ctx, c, err = w.act(ctx); err != nil {
			return 0, editlock.Mutex{}, err
		}
	}
	if !w.g.May(c, auth.Use, id) {
		if err := w.need(ctx, c, auth.Read, id, "request"); err != nil {
			return 0, editlock.Mutex{}, err
		}
	}
	return w.inner.Request(ctx, id)
}

const (
	// scans bounds how many pages are read for one that has anything in it.
	scans = 50
	// resumeWithin is how far back an event stream may resume without the right
	// to history.
	resumeWithin = time.Hour
)

// List implements editlock.Locker. It leaves out what the caller may not see.
// A page may so be shorter than asked for, or empty even; the last one is the
// one without Next.
func (w *guarded) List(ctx context.Context, q editlock.Query) (editlock.Page, error) {
	c, err := w.who(ctx)
	if err != nil {
		return editlock.Page{}, err
	}
	if !w.g.MayAny(c, auth.Read) && (c.Scope != nil || !w.g.MayAny(c, auth.Use)) {
		return editlock.Page{}, w.g.deny(ctx, c, "list", editlock.ID{}, "you have no right read to anything")
	}
	read := func(limit int, cursor string) ([]editlock.Mutex, string, error) {
		q.Limit, q.Cursor = limit, cursor
		page, err := w.inner.List(ctx, q)
		return page.Mutexes, page.Next, err
	}
	seen := func(m editlock.Mutex) bool { return w.g.MaySee(c, m.ID, m.Owner) }
	mutexes, next, err := sift(q.Limit, q.Cursor, read, seen)
	return editlock.Page{Mutexes: mutexes, Next: next}, err
}

// sift fills a page with what keep lets pass. It reads on where that is little,
// so that few pages are empty, and stops after so many scans.
func sift[T any](limit int, cursor string, read func(limit int, cursor string) ([]T, string, error), keep func(T) bool) (kept []T, next string, err error) {
	if limit == 0 {
		limit = editlock.DefaultPage
	}
	for range scans {
		page, more, err := read(limit-len(kept), cursor)
		if err != nil {
			return nil, "", err
		}
		for _, item := range page {
			if keep(item) {
				kept = append(kept, item)
			}
		}
		if next, cursor = more, more; more == "" || len(kept) == limit {
			break
		}
	}
	return kept, next, nil
}

// History implements editlock.Locker. It leaves out what the caller has no
// right to, as List does.
func (w *guarded) History(ctx context.Context, q editlock.HistoryQuery) (editlock.HistoryPage, error) {
	c, err := w.who(ctx)
	if err != nil {
		return editlock.HistoryPage{}, err
	}
	switch {
	case q.ID != nil:
		if err := w.need(ctx, c, auth.History, *q.ID, "history"); err != nil {
			return editlock.HistoryPage{}, err
		}
	case !w.g.MayAny(c, auth.History):
		return editlock.HistoryPage{}, w.g.deny(ctx, c, "history", editlock.ID{}, "you have no right history to anything")
	}
	read := func(limit int, cursor string) ([]editlock.Entry, string, error) {
		q.Limit, q.Cursor = limit, cursor
		page, err := w.inner.History(ctx, q)
		return page.Entries, page.Next, err
	}
	entries, next, err := sift(q.Limit, q.Cursor, read, func(e editlock.Entry) bool { return w.g.May(c, auth.History, e.ID) })
	return editlock.HistoryPage{Entries: entries, Next: next}, err
}

// Watch implements editlock.Locker. It leaves out events of mutexes that the
// caller may not see, and, resumed without the right to history, what is older
// than an hour, with a gap in its place. Of one mutex that the caller may use, a
// gap stands for whatever is left out. It ends with the credentials.
func (w *guarded) Watch(ctx context.Context, q editlock.WatchQuery) iter.Seq2[editlock.Event, error] {
	return func(yield func(editlock.Event, error) bool) {
		c, err := w.who(ctx)
		if err == nil && !w.g.MayAny(c, auth.Read) && (c.Scope != nil || !w.g.MayAny(c, auth.Use)) {
			err = w.g.deny(ctx, c, "watch", editlock.ID{}, "you have no right read to anything")
		}
		if err != nil {
			yield(editlock.Event{}, err)
			return
		}
		w.watch(ctx, c, q, yield)
	}
}

func (w *guarded) watch(ctx context.Context, c *auth.Caller, q editlock.WatchQuery, yield func(editlock.Event, error) bool) {
	ctx, stop := whileValid(ctx, c)
	defer stop()
	oldest := time.Now().Add(-resumeWithin)
	withheld := uint64(0)
	for e, err := range w.inner.Watch(ctx, q) {
		switch {
		case err != nil:
			err = invalidated(ctx, err)
		case e.Kind == editlock.KindGap:
			withheld = 0
		case !w.g.MaySee(c, e.ID, e.Owner, e.Actor, e.Other):
			if q.ID != nil && w.g.May(c, auth.Use, e.ID) {
				withheld = e.Seq // a caller who may ask about it learns that there is something to ask
			}
			continue
		case q.After != nil && e.At.Before(oldest) && !w.g.May(c, auth.History, e.ID):
			withheld = e.Seq
			continue
		}
		if withheld > 0 {
			gap := editlock.Event{Seq: withheld, Kind: editlock.KindGap}
			withheld = 0
			if !yield(gap, nil) {
				return
			}
		}
		if !yield(e, err) {
			return
		}
	}
}
