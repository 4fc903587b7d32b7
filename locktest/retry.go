package locktest

import (
	"context"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// testRetry checks that a request ID makes a repeated capture one capture,
// for callers whose answer was cut off.
func testRetry(t *testing.T, h Harness) {
	for _, tt := range []struct {
		name string
		opts editlock.CaptureOptions
	}{
		{"a repeated capture is the same", editlock.CaptureOptions{RequestID: "r1", StatusData: "x"}},
		{"a repeated IfFree finds its own capture", editlock.CaptureOptions{RequestID: "r1", StatusData: "x", If: editlock.IfFree()}},
		{"a repeated wait finds its own capture", editlock.CaptureOptions{RequestID: "r1", StatusData: "x", Wait: time.Second}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := h.Open(t)
			first := capture(as(t, ivanov), t, s.Locker, doc, &tt.opts)
			again := capture(as(t, ivanov), t, s.other(), doc, &tt.opts)
			if again.Token != first.Token || !again.CapturedAt.Equal(first.CapturedAt) {
				t.Errorf("the retry got token %d, captured at %v; want %d, %v", again.Token, again.CapturedAt, first.Token, first.CapturedAt)
			}
			if got := history(t, s.Locker, editlock.HistoryQuery{}); len(got) != 1 {
				t.Errorf("history tells %v, want one capture", kinds(got))
			}
		})
	}
	t.Run("another request ID is another capture", func(t *testing.T) {
		s := h.Open(t)
		first := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{RequestID: "r1", If: editlock.IfFree()})
		_, err := s.Locker.Capture(as(t, ivanov), doc, &editlock.CaptureOptions{RequestID: "r2", If: editlock.IfFree()})
		wantBusy(t, err, first)
	})
	t.Run("a retry never claims what the caller holds no more", func(t *testing.T) {
		s := h.Open(t)
		opts := &editlock.CaptureOptions{RequestID: "r1"}
		capture(as(t, ivanov), t, s.Locker, doc, opts)
		release(as(t, ivanov), t, s.Locker, doc)
		theirs := capture(as(t, petrova), t, s.Locker, doc, nil)
		if m, err := s.Locker.Capture(as(t, ivanov), doc, opts); err == nil {
			t.Errorf("the retry got %+v while %s holds", m, theirs.Owner.Login)
		}
		wantStanding(t, s.Locker, theirs)
	})
	t.Run("a retry of several is one capture", func(t *testing.T) {
		s := h.Open(t)
		ids := []editlock.ID{{ID: "a"}, {ID: "b"}}
		opts := &editlock.CaptureOptions{RequestID: "r1", If: editlock.IfFree()}
		first, err := s.Locker.CaptureAll(as(t, ivanov), ids, opts)
		if err != nil {
			t.Fatalf("CaptureAll: %v", err)
		}
		again, err := s.Locker.CaptureAll(as(t, ivanov), ids, opts)
		if err != nil {
			t.Fatalf("the retry: %v", err)
		}
		for i := range ids {
			sameMutex(t, "the mutex of the retry", again[i], first[i])
		}
	})
	retryAfterEnd(t, h)
}

// retryAfterEnd checks that a retry is answered with its own hold only: not
// with the one that a second job of the same session got meanwhile.
func retryAfterEnd(t *testing.T, h Harness) {
	several := func(ids ...editlock.ID) func(*testing.T, editlock.Locker, editlock.Token) (editlock.Mutex, error) {
		return func(t *testing.T, l editlock.Locker, _ editlock.Token) (editlock.Mutex, error) {
			ms, err := l.CaptureAll(as(t, ivanov), ids, &editlock.CaptureOptions{RequestID: "r1"})
			if err != nil {
				return editlock.Mutex{}, err
			}
			return ms[len(ms)-1], nil
		}
	}
	const takeover = "a takeover"
	other := editlock.ID{ID: "other"}
	for _, tt := range []struct {
		name string
		try  func(t *testing.T, l editlock.Locker, seen editlock.Token) (editlock.Mutex, error)
	}{
		{"a capture", func(t *testing.T, l editlock.Locker, _ editlock.Token) (editlock.Mutex, error) {
			return l.Capture(as(t, ivanov), doc, &editlock.CaptureOptions{RequestID: "r1"})
		}},
		{"a capture of several", several(other, doc)},
		{"a capture of one as of several", several(doc)},
		{takeover, func(t *testing.T, l editlock.Locker, seen editlock.Token) (editlock.Mutex, error) {
			return l.Takeover(as(t, ivanov), doc, seen, why, &editlock.CaptureOptions{RequestID: "r1"})
		}},
	} {
		t.Run("the retry of "+tt.name+" is lost once the session captured again", func(t *testing.T) {
			s := h.Open(t)
			var seen editlock.Token
			if tt.name == takeover {
				seen = capture(as(t, petrova), t, s.Locker, doc, nil).Token
			}
			first, err := tt.try(t, s.Locker, seen)
			if err != nil {
				t.Fatalf("the first try: %v", err)
			}
			again, err := tt.try(t, s.other(), seen)
			if err != nil || again.Token != first.Token {
				t.Fatalf("the retry while it is held got token %d, %v; want %d", again.Token, err, first.Token)
			}
			release(as(t, ivanov), t, s.Locker, doc)
			second := capture(as(t, ivanov), t, s.Locker, doc, nil)
			m, err := tt.try(t, s.other(), seen)
			if err == nil {
				t.Fatalf("the retry got token %d; the second job holds %d", m.Token, second.Token)
			}
			wantLost(t, err, &second)
			wantStanding(t, s.Locker, second)
		})
	}
	t.Run("the retry of several in another order is the same call", func(t *testing.T) {
		s := h.Open(t)
		try := func(l editlock.Locker, ids ...editlock.ID) ([]editlock.Mutex, error) {
			return l.CaptureAll(as(t, ivanov), ids, &editlock.CaptureOptions{RequestID: "r1"})
		}
		first, err := try(s.Locker, other, doc)
		if err != nil {
			t.Fatal(err)
		}
		again, err := try(s.other(), doc, other)
		if err != nil || again[0].ID != doc || again[0].Token != first[1].Token || again[1].Token != first[0].Token {
			t.Fatalf("the retry while they are held = %+v, %v; want the tokens of %+v", again, err, first)
		}
		release(as(t, ivanov), t, s.Locker, doc)
		second := capture(as(t, ivanov), t, s.Locker, doc, nil)
		_, err = try(s.other(), doc, other)
		wantLost(t, err, &second)
		wantStanding(t, s.Locker, second)
	})
	t.Run("the retry of several that refreshed some is lost once one of these was captured again", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, ivanov), t, s.Locker, doc, nil)
		try := func(l editlock.Locker) ([]editlock.Mutex, error) {
			return l.CaptureAll(as(t, ivanov), []editlock.ID{other, doc}, &editlock.CaptureOptions{RequestID: "r1"})
		}
		for _, l := range []editlock.Locker{s.Locker, s.other()} {
			ms, err := try(l)
			if err != nil || ms[1].Token != before.Token {
				t.Fatalf("CaptureAll = %+v, %v; want the token %d kept", ms, err, before.Token)
			}
		}
		release(as(t, ivanov), t, s.Locker, doc)
		second := capture(as(t, ivanov), t, s.Locker, doc, nil)
		_, err := try(s.other())
		wantLost(t, err, &second)
	})
	retryRelease(t, h)
}

// retryRelease checks that the retry of a call that ends a hold is that call:
// it ends no hold that the session got since the first try.
func retryRelease(t *testing.T, h Harness) {
	tab := &editlock.CaptureOptions{StatusData: tab1}
	// The first try counts as long ago, so that no machine is too slow for it.
	first, again := editlock.Attempt{Key: "k1"}, editlock.Attempt{Key: "k1", First: time.Now().Add(-time.Hour)}
	only := func(ids []editlock.ID, err error) (bool, error) { return len(ids) > 0, err }
	for _, tt := range []struct {
		name   string
		do     func(ctx context.Context, l editlock.Locker) (bool, error)
		answer bool // of a retry whose first try did it
		free   bool // of a call on a free mutex: no error
	}{
		{"Release", func(ctx context.Context, l editlock.Locker) (bool, error) {
			return l.Release(ctx, doc, editlock.Condition{})
		}, true, true},
		{"Release by IfStatusData", func(ctx context.Context, l editlock.Locker) (bool, error) {
			return l.Release(ctx, doc, editlock.IfStatusData(tab1))
		}, true, true},
		{"ReleaseAll", func(ctx context.Context, l editlock.Locker) (bool, error) {
			return only(l.ReleaseAll(ctx, []editlock.ID{doc}))
		}, true, true},
		{"ReleaseSession", func(ctx context.Context, l editlock.Locker) (bool, error) {
			return only(l.ReleaseSession(ctx, ivanov.Session))
		}, false, true},
		{"HandOver", func(ctx context.Context, l editlock.Locker) (bool, error) {
			return l.HandOver(ctx, doc)
		}, true, false},
	} {
		t.Run("the retry of "+tt.name+" ends no hold that began since the first try, which did its work", func(t *testing.T) {
			s := h.Open(t)
			capture(as(t, ivanov), t, s.Locker, doc, tab)
			var w *waiter
			if tt.name == "HandOver" {
				w = s.wait(t, petrova, doc, nil)
			}
			if did, err := tt.do(editlock.WithAttempt(as(t, ivanov), first), s.Locker); err != nil || !did {
				t.Fatalf("the first try: %v, %v", did, err)
			}
			if w != nil {
				w.granted(t)
				release(as(t, petrova), t, s.Locker, doc)
			}
			second := capture(as(t, ivanov), t, s.Locker, doc, tab)
			if w != nil {
				defer s.wait(t, smith, doc, nil).still(t)
			}
			if did, err := tt.do(editlock.WithAttempt(as(t, ivanov), again), s.other()); err != nil || did != tt.answer {
				t.Errorf("the retry: %v, %v; want %v", did, err, tt.answer)
			}
			if got := standing(t, s.Locker, doc); got.Token != second.Token {
				t.Errorf("the token in force is %d; the second job holds %d", got.Token, second.Token)
			}
		})
		t.Run("the retry of "+tt.name+" ends no hold that began since the first try, which found nothing", func(t *testing.T) {
			s := h.Open(t)
			if did, err := tt.do(editlock.WithAttempt(as(t, ivanov), first), s.Locker); did || tt.free != (err == nil) {
				t.Fatalf("the first try: %v, %v", did, err)
			}
			second := capture(as(t, ivanov), t, s.Locker, doc, tab)
			if did, err := tt.do(editlock.WithAttempt(as(t, ivanov), again), s.other()); did || tt.free != (err == nil) {
				t.Errorf("the retry: %v, %v", did, err)
			}
			wantStanding(t, s.Locker, second)
		})
		t.Run("the retry of "+tt.name+" does what a first try that never arrived was to do", func(t *testing.T) {
			s := h.Open(t)
			capture(as(t, ivanov), t, s.Locker, doc, tab)
			if tt.name == "HandOver" {
				defer s.wait(t, petrova, doc, nil).granted(t)
			}
			late := editlock.Attempt{Key: "k1", First: time.Now()}
			if did, err := tt.do(editlock.WithAttempt(as(t, ivanov), late), s.Locker); err != nil || !did {
				t.Errorf("the retry: %v, %v", did, err)
			}
		})
	}
	t.Run("the retry of ReleaseAfter leaves alone what was kept since the first try", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		do := func(try editlock.Attempt) {
			t.Helper()
			if did, err := s.Locker.ReleaseAfter(editlock.WithAttempt(as(t, ivanov), try), doc, editlock.Condition{}, time.Minute); err != nil || did != (try == first) {
				t.Errorf("ReleaseAfter = %v, %v", did, err)
			}
		}
		do(first)
		kept, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token})
		if err != nil {
			t.Fatal(err)
		}
		do(again)
		wantStanding(t, s.Locker, kept)
	})
	t.Run("the retry of ForceRelease is no error once the mutex is another's", func(t *testing.T) {
		s := h.Open(t)
		seen := capture(as(t, ivanov), t, s.Locker, doc, nil)
		if err := s.Locker.ForceRelease(editlock.WithAttempt(as(t, smith), first), doc, seen.Token, why); err != nil {
			t.Fatal(err)
		}
		now := capture(as(t, petrova), t, s.Locker, doc, nil)
		if err := s.Locker.ForceRelease(editlock.WithAttempt(as(t, smith), again), doc, seen.Token, why); err != nil {
			t.Errorf("the retry: %v", err)
		}
		wantStanding(t, s.Locker, now)
	})
	t.Run("the retry of Decline is answered like the first try", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		s.wait(t, petrova, doc, nil)
		who := standing(t, s.Locker, doc).Waiters[0].ID
		for _, try := range []editlock.Attempt{first, again} {
			if did, err := s.Locker.Decline(editlock.WithAttempt(as(t, ivanov), try), doc, who, "no"); err != nil || !did {
				t.Errorf("Decline = %v, %v", did, err)
			}
		}
	})
	t.Run("the retry of a refreshing capture is lost once that hold ended and the session captured again", func(t *testing.T) {
		for name, do := range map[string]func(ctx context.Context, l editlock.Locker) error{
			"Capture": func(ctx context.Context, l editlock.Locker) error {
				_, err := l.Capture(ctx, doc, nil)
				return err
			},
			"Capture by IfStatusData": func(ctx context.Context, l editlock.Locker) error {
				_, err := l.Capture(ctx, doc, &editlock.CaptureOptions{If: editlock.IfStatusData(tab1)})
				return err
			},
			"CaptureAll": func(ctx context.Context, l editlock.Locker) error {
				_, err := l.CaptureAll(ctx, []editlock.ID{doc}, nil)
				return err
			},
		} {
			for how, captureAgain := range map[string]func(t *testing.T, l editlock.Locker, before editlock.Token) editlock.Mutex{
				"after a release": func(t *testing.T, l editlock.Locker, _ editlock.Token) editlock.Mutex {
					release(as(t, ivanov), t, l, doc)
					return capture(as(t, ivanov), t, l, doc, tab)
				},
				"by a takeover from itself": func(t *testing.T, l editlock.Locker, before editlock.Token) editlock.Mutex {
					m, err := l.Takeover(as(t, ivanov), doc, before, why, tab)
					if err != nil {
						t.Fatal(err)
					}
					return m
				},
			} {
				t.Run(name+" "+how, func(t *testing.T) {
					s := h.Open(t)
					before := capture(as(t, ivanov), t, s.Locker, doc, tab)
					if err := do(editlock.WithAttempt(as(t, ivanov), first), s.Locker); err != nil {
						t.Fatal(err)
					}
					second := captureAgain(t, s.Locker, before.Token)
					wantLost(t, do(editlock.WithAttempt(as(t, ivanov), again), s.other()), &second)
					wantStanding(t, s.Locker, second)
				})
			}
		}
	})
	t.Run("the retry of a capture whose first try never arrived refreshes what another job of the session captured", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		got, err := s.Locker.Capture(editlock.WithAttempt(as(t, ivanov), again), doc, nil)
		if err != nil || got.Token != m.Token {
			t.Errorf("Capture = %d, %v; want the token %d", got.Token, err, m.Token)
		}
	})
}
