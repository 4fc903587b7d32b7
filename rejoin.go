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
	n     int       // among those who joined at one moment
}

func (o order) compare(other order) int {
	return cmp.Or(o.since.Compare(other.since), cmp.Compare(o.n, other.n))
}

// revive makes newcomers to a name stay behind those of this process who wait
// for it, if it may have lost its lease.
func (w *waits) revive(ctx context.Context, name string) error {
	w.mu.Lock()
	unsure := len(w.places) > 0 && time.Now().After(w.leaseEnd)
	w.mu.Unlock()
	if unsure {
		if err := w.beat(ctx); err != nil {
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
	case <-under:
		return nil
	case <-w.ctx.Done():
		return store.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lost lets places that are gone from their queues be taken again, in the order
// that they had: the process had lost its lease. Where it had not, a place whose
// caller is away is another process's by now, if the caller asked there. The
// caller holds mu.
func (w *waits) lost(tickets []string, lapsed bool) {
	gone := make(map[string][]string) // by name
	for _, ticket := range tickets {
		p := w.places[ticket]
		if p == nil {
			continue
		}
		p.lapsed = p.lapsed || lapsed
		switch {
		case len(p.bells) == 0 && (p.rejoin == nil || !p.lapsed):
			w.ring(ticket, ring{}) // its caller, coming back, joins again
		case w.rejoins[p.name] == nil:
			gone[p.name] = append(gone[p.name], ticket)
		}
	}
	for name, tickets := range gone {
		slices.SortFunc(tickets, func(a, b string) int { return w.places[a].order.compare(w.places[b].order) })
		over := make(chan struct{})
		w.rejoins[name] = over
		w.done.Go(func() {
			w.giveTurns(tickets)
			w.mu.Lock()
			defer w.mu.Unlock()
			delete(w.rejoins, name)
			close(over)
		})
	}
}

// rejoinAgain is how long after a failure the one whose turn it is joins again.
const rejoinAgain = 100 * time.Millisecond

// giveTurns lets waiters join their queue again, each after the one before it. Who
// can't now holds up those behind, but not for longer than a lease: then the next
// beat sorts all of them again.
func (w *waits) giveTurns(tickets []string) {
	end := time.Now().Add(peerTTL)
	for len(tickets) > 0 {
		if w.giveTurn(tickets[0]) {
			tickets = tickets[1:]
			continue
		}
		w.mu.Lock()
		late := !time.Now().Before(w.leaseEnd)
		w.mu.Unlock()
		if late || !time.Now().Before(end) {
			return
		}
		select {
		case <-time.After(rejoinAgain):
		case <-w.ctx.Done():
			return
		}
	}
}

// giveTurn lets a waiter join its queue again, or joins for one who is away, and
// waits until that is done; false: it can't be done now.
func (w *waits) giveTurn(ticket string) (done bool) {
	turn := make(chan struct{})
	w.mu.Lock()
	p := w.places[ticket]
	if p == nil || len(p.bells) == 0 {
		w.mu.Unlock()
		return p == nil || w.rejoinFor(ticket, p)
	}
	bell := p.bells[0]
	select {
	case r := <-bell:
		if r.granted.Record != nil || r.withdrawn { // knows more already
			bell <- r
			w.mu.Unlock()
			return true
		}
	default:
	}
	bell <- ring{turn: turn}
	w.mu.Unlock()
	select {
	case <-turn:
	case <-w.ctx.Done():
	}
	return true
}

// rejoinFor joins again for the caller of a place who is away; false: that can't be
// now, or the caller came back just now.
func (w *waits) rejoinFor(ticket string, p *place) (done bool) {
	w.mu.Lock()
	rejoin := p.rejoin
	w.mu.Unlock()
	if rejoin == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(w.ctx, beatEvery)
	defer cancel()
	over, err := rejoin(ctx)
	if err != nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.places[ticket] != p {
		return true
	}
	p.lapsed, p.rejoined = false, time.Now()
	if over {
		w.ring(ticket, ring{})
	}
	return true
}

// rejoin joins a queue again for a caller who is away. What it is given instead is
// short, as any grant: it takes that up when it comes back. over: there is no
// place any more. An error means that this can't be now.
func (m *Manager) rejoin(ctx context.Context, c *capture) (over bool, err error) {
	ctx, _ = patience.WithCaller(ctx, time.Second) // nothing is confirmed for it
	short := *c
	// A hold of its own session, from another capture, is not this one's to extend.
	short.confirm, short.opts.If = confirmWithin, IfFree()
	for {
		rec, _, err := m.capture(ctx, &short)
		switch {
		case err == nil:
			return true, nil
		case ctx.Err() != nil || errors.Is(err, ErrUnavailable):
			return false, err
		case err != ErrBusy: //nolint:errorlint // bare: in the way
			return true, nil
		case standing(rec, c.owner) == CapturedByMe && !c.opts.If.Free():
			return true, nil
		}
		join := c.join(rec, m.waits.peer)
		join.Expect.Here = true
		now, res, err := m.swap(ctx, c.opts.RequestID, join)
		switch {
		case err != nil:
			return false, err
		case !res.Done && (now == nil || join.Expect.Token != 0 && join.Expect.Token != now.Token): // what stood there has changed
		case !res.Done: // the caller asked another process
			return true, nil
		case res.Replayed, now != nil && now.Request == c.opts.RequestID:
			return true, nil
		case !m.waits.has(c.opts.RequestID): // given up meanwhile, before it joined
			m.leave(ctx, c, !m.waits.givenUp.Has(c.opts.RequestID))
			return true, nil
		default:
			return false, nil
		}
	}
}
