package locktest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

var (
	allDocs  = editlock.ID{Group: doc.Group, Mode: doc.Mode, Below: true}
	allGroup = editlock.ID{Group: doc.Group, Below: true}
	address  = editlock.ID{Group: doc.Group, Mode: doc.Mode, ID: doc.ID, Part: "address"}
	lines    = editlock.ID{Group: doc.Group, Mode: doc.Mode, ID: doc.ID, Part: "lines"}
)

// testTrees checks that who holds something holds what is below it.
func testTrees(t *testing.T, h Harness) {
	t.Run("a hold is in the way of others above and below, and of nobody else", func(t *testing.T) {
		for _, c := range []struct{ held, asked editlock.ID }{
			{allDocs, doc},
			{doc, allDocs},
			{allGroup, doc},
			{doc, allGroup},
			{allGroup, allDocs},
			{allDocs, allGroup},
			{doc, address},
			{address, doc},
			{allDocs, address},
			{address, allGroup},
		} {
			s := h.Open(t)
			held := capture(as(t, ivanov), t, s.Locker, c.held, nil)
			state, m, err := s.other().Request(as(t, petrova), c.asked)
			if err != nil || state != editlock.CapturedByOther || m.Token != held.Token {
				t.Errorf("%v while %v is held looks %v, %+v, %v", c.asked, c.held, state, m, err)
			}
			_, err = s.other().Capture(as(t, petrova), c.asked, nil)
			if busy := wantBusy(t, err, held); busy.Total > 1 || busy.Self {
				t.Errorf("%v while %v is held: %+v", c.asked, c.held, busy)
			}
			capture(as(t, ivanov), t, s.other(), c.asked, nil) // one's own is in nobody's way
			release(as(t, ivanov), t, s.Locker, c.asked)
			release(as(t, ivanov), t, s.Locker, c.held)
			capture(as(t, petrova), t, s.Locker, c.asked, nil)
		}
	})
	t.Run("parts of an object, and objects of other types, are held side by side", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, address, nil)
		capture(as(t, petrova), t, s.other(), lines, nil)
		other := editlock.ID{Group: doc.Group, Mode: doc.Mode + "s", ID: doc.ID}
		capture(as(t, smith), t, s.Locker, other, nil)
		capture(as(t, smith), t, s.Locker, editlock.ID{Group: doc.Group, Mode: other.Mode, Below: true}, nil)
	})
	t.Run("a refusal names all who hold something below", func(t *testing.T) {
		s := h.Open(t)
		first := capture(as(t, ivanov), t, s.Locker, address, nil)
		capture(as(t, petrova), t, s.Locker, lines, nil)
		capture(as(t, smith), t, s.Locker, editlock.ID{Group: doc.Group, Mode: doc.Mode, ID: doc.ID + "0"}, nil)
		_, err := s.other().Capture(as(t, editlock.Owner{Session: "import"}), allDocs, nil)
		if busy := wantBusy(t, err, first); busy.Total != 3 || len(busy.Holders) != 3 {
			t.Errorf("told of %d of %d holders: %+v", len(busy.Holders), busy.Total, busy)
		}
	})
	t.Run("while somebody waits for all of a type, nothing below is given out", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		got := make(chan error, 1)
		go func() {
			_, err := s.other().Capture(as(t, smith), allDocs, &editlock.CaptureOptions{Wait: time.Minute, Message: "import"})
			got <- err
		}()
		other := editlock.ID{Group: doc.Group, Mode: doc.Mode, ID: doc.ID + "0"}
		var busy *editlock.BusyError
		eventually(t, "the type is closed", func() bool {
			_, err := s.Locker.Capture(as(t, petrova), other, nil)
			if err == nil {
				release(as(t, petrova), t, s.Locker, other)
			}
			return errors.As(err, &busy)
		})
		if d := busy.Draining; d == nil || d.ID != allDocs || d.By != smith || d.Message != "import" || d.Since.IsZero() {
			t.Errorf("told %+v, draining %+v", busy, busy.Draining)
		}
		m, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: held.Token})
		if err != nil {
			t.Errorf("who holds something refreshes: %v", err)
		}
		if diff := cmp.Diff(busy.Draining, m.Draining); diff != "" {
			t.Errorf("the holder below is told (-as who is refused, +):\n%s", diff)
		}
		for who, id := range map[editlock.Owner]editlock.ID{ivanov: doc, petrova: other} {
			if _, m, err := s.other().Request(as(t, who), id); err != nil || cmp.Diff(busy.Draining, m.Draining) != "" {
				t.Errorf("a request for %v tells of %+v, %v", id, m.Draining, err)
			}
		}
		release(as(t, ivanov), t, s.Locker, doc)
		if err := <-got; err != nil {
			t.Fatalf("who waited got %v", err)
		}
		_, err = s.Locker.Capture(as(t, petrova), other, nil)
		if !errors.As(err, &busy) || busy.Holder.ID != allDocs || busy.Holder.Owner != smith { // its lease is just being confirmed
			t.Errorf("while the type is held: %v", err)
		}
		release(as(t, smith), t, s.Locker, allDocs)
		capture(as(t, petrova), t, s.Locker, other, nil)
	})
	t.Run("who waits below gets it once what is above is free", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, smith), t, s.Locker, allDocs, nil)
		got := make(chan error, 1)
		go func() {
			_, err := s.other().Capture(as(t, petrova), doc, &editlock.CaptureOptions{Wait: time.Minute})
			got <- err
		}()
		eventually(t, "somebody waits", func() bool {
			_, err := s.Locker.Capture(as(t, ivanov), address, nil)
			var busy *editlock.BusyError
			return errors.As(err, &busy) && busy.Draining != nil
		})
		release(as(t, smith), t, s.Locker, allDocs)
		if err := <-got; err != nil {
			t.Fatalf("who waited got %v", err)
		}
	})
	t.Run("who holds something below does not wait for it to end", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, address, nil)
		held := capture(as(t, petrova), t, s.Locker, lines, nil)
		ctx, cancel := context.WithTimeout(as(t, ivanov), 20*time.Second)
		defer cancel()
		_, err := s.Locker.Capture(ctx, doc, &editlock.CaptureOptions{Wait: time.Hour})
		wantBusy(t, err, held)
	})
	t.Run("after a new login one's own above and below pass to the new session, one by one", func(t *testing.T) {
		s := h.Open(t)
		again := ivanov
		again.Session = "again"
		var items []editlock.RefreshItem
		for _, id := range []editlock.ID{allGroup, allDocs, doc, address} {
			items = append(items, editlock.RefreshItem{ID: id, Token: capture(as(t, ivanov), t, s.Locker, id, nil).Token})
		}
		for _, i := range []int{2, 0, 3, 1} {
			if m, err := refresh(as(t, again), t, s.other(), items[i]); err != nil || m.Owner != again || m.Token != items[i].Token {
				t.Errorf("the refresh of %v: %+v, %v", items[i].ID, m, err)
			}
		}
		_, err := s.Locker.Capture(as(t, petrova), doc, nil)
		wantBusy(t, err, standing(t, s.Locker, doc))
		for _, item := range items {
			release(as(t, again), t, s.Locker, item.ID)
		}
		capture(as(t, petrova), t, s.Locker, allDocs, nil)
	})
	t.Run("a takeover is refused while others hold what is below", func(t *testing.T) {
		s := h.Open(t)
		all := capture(as(t, ivanov), t, s.Locker, allDocs, nil)
		own := capture(as(t, ivanov), t, s.Locker, doc, nil)
		_, err := s.Locker.Takeover(as(t, petrova), allDocs, all.Token, "urgent", nil)
		wantBusy(t, err, own)
		_, err = s.Locker.Takeover(as(t, petrova), doc, own.Token, "urgent", nil)
		wantBusy(t, err, all)
		release(as(t, ivanov), t, s.Locker, doc)
		if _, err := s.Locker.Takeover(as(t, petrova), allDocs, all.Token, "urgent", nil); err != nil {
			t.Errorf("the takeover of what nobody holds below: %v", err)
		}
	})
	t.Run("a takeover or forced release of what is free names who holds what is above or below", func(t *testing.T) {
		for _, c := range []struct{ held, asked editlock.ID }{{allDocs, doc}, {allGroup, allDocs}, {doc, allDocs}, {address, doc}, {doc, address}} {
			s := h.Open(t)
			ended := capture(as(t, smith), t, s.Locker, c.asked, nil) // a token that was in force
			release(as(t, smith), t, s.Locker, c.asked)
			held := capture(as(t, ivanov), t, s.Locker, c.held, nil)
			for _, seen := range []editlock.Token{ended.Token, held.Token} {
				_, err := s.other().Takeover(as(t, petrova), c.asked, seen, "urgent", nil)
				wantBusy(t, err, held)
				wantBusy(t, s.other().ForceRelease(as(t, petrova), c.asked, seen, "urgent"), held)
			}
			_, err := s.Locker.Takeover(as(t, ivanov), c.asked, ended.Token, "urgent", nil)
			if !errors.Is(err, editlock.ErrNotHeld) { // one's own are in nobody's way
				t.Errorf("%v, by who holds %v: %v", c.asked, c.held, err)
			}
			wantStanding(t, s.Locker, held)
		}
	})
	t.Run("several are captured all or none", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, address, nil)
		_, err := s.Locker.CaptureAll(as(t, petrova), []editlock.ID{lines, doc}, nil)
		wantBusy(t, err, held)
		wantFree(t, s.Locker, lines)
		if _, err := s.Locker.CaptureAll(as(t, ivanov), []editlock.ID{lines, doc}, nil); err != nil {
			t.Errorf("one's own parts and the whole: %v", err)
		}
	})
}
