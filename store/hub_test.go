package store_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/editlock/editlock/store"
)

// rung reports whether a subscription has something to drain.
func rung(s *store.Subscription) bool {
	select {
	case <-s.C:
		return true
	default:
		return false
	}
}

func drain(s *store.Subscription) (waiters []string, log bool) {
	news, log := s.Drain()
	for _, n := range news {
		waiters = append(waiters, n.Waiter)
	}
	return waiters, log
}

func TestHub(t *testing.T) {
	t.Run("delivers a signal to its peer only", func(t *testing.T) {
		var hub store.Hub
		mine, twin, other := hub.Subscribe("me"), hub.Subscribe("me"), hub.Subscribe("other")
		hub.Publish([]store.Signal{{Process: "me", Waiter: "t1"}, {Process: "nobody", Waiter: "t2"}}, false)
		for _, s := range []*store.Subscription{mine, twin} {
			if waiters, log := drain(s); !rung(s) || !slices.Equal(waiters, []string{"t1"}) || log {
				t.Errorf("heard of %q, log %v", waiters, log)
			}
		}
		if waiters, log := drain(other); rung(other) || len(waiters) > 0 || log {
			t.Errorf("another peer heard of %q, log %v", waiters, log)
		}
	})
	t.Run("delivers a signal without a peer to everybody", func(t *testing.T) {
		var hub store.Hub
		one, other := hub.Subscribe("one"), hub.Subscribe("other")
		hub.Publish([]store.Signal{{Waiter: "t1"}}, false)
		for _, s := range []*store.Subscription{one, other} {
			if waiters, log := drain(s); !slices.Equal(waiters, []string{"t1"}) || log {
				t.Errorf("heard of %q, log %v", waiters, log)
			}
		}
	})
	t.Run("tells everybody once that the log grew", func(t *testing.T) {
		var hub store.Hub
		s := hub.Subscribe("me")
		for range 3 {
			hub.Publish(nil, true)
		}
		if waiters, log := drain(s); !rung(s) || len(waiters) > 0 || !log {
			t.Errorf("heard of %q, log %v", waiters, log)
		}
		if waiters, log := drain(s); rung(s) || len(waiters) > 0 || log {
			t.Errorf("heard again of %q, log %v", waiters, log)
		}
	})
	t.Run("keeps every ticket for a slow reader, in order", func(t *testing.T) {
		var hub store.Hub
		s := hub.Subscribe("me")
		var want []string
		for i := range 1000 {
			id := string(rune('a' + i%26))
			want = append(want, id)
			hub.Publish([]store.Signal{{Process: "me", Waiter: id}}, i%7 == 0)
		}
		if waiters, log := drain(s); !slices.Equal(waiters, want) || !log {
			t.Errorf("heard of %d tickets, log %v", len(waiters), log)
		}
	})
	t.Run("delivers nothing after Close, and counts who listens", func(t *testing.T) {
		var hub store.Hub
		if hub.Listening() {
			t.Error("somebody listens to a new hub")
		}
		s := hub.Subscribe("me")
		if !hub.Listening() {
			t.Error("nobody listens")
		}
		s.Close()
		s.Close()
		hub.Publish([]store.Signal{{Process: "me", Waiter: "t1"}}, true)
		if waiters, log := drain(s); hub.Listening() || rung(s) || len(waiters) > 0 || log {
			t.Errorf("heard of %q, log %v", waiters, log)
		}
	})
	t.Run("loses nothing while readers and writers run", func(t *testing.T) {
		var hub store.Hub
		s := hub.Subscribe("me")
		const writers, each = 4, 500
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each {
					hub.Publish([]store.Signal{{Process: "me", Waiter: "t"}}, true)
					other := hub.Subscribe("me")
					other.Close()
				}
			})
		}
		for heard := 0; heard < writers*each; {
			<-s.C
			waiters, _ := drain(s)
			heard += len(waiters)
		}
		wg.Wait()
	})
}
