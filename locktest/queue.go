package locktest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/editlock/editlock"
)

// crowd are n owners.
func crowd(n int) []editlock.Owner {
	all := make([]editlock.Owner, n)
	for i := range all {
		all[i] = editlock.Owner{Session: fmt.Sprintf("s-%d", i), UserID: fmt.Sprintf("u-%d", i), Name: fmt.Sprintf("Waiter %d", i)}
	}
	return all
}

// testQueue checks that the queue is fair.
func testQueue(t *testing.T, h Harness) {
	t.Run("8 waiters at two processes: first come, first served", func(t *testing.T) {
		s := h.Open(t)
		last := capture(as(t, ivanov), t, s.Locker, doc, nil)
		lockers := []editlock.Locker{s.Locker, s.other()}
		var queue []*waiter
		for i, o := range crowd(8) {
			queue = append(queue, s.waitAt(t, lockers[i%2], o, doc, nil))
		}
		for i, m := range standing(t, s.Locker, doc).Waiters {
			if m.Owner != queue[i].owner {
				t.Errorf("place %d is %s's, want %s", i, m.Owner.Name, queue[i].owner.Name)
			}
		}
		for i, w := range queue {
			release(as(t, last.Owner), t, lockers[(i+1)%2], doc)
			m := w.granted(t)
			if m.Token <= last.Token {
				t.Errorf("%s got token %d after %d", w.owner.Name, m.Token, last.Token)
			}
			for _, behind := range queue[i+1:] {
				behind.still(t)
			}
			last = m
		}
		release(as(t, last.Owner), t, s.Locker, doc)
		wantFree(t, s.Locker, doc)
	})
	t.Run("who leaves the middle is passed over", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		var queue []*waiter
		for _, o := range crowd(3) {
			queue = append(queue, s.wait(t, o, doc, nil))
		}
		queue[1].cancel()
		queue[1].end(t)
		s.awaitQueue(t, doc, 2)
		release(as(t, ivanov), t, s.Locker, doc)
		queue[0].granted(t)
		release(as(t, queue[0].owner), t, s.Locker, doc)
		queue[2].granted(t)
	})
	t.Run("a newcomer is refused, also after the holder's lease", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)})
		w := s.wait(t, petrova, doc, nil)
		s.lapse(t, held)
		var busy *editlock.BusyError
		if _, err := s.Locker.Capture(as(t, smith), doc, nil); !errors.As(err, &busy) {
			t.Fatalf("the newcomer: %v, want *BusyError", err)
		}
		if busy.Holder.Owner != petrova {
			t.Errorf("the newcomer is told that %s holds, want %s", busy.Holder.Owner.Login, petrova.Login)
		}
		w.granted(t)
	})
	t.Run("the former holder stands behind who waits", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		first := s.wait(t, petrova, doc, nil)
		release(as(t, ivanov), t, s.Locker, doc)
		first.granted(t)
		back := s.wait(t, ivanov, doc, nil)
		release(as(t, petrova), t, s.Locker, doc)
		back.granted(t)
	})
	t.Run("barging newcomers never get past a queue", func(t *testing.T) {
		s := h.Open(t)
		for range rounds(10, 100) {
			bargeRound(t, s)
		}
	})
	t.Run("the holder's refresh is no barging", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, nil)
		s.pass(nap)
		wantRefreshed(t, s, held, capture(as(t, ivanov), t, s.Locker, doc, nil))
		w.still(t)
	})
	t.Run("shows the first 20 and counts all", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		people := crowd(23)
		for _, o := range people {
			s.wait(t, o, doc, nil)
		}
		m := standing(t, s.Locker, doc)
		if m.Waiting != len(people) || len(m.Waiters) != 20 {
			t.Fatalf("%d counted, %d shown; want %d and 20", m.Waiting, len(m.Waiters), len(people))
		}
		for i, w := range m.Waiters {
			if w.Owner != people[i] {
				t.Errorf("place %d is %s's, want %s", i, w.Owner.Name, people[i].Name)
			}
		}
	})
	t.Run("queues of different mutexes are apart", func(t *testing.T) {
		s := h.Open(t)
		next := editlock.ID{Group: doc.Group, Mode: doc.Mode, ID: doc.ID + "0"}
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		capture(as(t, ivanov), t, s.Locker, next, nil)
		here, there := s.wait(t, petrova, doc, nil), s.wait(t, smith, next, nil)
		release(as(t, ivanov), t, s.Locker, next)
		there.granted(t)
		here.still(t)
	})
	t.Run("several captured at once don't get past a queue", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)})
		w := s.wait(t, petrova, doc, nil)
		s.lapse(t, held)
		free := editlock.ID{ID: "free"}
		if _, err := s.Locker.CaptureAll(as(t, smith), []editlock.ID{free, doc}, nil); !errors.Is(err, editlock.ErrBusy) {
			t.Errorf("CaptureAll: %v, want busy", err)
		}
		wantFree(t, s.Locker, free)
		w.granted(t)
	})
}

// bargeRound lets newcomers hammer a mutex while it passes through a queue.
func bargeRound(t *testing.T, s System) {
	t.Helper()
	capture(as(t, ivanov), t, s.Locker, doc, nil)
	queue := []*waiter{s.wait(t, petrova, doc, nil), s.waitAt(t, s.other(), smith, doc, nil)}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, o := range crowd(4) {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.Locker.Capture(as(t, o), doc, nil); !errors.Is(err, editlock.ErrBusy) {
					t.Errorf("a newcomer got past the queue: error %v", err)
					return
				}
			}
		})
	}
	release(as(t, ivanov), t, s.Locker, doc)
	queue[0].granted(t)
	release(as(t, petrova), t, s.Locker, doc)
	queue[1].granted(t)
	close(stop)
	wg.Wait()
	release(as(t, smith), t, s.Locker, doc)
}
