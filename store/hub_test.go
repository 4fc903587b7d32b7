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

func drain(s *store.Subscription) (tickets []string, log bool) {
	news, log := s.Drain()
	for _, n := range news {
		tickets = append(tickets, n.Ticket)
	}
	return tickets, log
}

func TestHub(t *testing.T) {
	t.Run("delivers a signal to its peer only", func(t *testing.T) {
		var hub store.Hub
		mine, twin, other := hub.Listen("me"), hub.Listen("me"), hub.Listen("other")
		hub.Publish([]store.Signal{{Peer: "me", Ticket: "t1"}, {Peer: "nobody", Ticket: "t2"}}, false)
		for _, s := range []*store.Subscription{mine, twin} {
			if tickets, log := drain(s); !rung(s) || !slices.Equal(tickets, []string{"t1"}) || log {
				t.Errorf("heard of %q, log %v", tickets, log)
			}
		}
		if tickets, log := drain(other); rung(other) || len(tickets) > 0 || log {
			t.Errorf("another peer heard of %q, log %v", tickets, log)
		}
	})
	t.Run("delivers a signal without a peer to everybody", func(t *testing.T) {
		var hub store.Hub
		one, other := hub.Listen("one"), hub.Listen("other")
		hub.Publish([]store.Signal{{Ticket: "t1"}}, false)
		for _, s := range []*store.Subscription{one, other} {
			if tickets, log := drain(s); !slices.Equal(tickets, []string{"t1"}) || log {
				t.Errorf("heard of %q, log %v", tickets, log)
			}
		}
	})
	t.Run("tells everybody once that the log grew", func(t *testing.T) {
		var hub store.Hub
		s := hub.Listen("me")
		for range 3 {
			hub.Publish(nil, true)
		}
		if tickets, log := drain(s); !rung(s) || len(tickets) > 0 || !log {
			t.Errorf("heard of %q, log %v", tickets, log)
		}
		if tickets, log := drain(s); rung(s) || len(tickets) > 0 || log {
			t.Errorf("heard again of %q, log %v", tickets, log)
		}
	})
	t.Run("keeps every ticket for a slow reader, in order", func(t *testing.T) {
		var hub store.Hub
		s := hub.Listen("me")
		var want []string
		for i := range 1000 {
			id := string(rune('a' + i%26))
			want = append(want, id)
			hub.Publish([]store.Signal{{Peer: "me", Ticket: id}}, i%7 == 0)
		}
		if tickets, log := drain(s); !slices.Equal(tickets, want) || !log {
			t.Errorf("heard of %d tickets, log %v", len(tickets), log)
		}
	})
	t.Run("delivers nothing after Close, and counts who listens", func(t *testing.T) {
		var hub store.Hub
		if hub.Listening() {
			t.Error("somebody listens to a new hub")
		}
		s := hub.Listen("me")
		if !hub.Listening() {
			t.Error("nobody listens")
		}
		s.Close()
		s.Close()
		hub.Publish([]store.Signal{{Peer: "me", Ticket: "t1"}}, true)
		if tickets, log := drain(s); hub.Listening() || rung(s) || len(tickets) > 0 || log {
			t.Errorf("heard of %q, log %v", tickets, log)
		}
	})
	t.Run("loses nothing while readers and writers run", func(t *testing.T) {
		var hub store.Hub
		s := hub.Listen("me")
		const writers, each = 4, 500
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each {
					hub.Publish([]store.Signal{{Peer: "me", Ticket: "t"}}, true)
					other := hub.Listen("me")
					other.Close()
				}
			})
		}
		for heard := 0; heard < writers*each; {
			<-s.C
			tickets, _ := drain(s)
			heard += len(tickets)
		}
		wg.Wait()
	})
}
