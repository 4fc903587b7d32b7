package editlock

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// Held is a mutex that is held and kept refreshed in the background, until
// Release, loss, or the end of the context it was made with.
//
// Its context ends before the store could give the mutex to another by
// itself: the deadline counts, on the local monotonic clock, from before the
// last successful refresh was sent, and is kept by a timer that waits for no
// call. That clock stands still while a machine sleeps, so the wall clock is
// looked at too: a hold that was slept through, or over which the wall clock
// was put forward, ends within a second of waking. Only somebody's decision (a takeover, a forced release, a hand-over)
// can end a hold sooner than its holder is told; that news comes as an event
// at once, or else with the next refresh. Fence writes with the token.
type Held struct {
	locker Locker
	owner  Owner
	ctx    context.Context
	end    context.CancelCauseFunc
	bg     sync.WaitGroup

	mu       sync.Mutex
	mutex    Mutex
	sent     time.Time   // when the call went out that mutex is the answer to
	deadline *time.Timer // nil: holds forever
	lapsed   bool        // the deadline passed

	// Of Release, one call of it at a time.
	leave   sync.Mutex
	leaving Attempt
	left    bool // released, or known to be lost: outcome says which
	outcome error
}

// undoWithin bounds what a caller still waits for whose context ended.
const undoWithin = 2 * time.Second

// Hold captures a mutex and keeps it for the owner in ctx. If ctx ends
// meanwhile, what the capture got, or its place in the queue, is given up; not
// with a RequestID of the caller's, who may ask again.
func Hold(ctx context.Context, l Locker, id ID, opts *CaptureOptions) (*Held, error) {
	sent := time.Now()
	o := options(ctx, opts)
	mayAskAgain := o.RequestID != ""
	if !mayAskAgain {
		o.RequestID = newRequestID()
	}
	m, err := l.Capture(ctx, id, &o)
	if err != nil {
		if ctx.Err() != nil && !mayAskAgain {
			rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
			defer cancel()
			_, _ = l.Release(WithAttempt(rctx, Attempt{}), id, IfRequest(o.RequestID))
		}
		return nil, err
	}
	if o.Wait > 0 {
		// Nobody knows how long ago the wait was granted: ask again.
		sent = time.Now()
		token := m.Token
		if m, err = refreshOne(ctx, l, RefreshItem{ID: id, Token: token}); err != nil {
			// Nobody would ever release what the caller does not get.
			rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), confirmWithin)
			defer cancel()
			_, _ = l.Release(rctx, id, IfToken(token))
			return nil, err
		}
	}
	h := &Held{locker: l, owner: OwnerFrom(ctx)}
	h.ctx, h.end = context.WithCancelCause(ctx)
	h.confirmed(m, sent)
	h.bg.Go(h.keep)
	h.bg.Go(h.watch)
	h.bg.Go(h.awake)
	return h, nil
}

// Context ends when the mutex is released or lost; its cause is then
// ErrReleased or a *LostError.
func (h *Held) Context() context.Context { return h.ctx }

// ErrReleased is the cause a Held's context ends with at its Release.
var ErrReleased = errors.New("released by its holder")

// Mutex is the mutex as last confirmed, with who waits for it.
func (h *Held) Mutex() Mutex {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.mutex
}

// Release ends the hold and frees the mutex. If it was lost before, that
// *LostError is returned, though the store tells of it only now. It may be
// called more than once, and again after an error.
func (h *Held) Release(ctx context.Context) error {
	h.end(ErrReleased)
	h.stopTimer()
	h.bg.Wait()
	h.leave.Lock()
	defer h.leave.Unlock()
	if h.left {
		return h.outcome
	}
	h.mu.Lock()
	m, lapsed := h.mutex, h.lapsed
	h.mu.Unlock()
	var lost *LostError
	if errors.As(context.Cause(h.ctx), &lost) && !lapsed {
		return lost
	}
	// After a lapse the store may hold it still, if only the answers were lost.
	err := h.free(WithOwner(ctx, h.owner), m, lapsed)
	if lost != nil {
		return lost
	}
	if err == nil || errors.Is(err, ErrLost) {
		h.left, h.outcome = true, err
	}
	return err
}

// free releases the mutex, or returns how it was lost unless that is known.
func (h *Held) free(ctx context.Context, m Mutex, known bool) error {
	if h.leaving.Key == "" {
		h.leaving.Key = newRequestID()
	}
	sent := time.Now()
	released, err := h.locker.Release(WithAttempt(ctx, h.leaving), m.ID, IfToken(m.Token))
	if h.leaving.First.IsZero() {
		h.leaving.First = sent
	}
	if err != nil || released || known {
		return err
	}
	_, err = h.locker.Capture(WithAttempt(ctx, Attempt{}), m.ID, &CaptureOptions{If: IfToken(m.Token)})
	return err
}

// SetStatusData replaces the status data (progress, for example), which also
// refreshes.
func (h *Held) SetStatusData(ctx context.Context, text string) error {
	return h.refresh(WithOwner(ctx, h.owner), text)
}

func refreshOne(ctx context.Context, l Locker, item RefreshItem) (Mutex, error) {
	results, err := l.Refresh(ctx, []RefreshItem{item})
	if err != nil {
		return Mutex{}, err
	}
	return results[0].Mutex, results[0].Err
}

func (h *Held) refresh(ctx context.Context, text string) error {
	m := h.Mutex()
	sent := time.Now()
	m, err := refreshOne(ctx, h.locker, RefreshItem{ID: m.ID, Token: m.Token, StatusData: text})
	switch {
	case err == nil:
		h.confirmed(m, sent)
	case errors.Is(err, ErrLost):
		h.end(err)
	}
	return err
}

// A holder leaves a part of its lease unused: a fiftieth, for clocks that run
// at different speeds, and leastSafety at any rate, for a busy machine on which
// timers are late.
const (
	safety      = 50
	leastSafety = 100 * time.Millisecond
)

// usable is the part of a lease that the holder uses.
func usable(lease time.Duration) time.Duration { return lease - max(lease/safety, leastSafety) }

// confirmed books a capture or refresh that was sent at sent.
func (h *Held) confirmed(m Mutex, sent time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if sent.Before(h.sent) {
		return // an older answer that came later
	}
	h.mutex, h.sent = m, sent
	lease, ends := m.ExpiresIn()
	if !ends {
		if h.deadline != nil {
			h.deadline.Stop()
			h.deadline = nil
		}
		return
	}
	left := time.Until(sent.Add(usable(lease)))
	if h.deadline == nil {
		h.deadline = time.AfterFunc(left, h.expired)
		return
	}
	h.deadline.Reset(left)
}

// awake ends a hold whose time ran out while the machine slept.
func (h *Held) awake() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case now := <-tick.C:
			if h.overslept(now) {
				h.expired()
				return
			}
		}
	}
}

// overslept compares wall clocks, which go on while the machine sleeps.
func (h *Held) overslept(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	lease, ends := h.mutex.ExpiresIn()
	return ends && now.Round(0).Sub(h.sent.Round(0)) >= usable(lease)
}

func (h *Held) expired() {
	h.mu.Lock()
	m := h.mutex
	h.lapsed = true
	h.mu.Unlock()
	h.end(&LostError{
		ID: m.ID, How: KindExpired, By: m.Owner, At: m.ExpiresAt,
		Reason: "the store did not confirm a refresh in time", Code: "not_confirmed",
	})
}

func (h *Held) stopTimer() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.deadline != nil {
		h.deadline.Stop()
	}
}

// keep refreshes at a third of the lease, and after a failure again and again
// until the deadline ends it.
func (h *Held) keep() {
	defer h.stopTimer()
	failures := 0
	for {
		pause := h.pause(failures)
		select {
		case <-h.ctx.Done():
			return
		case <-time.After(pause):
		}
		// A try that hangs, as on a connection cut without a word, leaves time
		// for others before the deadline.
		ctx, cancel := context.WithTimeout(h.ctx, h.lease()/4)
		err := h.refresh(ctx, "")
		cancel()
		if err != nil {
			failures++
		} else {
			failures = 0
		}
	}
}

// lease is how long a refresh is good for.
func (h *Held) lease() time.Duration {
	m := h.Mutex()
	lease, ends := m.ExpiresIn()
	switch idle := m.AutoRelease.Idle; {
	case !ends:
		return DefaultIdle // no deadline: a keep-alive only to hear of a takeover
	case idle > 0 && idle < lease:
		return idle
	}
	return lease
}

// pause is how long to wait before the next refresh, within ten per cent of
// each other so that many holders don't renew in step.
func (h *Held) pause(failures int) time.Duration {
	lease := h.lease()
	pause := lease / 3
	if failures > 0 {
		pause = min(lease/30, 50*time.Millisecond<<min(failures, 20))
	}
	return time.Duration(float64(pause) * (0.9 + 0.2*rand.Float64()))
}

// watch ends the hold as soon as the store tells that it ended.
func (h *Held) watch() {
	after := uint64(h.Mutex().Token)
	for {
		h.watchFrom(&after)
		select {
		case <-h.ctx.Done():
			return
		case <-time.After(h.lease() / 30): // an outage: the refreshes tell meanwhile
		}
	}
}

// watchFrom reads events after *after, which it moves, until one ends the
// hold or none come any more.
func (h *Held) watchFrom(after *uint64) {
	m := h.Mutex()
	from := *after
	for e, err := range h.locker.Watch(h.ctx, WatchQuery{ID: &m.ID, After: &from}) {
		if err != nil {
			return
		}
		*after = e.Seq
		switch e.Kind {
		case KindTakenOver, KindUpgraded:
			if e.Sharing != Exclusive && e.Replaced != m.Token {
				continue // of another's share
			}
		case KindReleased, KindExpired, KindForceReleased, KindHandedOver:
			if e.Token != m.Token {
				continue
			}
		default:
			continue
		}
		lost := &LostError{ID: m.ID, How: e.Kind, By: e.Actor, At: e.At, Reason: e.Reason}
		if e.Kind == KindTakenOver {
			lost.Holder = &Mutex{ID: m.ID, Owner: e.Owner, Token: e.Token, CapturedAt: e.At, AsOf: e.At}
		}
		h.end(lost)
		return
	}
}
