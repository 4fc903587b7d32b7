package access

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/server/auth"
)

// guarded is a Locker for a caller.
type guarded struct {
	g      *Control
	inner  editlock.Locker
	caller *auth.Caller // nil: the one in the context
}

var _ editlock.Locker = (*guarded)(nil)

var errNobody = &auth.Error{Problem: "nobody is calling"}

func (w *guarded) who(ctx context.Context) (*auth.Caller, error) {
	if w.caller != nil {
		return w.caller, nil
	}
	if c := auth.CallerFrom(ctx); c != nil {
		return c, nil
	}
	return nil, errNobody
}

// act makes a call that of the caller and the caller's owner. A back end's owner
// is the context's, as its ActAs returned it.
func (w *guarded) act(ctx context.Context) (context.Context, *auth.Caller, error) {
	c, err := w.who(ctx)
	if err != nil {
		return nil, nil, err
	}
	owner, err := c.Acting(editlock.OwnerFrom(ctx))
	if err != nil {
		w.g.Refuse(ctx, c, "act as another", err)
		return nil, nil, err
	}
	return auth.WithCaller(editlock.WithOwner(ctx, owner), c), c, nil
}

// need refuses what a caller has no right to.
func (w *guarded) need(ctx context.Context, c *auth.Caller, right auth.Right, id editlock.ID, do string) error {
	if w.g.May(c, right, id) {
		return nil
	}
	return w.g.deny(ctx, c, do, id, "you have no right "+string(right)+" to "+id.String())
}

// begin is act and need in one.
func (w *guarded) begin(ctx context.Context, right auth.Right, id editlock.ID, do string) (context.Context, *auth.Caller, error) {
	if err := id.Validate(); err != nil {
		return nil, nil, err
	}
	ctx, c, err := w.act(ctx)
	if err != nil {
		return nil, nil, err
	}
	return ctx, c, w.need(ctx, c, right, id, do)
}

// Capture implements editlock.Locker.
func (w *guarded) Capture(ctx context.Context, id editlock.ID, opts *editlock.CaptureOptions) (editlock.Mutex, error) {
	ctx, c, err := w.begin(ctx, auth.Use, id, "capture")
	if err != nil {
		return editlock.Mutex{}, err
	}
	done, err := w.mayHoldMore(ctx, id, opts)
	if err != nil {
		return editlock.Mutex{}, err
	}
	key := waitKey{}
	if opts != nil && opts.Wait > 0 {
		key = keyOf(editlock.OwnerFrom(ctx), id, opts.RequestID)
		waited, err := w.mayWait(ctx, id, opts.RequestID, w.g.returning.Take(key))
		if err != nil {
			done(0)
			return editlock.Mutex{}, err
		}
		defer waited()
		if c.Ended != nil { // not a token: its successor would find the place in the queue gone
			var stop func()
			ctx, stop = waitWhileValid(ctx, c)
			defer stop()
		}
	}
	m, err := w.inner.Capture(ctx, id, opts)
	if key != (waitKey{}) && err != nil && patience.Returns(ctx, err) {
		w.g.returning.Add(key)
	}
	n := taken(m, err)
	done(n)
	if err == nil {
		w.g.remember(c, m, n > 0)
	}
	return m, err
}

// taken is 1 for a mutex that was captured just now: not a refusal, and no
// refresh.
func taken(m editlock.Mutex, err error) int {
	if err == nil && m.CapturedAt.Equal(m.RefreshedAt) {
		return 1
	}
	return 0
}

// mayHoldMore counts a capture against the owner's limits. The owner may
// refresh any number of mutexes that they hold.
func (w *guarded) mayHoldMore(ctx context.Context, id editlock.ID, opts *editlock.CaptureOptions) (done func(int), err error) {
	if opts != nil && !opts.If.IsZero() && !opts.If.Free() {
		return func(int) {}, nil // claims what they hold
	}
	done, err = w.g.charge(ctx, w.inner, editlock.OwnerFrom(ctx), 1)
	if !errors.Is(err, editlock.ErrLimited) {
		return done, err
	}
	state, _, errNow := w.inner.Request(ctx, id)
	if errNow == nil && state == editlock.CapturedByMe {
		return func(int) {}, nil
	}
	return nil, err
}

// mayWait counts a capture with patience against the limit of the mutex, until
// done is called. Who holds it waits for nothing.
func (w *guarded) mayWait(ctx context.Context, id editlock.ID, requestID string, back bool) (done func(), err error) {
	limit := w.g.limits.WaitersPerMutex
	if limit <= 0 || back {
		return func() {}, nil
	}
	// The store does not know yet who has only just begun to wait, so that many
	// at once would all pass.
	begun := w.g.waits.open(id)
	done = func() { w.g.waits.close(id) }
	state, m, err := w.inner.Request(ctx, id)
	switch {
	case err != nil:
	case state == editlock.CapturedByMe:
		return done, nil
	case state == editlock.Free:
		begun-- // one of them will get it
	}
	if err == nil && (m.Waiting >= limit || begun > limit) && !waits(m, editlock.OwnerFrom(ctx), requestID) {
		err = w.g.Counters.limited(waitersPerMutex, limit, 5*time.Second)
	}
	if err != nil {
		done()
		return nil, err
	}
	return done, nil
}

// waits reports whether a waiter has a place, as another server knows, by what is
// shown of the queue: it makes that no longer. One farther back is refused, for
// less time than its place is kept.
func waits(m editlock.Mutex, as editlock.Owner, requestID string) bool {
	return slices.ContainsFunc(m.Waiters, func(q editlock.Waiter) bool {
		return q.Owner.Session == as.Session && q.StartedBy(m.ID, requestID)
	})
}

// CaptureAll implements editlock.Locker.
func (w *guarded) CaptureAll(ctx context.Context, ids []editlock.ID, opts *editlock.CaptureOptions) ([]editlock.Mutex, error) {
	ctx, c, err := w.act(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if err := w.need(ctx, c, auth.Use, id, "capture"); err != nil {
			return nil, err
		}
	}
	if err := w.g.AdmitItems(c, min(len(ids), editlock.MaxBatch)); err != nil {
		return nil, err
	}
	done, err := w.g.charge(ctx, w.inner, editlock.OwnerFrom(ctx), len(ids))
	if err != nil {
		return nil, err
	}
	ms, err := w.inner.CaptureAll(ctx, ids, opts)
	got := 0
	for _, m := range ms {
		n := taken(m, err)
		got += n
		w.g.remember(c, m, n > 0)
	}
	done(got)
	return ms, err
}

// Refresh implements editlock.Locker. The token alone is enough for Admin
// only.
func (w *guarded) Refresh(ctx context.Context, items []editlock.RefreshItem) ([]editlock.RefreshResult, error) {
	c, err := w.who(ctx)
	if err != nil {
		return nil, err
	}
	right, acts := auth.Admin, false
	for _, item := range items {
		acts = acts || !item.ByToken
	}
	if acts {
		right = auth.Use
		if ctx, c, err = w.act(ctx); err != nil {
			return nil, err
		}
	}
	if err := w.g.AdmitItems(c, min(len(items), editlock.MaxBatch)+itemsBeside(ctx)); err != nil {
		return nil, err
	}
	if len(items) > editlock.MaxBatch { // each could be a line in the audit log
		return w.inner.Refresh(ctx, items) // which refuses them
	}
	out := make([]editlock.RefreshResult, len(items))
	var allowed []editlock.RefreshItem
	var at []int
	for i, item := range items {
		need := right
		if item.ByToken {
			need = auth.Admin
		}
		err := w.need(ctx, c, need, item.ID, "refresh")
		if err == nil && item.ByToken && !c.Kinds.Allow(editlock.Person) {
			err = w.g.deny(ctx, c, "refresh", item.ID, "by its token alone a hold may be a person's; your credentials are for: "+c.Kinds.String())
		}
		if err != nil {
			out[i].Err = err
			continue
		}
		allowed, at = append(allowed, item), append(at, i)
	}
	if len(allowed) == 0 && len(items) > 0 {
		return out, nil
	}
	results, err := w.inner.Refresh(ctx, allowed)
	for i, res := range results {
		out[at[i]] = res
		if res.Err == nil && !allowed[i].ByToken {
			w.g.remember(c, res.Mutex, false)
		}
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Release implements editlock.Locker.
func (w *guarded) Release(ctx context.Context, id editlock.ID, cond editlock.Condition) (bool, error) {
	ctx, _, err := w.begin(ctx, auth.Use, id, "release")
	if err != nil {
		return false, err
	}
	if requestID, is := cond.Request(); is { // gives up the place to come back to
		w.g.returning.Take(keyOf(editlock.OwnerFrom(ctx), id, requestID))
	}
	released, err := w.inner.Release(ctx, id, cond)
	if released {
		w.g.freed(editlock.OwnerFrom(ctx))
	}
	return released, err
}

// ReleaseAfter implements editlock.Locker.
func (w *guarded) ReleaseAfter(ctx context.Context, id editlock.ID, cond editlock.Condition, grace time.Duration) (bool, error) {
	ctx, _, err := w.begin(ctx, auth.Use, id, "release")
	if err != nil {
		return false, err
	}
	return w.inner.ReleaseAfter(ctx, id, cond, grace)
}

// ReleaseAll implements editlock.Locker.
func (w *guarded) ReleaseAll(ctx context.Context, ids []editlock.ID) ([]editlock.ID, error) {
	ctx, c, err := w.act(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if err := w.need(ctx, c, auth.Use, id, "release"); err != nil {
			return nil, err
		}
	}
	if err := w.g.AdmitItems(c, min(len(ids), editlock.MaxBatch)); err != nil {
		return nil, err
	}
	released, err := w.inner.ReleaseAll(ctx, ids)
	if len(released) > 0 {
		w.g.freed(editlock.OwnerFrom(ctx))
	}
	return released, err
}

// HandOver implements editlock.Locker.
func (w *guarded) HandOver(ctx context.Context, id editlock.ID) (bool, error) {
	ctx, _, err := w.begin(ctx, auth.Use, id, "hand over")
	if err != nil {
		return false, err
	}
	passed, err := w.inner.HandOver(ctx, id)
	if passed {
		w.g.freed(editlock.OwnerFrom(ctx))
	}
	return passed, err
}

// Decline implements editlock.Locker.
func (w *guarded) Decline(ctx context.Context, id editlock.ID, waiter, message string) (bool, error) {
	ctx, _, err := w.begin(ctx, auth.Use, id, "decline")
	if err != nil {
		return false, err
	}
	return w.inner.Decline(ctx, id, waiter, message)
}

// Close implements editlock.Locker.
func (w *guarded) Close() error { return nil }
