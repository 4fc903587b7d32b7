package patience

import (
	"container/list"
	"sync"
	"time"
)

// Recent remembers keys for Grace each. Beyond Most keys it forgets the oldest.
// All methods are safe for concurrent use.
type Recent[K comparable] struct {
	Most int

	mu    sync.Mutex
	order list.List // of recent[K], in the order of their ends
	keys  map[K]*list.Element
}

type recent[K comparable] struct {
	key   K
	until time.Time
}

// Add remembers a key from now on. One that is remembered already is as new.
func (r *Recent[K]) Add(key K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.forget(key)
	for first := r.order.Front(); first != nil && (len(r.keys) >= r.Most || !live[K](first, now)); first = r.order.Front() {
		r.forget(first.Value.(recent[K]).key)
	}
	if r.keys == nil {
		r.keys = make(map[K]*list.Element)
	}
	r.keys[key] = r.order.PushBack(recent[K]{key, now.Add(Grace)})
}

// Has reports whether a key is remembered.
func (r *Recent[K]) Has(key K) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return live[K](r.keys[key], time.Now())
}

// Take forgets a key, and reports whether it was remembered.
func (r *Recent[K]) Take(key K) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.forget(key)
	return live[K](r.keys[key], time.Now())
}

func (r *Recent[K]) forget(key K) {
	if at := r.keys[key]; at != nil {
		r.order.Remove(at)
		delete(r.keys, key)
	}
}

func live[K comparable](at *list.Element, now time.Time) bool {
	return at != nil && now.Before(at.Value.(recent[K]).until)
}
