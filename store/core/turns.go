package core

import (
	"context"
	"sync"
	"time"

	"github.com/editlock/editlock/store"
)

// turns let the steps of this process that begin or end a hold which others may share
// take turns, by name. All of them write the gate of the name: of two that are under way
// at once, one fails and is worked out again.
type turns struct {
	mu    sync.Mutex
	names map[string]*turn
}

type turn struct {
	free  chan struct{} // has room for the one whose turn it is
	calls int           // that have the turn or wait for it
}

// turnWithin bounds the wait for a turn. The step before may wait for a guard; without
// a turn a step is right, too.
const turnWithin = 100 * time.Millisecond

// take waits for the turn of a name. The caller calls end after the step.
func (t *turns) take(ctx context.Context, name string) (end func()) {
	t.mu.Lock()
	one := t.names[name]
	if one == nil {
		if t.names == nil {
			t.names = make(map[string]*turn)
		}
		one = &turn{free: make(chan struct{}, 1)}
		t.names[name] = one
	}
	one.calls++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if one.calls--; one.calls == 0 {
			delete(t.names, name)
		}
	}
	late := time.NewTimer(turnWithin)
	defer late.Stop()
	select {
	case one.free <- struct{}{}:
		return func() {
			<-one.free
			leave()
		}
	case <-late.C:
	case <-ctx.Done():
	}
	return leave
}

// takesTurns reports whether a request is a step that takes turns: on one name that
// others may share, where calls of this process share commits. Others are quick.
func (s *Store) takesTurns(req store.Txn, l []lookup) bool {
	return s.commits.queue != nil && len(l) == 1 && l[0].wide && (req.Ops[0].Do == store.Acquire || req.Ops[0].Do == store.Release)
}
