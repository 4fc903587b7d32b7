package editlock

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"editlock/store"
)

const (
	// peerTTL is how long after its last beat a waiting process counts as
	// dead, and its waiters are passed over.
	peerTTL = 10 * time.Second
	// beatEvery is also how late a lost piece of news is noticed.
	beatEvery = peerTTL / 4
	// confirmWithin is how long a grant lasts unless its waiter takes it up.
	confirmWithin = 15 * time.Second
)

// waits are the waits of this process: one lease in the store for all, and a
// bell for each.
type waits struct {
	store store.Store
	peer  string
	ctx   context.Context // ends with the Manager
	done  sync.WaitGroup

	mu      sync.Mutex
	bells   map[string][]chan store.View // by ticket; a retry may share one
	beatBy  time.Time                    // when the lease ends unless beaten again
	beats   bool                         // a beater runs
	closing bool
}

func (w *waits) init(ctx context.Context, st store.Store) {
	w.store, w.ctx, w.peer = st, ctx, newRequestID()
	w.bells = make(map[string][]chan store.View)
}

// enter registers a wait and sees to it that this process beats.
func (w *waits) enter(ctx context.Context, ticket string) (bell chan store.View, err error) {
	w.mu.Lock()
	fresh := time.Now().Before(w.beatBy)
	w.mu.Unlock()
	if !fresh {
		if err := w.beat(ctx, nil); err != nil {
			return nil, err
		}
	}
	bell = make(chan store.View, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bells[ticket] = append(w.bells[ticket], bell)
	if !w.beats && !w.closing {
		w.beats = true
		w.done.Add(1)
		go func() {
			defer w.done.Done()
			w.keepBeating()
		}()
	}
	return bell, nil
}

// exit ends a wait; last tells that no other of this process shares its
// ticket.
func (w *waits) exit(ticket string, bell chan store.View) (last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bells[ticket] = slices.DeleteFunc(w.bells[ticket], func(b chan store.View) bool { return b == bell })
	if len(w.bells[ticket]) > 0 {
		return false
	}
	delete(w.bells, ticket)
	return true
}

// wake rings the bells of tickets that left their queues.
func (w *waits) wake(news []store.Signal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range news {
		for _, bell := range w.bells[n.Ticket] {
			select {
			case bell <- n.Granted:
			default:
			}
		}
	}
}

// beat renews the lease, and rings for those of the given tickets that wait
// no more: their news was lost.
func (w *waits) beat(ctx context.Context, known []string) error {
	sent := time.Now()
	waiting, err := w.store.Beat(ctx, w.peer, peerTTL)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.beatBy = sent.Add(peerTTL / 2)
	w.mu.Unlock()
	if len(known) == 0 {
		return nil
	}
	in := make(map[string]bool, len(waiting))
	for _, t := range waiting {
		in[t] = true
	}
	var lost []store.Signal
	for _, t := range known {
		if !in[t] {
			lost = append(lost, store.Signal{Ticket: t})
		}
	}
	w.wake(lost)
	return nil
}

// keepBeating beats while somebody waits here.
func (w *waits) keepBeating() {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-tick.C:
		}
		w.mu.Lock()
		known := make([]string, 0, len(w.bells))
		for t := range w.bells {
			known = append(known, t)
		}
		if len(known) == 0 {
			w.beats = false
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		ctx, cancel := context.WithTimeout(w.ctx, beatEvery)
		_ = w.beat(ctx, known) // a store out of reach: the next beat may reach it
		cancel()
	}
}

// wait captures with patience: what is held is queued for.
func (m *Manager) wait(ctx context.Context, c capture) (Mutex, error) {
	mayRetry := c.opts.RequestID != ""
	if !mayRetry {
		c.opts.RequestID = newRequestID()
	}
	deadline := time.NewTimer(c.opts.Wait)
	defer deadline.Stop()
	timeUp := false
	for {
		rec, res, err := m.capture(ctx, c)
		switch {
		case err == nil:
			return mutex(rec, res.Now), nil
		case res.Replayed: // a retry, long after: tell what came of the first try
			got, known, oerr := m.outcome(ctx, c)
			if known || oerr != nil {
				return got, oerr
			}
			return Mutex{}, m.refusal(ctx, err, c.name, c.owner, 0, rec, res)
		case err != ErrBusy || timeUp: //nolint:errorlint // bare: in the way
			return Mutex{}, m.refusal(ctx, err, c.name, c.owner, 0, rec, res)
		}
		end, granted, err := m.queue(ctx, c, rec, deadline.C, mayRetry)
		if err != nil {
			return Mutex{}, err
		}
		if granted.Record != nil {
			m.confirm(granted.Record)
			return mutex(granted.Record, granted.Now), nil
		}
		switch end {
		case waitTimeUp:
			timeUp = true
		case waitAgain:
			select {
			case <-deadline.C:
				timeUp = true
			default:
			}
		case waitOver:
		}
		if end != waitAgain {
			if got, known, err := m.outcome(ctx, c); known || err != nil {
				return got, err
			}
		}
	}
}

// waitEnd is how a stay in the queue ended.
type waitEnd uint8

const (
	waitOver   waitEnd = iota // the ticket left the queue
	waitTimeUp                // so did the caller, at his deadline
	waitAgain                 // what stood there had changed before the join
)

// queue joins the queue behind a record and stays until the wait ends. It
// returns what was granted if the news told that.
func (m *Manager) queue(ctx context.Context, c capture, rec *store.Record, deadline <-chan time.Time, mayRetry bool) (waitEnd, store.View, error) {
	var none store.View
	bell, err := m.waits.enter(ctx, c.opts.RequestID)
	if err != nil {
		return 0, none, m.storeError(ctx, err)
	}
	last := func() bool { return m.waits.exit(c.opts.RequestID, bell) }
	now, res, err := m.swap(ctx, c.opts.RequestID, c.join(rec, m.waits.peer))
	switch {
	case err != nil:
		if last() {
			m.leave(ctx, c, mayRetry)
		}
		return 0, none, err
	case !res.Done:
		last()
		return waitAgain, none, nil
	case res.Replayed, now != nil && now.Request == c.opts.RequestID:
		last()
		return waitOver, none, nil
	}
	select {
	case granted := <-bell:
		last()
		return waitOver, granted, nil
	case <-m.waits.ctx.Done():
		last()
		return 0, none, unavailable(store.ErrClosed)
	case <-deadline:
		if last() {
			m.leave(ctx, c, true)
		}
		return waitTimeUp, none, nil
	case <-ctx.Done():
		if cause := context.Cause(ctx); errors.Is(cause, ErrUnavailable) {
			last() // the server stops: the place is kept for a retry
			return 0, none, cause
		}
		if last() {
			m.leave(ctx, c, mayRetry)
		}
		return 0, none, ctx.Err()
	}
}

// leave gives up the place, and what was granted just before unless a retry
// may still ask for it. It must reach the store although the caller may be
// gone, and is tried again until it does.
func (m *Manager) leave(ctx context.Context, c capture, keepGrant bool) {
	if m.tryLeave(context.WithoutCancel(ctx), c, keepGrant) == nil {
		return
	}
	// Other waits keep the lease of this process alive, so the place would
	// not end with it: go on until the store is there again.
	m.waits.spawn(func() {
		for m.waits.ctx.Err() == nil {
			select {
			case <-m.waits.ctx.Done():
			case <-time.After(beatEvery):
			}
			if m.tryLeave(m.waits.ctx, c, keepGrant) == nil {
				return
			}
		}
	})
}

func (m *Manager) tryLeave(ctx context.Context, c capture, keepGrant bool) error {
	ctx, cancel := context.WithTimeout(ctx, beatEvery)
	defer cancel()
	t := store.Ticket{ID: c.opts.RequestID, Peer: m.waits.peer}
	rec, res, err := m.swap(ctx, "", store.Swap{Name: c.name, Do: store.Leave, Ticket: &t})
	if err != nil || res.Done || keepGrant || rec == nil || rec.Request != t.ID {
		return err
	}
	_, err = m.release(ctx, c.name, c.owner, IfToken(Token(rec.Token)), 0)
	return err
}

// outcome finds out what became of a ticket that is no longer queued, if that
// is known.
func (m *Manager) outcome(ctx context.Context, c capture) (got Mutex, known bool, err error) {
	view, err := m.store.Get(ctx, c.name)
	if err != nil {
		return Mutex{}, false, m.storeError(ctx, err)
	}
	rec, at := view.Record, store.Result{Now: view.Now}
	if rec != nil && rec.Request == c.opts.RequestID {
		m.confirm(rec)
		return mutex(rec, view.Now), true, nil
	}
	page, err := m.store.Log(ctx, store.LogQuery{Name: c.name, Request: c.opts.RequestID, Newest: true, Limit: 1})
	if err != nil {
		return Mutex{}, false, m.storeError(ctx, err)
	}
	if len(page.Entries) == 0 {
		return Mutex{}, false, nil
	}
	last := page.Entries[0]
	if Kind(last.Kind) == KindDeclined {
		no := entry(last)
		e := &BusyError{Holder: Mutex{ID: no.ID, Owner: no.Owner, Token: no.Token, AsOf: view.Now}}
		if rec != nil {
			e = busy(rec, view.Now, c.owner)
		}
		e.Declined = &Answer{By: no.Actor, At: no.At, Message: no.Reason}
		return Mutex{}, true, e
	}
	return Mutex{}, true, m.lost(ctx, c.name, c.owner, Token(last.Token), rec, at)
}

// confirm turns a fresh grant into a hold of the terms asked for, behind the
// caller's back: he has it already, and hears of its end like anybody. Close
// waits for it.
func (m *Manager) confirm(rec *store.Record) {
	m.waits.spawn(func() {
		ctx, cancel := context.WithTimeout(context.Background(), confirmWithin)
		defer cancel()
		_, _, _ = m.swap(ctx, "", store.Swap{
			Name: rec.Name, Do: store.Touch, Expect: store.Expect{Token: rec.Token},
		})
	})
}

// spawn runs f in the background, or at once if the Manager is closing.
func (w *waits) spawn(f func()) {
	w.mu.Lock()
	closing := w.closing
	if !closing {
		w.done.Add(1)
	}
	w.mu.Unlock()
	if closing {
		f()
		return
	}
	go func() {
		defer w.done.Done()
		f()
	}()
}

// close waits for what was spawned.
func (w *waits) close() {
	w.mu.Lock()
	w.closing = true
	w.mu.Unlock()
	w.done.Wait()
}
