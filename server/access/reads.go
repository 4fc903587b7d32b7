package access

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/auth"
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

// resumeWithin is how far back an event stream may resume without the right to
// history.
const resumeWithin = time.Hour

// List implements editlock.Locker. What the caller may not see is left out before
// pages are cut.
func (w *guarded) List(ctx context.Context, q editlock.Query) (editlock.Page, error) {
	c, err := w.who(ctx)
	if err != nil {
		return editlock.Page{}, err
	}
	if q.Visible = w.g.Visible(c); len(q.Visible) == 0 {
		return editlock.Page{}, w.g.deny(ctx, c, "list", editlock.ID{}, "you have no right read to anything")
	}
	return w.inner.List(ctx, q)
}

// History implements editlock.Locker. It leaves out what the caller has no
// right to, as List does.
func (w *guarded) History(ctx context.Context, q editlock.HistoryQuery) (editlock.HistoryPage, error) {
	c, err := w.who(ctx)
	if err != nil {
		return editlock.HistoryPage{}, err
	}
	if q.ID != nil && !q.Tree {
		if err := w.need(ctx, c, auth.History, *q.ID, "history"); err != nil {
			return editlock.HistoryPage{}, err
		}
	}
	if q.Visible = w.g.policy.areas(c, auth.History); len(q.Visible) == 0 {
		return editlock.HistoryPage{}, w.g.deny(ctx, c, "history", editlock.ID{}, "you have no right history to anything")
	}
	return w.inner.History(ctx, q)
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
			if q.ID != nil && !q.Tree && w.g.May(c, auth.Use, e.ID) {
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
