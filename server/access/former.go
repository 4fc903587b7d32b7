package access

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/auth"
)

// formerly lets holders go on with what they captured before their sessions had
// realms (see [auth.Caller.Held]): a call that such a hold refuses is made again
// by the session that it was captured with. The caller is the context's.
type formerly struct{ editlock.Locker }

// before returns a context that acts by the session of before, and what tells
// the holds of that session that are the caller's; nil if there can be none.
func before(ctx context.Context) (context.Context, func(editlock.Mutex) bool) {
	c, as := auth.CallerFrom(ctx), editlock.OwnerFrom(ctx)
	if c == nil || as.Kind != editlock.Person {
		return ctx, nil
	}
	session, ok := c.Former(as.Session)
	if !ok {
		return ctx, nil
	}
	stored := as.Session
	as.Session = session
	return editlock.WithOwner(ctx, as), func(m editlock.Mutex) bool { return c.Held(stored, m.Owner) }
}

// inTheWay is the hold that a refusal names.
func inTheWay(err error) editlock.Mutex {
	var busy *editlock.BusyError
	var lost *editlock.LostError
	switch {
	case errors.As(err, &busy):
		return busy.Holder
	case errors.As(err, &lost) && lost.Holder != nil:
		return *lost.Holder
	}
	return editlock.Mutex{}
}

// Capture implements editlock.Locker.
func (f formerly) Capture(ctx context.Context, id editlock.ID, opts *editlock.CaptureOptions) (editlock.Mutex, error) {
	old, mine := before(ctx)
	if mine == nil {
		return f.Locker.Capture(ctx, id, opts)
	}
	var held editlock.Mutex
	if opts != nil && opts.Wait > 0 { // the caller would wait for its own hold
		_, m, err := f.Locker.Request(ctx, id)
		if err != nil {
			return m, err
		}
		held = m
	}
	var err error
	if !mine(held) {
		var m editlock.Mutex
		if m, err = f.Locker.Capture(ctx, id, opts); err == nil {
			return m, nil
		}
		if held = inTheWay(err); !mine(held) {
			return m, err
		}
	}
	again := editlock.CaptureOptions{}
	if opts != nil {
		again = *opts
	}
	switch {
	case again.If.Free():
		return editlock.Mutex{}, &editlock.BusyError{Holder: held, Self: true}
	case again.If.IsZero():
		again.If, again.Wait, again.Message = editlock.IfToken(held.Token), 0, ""
	}
	m, err := f.Locker.Capture(old, id, &again)
	if errors.Is(err, editlock.ErrLost) && (opts == nil || opts.If.IsZero()) {
		return f.Locker.Capture(ctx, id, opts) // it ended meanwhile
	}
	return m, err
}

// CaptureAll implements editlock.Locker.
func (f formerly) CaptureAll(ctx context.Context, ids []editlock.ID, opts *editlock.CaptureOptions) ([]editlock.Mutex, error) {
	ms, err := f.Locker.CaptureAll(ctx, ids, opts)
	var busy *editlock.BusyError
	old, mine := before(ctx)
	if mine == nil || !errors.As(err, &busy) || !mine(busy.Holder) {
		return ms, err
	}
	if busy.Self = true; opts != nil && opts.If.Free() || !all(busy.Holders, mine) {
		return ms, err
	}
	return f.Locker.CaptureAll(old, ids, opts)
}

func all[T any](items []T, is func(T) bool) bool {
	return !slices.ContainsFunc(items, func(item T) bool { return !is(item) })
}

// Refresh implements editlock.Locker.
func (f formerly) Refresh(ctx context.Context, items []editlock.RefreshItem) ([]editlock.RefreshResult, error) {
	results, err := f.Locker.Refresh(ctx, items)
	old, mine := before(ctx)
	if mine == nil || err != nil {
		return results, err
	}
	var again []editlock.RefreshItem
	var at []int
	for i, res := range results {
		if held := inTheWay(res.Err); mine(held) && held.Token == items[i].Token {
			again, at = append(again, items[i]), append(at, i)
		}
	}
	if len(again) == 0 {
		return results, nil
	}
	retried, err := f.Locker.Refresh(old, again)
	for i, res := range retried {
		results[at[i]] = res
	}
	return results, err
}

// Request implements editlock.Locker.
func (f formerly) Request(ctx context.Context, id editlock.ID) (editlock.State, editlock.Mutex, error) {
	state, m, err := f.Locker.Request(ctx, id)
	if _, mine := before(ctx); mine != nil && state == editlock.CapturedByOther && mine(m) {
		state = editlock.CapturedByMe
	}
	return state, m, err
}

// Release implements editlock.Locker.
func (f formerly) Release(ctx context.Context, id editlock.ID, cond editlock.Condition) (bool, error) {
	return f.release(ctx, id, cond, f.Locker.Release)
}

// ReleaseAfter implements editlock.Locker.
func (f formerly) ReleaseAfter(ctx context.Context, id editlock.ID, cond editlock.Condition, grace time.Duration) (bool, error) {
	return f.release(ctx, id, cond, func(ctx context.Context, id editlock.ID, cond editlock.Condition) (bool, error) {
		return f.Locker.ReleaseAfter(ctx, id, cond, grace)
	})
}

func (f formerly) release(ctx context.Context, id editlock.ID, cond editlock.Condition,
	do func(context.Context, editlock.ID, editlock.Condition) (bool, error),
) (bool, error) {
	released, err := do(ctx, id, cond)
	old, mine := before(ctx)
	if released || mine == nil {
		return released, err
	}
	held := inTheWay(err)
	if err == nil && !cond.IsZero() { // a refusal that names nobody
		if _, held, err = f.Locker.Request(ctx, id); err != nil {
			return false, err
		}
	}
	if !mine(held) {
		return false, err
	}
	if cond.IsZero() {
		cond = editlock.IfToken(held.Token)
	}
	return do(old, id, cond)
}

// ReleaseAll implements editlock.Locker.
func (f formerly) ReleaseAll(ctx context.Context, ids []editlock.ID) ([]editlock.ID, error) {
	released, err := f.Locker.ReleaseAll(ctx, ids)
	old, mine := before(ctx)
	if mine == nil || err != nil || len(released) == len(ids) {
		return released, err
	}
	held, _, err := everything(ctx, f.Locker, editlock.OwnerFrom(old).Session, func(editlock.Mutex) bool { return true })
	if err != nil {
		return released, err
	}
	for _, m := range held {
		if !mine(m) || !slices.Contains(ids, m.ID) {
			continue
		}
		done, err := f.Locker.Release(old, m.ID, editlock.IfToken(m.Token))
		if err != nil {
			return released, err
		}
		if done {
			released = append(released, m.ID)
		}
	}
	return released, nil
}

// HandOver implements editlock.Locker.
func (f formerly) HandOver(ctx context.Context, id editlock.ID) (bool, error) {
	passed, err := f.Locker.HandOver(ctx, id)
	if old, mine := before(ctx); mine != nil && mine(inTheWay(err)) {
		return f.Locker.HandOver(old, id)
	}
	return passed, err
}

// Decline implements editlock.Locker.
func (f formerly) Decline(ctx context.Context, id editlock.ID, waiter, message string) (bool, error) {
	declined, err := f.Locker.Decline(ctx, id, waiter, message)
	if old, mine := before(ctx); mine != nil && mine(inTheWay(err)) {
		return f.Locker.Decline(old, id, waiter, message)
	}
	return declined, err
}
