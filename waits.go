package editlock

import (
	"context"
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
)

// waits are the waits of this process: one lease in the store for all, and a
// bell for each.
type waits struct {
	store store.Store
	peer  string
	ctx   context.Context // ends with the Manager
	done  sync.WaitGroup

	mu sync.Mutex
	// confirms are the confirmations under way, by name.
	confirms map[string]chan struct{}
	bells    map[string][]chan store.View // by ticket; a retry may share one
	beatBy   time.Time                    // when the lease ends unless beaten again
	beats    bool                         // a beater runs
	closing  bool
}

func (w *waits) init(ctx context.Context, st store.Store) {
	w.store, w.ctx, w.peer = st, ctx, newRequestID()
	w.confirms = make(map[string]chan struct{})
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
