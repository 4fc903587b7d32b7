package editlock

import (
	"context"
	"errors"
	"time"

	"github.com/editlock/editlock/store"
)

const (
	// probeEvery is how often at most Ready has the store write something, and
	// probeAgain how often while it refuses to.
	probeEvery = 5 * time.Second
	probeAgain = time.Second
	// probeWithin is how long a write may take for the store to count as ready.
	probeWithin = 1500 * time.Millisecond
	// probeTTL is how long a probe's trace stays in the store.
	probeTTL = time.Minute
)

// Ready reports why l can't do its work now, or nil. A Manager's store must
// answer and take a write; a store is written to at most every 5 s, however
// often Ready is called, and keeps nothing of it. Any other Locker must answer.
func Ready(ctx context.Context, l Locker) error {
	if r, ok := l.(interface {
		Ready(ctx context.Context) error
	}); ok {
		return r.Ready(ctx)
	}
	_, _, err := l.Request(WithoutOwner(ctx), ID{ID: "ready"})
	return err
}

// Ready implements what the function of that name calls.
func (m *Manager) Ready(ctx context.Context) error {
	if _, err := m.store.Get(ctx, ID{ID: "ready"}.String(), ""); err != nil {
		return m.storeError(ctx, err)
	}
	err := m.probe.try(ctx, m.store)
	if err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return err
	}
	return unavailable(err)
}

// probe finds out whether a store takes writes. It sends the keep-alive of a process
// without waiters, the smallest write on every engine. The sweep removes its row.
type probe struct {
	process string
	turn    chan struct{} // held by the caller that tries
	next    time.Time     // when to try again
	err     error         // of the last try
	full    chan error    // that the store met since, holding one at most
}

func newProbe() *probe {
	return &probe{process: newRequestID(), turn: make(chan struct{}, 1), full: make(chan error, 1)}
}

// met notes the error of a write. One that found no room says more than a
// probe, which may find some.
func (p *probe) met(err error) {
	if errors.Is(err, store.ErrFull) {
		select {
		case p.full <- err:
		default:
		}
	}
}

// try returns how the last write ended, if that was just now, or tries another.
func (p *probe) try(ctx context.Context, st store.Store) error {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	now := time.Now()
	select {
	case p.err = <-p.full:
		p.next = now.Add(probeEvery)
	default:
	}
	if now.Before(p.next) {
		return p.err
	}
	// The caller may go meanwhile: the outcome is for the next one too.
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeWithin)
	defer cancel()
	_, p.err = st.KeepAlive(within, p.process, probeTTL)
	p.next = time.Now().Add(probeEvery)
	if p.err != nil {
		p.next = time.Now().Add(probeAgain)
	}
	return p.err
}
