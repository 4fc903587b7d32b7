package locktest

import (
	"fmt"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// testRefresh checks the keep-alive: by token, never a capture.
func testRefresh(t *testing.T, h Harness) {
	opts := &editlock.CaptureOptions{StatusData: heldData, AutoRelease: editlock.TimeoutAutoRelease(time.Minute)}

	t.Run("own: extended, same token", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, ivanov), t, s.Locker, doc, opts)
		s.pass(10 * time.Second)
		got, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: before.Token})
		if err != nil {
			t.Fatalf("lost: %v", err)
		}
		wantRefreshed(t, s, before, got)
		wantStanding(t, s.Locker, got)
	})
	t.Run("own: replaces what the item gives", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, ivanov), t, s.Locker, doc, opts)
		got, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{
			ID: doc, Token: before.Token, StatusData: "chapter 2", AutoRelease: editlock.TimeoutAutoRelease(time.Hour),
		})
		if err != nil {
			t.Fatalf("lost: %v", err)
		}
		before.StatusData, before.AutoRelease.Idle = "chapter 2", time.Hour
		wantRefreshed(t, s, before, got)
	})
	t.Run("the same user in a new session becomes the owner", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, ivanov), t, s.Locker, doc, opts)
		got, err := refresh(as(t, ivanovAgain), t, s.Locker, editlock.RefreshItem{ID: doc, Token: before.Token})
		if err != nil {
			t.Fatalf("lost: %v", err)
		}
		want := before
		want.Owner.Session = ivanovAgain.Session
		if got.Owner.Session != ivanovAgain.Session || got.Owner.UserID != ivanov.UserID || got.Token != before.Token {
			t.Errorf("got %+v, want %+v", got, want)
		}
		for o, state := range map[editlock.Owner]editlock.State{
			ivanov: editlock.CapturedByOther, ivanovAgain: editlock.CapturedByMe,
		} {
			if got, _, _ := s.Locker.Request(as(t, o), doc); got != state {
				t.Errorf("Request for %s = %v, want %v", o.Session, got, state)
			}
		}
		page, err := s.Locker.List(as(t, smith), editlock.Query{Session: ivanovAgain.Session})
		if err != nil || len(page.Mutexes) != 1 {
			t.Errorf("List of the new session gives %d mutexes, %v; want 1", len(page.Mutexes), err)
		}
		if page, _ = s.Locker.List(as(t, smith), editlock.Query{Session: ivanov.Session}); len(page.Mutexes) != 0 {
			t.Errorf("List of the old session gives %d mutexes, want 0", len(page.Mutexes))
		}
		release(as(t, ivanovAgain), t, s.Locker, doc)
	})
	t.Run("another user: lost, the holder named", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, ivanov), t, s.Locker, doc, opts)
		_, err := refresh(as(t, petrova), t, s.Locker, editlock.RefreshItem{ID: doc, Token: before.Token})
		wantLost(t, err, &before)
		wantStanding(t, s.Locker, before)
	})
	t.Run("two sessions without a user are not the same user", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, editlock.Owner{Session: "a"}), t, s.Locker, doc, opts)
		_, err := refresh(as(t, editlock.Owner{Session: "b"}), t, s.Locker, editlock.RefreshItem{ID: doc, Token: before.Token})
		wantLost(t, err, &before)
	})
	t.Run("by token alone: anybody, and the owner stays", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, ivanov), t, s.Locker, doc, opts)
		s.pass(10 * time.Second)
		got, err := refresh(as(t, petrova), t, s.Locker, editlock.RefreshItem{ID: doc, Token: before.Token, ByToken: true})
		if err != nil {
			t.Fatalf("lost: %v", err)
		}
		wantRefreshed(t, s, before, got)
	})
	t.Run("another token: lost, even to the holder", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, ivanov), t, s.Locker, doc, opts)
		for _, byToken := range []bool{false, true} {
			_, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: before.Token + 1, ByToken: byToken})
			wantLost(t, err, &before)
		}
		wantStanding(t, s.Locker, before)
	})

	refreshLost(t, h)
	refreshMany(t, h)
}

// refreshLost checks what the former holder is told.
func refreshLost(t *testing.T, h Harness) {
	short := &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)}

	t.Run("never held: lost without a holder, and not captured", func(t *testing.T) {
		s := h.Open(t)
		_, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: 1})
		wantLost(t, err, nil)
		wantFree(t, s.Locker, doc)
	})
	t.Run("expired: lost, says when", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, short)
		s.lapse(t, m)
		_, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token})
		e := wantLost(t, err, nil)
		if e.How != editlock.KindExpired || !e.At.Equal(m.ExpiresAt) {
			t.Errorf("lost by %q at %v, want %q at %v", e.How, e.At, editlock.KindExpired, m.ExpiresAt)
		}
		wantFree(t, s.Locker, doc)
	})
	t.Run("another's hold: lost, and nothing of how it ended", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		if err := s.Locker.ForceRelease(as(t, smith), doc, m.Token, why); err != nil {
			t.Fatal(err)
		}
		_, refreshed := refresh(as(t, petrova), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token})
		_, captured := s.Locker.Capture(as(t, petrova), doc, &editlock.CaptureOptions{If: editlock.IfToken(m.Token)})
		for _, err := range []error{refreshed, captured} {
			if e := wantLost(t, err, nil); e.How != "" || e.Reason != "" || e.By != (editlock.Owner{}) || !e.At.IsZero() {
				t.Errorf("told of another's loss: %v", e)
			}
		}
	})
	t.Run("expired and captured by another: both told", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, short)
		s.lapse(t, m)
		theirs := capture(as(t, petrova), t, s.Locker, doc, nil)
		_, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token})
		if e := wantLost(t, err, &theirs); e.How != editlock.KindExpired {
			t.Errorf("lost by %q, want %q", e.How, editlock.KindExpired)
		}
	})
	t.Run("released: lost, says so", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		release(as(t, ivanov), t, s.Locker, doc)
		_, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token})
		if e := wantLost(t, err, nil); e.How != editlock.KindReleased {
			t.Errorf("lost by %q, want %q", e.How, editlock.KindReleased)
		}
	})
	t.Run("taken over: lost, says by whom, when and why", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		theirs, err := s.Locker.Takeover(as(t, petrova), doc, m.Token, "on sick leave", nil)
		if err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		_, err = refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token})
		wantTakenOver(t, wantLost(t, err, &theirs), petrova, theirs, "on sick leave")
	})
	t.Run("taken over, then freed: still says by whom", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		theirs, err := s.Locker.Takeover(as(t, petrova), doc, m.Token, "on sick leave", nil)
		if err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		release(as(t, petrova), t, s.Locker, doc)
		_, err = refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token})
		wantTakenOver(t, wantLost(t, err, nil), petrova, theirs, "on sick leave")
	})
	t.Run("taken over before, held again: the old token is lost", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		if _, err := s.Locker.Takeover(as(t, petrova), doc, m.Token, "on sick leave", nil); err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		release(as(t, petrova), t, s.Locker, doc)
		again := capture(as(t, ivanov), t, s.Locker, doc, nil)
		_, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token})
		if e := wantLost(t, err, &again); e.How != editlock.KindTakenOver || e.By != petrova {
			t.Errorf("lost by %q of %+v, want the takeover by %+v", e.How, e.By, petrova)
		}
	})
}

// wantTakenOver checks what a loss says of the takeover.
func wantTakenOver(t *testing.T, e *editlock.LostError, by editlock.Owner, theirs editlock.Mutex, reason string) {
	t.Helper()
	if e.How != editlock.KindTakenOver || e.By != by || !e.At.Equal(theirs.CapturedAt) || e.Reason != reason {
		t.Errorf("lost by %q of %+v at %v because %q, want %q of %+v at %v because %q",
			e.How, e.By, e.At, e.Reason, editlock.KindTakenOver, by, theirs.CapturedAt, reason)
	}
}

func refreshMany(t *testing.T, h Harness) {
	t.Run("many: a result per item, in their order", func(t *testing.T) {
		s := h.Open(t)
		const n = 100
		var items []editlock.RefreshItem
		for i := range n {
			id := editlock.ID{Mode: "row", ID: fmt.Sprint(i)}
			by := ivanov
			if i%3 == 1 {
				by = petrova
			}
			m := capture(as(t, by), t, s.Locker, id, nil)
			if i%3 == 2 {
				release(as(t, by), t, s.Locker, id)
			}
			items = append(items, editlock.RefreshItem{ID: id, Token: m.Token})
		}
		s.pass(10 * time.Second)
		res, err := s.Locker.Refresh(as(t, ivanov), items)
		if err != nil || len(res) != n {
			t.Fatalf("Refresh gave %d results, %v; want %d", len(res), err, n)
		}
		for i, r := range res {
			switch i % 3 {
			case 0:
				if r.Err != nil || r.Mutex.ID != items[i].ID || r.Mutex.Token != items[i].Token {
					t.Errorf("own item %d: %+v, %v", i, r.Mutex, r.Err)
				}
			case 1:
				theirs := standing(t, s.Locker, items[i].ID)
				wantLost(t, r.Err, &theirs)
			case 2:
				wantLost(t, r.Err, nil)
			}
		}
	})
	t.Run("many: the same mutex twice is refreshed twice", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		item := editlock.RefreshItem{ID: doc, Token: m.Token}
		res, err := s.Locker.Refresh(as(t, ivanov), []editlock.RefreshItem{item, item})
		if err != nil || len(res) != 2 || res[0].Err != nil || res[1].Err != nil {
			t.Errorf("Refresh = %+v, %v; want two mutexes", res, err)
		}
	})
}
