package locktest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/editlock/editlock"
)

var (
	sharedHold = &editlock.CaptureOptions{Sharing: editlock.Shared}
	exclusive  = &editlock.CaptureOptions{Sharing: editlock.Exclusive}
)

// testSharing checks that several hold one mutex where they agree to, and else not.
func testSharing(t *testing.T, h Harness) {
	t.Run("readers share, and a writer is told of all of them", func(t *testing.T) {
		s := h.Open(t)
		first := capture(as(t, ivanov), t, s.Locker, doc, sharedHold)
		second := capture(as(t, petrova), t, s.other(), doc, sharedHold)
		if first.Sharing != editlock.Shared || second.Token <= first.Token || second.Beside != 1 {
			t.Errorf("two readers hold %+v and %+v", first, second)
		}
		_, err := s.Locker.Capture(as(t, smith), doc, nil)
		var busy *editlock.BusyError
		if !errors.As(err, &busy) || busy.Total != 2 || len(busy.Holders) != 2 || busy.Holder.Token != first.Token || busy.Holders[1].Token != second.Token {
			t.Fatalf("a writer is told %+v", err)
		}
		state, m, err := s.Locker.Request(as(t, petrova), doc)
		if err != nil || state != editlock.CapturedByMe || m.Token != second.Token || len(m.Others) != 1 || m.Others[0].Owner != ivanov {
			t.Errorf("the second reader sees %v, %+v, %v", state, m, err)
		}
		page, err := s.Locker.List(as(t, ivanov), editlock.Query{Limit: 1})
		if err != nil || len(page.Mutexes) != 1 || page.Mutexes[0].Token != first.Token || page.Next == "" {
			t.Fatalf("the first page has %+v, %v", page, err)
		}
		page, err = s.Locker.List(as(t, ivanov), editlock.Query{Limit: 5, Cursor: page.Next})
		if err != nil || len(page.Mutexes) != 1 || page.Mutexes[0].Token != second.Token {
			t.Errorf("the second page has %+v, %v", page, err)
		}
		release(as(t, ivanov), t, s.other(), doc)
		release(as(t, petrova), t, s.Locker, doc)
		wantFree(t, s.Locker, doc)
	})
	t.Run("a holder captures again: that refreshes", func(t *testing.T) {
		s := h.Open(t)
		first := capture(as(t, ivanov), t, s.Locker, doc, sharedHold)
		capture(as(t, petrova), t, s.Locker, doc, sharedHold)
		for _, opts := range []*editlock.CaptureOptions{nil, sharedHold} {
			if again := capture(as(t, ivanov), t, s.Locker, doc, opts); again.Token != first.Token || again.Sharing != editlock.Shared {
				t.Errorf("captured again with %+v: %+v", opts, again)
			}
		}
		if m, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: first.Token}); err != nil || m.Token != first.Token {
			t.Errorf("refreshed: %+v, %v", m, err)
		}
	})
	t.Run("one's own share is in the way of a capture that must find it free", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, sharedHold)
		second := capture(as(t, petrova), t, s.Locker, doc, sharedHold)
		opts := &editlock.CaptureOptions{Sharing: editlock.Shared, If: editlock.IfFree()}
		_, one := s.Locker.Capture(as(t, petrova), doc, opts)
		_, all := s.Locker.CaptureAll(as(t, petrova), []editlock.ID{doc}, opts)
		for _, err := range []error{one, all} {
			var busy *editlock.BusyError
			if !errors.As(err, &busy) || !busy.Self || busy.Holder.Token != second.Token {
				t.Errorf("the second reader's other tab is told %v", err)
			}
		}
	})
	t.Run("a writer who waits keeps later readers behind", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, sharedHold)
		writer := s.wait(t, petrova, doc, nil)
		var readers []*waiter
		for _, o := range crowd(3) {
			_, err := s.Locker.Capture(as(t, o), doc, sharedHold)
			if !errors.Is(err, editlock.ErrBusy) {
				t.Fatalf("a reader behind a writer gets %v", err)
			}
			readers = append(readers, s.waitAt(t, s.other(), o, doc, sharedHold))
		}
		release(as(t, ivanov), t, s.Locker, doc)
		if m := writer.granted(t); m.Sharing != editlock.Exclusive {
			t.Errorf("the writer holds %+v", m)
		}
		for _, r := range readers {
			r.still(t)
		}
		release(as(t, petrova), t, s.Locker, doc)
		for _, r := range readers { // together
			if m := r.granted(t); m.Sharing != editlock.Shared {
				t.Errorf("a reader holds %+v", m)
			}
		}
	})
	t.Run("readers behind a writer who gives up go on", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, sharedHold)
		writer := s.wait(t, petrova, doc, nil)
		reader := s.waitAt(t, s.other(), smith, doc, sharedHold)
		writer.cancel()
		writer.end(t)
		reader.granted(t)
	})
	t.Run("at most so many hold it within a limit", func(t *testing.T) {
		s := h.Open(t)
		opts := &editlock.CaptureOptions{Limit: 3}
		all := crowd(5)
		for _, o := range all[:3] {
			if m := capture(as(t, o), t, s.Locker, doc, opts); m.Limit != 3 || m.Sharing != editlock.SharingUnset {
				t.Errorf("a holder within a limit has %+v", m)
			}
		}
		_, err := s.Locker.Capture(as(t, all[3]), doc, opts)
		var busy *editlock.BusyError
		if !errors.As(err, &busy) || busy.Total != 3 {
			t.Fatalf("the fourth of three gets %v", err)
		}
		fourth, fifth := s.wait(t, all[3], doc, opts), s.waitAt(t, s.other(), all[4], doc, opts)
		release(as(t, all[1]), t, s.other(), doc)
		fourth.granted(t)
		fifth.still(t)
		release(as(t, all[0]), t, s.Locker, doc)
		fifth.granted(t)
	})
	t.Run("another limit, or none, is a conflict", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{Limit: 2})
		for _, opts := range []*editlock.CaptureOptions{nil, sharedHold, {Limit: 3}} {
			for _, o := range []editlock.Owner{petrova, ivanov} {
				if opts == nil && o == ivanov {
					continue // a refresh
				}
				_, err := s.Locker.Capture(as(t, o), doc, opts)
				var conflict *editlock.ConflictError
				if !errors.As(err, &conflict) || !errors.Is(err, editlock.ErrConflict) || conflict.Holder.Token != held.Token {
					t.Errorf("%s with %+v gets %v, want a conflict", o.Name, opts, err)
				}
			}
		}
		release(as(t, ivanov), t, s.Locker, doc)
		capture(as(t, petrova), t, s.Locker, doc, nil)
		if _, err := s.Locker.Capture(as(t, ivanov), doc, &editlock.CaptureOptions{Limit: 2}); !errors.Is(err, editlock.ErrConflict) {
			t.Errorf("a limit beside an exclusive hold gets %v", err)
		}
	})
	t.Run("exclusive becomes shared with its token, and exclusive again alone only", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{StatusData: "page 3"})
		reader := s.waitAt(t, s.other(), petrova, doc, sharedHold)
		if m := capture(as(t, ivanov), t, s.Locker, doc, sharedHold); m.Token != held.Token || m.Sharing != editlock.Shared || !m.CapturedAt.Equal(held.CapturedAt) {
			t.Errorf("shared, it is %+v; it was %+v", m, held)
		}
		reader.granted(t)
		_, err := s.Locker.Capture(as(t, ivanov), doc, &editlock.CaptureOptions{Sharing: editlock.Exclusive, Wait: editlock.MaxWait})
		var busy *editlock.BusyError
		if !errors.As(err, &busy) || busy.Holder.Owner != petrova || busy.Self {
			t.Fatalf("beside another it becomes exclusive: %v", err)
		}
		release(as(t, petrova), t, s.Locker, doc)
		alone := capture(as(t, ivanov), t, s.Locker, doc, exclusive)
		if alone.Token <= held.Token || alone.Sharing != editlock.Exclusive || alone.StatusData != "page 3" {
			t.Errorf("exclusive again, it is %+v", alone)
		}
		if _, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: held.Token}); !errors.Is(err, editlock.ErrLost) {
			t.Errorf("the token of before refreshes: %v", err)
		}
	})
	t.Run("a takeover takes the place of one holder", func(t *testing.T) {
		s := h.Open(t)
		first := capture(as(t, ivanov), t, s.Locker, doc, sharedHold)
		second := capture(as(t, petrova), t, s.Locker, doc, sharedHold)
		if _, err := s.Locker.Takeover(as(t, petrova), doc, first.Token, "once is enough", nil); !errors.Is(err, editlock.ErrBusy) {
			t.Errorf("who holds it takes the place of another: %v", err)
		}
		m, err := s.Locker.Takeover(as(t, smith), doc, first.Token, "on leave", nil)
		if err != nil || m.Sharing != editlock.Shared || m.Token <= second.Token {
			t.Fatalf("took over %+v, %v", m, err)
		}
		_, err = refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: first.Token})
		var lost *editlock.LostError
		if !errors.As(err, &lost) || lost.How != editlock.KindTakenOver || lost.By.Session != smith.Session || lost.Reason != "on leave" {
			t.Errorf("the one who lost it is told %v", err)
		}
		if m, err := refresh(as(t, petrova), t, s.Locker, editlock.RefreshItem{ID: doc, Token: second.Token}); err != nil || m.Token != second.Token {
			t.Errorf("the other holder has %+v, %v", m, err)
		}
		if err := s.Locker.ForceRelease(as(t, ivanov), doc, second.Token, "gone home"); err != nil {
			t.Fatal(err)
		}
		if m := standing(t, s.Locker, doc); m.Owner.Session != smith.Session || m.Beside != 0 {
			t.Errorf("%+v is left", m)
		}
	})
	t.Run("history tells how it was held", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		capture(as(t, ivanov), t, s.Locker, doc, sharedHold)
		capture(as(t, petrova), t, s.Locker, doc, sharedHold)
		release(as(t, petrova), t, s.Locker, doc)
		capture(as(t, ivanov), t, s.Locker, doc, exclusive)
		page, err := s.Locker.History(as(t, ivanov), editlock.HistoryQuery{ID: &doc})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range slices.Backward(page.Entries) {
			got = append(got, string(e.Kind)+" "+map[editlock.Sharing]string{editlock.Exclusive: "exclusive", editlock.Shared: "shared"}[e.Sharing])
		}
		want := []string{"captured exclusive", "shared shared", "captured shared", "released shared", "upgraded exclusive"}
		if !slices.Equal(got, want) {
			t.Errorf("history tells %q, want %q", got, want)
		}
	})
	t.Run("what makes no sense is invalid", func(t *testing.T) {
		s := h.Open(t)
		for field, opts := range map[string]*editlock.CaptureOptions{
			"limit":   {Limit: 2, Sharing: editlock.Shared},
			"limit ":  {Limit: -1},
			"limit  ": {Limit: editlock.MaxHolders + 1},
		} {
			_, err := s.Locker.Capture(as(t, ivanov), doc, opts)
			wantInvalid(t, err, strings.TrimSpace(field))
		}
		held := capture(as(t, ivanov), t, s.Locker, doc, sharedHold)
		_, err := s.Locker.Takeover(as(t, petrova), doc, held.Token, "why", sharedHold)
		wantInvalid(t, err, "sharing")
	})
	t.Run("a crowd never exceeds the limit", func(t *testing.T) {
		s := h.Open(t)
		const limit = 3
		inside := make(chan struct{}, limit)
		done := make(chan error)
		all := crowd(12)
		for i, o := range all {
			l := s.Locker
			if i%2 == 1 {
				l = s.other()
			}
			go func() { done <- permit(as(t, o), l, inside, rounds(3, 30)) }()
		}
		for range all {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		wantFree(t, s.Locker, doc)
	})
}

// permit captures one of several permits and gives it back, some times.
func permit(ctx context.Context, l editlock.Locker, inside chan struct{}, times int) error {
	for range times {
		if _, err := l.Capture(ctx, doc, &editlock.CaptureOptions{Limit: cap(inside), Wait: patience}); err != nil {
			return err
		}
		select {
		case inside <- struct{}{}:
		default:
			return errors.New("one more than the limit holds it")
		}
		<-inside
		if released, err := l.Release(ctx, doc, editlock.Condition{}); err != nil || !released {
			return errors.Join(err, errors.New("not released"))
		}
	}
	return nil
}
