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
}
