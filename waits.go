package editlock

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/store"
)

const (
	// processTTL is how long after its last keep-alive a waiting process counts as
	// dead, and its waiters are passed over.
	processTTL = 10 * time.Second
	// beatEvery is also how late a lost piece of news is noticed.
	keepAliveEvery = processTTL / 4
	// lastKeepAlive bounds the last keep-alive of a process that ends.
	lastKeepAlive = time.Second
	// joinSlots bounds how many join queues at a time: the captures of others
	// share the store with so many, not with a whole crowd. More don't join
	// sooner, as steps share commits.
	joinSlots = 64
	// maxWithdrawals bounds how many withdrawals the process tries again by itself.
	maxWithdrawals = 1000
)

// waits are the waits of this process: one lease in the store for all, and a
// place for each.
type waits struct {
	store   store.Store
	process string
	ctx     context.Context // ends with the Manager
	done    sync.WaitGroup
	kick    chan struct{} // asks for a keep-alive now
	slots   chan struct{} // of those who join
	// withdrawals has a place for each that is tried again until the store is there.
	withdrawals chan struct{}
	again       func(ctx context.Context, c *capture) (ring, error)

	mu sync.Mutex
	// confirms are the confirmations under way, by name.
	confirms map[string]chan struct{}
	places   map[string]*place  // by waiter
	came     uint64             // how many places there were
	rejoins  map[string]*rejoin // under way, by name
	leaseEnd time.Time          // when the lease ends unless beaten again, at the earliest
	beats    bool               // keepAliveLoop runs
	closing  bool
}

// place is a waiter of this process.
type place struct {
	c     *capture
	order order
	in    bool        // it has joined the queue
	doubt bool        // or may have: its order is a guess
	bells []chan ring // of those who wait; a retry may share a waiter. None: the caller is away
	grace *time.Timer // the place ends with it; nil: it is waited for, or kept until the process ends

	lapsed bool      // it is gone from the queue, as the process had lost its lease
	gone   time.Time // when that was noticed last
	// rejoined is when it was last joined again: a keep-alive that was sent before does not
	// know of it.
	rejoined time.Time
}

// ring tells a waiting capture that its waiter left the queue, and why.
type ring struct {
	granted   store.View
	withdrawn bool // by its caller
	elsewhere bool // its caller asked another process meanwhile
	over      bool // the place is no more
}

func (w *waits) init(ctx context.Context, st store.Store, again func(ctx context.Context, c *capture) (ring, error)) {
	w.store, w.ctx, w.process, w.again = st, ctx, newRequestID(), again
	w.kick, w.slots = make(chan struct{}, 1), make(chan struct{}, joinSlots)
	w.withdrawals = make(chan struct{}, maxWithdrawals)
	w.confirms = make(map[string]chan struct{})
	w.places = make(map[string]*place)
	w.rejoins = make(map[string]*rejoin)
}

// begin waits for a slot to join in.
func (w *waits) begin(ctx context.Context) (done func(), err error) {
	select {
	case w.slots <- struct{}{}:
		return func() { <-w.slots }, nil
	case <-w.ctx.Done():
		return nil, unavailable(store.ErrClosed)
	case <-patience.End(ctx).Done():
		return nil, ended(ctx)
	}
}

// enter registers a wait, makes sure that keepAliveLoop runs, and waits until no other
// wait of this process rejoins the queue.
func (w *waits) enter(ctx context.Context, c *capture) (bell chan ring, err error) {
	w.mu.Lock()
	fresh := time.Now().Before(w.leaseEnd.Add(-processTTL / 2))
	w.mu.Unlock()
	if !fresh {
		if err := w.keepAlive(ctx); err != nil {
			return nil, err
		}
	}
	if err := w.rejoined(ctx, c.name); err != nil {
		return nil, err
	}
	bell = make(chan ring, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.places[c.opts.RequestID]
	if p == nil {
		w.came++
		p = &place{c: c, order: order{came: w.came}}
		w.places[c.opts.RequestID] = p
	}
	p.sit(bell)
	if !w.beats && !w.closing {
		w.beats = true
		w.done.Add(1)
		go func() {
			defer w.done.Done()
			w.keepAliveLoop()
		}()
	}
	return bell, nil
}

func (p *place) sit(bell chan ring) {
	p.stay()
	p.bells = append(p.bells, bell)
}

// stay makes the place outlive its grace time.
func (p *place) stay() {
	if p.grace != nil {
		p.grace.Stop()
		p.grace = nil
	}
}

// joined records that a waiter is in the queue behind rec since now. Without a record
// the mutex is free, and something above or below it blocks the waiter.
func (w *waits) joined(waiter string, rec *store.Record, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.places[waiter]
	if p == nil || p.in && !p.doubt {
		return
	}
	if !p.doubt {
		p.order.since, p.order.n = now, math.MaxInt
		if rec != nil {
			p.order.n = rec.Waiting
		}
	}
	p.in, p.doubt = true, false
	if rec == nil {
		return
	}
	if i := slices.IndexFunc(rec.Waiters, func(t store.Waiter) bool { return t.ID == waiter }); i >= 0 {
		p.order.since, p.order.n = rec.Waiters[i].Since, i+1
	}
}

// doubt handles a waiter that may or may not have joined the queue behind what was seen
// at a time.
func (w *waits) doubt(waiter string, seen time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.places[waiter]; p != nil && !p.in && !w.closing {
		p.in, p.doubt, p.order.since, p.order.n = true, true, seen, math.MaxInt
		w.lost([]string{waiter}, true)
	}
}

// resume takes up a place that this process has; nil if it has none.
func (w *waits) resume(waiter string) (bell chan ring) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.places[waiter]
	if p == nil || !p.in {
		return nil
	}
	bell = make(chan ring, 1)
	p.sit(bell)
	return bell
}

// has reports whether this process has a place.
func (w *waits) has(waiter string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.places[waiter] != nil
}

// ended reports whether a place is no more, although the process goes on.
func (w *waits) ended(waiter string) bool {
	return w.ctx.Err() == nil && !w.has(waiter)
}

// exit ends a wait; last reports that no other wait of this process shares its
// waiter.
func (w *waits) exit(waiter string, bell chan ring) (last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stand(waiter, bell) {
		return false
	}
	delete(w.places, waiter)
	return true
}

// stand ends a wait, but keeps the place. The caller holds mu.
func (w *waits) stand(waiter string, bell chan ring) (last bool) {
	p := w.places[waiter]
	select {
	case r := <-bell:
		if p != nil && r != (ring{}) { // and nobody takes it up
			p.stay()
			delete(w.places, waiter)
			p = nil
		}
	default:
	}
	if p == nil {
		return true
	}
	p.bells = slices.DeleteFunc(p.bells, func(b chan ring) bool { return b == bell })
	return len(p.bells) == 0
}

// stoodStill is by how much a timer is late at least if this process stood still.
const stoodStill = time.Second

// keep ends a wait whose caller may come back: its place stays for so long, or
// with grace 0 as long as this process, and then leave gives it up. The time in
// which this process stood still does not count: nobody could come back.
func (w *waits) keep(waiter string, bell chan ring, grace time.Duration, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.places[waiter]
	if !w.stand(waiter, bell) || p == nil || w.closing {
		return
	}
	if grace == 0 {
		return
	}
	var timer *time.Timer
	due := time.Now().Add(grace)
	timer = time.AfterFunc(grace, func() {
		w.mu.Lock()
		over := w.places[waiter] == p && p.grace == timer && w.ctx.Err() == nil
		if over && time.Since(due) > stoodStill {
			due = time.Now().Add(grace)
			timer.Reset(grace)
			over = false
		}
		if over {
			delete(w.places, waiter)
		}
		w.mu.Unlock()
		if over {
			leave()
		}
	})
	p.grace = timer
}

// wake rings for waiters that left their queues.
func (w *waits) wake(news []store.Signal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range news {
		w.ring(n.Waiter, ring{granted: n.Granted})
	}
}

// withdraw ends all waits of this process with a waiter that its caller gave up.
func (w *waits) withdraw(waiter string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ring(waiter, ring{withdrawn: true})
	if p := w.places[waiter]; p != nil {
		p.in = false
	}
}

// ring wakes the waiting captures of a waiter. A place without any is forgotten: if its
// caller asks again, they learn the outcome from the store. The caller holds mu.
func (w *waits) ring(waiter string, r ring) {
	p := w.places[waiter]
	if p == nil {
		return
	}
	if len(p.bells) == 0 {
		p.stay()
		delete(w.places, waiter)
		return
	}
	for _, bell := range p.bells {
		if r.withdrawn {
			select {
			case <-bell:
			default:
			}
		}
		select {
		case bell <- r:
		default:
		}
	}
}

// keepAliveNow asks for a keep-alive before its time.
func (w *waits) keepAliveNow() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// keepAlive renews the lease of this process, and passes waiters that are no longer
// queued to lost: their signal, or the lease, was lost.
func (w *waits) keepAlive(ctx context.Context) error {
	w.mu.Lock()
	known := make([]string, 0, len(w.places))
	for waiter, p := range w.places {
		if p.in {
			known = append(known, waiter)
		}
	}
	sent := time.Now()
	w.mu.Unlock()
	waiting, err := w.store.KeepAlive(ctx, w.process, processTTL)
	if err != nil {
		return err
	}
	in := make(map[string]bool, len(waiting))
	for _, t := range waiting {
		in[t] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	lapsed := !time.Now().Before(w.leaseEnd) // the keep-alive may have come too late
	w.leaseEnd = sent.Add(processTTL)
	gone := slices.DeleteFunc(known, func(waiter string) bool {
		p := w.places[waiter]
		if p != nil && in[waiter] {
			p.lapsed = false
		}
		return in[waiter] || p == nil || !p.rejoined.Before(sent)
	})
	if !w.closing {
		w.lost(gone, lapsed)
	}
	return nil
}

// keepAliveLoop sends keep-alives while this process has places.
func (w *waits) keepAliveLoop() {
	tick := time.NewTicker(keepAliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.ctx.Done():
			// The waiters here get a whole lease from now on, to ask elsewhere.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), lastKeepAlive)
			_, _ = w.store.KeepAlive(ctx, w.process, processTTL)
			cancel()
			return
		case <-tick.C:
		case <-w.kick:
		}
		w.mu.Lock()
		if len(w.places) == 0 {
			w.beats = false
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		ctx, cancel := context.WithTimeout(w.ctx, keepAliveEvery)
		_ = w.keepAlive(ctx) // a store out of reach: the next keep-alive may reach it
		cancel()
	}
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
