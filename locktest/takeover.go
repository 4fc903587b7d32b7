package locktest

import (
	"errors"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

const why = "Сотрудник в отпуске"

// testTakeover checks the change from the holder seen to another.
func testTakeover(t *testing.T, h Harness) {
	opts := &editlock.CaptureOptions{StatusData: "theirs", AutoRelease: editlock.AutoRelease{Idle: time.Hour, MaxHold: 2 * time.Hour}, GrantAfter: time.Minute}

	t.Run("from the holder seen: a new token, and nothing of theirs", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, opts)
		s.pass(time.Minute)
		got, err := s.Locker.Takeover(as(t, petrova), doc, held.Token, why, nil)
		if err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		wantNew(t, got, doc, petrova)
		if got.Token <= held.Token {
			t.Errorf("token %d after %d", got.Token, held.Token)
		}
		if s.Advance != nil && !got.CapturedAt.After(held.CapturedAt) {
			t.Errorf("captured at %v, want later than %v", got.CapturedAt, held.CapturedAt)
		}
		wantStanding(t, s.Locker, got)
	})
	t.Run("with options", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		got, err := s.Locker.Takeover(as(t, petrova), doc, held.Token, why, opts)
		if err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		if got.StatusData != opts.StatusData || got.AutoRelease != opts.AutoRelease || got.GrantAfter != opts.GrantAfter {
			t.Errorf("got %+v, want the options %+v", got, opts)
		}
		wantStanding(t, s.Locker, got)
	})
	t.Run("the holder has changed meanwhile: busy, with the present one", func(t *testing.T) {
		s := h.Open(t)
		seen := capture(as(t, ivanov), t, s.Locker, doc, nil)
		release(as(t, ivanov), t, s.Locker, doc)
		now := capture(as(t, smith), t, s.Locker, doc, nil)
		for _, token := range []editlock.Token{seen.Token, now.Token + 1} {
			_, err := s.Locker.Takeover(as(t, petrova), doc, token, why, nil)
			if e := wantBusy(t, err, now); e.Self {
				t.Error("Self is true")
			}
		}
		wantStanding(t, s.Locker, now)
	})
	t.Run("the same holder has captured again: busy too", func(t *testing.T) {
		s := h.Open(t)
		seen := capture(as(t, ivanov), t, s.Locker, doc, nil)
		release(as(t, ivanov), t, s.Locker, doc)
		now := capture(as(t, ivanov), t, s.Locker, doc, nil)
		_, err := s.Locker.Takeover(as(t, petrova), doc, seen.Token, why, nil)
		wantBusy(t, err, now)
	})
	t.Run("the holder has refreshed meanwhile: taken over all the same", func(t *testing.T) {
		s := h.Open(t)
		seen := capture(as(t, ivanov), t, s.Locker, doc, nil)
		s.pass(time.Minute)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		if _, err := s.Locker.Takeover(as(t, petrova), doc, seen.Token, why, nil); err != nil {
			t.Errorf("Takeover: %v", err)
		}
	})
	t.Run("of a free mutex: nobody holds it, and it is not captured", func(t *testing.T) {
		s := h.Open(t)
		_, err := s.Locker.Takeover(as(t, petrova), doc, 1, why, nil)
		wantNotHeld(t, err)
		seen := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)})
		s.lapse(t, seen)
		_, err = s.Locker.Takeover(as(t, petrova), doc, seen.Token, why, nil)
		wantNotHeld(t, err)
		wantFree(t, s.Locker, doc)
	})
	for _, tt := range []struct {
		name string
		from editlock.Owner
	}{
		{"of one's own in another session", ivanovAgain},
		{"of one's own in another tab", ivanov},
	} {
		t.Run(tt.name+": a new token", func(t *testing.T) {
			s := h.Open(t)
			held := capture(as(t, tt.from), t, s.Locker, doc, &editlock.CaptureOptions{StatusData: tab1})
			got, err := s.Locker.Takeover(as(t, ivanov), doc, held.Token, why, &editlock.CaptureOptions{StatusData: tab2})
			if err != nil {
				t.Fatalf("Takeover: %v", err)
			}
			if got.Token <= held.Token || got.Owner != ivanov || got.StatusData != tab2 {
				t.Errorf("got %+v after %+v", got, held)
			}
			if err := editLock(s).Refresh(as(t, tt.from), doc.ID, doc.Mode, tab1); !errors.Is(err, editlock.ErrLost) {
				t.Errorf("the refresh of the first tab: %v", err)
			}
		})
	}
	t.Run("who waits goes on waiting", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, smith, doc, nil)
		if _, err := s.Locker.Takeover(as(t, petrova), doc, held.Token, why, nil); err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		w.still(t)
		release(as(t, petrova), t, s.Locker, doc)
		w.granted(t)
	})
	t.Run("once: of two who saw the same holder one wins", func(t *testing.T) {
		s := h.Open(t)
		for range rounds(20, 200) {
			held := capture(as(t, ivanov), t, s.Locker, doc, nil)
			won := takeoverRace(t, s, held)
			release(as(t, won.Owner), t, s.Locker, doc)
		}
	})

	takeoverLoser(t, h)
}

// takeoverRace lets two take over from the same holder at once.
func takeoverRace(t *testing.T, s System, held editlock.Mutex) (won editlock.Mutex) {
	t.Helper()
	type outcome struct {
		m   editlock.Mutex
		err error
	}
	out := make(chan outcome, 2)
	for i, by := range []editlock.Owner{petrova, smith} {
		l := []editlock.Locker{s.Locker, s.other()}[i]
		go func() {
			m, err := l.Takeover(as(t, by), doc, held.Token, why, nil)
			out <- outcome{m, err}
		}()
	}
	a, b := <-out, <-out
	if a.err != nil {
		a, b = b, a
	}
	if a.err != nil || b.err == nil {
		t.Fatalf("errors %v and %v, want one of the two", a.err, b.err)
	}
	wantBusy(t, b.err, a.m)
	return a.m
}

// takeoverLoser checks what the old holder is told, call by call.
func takeoverLoser(t *testing.T, h Harness) {
	acquired := func(t *testing.T) (s System, held, theirs editlock.Mutex) {
		s = h.Open(t)
		held = capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{StatusData: tab1})
		theirs, err := s.Locker.Takeover(as(t, petrova), doc, held.Token, why, nil)
		if err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		return s, held, theirs
	}
	t.Run("the loser's capture and release without a condition: busy", func(t *testing.T) {
		s, _, theirs := acquired(t)
		_, err := s.Locker.Capture(as(t, ivanov), doc, nil)
		wantBusy(t, err, theirs)
		_, err = s.Locker.Release(as(t, ivanov), doc, editlock.Condition{})
		wantBusy(t, err, theirs)
		wantStanding(t, s.Locker, theirs)
	})
	for _, tt := range []struct {
		name  string
		claim func(t *testing.T, s System, held editlock.Mutex) error
	}{
		{"capture by IfToken", func(t *testing.T, s System, held editlock.Mutex) error {
			_, err := s.Locker.Capture(as(t, ivanov), doc, &editlock.CaptureOptions{If: editlock.IfToken(held.Token)})
			return err
		}},
		{"capture by IfStatusData", func(t *testing.T, s System, _ editlock.Mutex) error {
			_, err := s.Locker.Capture(as(t, ivanov), doc, &editlock.CaptureOptions{If: editlock.IfStatusData(tab1)})
			return err
		}},
		{"refresh", func(t *testing.T, s System, held editlock.Mutex) error {
			_, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: held.Token})
			return err
		}},
		{"refresh by token alone", func(t *testing.T, s System, held editlock.Mutex) error {
			_, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: held.Token, ByToken: true})
			return err
		}},
	} {
		t.Run("the loser's "+tt.name+": lost, says by whom, when and why", func(t *testing.T) {
			s, held, theirs := acquired(t)
			wantTakenOver(t, wantLost(t, tt.claim(t, s, held), &theirs), petrova, theirs, why)
			wantStanding(t, s.Locker, theirs)
		})
	}
	t.Run("the loser's release by IfToken: nothing happens", func(t *testing.T) {
		s, held, theirs := acquired(t)
		if released, err := s.Locker.Release(as(t, ivanov), doc, editlock.IfToken(held.Token)); released || err != nil {
			t.Errorf("Release = %v, %v; want false, no error", released, err)
		}
		wantStanding(t, s.Locker, theirs)
	})
	t.Run("taken over twice: the first loser is told of their own loss", func(t *testing.T) {
		s, held, theirs := acquired(t)
		now, err := s.Locker.Takeover(as(t, smith), doc, theirs.Token, "audit", nil)
		if err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		_, err = refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: held.Token})
		wantTakenOver(t, wantLost(t, err, &now), petrova, theirs, why)
		_, err = refresh(as(t, petrova), t, s.Locker, editlock.RefreshItem{ID: doc, Token: theirs.Token})
		wantTakenOver(t, wantLost(t, err, &now), smith, now, "audit")
	})
}

// testForceRelease checks the release of another's mutex.
func testForceRelease(t *testing.T, h Harness) {
	t.Run("frees the mutex of the holder seen, who is told", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		if err := s.Locker.ForceRelease(as(t, smith), doc, held.Token, why); err != nil {
			t.Fatalf("ForceRelease: %v", err)
		}
		wantFree(t, s.Locker, doc)
		_, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: held.Token})
		e := wantLost(t, err, nil)
		if e.How != editlock.KindForceReleased || e.By != smith || e.Reason != why || e.At.Before(held.CapturedAt) {
			t.Errorf("lost by %q of %s at %v because %q", e.How, e.By.Login, e.At, e.Reason)
		}
	})
	t.Run("the holder has changed meanwhile: busy, and kept", func(t *testing.T) {
		s := h.Open(t)
		seen := capture(as(t, ivanov), t, s.Locker, doc, nil)
		release(as(t, ivanov), t, s.Locker, doc)
		now := capture(as(t, petrova), t, s.Locker, doc, nil)
		wantBusy(t, s.Locker.ForceRelease(as(t, smith), doc, seen.Token, why), now)
		wantStanding(t, s.Locker, now)
	})
	t.Run("of a free mutex: nobody holds it", func(t *testing.T) {
		s := h.Open(t)
		wantNotHeld(t, s.Locker.ForceRelease(as(t, smith), doc, 1, why))
	})
	t.Run("passes to the first who waits", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, nil)
		if err := s.Locker.ForceRelease(as(t, smith), doc, held.Token, why); err != nil {
			t.Fatalf("ForceRelease: %v", err)
		}
		w.granted(t)
	})
}
