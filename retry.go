package editlock

import (
	"cmp"
	"context"
	"time"

	"github.com/editlock/editlock/store"
)

// Try says which call it is that is sent again after its answer was lost.
type Try struct {
	// Key is the same for all tries of one call, and for no other call. Within
	// ten minutes a call by the same session on the same mutexes that did its
	// work is not done again. At most 200 bytes. Empty: each try is a call.
	Key string
	// First is when the first try was sent, by this process's clock. Zero: this
	// is it. A retry leaves alone what was captured since then.
	First time.Time
}

func (t Try) validate() error { return checkRequestID(t.Key) }

type tryKey struct{}

// WithTry returns a context for one call, which says what try of it this is.
func WithTry(ctx context.Context, t Try) context.Context {
	return context.WithValue(ctx, tryKey{}, t)
}

// TryFrom returns what a context says of the call made with it.
func TryFrom(ctx context.Context) Try {
	t, _ := ctx.Value(tryKey{}).(Try)
	return t
}

// Again reports whether the call was sent before.
func (t Try) Again() bool { return !t.First.IsZero() }

// Missed reports whether a mutex was captured after the first try was sent:
// that try can't have meant it.
func (t Try) Missed(m Mutex) bool {
	return t.Again() && m.CapturedAt.After(m.AsOf.Add(-t.age()))
}

// age is how long ago the first try was sent.
func (t Try) age() time.Duration {
	if !t.Again() {
		return 0
	}
	return max(time.Since(t.First), 0)
}

// look asks, for a retry, whether a try before did its work, and what is in
// force by now, of what is meant if that is held: it sends an operation that is never done. sent is when the first try
// was sent, or a little later, by the store's clock.
func (m *Manager) look(ctx context.Context, requestID, name string, what store.Expect) (rec *store.Record, res store.Result, sent time.Time, err error) {
	age := TryFrom(ctx).age()
	what.Free = true
	rec, res, err = m.commit(ctx, requestID, store.Op{Name: name, Do: store.Release, Expect: what})
	return rec, res, res.Now.Add(-age), err
}

// outlived is ErrLost, bare, if rec is a later hold of the session than one
// that a first try, sent at sent, may have refreshed: a refresh leaves no entry
// in the log, but the end of that hold did. A takeover ends one hold and begins
// the next in one entry, whose number is the new token.
func (m *Manager) outlived(ctx context.Context, caller Owner, rec *store.Record, sent time.Time) error {
	if !rec.Acquired.After(sent) {
		return nil
	}
	page, err := m.store.Log(ctx, store.LogQuery{
		Name: rec.Name, Kinds: endings, From: sent, Before: rec.Token + 1, Newest: true, Limit: store.MaxWaiters,
	})
	if err != nil {
		return m.storeError(ctx, err)
	}
	for i := range page.Entries {
		if who, _ := owner(loser(&page.Entries[i])); who.SamePerson(caller) { // who may have logged in again
			return ErrLost
		}
	}
	return nil
}

// options are those of a capture, with the key of its Try.
func options(ctx context.Context, given *CaptureOptions) CaptureOptions {
	var o CaptureOptions
	if given != nil {
		o = *given
	}
	o.RequestID = cmp.Or(o.RequestID, TryFrom(ctx).Key)
	return o
}
