package locktest

import (
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// testReleaseAfter goes through the release of a page that closes, and may be
// one that reloads.
func testReleaseAfter(t *testing.T, h Harness) {
	const grace = 2 * time.Second
	const oldPage, newPage = "page 1", "page 2"
	after := func(t *testing.T, s System, o editlock.Owner, cond editlock.Condition) bool {
		t.Helper()
		released, err := s.Locker.ReleaseAfter(as(t, o), doc, cond, grace)
		if err != nil {
			t.Fatalf("ReleaseAfter: %v", err)
		}
		return released
	}
	t.Run("held until the grace is over, then free", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, ivanov), t, s.Locker, doc, nil)
		if !after(t, s, ivanov, editlock.Condition{}) {
			t.Fatal("nothing was released")
		}
		now := standing(t, s.Locker, doc)
		if in, ends := now.ExpiresIn(); now.Token != before.Token || !ends || in > grace {
			t.Fatalf("within the grace it is %+v, ends in %v", now, in)
		}
		s.lapse(t, now)
		wantFree(t, s.Locker, doc)
	})
	t.Run("who waits gets it when the grace is over", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, nil)
		after(t, s, ivanov, editlock.Condition{})
		s.pass(grace)
		w.granted(t)
	})
	t.Run("a page that reloads keeps it, and the late release of its past does nothing", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{StatusData: oldPage})
		after(t, s, ivanov, editlock.IfStatusData(oldPage))
		results, err := s.Locker.Refresh(as(t, ivanov), []editlock.RefreshItem{{ID: doc, Token: m.Token, StatusData: newPage}})
		if err != nil || results[0].Err != nil {
			t.Fatalf("Refresh: %v, %+v", err, results)
		}
		if after(t, s, ivanov, editlock.IfStatusData(oldPage)) {
			t.Error("the late release found something")
		}
		wantStanding(t, s.Locker, results[0].Mutex)
		if in, _ := standing(t, s.Locker, doc).ExpiresIn(); in <= time.Minute {
			t.Errorf("the new page's hold ends in %v", in)
		}
	})
	t.Run("another's is refused", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, petrova), t, s.Locker, doc, nil)
		_, err := s.Locker.ReleaseAfter(as(t, ivanov), doc, editlock.Condition{}, grace)
		wantBusy(t, err, before)
		wantStanding(t, s.Locker, before)
	})
	t.Run("a free one stays free", func(t *testing.T) {
		s := h.Open(t)
		if after(t, s, ivanov, editlock.Condition{}) {
			t.Error("something was released")
		}
		wantFree(t, s.Locker, doc)
	})
	t.Run("a grace out of bounds changes nothing", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, ivanov), t, s.Locker, doc, nil)
		for _, grace := range []time.Duration{-time.Second, 0, time.Millisecond, time.Hour} {
			_, err := s.Locker.ReleaseAfter(as(t, ivanov), doc, editlock.Condition{}, grace)
			wantInvalid(t, err, "grace")
		}
		_, err := s.Locker.ReleaseAfter(as(t, ivanov), doc, editlock.IfFree(), grace)
		wantInvalid(t, err, "if.free")
		wantStanding(t, s.Locker, before)
	})
}
