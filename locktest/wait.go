package locktest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// waiter is somebody who waits for a mutex.
type waiter struct {
	owner  editlock.Owner
	cancel context.CancelFunc
	done   chan struct{}
	mutex  editlock.Mutex
	err    error
}

// wait queues somebody for a held mutex and returns once they stand there.
// Nil options are a wait of an hour.
func (s System) wait(t *testing.T, by editlock.Owner, id editlock.ID, o *editlock.CaptureOptions) *waiter {
	t.Helper()
	return s.waitAt(t, s.Locker, by, id, o)
}

func (s System) waitAt(t *testing.T, l editlock.Locker, by editlock.Owner, id editlock.ID, o *editlock.CaptureOptions) *waiter {
	t.Helper()
	opts := editlock.CaptureOptions{}
	if o != nil {
		opts = *o
	}
	if opts.Wait == 0 {
		opts.Wait = editlock.MaxWait
	}
	before := standing(t, s.Locker, id).Waiting
	ctx, cancel := context.WithCancel(as(t, by))
	w := &waiter{owner: by, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		w.mutex, w.err = l.Capture(ctx, id, &opts)
	}()
	t.Cleanup(func() {
		cancel()
		<-w.done
	})
	eventually(t, by.Label()+" to stand in the queue", func() bool {
		select {
		case <-w.done:
			t.Fatalf("the wait of %s ended at once: %+v, %v", by.Label(), w.mutex, w.err)
		default:
		}
		return standing(t, s.Locker, id).Waiting > before
	})
	return w
}

// end waits for the end of a wait.
func (w *waiter) end(t *testing.T) {
	t.Helper()
	select {
	case <-w.done:
	case <-time.After(patience):
		t.Fatalf("%s still waits after %v", w.owner.Label(), patience)
	}
}

// granted is the mutex that a wait ended with.
func (w *waiter) granted(t *testing.T) editlock.Mutex {
	t.Helper()
	w.end(t)
	if w.err != nil {
		t.Fatalf("the wait of %s ended with %v", w.owner.Label(), w.err)
	}
	if w.mutex.Owner != w.owner {
		t.Fatalf("%s got the mutex of %+v", w.owner.Label(), w.mutex.Owner)
	}
	return w.mutex
}

// refused is the error that a wait ended with.
func (w *waiter) refused(t *testing.T) error {
	t.Helper()
	w.end(t)
	if w.err == nil {
		t.Fatalf("%s was granted %+v, want a refusal", w.owner.Label(), w.mutex)
	}
	return w.err
}

// still checks that a wait goes on.
func (w *waiter) still(t *testing.T) {
	t.Helper()
	select {
	case <-w.done:
		t.Fatalf("the wait of %s ended: %+v, %v", w.owner.Label(), w.mutex, w.err)
	default:
	}
}

// awaitQueue waits until so many stand in the queue of a held mutex.
func (s System) awaitQueue(t *testing.T, id editlock.ID, n int) {
	t.Helper()
	within(t, prompt, "the queue to change", func() bool { return standing(t, s.Locker, id).Waiting == n })
}

// awaitHolder waits until somebody holds a mutex.
func (s System) awaitHolder(t *testing.T, id editlock.ID, who editlock.Owner) {
	t.Helper()
	eventually(t, who.Label()+" to hold", func() bool { return standing(t, s.Locker, id).Owner == who })
}

// confirmed is a mutex just granted, once it lasts as long as its waiter asked
// for: a grant is short until they have taken it up.
func (s System) confirmed(t *testing.T, id editlock.ID) (m editlock.Mutex) {
	t.Helper()
	eventually(t, "the grant to last as long as asked for", func() bool {
		m = standing(t, s.Locker, id)
		return m.ExpiresAt.Equal(m.RefreshedAt.Add(m.AutoRelease.Idle))
	})
	return m
}

// testWait checks one wait, and how it ends.
func testWait(t *testing.T, h Harness) {
	t.Run("for a free mutex is none", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{Wait: editlock.MaxWait})
		wantNew(t, m, doc, ivanov)
	})
	t.Run("for one's own mutex is a refresh", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, ivanov), t, s.Locker, doc, nil)
		s.pass(10 * time.Second)
		wantRefreshed(t, s, before, capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{Wait: editlock.MaxWait}))
	})
	t.Run("ends with the release, in the same step", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, nil)
		release(as(t, ivanov), t, s.Locker, doc)
		if m := standing(t, s.Locker, doc); m.Owner != petrova || m.Waiting != 0 {
			t.Errorf("after the release it stands as %+v, want it %s's", m, petrova.Login)
		}
		m := w.granted(t)
		if m.Token <= before.Token {
			t.Errorf("granted with token %d after %d", m.Token, before.Token)
		}
	})
	t.Run("is granted as it was asked for", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{StatusData: "theirs"})
		auto := editlock.AutoRelease{Idle: time.Minute, MaxHold: time.Hour}
		w := s.wait(t, petrova, doc, &editlock.CaptureOptions{StatusData: "hers", AutoRelease: auto, GrantAfter: time.Minute})
		release(as(t, ivanov), t, s.Locker, doc)
		m := w.granted(t)
		if m.StatusData != "hers" || m.AutoRelease != auto || m.GrantAfter != time.Minute {
			t.Errorf("granted %+v", m)
		}
		if now := s.confirmed(t, doc); now.Token != m.Token || now.AutoRelease != auto {
			t.Errorf("then stands %+v", now)
		}
	})
	t.Run("ends when the holder's lease does", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)})
		s.wait(t, petrova, doc, nil).granted(t)
	})
	t.Run("past its time: busy, with the holder, and out of the queue", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, &editlock.CaptureOptions{Wait: time.Second})
		if e := wantBusy(t, w.refused(t), held); e.Declined != nil {
			t.Errorf("told that it was declined: %+v", e.Declined)
		}
		s.awaitQueue(t, doc, 0)
		wantStanding(t, s.Locker, held)
	})
	t.Run("cancelled: leaves at once, and nothing is granted to them", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, nil)
		w.cancel()
		if err := w.refused(t); !errors.Is(err, context.Canceled) {
			t.Errorf("the wait ended with %v, want %v", err, context.Canceled)
		}
		s.awaitQueue(t, doc, 0)
		release(as(t, ivanov), t, s.Locker, doc)
		wantFree(t, s.Locker, doc)
	})
	t.Run("ends with the caller's own deadline", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		ctx, cancel := context.WithTimeout(as(t, petrova), 50*time.Millisecond)
		defer cancel()
		if _, err := s.Locker.Capture(ctx, doc, &editlock.CaptureOptions{Wait: editlock.MaxWait}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the wait ended with %v, want %v", err, context.DeadlineExceeded)
		}
		s.awaitQueue(t, doc, 0)
	})
	t.Run("with IfFree waits for one's own other tab", func(t *testing.T) {
		s := h.Open(t)
		first := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{StatusData: tab1})
		w := s.wait(t, ivanov, doc, &editlock.CaptureOptions{StatusData: tab2, If: editlock.IfFree()})
		release(as(t, ivanov), t, s.Locker, doc)
		if m := w.granted(t); m.Token <= first.Token || m.StatusData != tab2 {
			t.Errorf("granted token %d for %q after %d", m.Token, m.StatusData, first.Token)
		}
	})
	t.Run("with IfFree past its time: busy, and told that the caller holds it", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, ivanov, doc, &editlock.CaptureOptions{Wait: time.Second, If: editlock.IfFree()})
		if e := wantBusy(t, w.refused(t), held); !e.Self {
			t.Error("Self is false")
		}
	})
	t.Run("is seen by the holder", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		s.wait(t, petrova, doc, &editlock.CaptureOptions{Message: "Когда закончите?"})
		_, m, err := s.Locker.Request(as(t, ivanov), doc)
		if err != nil || m.Waiting != 1 || len(m.Waiters) != 1 {
			t.Fatalf("Request tells of %d waiters (%+v), %v; want 1", m.Waiting, m.Waiters, err)
		}
		got := m.Waiters[0]
		if got.Owner != petrova || got.Message != "Когда закончите?" || got.ID == "" || got.Since.Before(held.CapturedAt) {
			t.Errorf("the waiter is %+v", got)
		}
		if !got.GrantAt.IsZero() {
			t.Errorf("granted at %v though the holder promised nothing", got.GrantAt)
		}
		refreshed, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: held.Token})
		if err != nil || refreshed.Waiting != 1 {
			t.Errorf("a refresh tells of %d waiters, %v; want 1", refreshed.Waiting, err)
		}
	})
	t.Run("a repeated one has one place and gets the same grant", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		o := &editlock.CaptureOptions{RequestID: "r1", Wait: editlock.MaxWait}
		first := s.wait(t, petrova, doc, o)
		behind := s.wait(t, smith, doc, nil)
		// The first try is given up when the retry is under way, so that the
		// two overlap as they do when a connection is cut.
		again := make(chan error, 1)
		var got editlock.Mutex
		go func() {
			var err error
			got, err = s.other().Capture(as(t, petrova), doc, o)
			again <- err
		}()
		release(as(t, ivanov), t, s.Locker, doc)
		if err := <-again; err != nil {
			t.Fatalf("the retry: %v", err)
		}
		if m := first.granted(t); m.Token != got.Token {
			t.Errorf("the retry got token %d, the first try %d", got.Token, m.Token)
		}
		behind.still(t)
		release(as(t, petrova), t, s.Locker, doc)
		behind.granted(t)
		release(as(t, smith), t, s.Locker, doc)
		wantFree(t, s.Locker, doc)
	})
}
