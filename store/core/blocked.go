package core

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// nodeHeld reports whether a name above one was seen held, so that it is no use to
// assume that it is free.
func (s *Store) nodeHeld(name, kinds string) bool {
	return slices.ContainsFunc(above(name, kinds), func(node string) bool { return s.known.get(node) != nil })
}

// farther reports whether more holds below must be read to work out a request.
func farther(req store.Request, places []*place) bool {
	for i, at := range places {
		if at.path != nil && at.path.narrow(req.Swaps[i].Session()) {
			return true
		}
	}
	return false
}

// endDead settles names above and below places whose holds have died, and reports
// whether it did: else they are in the way until somebody does.
func (s *Store) endDead(ctx context.Context, places []*place, now time.Time) (done bool, err error) {
	var dead []kv.Row
	for _, at := range places {
		if at.path != nil {
			dead = at.path.ended(dead, now)
		}
	}
	dead = slices.DeleteFunc(dead, func(r kv.Row) bool { // those are settled by the step
		return slices.ContainsFunc(places, func(at *place) bool { return at.name == heldName(r.Key) })
	})
	if len(dead) == 0 {
		return false, nil
	}
	guarded, err := s.end(ctx, dead, now)
	return !guarded, err
}

// ended adds the rows of holds on the path that have died.
func (p *path) ended(to []kv.Row, now time.Time) []kv.Row {
	for _, at := range p.above {
		if at.rec != nil && !at.rec.Live(now) {
			to = append(to, *at.hold)
		}
		for i, rec := range at.shared {
			if !rec.Live(now) {
				to = append(to, at.rows[i])
			}
		}
	}
	return append(to, p.dead...)
}

// blocked are names with waiters that may not have them, as names above or below
// are in the way. Whenever the log grows, somebody looks again.
type blocked struct {
	mu      sync.Mutex
	names   map[string]uint64 // the turn in which each came last
	turn    uint64
	bell    chan struct{}
	looking bool
}

const (
	// maxBlocked bounds how many names are looked at; others wait for the sweep.
	maxBlocked = 1 << 12
	// lookPause is how long it takes until the next look, for each of some names.
	lookPause = 5 * time.Millisecond
)

func (b *blocked) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake()
}

// wake makes the watching goroutine look again; false: nobody looks. The lock is held.
func (b *blocked) wake() bool {
	if b.looking {
		select {
		case b.bell <- struct{}{}:
		default:
		}
	}
	return b.looking
}

// all are the names, each with its turn; none: it is time to stop.
func (b *blocked) all() map[string]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.looking = len(b.names) > 0
	return maps.Clone(b.names)
}

// add takes in names, and reports whether somebody must begin to look.
func (b *blocked) add(names []string) (begin bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names == nil {
		b.names, b.bell = make(map[string]uint64), make(chan struct{}, 1)
	}
	b.turn++
	for _, name := range names {
		if _, known := b.names[name]; known || len(b.names) < maxBlocked {
			b.names[name] = b.turn
		}
	}
	begin = !b.wake()
	b.looking = true
	return begin
}

// remove forgets names, but for those that came again since they were seen.
func (b *blocked) remove(names []string, seen map[string]uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		if b.names[name] == seen[name] {
			delete(b.names, name)
		}
	}
}

// look sees to names that a step has left to those who wait, once that is possible:
// in this process while it hears news, else by the sweep.
func (s *Store) look(names []string) {
	s.mu.Lock()
	hears := s.stop != nil && !s.closed
	s.mu.Unlock()
	if hears {
		s.watch(names)
	}
}

func (s *Store) watch(names []string) {
	if len(names) > 0 && s.blocked.add(names) {
		go s.lookOn()
	}
}

func (s *Store) lookOn() {
	for {
		seen := s.blocked.all()
		if len(seen) == 0 {
			return
		}
		names := slices.Sorted(maps.Keys(seen))
		wait := lookPause * time.Duration(1+len(names)/50)
		for some := range slices.Chunk(names, dueAtOnce) {
			open, again, err := s.lookAt(s.commits.ctx, some)
			if err == nil {
				s.blocked.remove(open, seen)
			}
			if again > 0 {
				wait = max(wait, again)
				s.blocked.ring()
			}
		}
		pause := time.NewTimer(wait)
		select {
		case <-pause.C:
		case <-s.commits.ctx.Done():
			return
		}
		late := time.NewTimer(closedFor)
		select {
		case <-s.blocked.bell:
		case <-late.C:
		case <-s.commits.ctx.Done():
		}
		late.Stop()
	}
}

// lookAt settles names, and returns those for which nobody waits any more who would
// have room; or none, and how soon to look again, if others changed some meanwhile.
func (s *Store) lookAt(ctx context.Context, names []string) (open []string, again time.Duration, err error) {
	out, err := s.settle(ctx, names)
	if err != nil {
		return nil, 0, err
	}
	for _, txn := range slices.Concat(out.txns, out.alone) {
		answers, err := s.engine.Commit(ctx, []kv.Txn{txn})
		if err != nil {
			return nil, 0, fail(err)
		}
		switch {
		case answers[0].Guarded:
			again = guardedSweep
		case !answers[0].Done:
			again = max(again, lookPause)
		}
	}
	if again > 0 {
		return nil, again, nil
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(out.blocked, name) }), 0, nil
}
