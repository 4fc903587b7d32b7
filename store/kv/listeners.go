package kv

import "sync"

// Listeners are the listeners of an engine: see Engine.Listen. The zero value is
// ready, and all methods are safe for concurrent use.
type Listeners struct {
	mu  sync.Mutex
	all map[*func(News)]struct{}
}

// Add makes f a listener until stop is called. When stop returns, no call of f is
// running, and none follows. So f must not call stop.
func (l *Listeners) Add(f func(News)) (stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = make(map[*func(News)]struct{})
	}
	l.all[&f] = struct{}{}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.all, &f)
	}
}

// Any reports whether there is a listener.
func (l *Listeners) Any() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all) > 0
}

// Tell calls each listener with n, one call at a time, unless n is empty.
func (l *Listeners) Tell(n News) {
	if !n.Logged && len(n.Messages)+len(n.Casts) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.all {
		(*f)(n)
	}
}
