package editlock

import (
	"context"
	"errors"
	"time"

	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/store"
)

// waiting is one capture with patience: what is held is queued for. It lives
// on the heap, and what it does before and after staying in functions that
// have returned meanwhile: thousands may stay at a time, each with its stack.
type waiting struct {
	m        *Manager
	c        *capture
	caller   *patience.Caller // nil: this process
	mayRetry bool
	deadline *time.Timer
	timeUp   bool
	bell     chan ring // nil: not registered
	rang     ring

	got *Mutex
	err error
}

// wait captures with patience.
func (m *Manager) wait(ctx context.Context, c *capture) (*Mutex, error) {
	w := &waiting{m: m, c: c, caller: patience.CallerOf(ctx), mayRetry: c.opts.RequestID != "", deadline: time.NewTimer(c.opts.Wait)}
	defer w.deadline.Stop()
	if !w.mayRetry {
		c.opts.RequestID = newRequestID()
	}
	w.bell = m.waits.resume(c.opts.RequestID)
	for (w.bell != nil || w.join(ctx)) && w.leave(ctx, w.stay(ctx)) {
	}
	return w.got, w.err
}

// waitEnd is how a stay in the queue ended.
type waitEnd uint8

const (
	waitRang   waitEnd = iota // the waiter left the queue
	waitTimeUp                // so did the caller, at its deadline
	waitEnded                 // or because the end of its context or patience came
	waitAnswer                // it stays in the queue, but is told so
	waitClosed                // the Manager closes
)

// stay waits until something happens.
func (w *waiting) stay(ctx context.Context) waitEnd {
	var answer <-chan time.Time
	if w.caller != nil && w.caller.Within > 0 && w.mayRetry {
		timer := time.NewTimer(w.caller.Within)
		defer timer.Stop()
		answer = timer.C
	}
	select {
	case w.rang = <-w.bell:
		return waitRang
	case <-w.m.waits.ctx.Done():
		return waitClosed
	case <-w.deadline.C:
		return waitTimeUp
	case <-answer:
		return waitAnswer
	case <-patience.End(ctx).Done():
		w.err = ended(ctx)
		return waitEnded
	}
}

// join captures, or joins the queue behind what stands there: true if it did,
// and false if the wait is over.
func (w *waiting) join(ctx context.Context) (in bool) {
	// Who waits for a rejoin needs no slot: that of a crowd takes long.
	if err := w.m.waits.rejoined(ctx, w.c.name); err != nil {
		w.err = w.m.storeError(ctx, err)
		return false
	}
	begun, err := w.m.waits.begin(ctx)
	if err != nil {
		w.err = err
		return false
	}
	defer begun()
	in = w.tryJoin(ctx)
	if !in && w.bell != nil {
		w.exit()
	}
	return in
}

func (w *waiting) tryJoin(ctx context.Context) bool {
	m, c := w.m, w.c
	for {
		if err := m.waits.revive(ctx, c.name); err != nil {
			w.err = m.storeError(ctx, err)
			return false
		}
		rec, res, err := m.capture(ctx, c)
		switch {
		case err == nil:
			return w.end(rec, res.Now)
		case res.Replayed: // a retry, long after: tell what came of the first try
			if w.outcome(ctx) {
				w.err = m.refusal(ctx, err, c.name, c.owner, 0, rec, res)
			}
			return false
		case err != ErrBusy || w.timeUp, c.futile(rec), selfish(res): //nolint:errorlint // bare: in the way
			w.err = m.refusal(ctx, err, c.name, c.owner, 0, rec, res)
			return false
		}
		if patience.End(ctx).Err() != nil {
			w.err = ended(ctx)
			return false
		}
		if w.bell == nil {
			if w.bell, err = m.waits.enter(ctx, c); err != nil {
				w.err = m.storeError(ctx, err)
				return false
			}
		}
		seen := res.Now
		now, res, err := m.commit(ctx, c.opts.RequestID, c.join(rec, m.waits.process))
		switch {
		case err != nil: // it may have joined
			w.err = err
			if w.mayRetry && w.caller != nil {
				m.waits.doubt(c.opts.RequestID, seen)
				w.keep(patience.Grace)
			} else if w.exit() {
				m.leave(ctx, c, w.mayRetry)
			}
			return false
		case !res.Done && now != nil && selfish(res):
			w.err = m.refusal(ctx, ErrBusy, c.name, c.owner, 0, now, res)
			return false
		case !res.Done: // what stood there has changed before the join
			select {
			case <-w.deadline.C:
				w.timeUp = true
			default:
			}
		case res.Replayed, now != nil && now.Request == c.opts.RequestID:
			w.exit()
			if !w.outcome(ctx) {
				return false
			}
		default:
			m.waits.joined(c.opts.RequestID, now, res.Now)
			return true
		}
	}
}

// selfish reports whether the caller holds something above or below what it asks
// for: it might wait for somebody who waits for it.
func selfish(res store.Result) bool {
	path := inTheWay(res, 0)
	return path != nil && path.Own
}

func (w *waiting) withdrawn(ctx context.Context) error {
	view, _ := w.m.store.Get(ctx, w.c.name, "")
	e := lostTo(w.c.name, view.Record, store.Result{Now: view.Now})
	e.Reason = "the wait was withdrawn"
	return e
}

// exit ends the wait, and reports whether no other wait of this process shares its
// waiter.
func (w *waiting) exit() (last bool) {
	bell := w.bell
	w.bell = nil
	return w.m.waits.exit(w.c.opts.RequestID, bell)
}

// keep ends the stay, but keeps the place for a caller who may come back.
func (w *waiting) keep(grace time.Duration) {
	bell := w.bell
	w.bell = nil
	w.m.waits.keep(w.c.opts.RequestID, bell, grace, func() {
		w.m.waits.spawn(func() { w.m.leave(context.Background(), w.c, true) })
	})
}

// leave does what the end of a stay asks for: true if the caller must try
// again, or stay on, which it does while it is registered and has no turn.
func (w *waiting) leave(ctx context.Context, how waitEnd) (again bool) {
	switch how {
	case waitRang:
		switch granted := w.rang.granted; {
		case w.rang.withdrawn:
			w.exit()
			w.err = w.withdrawn(ctx)
		case w.rang.elsewhere: // the answer is for a caller who no longer hears it
			w.exit()
			w.err = &patience.Waiting{Ticket: w.c.opts.RequestID}
		case granted.Record != nil:
			w.exit()
			w.m.confirm(ctx, granted.Record)
			return w.end(granted.Record, granted.Now)
		case !w.outcome(ctx):
			w.exit()
		case w.rang.over:
			w.exit()
			return true
		default: // passed over, as this process had lost its lease
			w.m.waits.keepAliveNow()
			return true
		}
	case waitTimeUp:
		if w.exit() {
			// Who is told that it is held must not get it after all: if nobody
			// knows whether the place is given up, that is the answer.
			if err := w.m.tryLeave(ctx, w.c, true); err != nil {
				w.m.leaveLater(w.c, w.mayRetry)
				w.err = err
				return false
			}
		}
		w.timeUp = true
		return w.outcome(ctx)
	case waitAnswer:
		w.keep(patience.Grace)
		w.err = &patience.Waiting{Ticket: w.c.opts.RequestID}
	case waitEnded:
		switch {
		case w.mayRetry && errors.Is(w.err, ErrUnavailable): // the server stops
			w.keep(0)
		case w.mayRetry && patience.Returns(ctx, w.err): // cut off
			w.keep(patience.Grace)
		case w.exit():
			w.m.leave(ctx, w.c, w.mayRetry)
		}
	case waitClosed: // its place is left to the end of the lease
		w.err = unavailable(store.ErrClosed)
	}
	return false
}

// end is the good end of a wait: there is nothing more to try.
func (w *waiting) end(rec *store.Record, now time.Time) (again bool) {
	got := mutex(rec, now)
	w.got = &got
	return false
}

// leave gives up the place, and what was granted just before unless a retry
// may still ask for it. It must reach the store although the caller may be
// gone, and is tried again until it does.
func (m *Manager) leave(ctx context.Context, c *capture, keepGrant bool) {
	if m.tryLeave(ctx, c, keepGrant) != nil {
		m.leaveLater(c, keepGrant)
	}
}

// withdraw ends the wait of the capture with a request ID, or the hold that it was
// granted, whichever server it waits at. No later transaction with that ID does anything,
// even one that is on its way now. The caller is often a page that closes, so the
// withdrawal must reach the store although the caller may be gone.
func (m *Manager) withdraw(ctx context.Context, id ID, caller Owner, requestID string) (bool, error) {
	c := &capture{name: id.String(), owner: caller, opts: CaptureOptions{RequestID: scoped(requestID, "capture", caller.key(), id)}}
	m.waits.withdraw(c.opts.RequestID)
	released, err := m.tryWithdraw(ctx, c)
	if err == nil {
		return released, nil
	}
	select { // those who waited by it have gone
	case m.waits.withdrawals <- struct{}{}:
		m.later(func() (done bool) {
			if _, err := m.tryWithdraw(m.waits.ctx, c); err != nil && m.waits.ctx.Err() == nil {
				return false
			}
			<-m.waits.withdrawals
			return true
		})
	default: // anybody may ask for more of them than there are captures
	}
	return false, err
}

func (m *Manager) tryWithdraw(ctx context.Context, c *capture) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepAliveEvery)
	defer cancel()
	if _, _, err := m.commit(ctx, c.opts.RequestID, store.Op{Name: c.name, Do: store.Revoke}); err != nil {
		return false, err
	}
	return m.giveUp(ctx, c, "", false)
}

// leaveLater goes on leaving until the store is there again: other waits keep
// the lease of this process alive, so the place would not end with it. A caller who
// may retry may have it again by then.
func (m *Manager) leaveLater(c *capture, keepGrant bool) {
	m.later(func() bool {
		return keepGrant && m.waits.has(c.opts.RequestID) || m.tryLeave(m.waits.ctx, c, keepGrant) == nil
	})
}

// later tries something again and again until it is done.
func (m *Manager) later(try func() (done bool)) {
	m.waits.spawn(func() {
		for m.waits.ctx.Err() == nil {
			select {
			case <-m.waits.ctx.Done():
			case <-time.After(keepAliveEvery):
			}
			if try() {
				return
			}
		}
	})
}

func (m *Manager) tryLeave(ctx context.Context, c *capture, keepGrant bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepAliveEvery)
	defer cancel()
	_, err := m.giveUp(ctx, c, m.waits.process, keepGrant)
	return err
}

// giveUp gives up the place of a capture at a process, or at any, and what it was
// granted before unless that is kept. It reports whether there was any of that.
func (m *Manager) giveUp(ctx context.Context, c *capture, process string, keepGrant bool) (bool, error) {
	t := store.Waiter{ID: c.opts.RequestID, Process: process, Holder: store.Party{Session: c.owner.key()}}
	rec, res, err := m.commit(ctx, "", store.Op{Name: c.name, Do: store.Leave, Waiter: &t})
	if err != nil || res.Done || keepGrant || rec == nil || rec.Request != t.ID {
		return res.Done, err
	}
	return m.release(ctx, c.name, c.owner, IfToken(Token(rec.Token)), 0)
}

// outcome finds out what became of a waiter that is no longer queued: false if
// that is known, and true if the caller must try again.
func (w *waiting) outcome(ctx context.Context) (again bool) {
	m, c := w.m, w.c
	view, err := m.store.Get(ctx, c.name, c.owner.key())
	if err != nil {
		w.err = m.storeError(ctx, err)
		return false
	}
	rec, at := began(view.Record, c.opts.RequestID), store.Result{Now: view.Now}
	if rec != nil && rec.Request == c.opts.RequestID {
		m.confirm(ctx, rec)
		return w.end(rec, view.Now)
	}
	page, err := m.newest(ctx, store.LogQuery{Request: c.opts.RequestID, Newest: true, Limit: 1})
	switch {
	case err != nil:
		w.err = m.storeError(ctx, err)
	case len(page.Entries) == 0:
		return true
	case page.Entries[0].Kind == store.KindRevoked:
		w.err = w.withdrawn(ctx)
	case EventKind(page.Entries[0].Kind) == KindDeclined:
		no := entry(page.Entries[0])
		e := &BusyError{Holder: Mutex{ID: no.ID, Owner: no.Owner, Token: no.Token, AsOf: view.Now}}
		if rec != nil {
			e = busy(rec, view.Now, c.owner, false)
		}
		e.Declined = &Refusal{By: no.Actor, At: no.At, Message: no.Reason}
		w.err = e
	default:
		w.err = m.lost(ctx, c.name, c.owner, Token(page.Entries[0].Token), rec, at)
	}
	return false
}
