package store

import "sync"

// Signal tells a Process that its Waiter left the queue (granted, declined or
// cancelled). Where an engine can't tell whose waiter it was, Process is empty, and
// every subscription receives the signal.
type Signal struct {
	Process string
	Waiter  string
	// Granted is the record right after the grant, where the engine sends it. It
	// saves a Get. Zero: not sent.
	Granted View
}

// Subscription receives the signals for one process. Signals about waiters are
// collected without a bound, and those about the log are merged into one, so a slow
// reader blocks nobody.
type Subscription struct {
	// C holds a value while there may be something to Drain.
	C <-chan struct{}

	c       chan struct{}
	hub     *Hub
	process string
	mu      sync.Mutex
	news    []Signal
	log     bool
}

// Drain returns what arrived since the last call: signals of waiters that left
// their queues, and whether the log grew.
func (s *Subscription) Drain() (news []Signal, log bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	news, log = s.news, s.log
	s.news, s.log = nil, false
	return news, log
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.subs, s)
}

func (s *Subscription) put(news Signal, log bool) {
	s.mu.Lock()
	if log {
		s.log = true
	} else {
		s.news = append(s.news, news)
	}
	s.mu.Unlock()
	select {
	case s.c <- struct{}{}:
	default:
	}
}

// Hub passes signals to the subscriptions of one process. A store has one, and
// publishes what its engine reports. The zero Hub is ready, and its methods are safe
// for concurrent use.
type Hub struct {
	mu   sync.RWMutex
	subs map[*Subscription]struct{}
}

// Subscribe subscribes a process.
func (h *Hub) Subscribe(process string) *Subscription {
	c := make(chan struct{}, 1)
	s := &Subscription{C: c, c: c, hub: h, process: process}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.subs == nil {
		h.subs = make(map[*Subscription]struct{})
	}
	h.subs[s] = struct{}{}
	return s
}

// Has reports whether a subscription exists for a process.
func (h *Hub) Has(process string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for s := range h.subs {
		if s.process == process {
			return true
		}
	}
	return false
}

// Listening reports whether any subscription exists.
func (h *Hub) Listening() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.subs) > 0
}

// Publish delivers each signal to the subscriptions of its process, and to all
// subscriptions that the log grew, if it did.
func (h *Hub) Publish(news []Signal, log bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for s := range h.subs {
		for _, n := range news {
			if n.Process == s.process || n.Process == "" {
				s.put(n, false)
			}
		}
		if log {
			s.put(Signal{}, true)
		}
	}
}
