package locktest

import (
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// testRelease goes through every rule of Release.
func testRelease(t *testing.T, h Harness) {
	const data = "request 7"
	type stands struct {
		name string
		by   *editlock.Owner
	}
	free, mine, anothers, myOther := stands{"free", nil}, stands{"mine", &ivanov},
		stands{"another's", &petrova}, stands{"mine in another session", &ivanovAgain}

	none := func(editlock.Token) editlock.Condition { return editlock.Condition{} }
	equalData := func(editlock.Token) editlock.Condition { return editlock.IfStatusData(data) }
	otherData := func(editlock.Token) editlock.Condition { return editlock.IfStatusData("request 8") }
	noData := func(editlock.Token) editlock.Condition { return editlock.IfStatusData("") }
	equalToken := func(held editlock.Token) editlock.Condition { return editlock.IfToken(max(held, 1)) }
	otherToken := func(held editlock.Token) editlock.Condition { return editlock.IfToken(held + 1) }

	for _, tt := range []struct {
		stands   stands
		named    string
		cond     func(held editlock.Token) editlock.Condition
		released bool
		busy     bool
	}{
		{stands: free, named: "nothing happens", cond: none},
		{stands: free, named: "nothing happens on IfStatusData", cond: equalData},
		{stands: free, named: "nothing happens on IfToken", cond: equalToken},
		{stands: mine, named: "freed", cond: none, released: true},
		{stands: mine, named: "freed if the status data equals", cond: equalData, released: true},
		{stands: mine, named: "kept if the status data differs", cond: otherData},
		{stands: mine, named: "kept if the status data is not empty as said", cond: noData},
		{stands: mine, named: "freed if the token equals", cond: equalToken, released: true},
		{stands: mine, named: "kept if the token differs", cond: otherToken},
		{stands: anothers, named: "refused", cond: none, busy: true},
		{stands: anothers, named: "kept on IfStatusData that equals", cond: equalData},
		{stands: anothers, named: "kept on IfStatusData that differs", cond: otherData},
		{stands: anothers, named: "kept on IfToken that equals", cond: equalToken},
		{stands: anothers, named: "kept on IfToken that differs", cond: otherToken},
		{stands: myOther, named: "refused", cond: none, busy: true},
		{stands: myOther, named: "kept on IfStatusData that equals", cond: equalData},
		{stands: myOther, named: "kept on IfToken that equals", cond: equalToken},
	} {
		t.Run(tt.stands.name+"/"+tt.named, func(t *testing.T) {
			s := h.Open(t)
			var before editlock.Mutex
			if tt.stands.by != nil {
				before = capture(as(t, *tt.stands.by), t, s.Locker, doc, &editlock.CaptureOptions{StatusData: data})
			}
			released, err := s.Locker.Release(as(t, ivanov), doc, tt.cond(before.Token))
			switch {
			case tt.busy:
				if e := wantBusy(t, err, before); e.Self != (tt.stands.name == myOther.name) {
					t.Errorf("Self is %v for a mutex %s", e.Self, tt.stands.name)
				}
			case err != nil:
				t.Fatalf("Release: %v", err)
			}
			if released != tt.released {
				t.Errorf("released is %v, want %v", released, tt.released)
			}
			if tt.released || tt.stands.by == nil {
				wantFree(t, s.Locker, doc)
			} else {
				wantStanding(t, s.Locker, before)
			}
		})
	}

	t.Run("expired is free/nothing happens", func(t *testing.T) {
		s := h.Open(t)
		for _, by := range []editlock.Owner{ivanov, petrova} {
			s.lapse(t, capture(as(t, by), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)}))
			if released, err := s.Locker.Release(as(t, ivanov), doc, editlock.Condition{}); released || err != nil {
				t.Errorf("Release of what %s held = %v, %v; want false, no error", by.Login, released, err)
			}
		}
	})
	t.Run("mine/the second release does nothing", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		release(as(t, ivanov), t, s.Locker, doc)
		if released, err := s.Locker.Release(as(t, ivanov), doc, editlock.Condition{}); released || err != nil {
			t.Errorf("Release = %v, %v; want false, no error", released, err)
		}
	})
	t.Run("mine/a never expiring one is freed", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.Never})
		s.pass(60 * 24 * time.Hour)
		release(as(t, ivanov), t, s.Locker, doc)
		wantFree(t, s.Locker, doc)
	})
	t.Run("mine/IfFree makes no sense and frees nothing", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, ivanov), t, s.Locker, doc, nil)
		_, err := s.Locker.Release(as(t, ivanov), doc, editlock.IfFree())
		wantInvalid(t, err, "if.free")
		wantStanding(t, s.Locker, before)
	})
	t.Run("what was mine and is another's now stays theirs", func(t *testing.T) {
		s := h.Open(t)
		mine := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{
			StatusData: data, AutoRelease: editlock.TimeoutAutoRelease(lease),
		})
		s.lapse(t, mine)
		theirs := capture(as(t, petrova), t, s.Locker, doc, &editlock.CaptureOptions{StatusData: data})
		for _, cond := range []editlock.Condition{editlock.IfStatusData(data), editlock.IfToken(mine.Token), editlock.IfToken(theirs.Token)} {
			if released, err := s.Locker.Release(as(t, ivanov), doc, cond); released || err != nil {
				t.Errorf("Release = %v, %v; want false, no error", released, err)
			}
		}
		wantStanding(t, s.Locker, theirs)
	})
}
