package access

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/auth"
)

// Outside returns l for callers that are elsewhere: they name sessions of their
// realm as they state them, and are shown them so. See [auth.Caller.Shown]. The
// caller is the context's; owners are as its ActAs returns them.
func Outside(l editlock.Locker) editlock.Locker { return outside{l} }

type outside struct{ editlock.Locker }

// view shows a caller what a call answers.
type view struct{ *auth.Caller }

func viewOf(ctx context.Context) view {
	if c := auth.CallerFrom(ctx); c != nil {
		return view{c}
	}
	return view{&auth.Caller{}}
}

func (v view) owner(o editlock.Owner) editlock.Owner {
	o.Session = v.Shown(o.Session)
	return o
}

func (v view) mutex(m editlock.Mutex) editlock.Mutex {
	m.Owner = v.owner(m.Owner)
	m.Waiters = append([]editlock.Waiter(nil), m.Waiters...)
	for i := range m.Waiters {
		m.Waiters[i].Owner = v.owner(m.Waiters[i].Owner)
	}
	m.Draining = v.draining(m.Draining)
	m.Others = v.mutexes(append([]editlock.Mutex(nil), m.Others...))
	return m
}

func (v view) draining(d *editlock.Draining) *editlock.Draining {
	if d == nil {
		return nil
	}
	shown := *d
	shown.By = v.owner(d.By)
	return &shown
}

func (v view) mutexes(ms []editlock.Mutex) []editlock.Mutex {
	for i := range ms {
		ms[i] = v.mutex(ms[i])
	}
	return ms
}

func (v view) entry(e editlock.Event) editlock.Event {
	e.Owner, e.Actor, e.Other = v.owner(e.Owner), v.owner(e.Actor), v.owner(e.Other)
	return e
}

// err shows whom a refusal names.
func (v view) err(err error) error {
	var busy *editlock.BusyError
	var other *editlock.ConflictError
	var person *editlock.HeldByPersonError
	var lost *editlock.LostError
	switch {
	case errors.As(err, &other):
		return &editlock.ConflictError{Holder: v.mutex(other.Holder)}
	case errors.As(err, &person):
		return &editlock.HeldByPersonError{Holder: v.mutex(person.Holder)}
	case errors.As(err, &busy):
		shown := *busy
		shown.Holder, shown.Holders = v.mutex(busy.Holder), v.mutexes(append([]editlock.Mutex(nil), busy.Holders...))
		shown.Draining = v.draining(busy.Draining)
		if busy.Declined != nil {
			answer := *busy.Declined
			answer.By, shown.Declined = v.owner(answer.By), &answer
		}
		return &shown
	case errors.As(err, &lost):
		shown := *lost
		shown.By = v.owner(lost.By)
		if lost.Holder != nil {
			holder := v.mutex(*lost.Holder)
			shown.Holder = &holder
		}
		return &shown
	}
	return err
}

// Capture implements editlock.Locker.
func (o outside) Capture(ctx context.Context, id editlock.ID, opts *editlock.CaptureOptions) (editlock.Mutex, error) {
	v := viewOf(ctx)
	m, err := o.Locker.Capture(ctx, id, opts)
	return v.mutex(m), v.err(err)
}

// CaptureAll implements editlock.Locker.
func (o outside) CaptureAll(ctx context.Context, ids []editlock.ID, opts *editlock.CaptureOptions) ([]editlock.Mutex, error) {
	v := viewOf(ctx)
	ms, err := o.Locker.CaptureAll(ctx, ids, opts)
	return v.mutexes(ms), v.err(err)
}

// Refresh implements editlock.Locker.
func (o outside) Refresh(ctx context.Context, items []editlock.RefreshItem) ([]editlock.RefreshResult, error) {
	v := viewOf(ctx)
	results, err := o.Locker.Refresh(ctx, items)
	for i := range results {
		results[i].Mutex, results[i].Err = v.mutex(results[i].Mutex), v.err(results[i].Err)
	}
	return results, v.err(err)
}

// Request implements editlock.Locker.
func (o outside) Request(ctx context.Context, id editlock.ID) (editlock.State, editlock.Mutex, error) {
	state, m, err := o.Locker.Request(ctx, id)
	return state, viewOf(ctx).mutex(m), err
}

// Release implements editlock.Locker.
func (o outside) Release(ctx context.Context, id editlock.ID, cond editlock.Condition) (bool, error) {
	released, err := o.Locker.Release(ctx, id, cond)
	return released, viewOf(ctx).err(err)
}

// ReleaseAfter implements editlock.Locker.
func (o outside) ReleaseAfter(ctx context.Context, id editlock.ID, cond editlock.Condition, grace time.Duration) (bool, error) {
	released, err := o.Locker.ReleaseAfter(ctx, id, cond, grace)
	return released, viewOf(ctx).err(err)
}

// ReleaseSession implements editlock.Locker.
func (o outside) ReleaseSession(ctx context.Context, session string) ([]editlock.ID, error) {
	return o.Locker.ReleaseSession(ctx, viewOf(ctx).Stored(session))
}

// Takeover implements editlock.Locker.
func (o outside) Takeover(ctx context.Context, id editlock.ID, seen editlock.Token, reason string, opts *editlock.CaptureOptions) (editlock.Mutex, error) {
	v := viewOf(ctx)
	m, err := o.Locker.Takeover(ctx, id, seen, reason, opts)
	return v.mutex(m), v.err(err)
}

// ForceRelease implements editlock.Locker.
func (o outside) ForceRelease(ctx context.Context, id editlock.ID, seen editlock.Token, reason string) error {
	return viewOf(ctx).err(o.Locker.ForceRelease(ctx, id, seen, reason))
}

// HandOver implements editlock.Locker.
func (o outside) HandOver(ctx context.Context, id editlock.ID) (bool, error) {
	passed, err := o.Locker.HandOver(ctx, id)
	return passed, viewOf(ctx).err(err)
}

// Decline implements editlock.Locker.
func (o outside) Decline(ctx context.Context, id editlock.ID, waiter, message string) (bool, error) {
	declined, err := o.Locker.Decline(ctx, id, waiter, message)
	return declined, viewOf(ctx).err(err)
}

// List implements editlock.Locker.
func (o outside) List(ctx context.Context, q editlock.Query) (editlock.Page, error) {
	v := viewOf(ctx)
	q.Session = v.Stored(q.Session)
	page, err := o.Locker.List(ctx, q)
	page.Mutexes = v.mutexes(page.Mutexes)
	return page, err
}

// History implements editlock.Locker.
func (o outside) History(ctx context.Context, q editlock.HistoryQuery) (editlock.HistoryPage, error) {
	v := viewOf(ctx)
	page, err := o.Locker.History(ctx, q)
	for i := range page.Entries {
		page.Entries[i] = v.entry(page.Entries[i])
	}
	return page, err
}

// Watch implements editlock.Locker.
func (o outside) Watch(ctx context.Context, q editlock.WatchQuery) iter.Seq2[editlock.Event, error] {
	v := viewOf(ctx)
	q.Session = v.Stored(q.Session)
	return func(yield func(editlock.Event, error) bool) {
		for e, err := range o.Locker.Watch(ctx, q) {
			if !yield(v.entry(e), v.err(err)) {
				return
			}
		}
	}
}
