package locktest

import (
	"errors"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// testAsk checks how a holder answers those who wait.
func testAsk(t *testing.T, h Harness) {
	t.Run("HandOver", func(t *testing.T) { askHandOver(t, h) })
	t.Run("Decline", func(t *testing.T) { askDecline(t, h) })
	t.Run("GrantAfter", func(t *testing.T) { askGrantAfter(t, h) })
}

func askHandOver(t *testing.T, h Harness) {
	t.Run("passes to the first who waits; the holder's lock is lost", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		first, second := s.wait(t, petrova, doc, nil), s.wait(t, smith, doc, nil)
		passed, err := s.Locker.HandOver(as(t, ivanov), doc)
		if !passed || err != nil {
			t.Fatalf("HandOver = %v, %v; want true", passed, err)
		}
		m := first.granted(t)
		if m.Token <= held.Token {
			t.Errorf("granted token %d after %d", m.Token, held.Token)
		}
		second.still(t)
		now := s.confirmed(t, doc)
		_, err = refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: held.Token})
		if e := wantLost(t, err, &now); e.How != editlock.KindHandedOver || e.By != ivanov {
			t.Errorf("lost by %q of %s, want %q of the holder", e.How, e.By.Login, editlock.KindHandedOver)
		}
	})
	t.Run("nobody waits: false, and the holder keeps it", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		if passed, err := s.Locker.HandOver(as(t, ivanov), doc); passed || err != nil {
			t.Errorf("HandOver = %v, %v; want false, no error", passed, err)
		}
		wantStanding(t, s.Locker, held)
	})
	t.Run("not by another", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, nil)
		for _, o := range []editlock.Owner{petrova, smith, ivanovAgain} {
			passed, err := s.Locker.HandOver(as(t, o), doc)
			if passed || !errors.Is(err, editlock.ErrBusy) && !errors.Is(err, editlock.ErrLost) {
				t.Errorf("HandOver by %s = %v, %v; want a refusal", o.Session, passed, err)
			}
		}
		w.still(t)
		wantStanding(t, s.Locker, held)
	})
	t.Run("not of a free mutex", func(t *testing.T) {
		s := h.Open(t)
		if passed, _ := s.Locker.HandOver(as(t, ivanov), doc); passed {
			t.Error("HandOver of a free mutex passed it")
		}
		wantFree(t, s.Locker, doc)
	})
}

func askDecline(t *testing.T, h Harness) {
	t.Run("ends the wait with the answer; the others wait on", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		first := s.wait(t, petrova, doc, &editlock.CaptureOptions{Message: "please"})
		second := s.wait(t, smith, doc, nil)
		asked := standing(t, s.Locker, doc).Waiters[0]
		declined, err := s.Locker.Decline(as(t, ivanov), doc, asked.ID, "ещё час")
		if !declined || err != nil {
			t.Fatalf("Decline = %v, %v; want true", declined, err)
		}
		e := wantBusy(t, first.refused(t), held)
		if e.Declined == nil || e.Declined.By != ivanov || e.Declined.Message != "ещё час" || e.Declined.At.Before(asked.Since) {
			t.Errorf("the answer is %+v", e.Declined)
		}
		second.still(t)
		if m := standing(t, s.Locker, doc); m.Waiting != 1 || m.Waiters[0].Owner != smith {
			t.Errorf("the queue is %+v", m.Waiters)
		}
	})
	t.Run("without a message", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, nil)
		if declined, err := s.Locker.Decline(as(t, ivanov), doc, standing(t, s.Locker, doc).Waiters[0].ID, ""); !declined || err != nil {
			t.Fatalf("Decline = %v, %v; want true", declined, err)
		}
		if e := wantBusy(t, w.refused(t), held); e.Declined == nil || e.Declined.By != ivanov {
			t.Errorf("the answer is %+v", e.Declined)
		}
	})
	t.Run("who waits no more: false", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, nil)
		id := standing(t, s.Locker, doc).Waiters[0].ID
		w.cancel()
		w.end(t)
		s.awaitQueue(t, doc, 0)
		for _, waiter := range []string{id, "nobody"} {
			if declined, err := s.Locker.Decline(as(t, ivanov), doc, waiter, "no"); declined || err != nil {
				t.Errorf("Decline(%q) = %v, %v; want false, no error", waiter, declined, err)
			}
		}
	})
	t.Run("not by another", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, nil)
		id := standing(t, s.Locker, doc).Waiters[0].ID
		for _, o := range []editlock.Owner{smith, ivanovAgain} {
			declined, err := s.Locker.Decline(as(t, o), doc, id, "no")
			if declined || !errors.Is(err, editlock.ErrBusy) && !errors.Is(err, editlock.ErrLost) {
				t.Errorf("Decline by %s = %v, %v; want a refusal", o.Session, declined, err)
			}
		}
		w.still(t)
		s.awaitQueue(t, doc, 1)
	})
	t.Run("who was declined may ask again", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, nil)
		if declined, err := s.Locker.Decline(as(t, ivanov), doc, standing(t, s.Locker, doc).Waiters[0].ID, "later"); !declined || err != nil {
			t.Fatalf("Decline = %v, %v", declined, err)
		}
		w.end(t)
		again := s.wait(t, petrova, doc, nil)
		release(as(t, ivanov), t, s.Locker, doc)
		again.granted(t)
	})
}

func askGrantAfter(t *testing.T, h Harness) {
	promise := &editlock.CaptureOptions{GrantAfter: time.Second}

	t.Run("who asked gets it if the holder does not answer", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, promise)
		w := s.wait(t, petrova, doc, &editlock.CaptureOptions{Message: "please"})
		m := w.granted(t)
		if in := m.CapturedAt.Sub(held.CapturedAt); in < time.Second {
			t.Errorf("granted after %v, want %v at least", in, promise.GrantAfter)
		}
		now := s.confirmed(t, doc)
		_, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: held.Token})
		if e := wantLost(t, err, &now); e.How != editlock.KindHandedOver || e.Reason == "" {
			t.Errorf("lost by %q because %q, want %q and why", e.How, e.Reason, editlock.KindHandedOver)
		}
	})
	t.Run("a refresh is no answer", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, promise)
		w := s.wait(t, petrova, doc, &editlock.CaptureOptions{Message: "please"})
		eventually(t, "the lock to pass", func() bool {
			_, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: held.Token})
			return errors.Is(err, editlock.ErrLost)
		})
		w.granted(t)
	})
	t.Run("who asks is told when", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{GrantAfter: time.Hour})
		s.wait(t, petrova, doc, &editlock.CaptureOptions{Message: "please"})
		s.wait(t, smith, doc, nil)
		got := standing(t, s.Locker, doc).Waiters
		if !got[0].GrantAt.Equal(got[0].Since.Add(time.Hour)) {
			t.Errorf("who asked since %v is granted at %v, want an hour later", got[0].Since, got[0].GrantAt)
		}
		if !got[1].GrantAt.IsZero() {
			t.Errorf("who did not ask is granted at %v", got[1].GrantAt)
		}
	})
	t.Run("who waits without a message waits on", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, promise)
		silent := s.wait(t, petrova, doc, nil)
		s.rest(nap)
		silent.still(t)
		if m := standing(t, s.Locker, doc); m.Token != held.Token {
			t.Errorf("it passed to %s", m.Owner.Login)
		}
	})
	t.Run("a declined waiter does not get it", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, promise)
		w := s.wait(t, petrova, doc, &editlock.CaptureOptions{Message: "please"})
		if declined, err := s.Locker.Decline(as(t, ivanov), doc, standing(t, s.Locker, doc).Waiters[0].ID, "no"); !declined || err != nil {
			t.Fatalf("Decline = %v, %v", declined, err)
		}
		s.pass(nap)
		w.refused(t)
		wantStanding(t, s.Locker, held)
	})
	for name, pass := range map[string]func(t *testing.T, s System, held editlock.Mutex){
		"a release": func(t *testing.T, s System, _ editlock.Mutex) { release(as(t, ivanov), t, s.Locker, doc) },
		"a takeover": func(t *testing.T, s System, held editlock.Mutex) {
			if _, err := s.Locker.Takeover(as(t, petrova), doc, held.Token, why, nil); err != nil {
				t.Fatalf("Takeover: %v", err)
			}
		},
	} {
		t.Run("a promise does not bind who holds after "+name, func(t *testing.T) {
			s := h.Open(t)
			held := capture(as(t, ivanov), t, s.Locker, doc, promise)
			if name == "a release" {
				s.wait(t, petrova, doc, nil)
			}
			w := s.wait(t, smith, doc, &editlock.CaptureOptions{Message: "please"})
			pass(t, s, held)
			s.awaitHolder(t, doc, petrova)
			s.rest(nap)
			w.still(t)
			s.awaitHolder(t, doc, petrova)
			if got := standing(t, s.Locker, doc).Waiters; len(got) != 1 || !got[0].GrantAt.IsZero() {
				t.Errorf("who waits is told %+v, want no promise", got)
			}
			release(as(t, petrova), t, s.Locker, doc)
			w.granted(t)
		})
	}
	t.Run("without a promise who asks waits for the release", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, &editlock.CaptureOptions{Message: "please"})
		s.pass(nap)
		w.still(t)
		wantStanding(t, s.Locker, held)
		release(as(t, ivanov), t, s.Locker, doc)
		w.granted(t)
	})
}
