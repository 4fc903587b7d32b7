package editlock

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/store"
)

// order is where a place stood in its queue when it joined: after all that had
// joined by then.
type order struct {
	since time.Time // of the store
	n     int       // among those who joined at one moment; math.MaxInt: that is not known
	came  uint64    // among those of this process
}

func (o order) compare(other order) int {
	return cmp.Or(o.since.Compare(other.since), cmp.Compare(o.n, other.n), cmp.Compare(o.came, other.came))
}

// revive makes newcomers to a name stay behind those of this process who wait
// for it, if it may have lost its lease.
func (w *waits) revive(ctx context.Context, name string) error {
	w.mu.Lock()
	unsure := len(w.places) > 0 && !time.Now().Before(w.leaseEnd)
	w.mu.Unlock()
	if unsure {
		if err := w.keepAlive(ctx); err != nil {
			return err
		}
	}
	return w.rejoined(ctx, name)
}

// rejoined waits until nobody of this process rejoins the queue of a name.
func (w *waits) rejoined(ctx context.Context, name string) error {
	w.mu.Lock()
	under := w.rejoins[name]
	w.mu.Unlock()
	if under == nil {
		return nil
	}
	select {
	case <-under.over:
		return nil
	case <-w.ctx.Done():
		return store.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rejoin is what is under way for the places of one name.
type rejoin struct {
	waiters []string // still to join, in the order of their places
	over    chan struct{}
}

// lost lets places that are gone from their queues be taken again, in the order
// that they had: the process had lost its lease. Where it had not, a place whose
// caller is away is another process's by now, if the caller asked there. The
// caller holds mu.
func (w *waits) lost(waiters []string, lapsed bool) {
	now := time.Now()
	changed := make(map[string]bool) // by name
	for _, waiter := range waiters {
		p := w.places[waiter]
		if p.lapsed = p.lapsed || lapsed; !p.lapsed && len(p.bells) == 0 {
			w.ring(waiter, ring{}) // its caller, coming back, joins again
			continue
		}
		p.gone = now
		name := p.c.name
		under := w.rejoins[name]
		if under == nil {
			under = &rejoin{over: make(chan struct{})}
			w.rejoins[name] = under
			w.done.Go(func() { w.rejoinAll(name, under) })
		}
		if !slices.Contains(under.waiters, waiter) {
			under.waiters = append(under.waiters, waiter)
			changed[name] = true
		}
	}
	for name := range changed {
		w.sort(w.rejoins[name])
	}
}

// sort puts the waiters of a rejoin in order. The caller holds mu.
func (w *waits) sort(under *rejoin) {
	under.waiters = slices.DeleteFunc(under.waiters, func(waiter string) bool { return w.places[waiter] == nil })
	slices.SortFunc(under.waiters, func(a, b string) int { return w.places[a].order.compare(w.places[b].order) })
}

// rejoinAgain is how long after a failure the one whose turn it is joins again.
const rejoinAgain = 100 * time.Millisecond

// rejoinAll joins the queue of a name again for one waiter after the other. One for
// which that can't be done now holds up those behind, but not for longer than a
// lease: then the next keep-alive sorts all of them again.
func (w *waits) rejoinAll(name string, under *rejoin) {
	w.mu.Lock()
	defer w.mu.Unlock()
	end := time.Now().Add(processTTL)
	for len(under.waiters) > 0 {
		waiter := under.waiters[0]
		under.waiters = under.waiters[1:]
		p := w.places[waiter]
		if p == nil || !p.in {
			continue
		}
		begun := time.Now()
		w.mu.Unlock()
		r, err := w.rejoinOne(p.c)
		w.mu.Lock()
		switch {
		case w.places[waiter] != p:
			continue
		case err == nil && r != ring{}:
			p.in = false
			w.ring(waiter, r)
			continue
		case err == nil && !p.gone.After(begun):
			p.lapsed, p.rejoined = false, time.Now()
			continue
		case err == nil: // and lost again meanwhile
			continue
		case w.ctx.Err() != nil, !time.Now().Before(w.leaseEnd), !time.Now().Before(end):
			under.waiters = nil
			continue
		}
		under.waiters = append(under.waiters, waiter)
		w.sort(under)
		w.mu.Unlock()
		select {
		case <-time.After(rejoinAgain):
		case <-w.ctx.Done():
		}
		w.mu.Lock()
	}
	delete(w.rejoins, name)
	close(under.over)
}

// rejoinOne may take some time, also if the Manager closes meanwhile.
func (w *waits) rejoinOne(c *capture) (ring, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), keepAliveEvery)
	defer cancel()
	return w.again(ctx, c)
}

// rejoin joins a queue again for a caller, who may be away. What it is given instead is
// short, as any grant, until it takes that up. An empty ring: it has joined. An error
// means that this can't be now.
func (m *Manager) rejoin(ctx context.Context, c *capture) (ring, error) {
	ctx, _ = patience.WithCaller(ctx, time.Second) // nothing is confirmed for it
	short := *c
	// A hold of its own session, from another capture, is not this one's to extend.
	short.confirm, short.opts.If = confirmWithin, IfFree()
	for {
		rec, res, err := m.capture(ctx, &short)
		switch {
		case err == nil:
			return ring{granted: store.View{Record: rec, Now: res.Now}}, nil
		case ctx.Err() != nil || errors.Is(err, ErrUnavailable):
			return ring{}, err
		case err != ErrBusy: //nolint:errorlint // bare: in the way
			return ring{over: true}, nil
		case c.futile(rec):
			return ring{over: true}, nil
		}
		join := c.join(rec, m.waits.process)
		join.Expect.Here = true
		now, res, err := m.commit(ctx, c.opts.RequestID, join)
		switch {
		case err != nil:
			return ring{}, err
		case !res.Done && selfish(res):
			return ring{over: true}, nil
		case !res.Done && now == nil && inTheWay(res, 0) == nil: // what stood there has changed
		case !res.Done && now != nil && (!short.busy(now) || join.Expect.Token != 0 && join.Expect.Token != now.Token): // as above
		case !res.Done:
			return ring{elsewhere: true}, nil
		case now != nil && now.Request == c.opts.RequestID:
			return ring{granted: store.View{Record: now, Now: res.Now}}, nil
		case res.Replayed:
			return ring{over: true}, nil
		case m.waits.ended(c.opts.RequestID): // meanwhile, before it joined
			m.leave(ctx, c, true)
			return ring{over: true}, nil
		default:
			m.waits.joined(c.opts.RequestID, now, res.Now)
			return ring{}, nil
		}
	}
}
