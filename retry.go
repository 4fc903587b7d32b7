package editlock

import (
	"cmp"
	"context"
	"time"

	"github.com/editlock/editlock/store"
)

// Attempt identifies a call that is sent again after its answer was lost.
type Attempt struct {
	// Key is the same for all attempts of one call, and for no other call. Within
	// ten minutes a call by the same session on the same mutexes that did its
	// work is not done again. At most 200 bytes. Empty: each attempt is a call.
	Key string
	// First is when the first attempt was sent, by this process's clock. Zero: this
	// is it. A retry leaves alone what was captured since then.
	First time.Time
}

func (t Attempt) validate() error { return checkRequestID(t.Key) }

type attemptKey struct{}

// WithAttempt returns a context for one attempt of a call.
func WithAttempt(ctx context.Context, t Attempt) context.Context {
	return context.WithValue(ctx, attemptKey{}, t)
}

// AttemptFrom returns the attempt in a context, or the zero Attempt.
func AttemptFrom(ctx context.Context) Attempt {
	t, _ := ctx.Value(attemptKey{}).(Attempt)
	return t
}

// IsRetry reports whether the call was sent before.
func (t Attempt) IsRetry() bool { return !t.First.IsZero() }

// Precedes reports whether a mutex was captured after the first attempt was sent. That
// attempt can't have meant it.
func (t Attempt) Precedes(m Mutex) bool {
	return t.IsRetry() && m.CapturedAt.After(m.AsOf.Add(-t.age()))
}

// age is how long ago the first try was sent.
func (t Attempt) age() time.Duration {
	if !t.IsRetry() {
		return 0
	}
	return max(time.Since(t.First), 0)
}

// look finds out, for a retry, whether an earlier try was done (Result.Replayed), and
// returns the record now in force: the hold that what is about, if there is one. It
// commits a release of a free name, which is never done. sent is when the first try was
// sent, or a little later, by the store's clock.
func (m *Manager) look(ctx context.Context, requestID, name string, what store.Expect) (rec *store.Record, res store.Result, sent time.Time, err error) {
	age := AttemptFrom(ctx).age()
	what.Free = true
	rec, res, err = m.commit(ctx, requestID, store.Op{Name: name, Do: store.Release, Expect: what})
	return rec, res, res.Now.Add(-age), err
}

// outlived returns ErrLost, bare, if rec is a later hold of the session than one that
// the first try, sent at sent, may have refreshed. A refresh has no entry in the log, but
// the end of that hold has. A takeover ends one hold and begins the next in one entry,
// whose number is the new token.
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

// options are those of a capture, with the key of its Attempt.
func options(ctx context.Context, given *CaptureOptions) CaptureOptions {
	var o CaptureOptions
	if given != nil {
		o = *given
	}
	o.RequestID = cmp.Or(o.RequestID, AttemptFrom(ctx).Key)
	return o
}
