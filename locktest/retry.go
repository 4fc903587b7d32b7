package locktest

import (
	"testing"
	"time"

	"editlock"
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
		his := capture(as(t, petrova), t, s.Locker, doc, nil)
		if m, err := s.Locker.Capture(as(t, ivanov), doc, opts); err == nil {
			t.Errorf("the retry got %+v while %s holds", m, his.Owner.Login)
		}
		wantStanding(t, s.Locker, his)
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
		t.Run("the retry of "+tt.name+" is lost once the session captured anew", func(t *testing.T) {
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
	t.Run("the retry of several that refreshed some is lost once one of these was captured anew", func(t *testing.T) {
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
}
