package locktest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

// testRequest checks what everybody is told, and that asking changes nothing.
func testRequest(t *testing.T, h Harness) {
	t.Run("free: state 1 and no mutex", func(t *testing.T) {
		s := h.Open(t)
		state, m, err := s.Locker.Request(as(t, ivanov), doc)
		if state != 1 || err != nil {
			t.Errorf("Request = %v, %v; want FREE", state, err)
		}
		if diff := cmp.Diff(editlock.Mutex{}, m); diff != "" {
			t.Errorf("a mutex nobody holds (-want +got):\n%s", diff)
		}
	})

	for _, tt := range []struct {
		name  string
		asker editlock.Owner
		want  editlock.State
	}{
		{"mine: state 2", ivanov, 2},
		{"another's: state 3", petrova, 3},
		{"mine in another session: state 3", ivanovAgain, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := h.Open(t)
			held := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{StatusData: "x"})
			state, m, err := s.Locker.Request(as(t, tt.asker), doc)
			if state != tt.want || err != nil {
				t.Errorf("Request = %v, %v; want %v", state, err, tt.want)
			}
			sameMutex(t, "the mutex told", m, held)
			if m.AsOf.Before(held.AsOf) {
				t.Errorf("as of %v, before the capture at %v", m.AsOf, held.AsOf)
			}
		})
	}

	t.Run("a stranger sees what is held as another's", func(t *testing.T) {
		s := h.Open(t)
		ctx := editlock.WithoutOwner(t.Context())
		if state, _, err := s.Locker.Request(ctx, doc); state != editlock.Free || err != nil {
			t.Errorf("Request of a free mutex = %v, %v; want FREE", state, err)
		}
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		state, m, err := s.Locker.Request(ctx, doc)
		if state != editlock.CapturedByOther || err != nil {
			t.Errorf("Request = %v, %v; want CAPTURED_BY_OTHER", state, err)
		}
		sameMutex(t, "the mutex told", m, held)
	})

	t.Run("an expired mutex is free to everybody", func(t *testing.T) {
		s := h.Open(t)
		s.lapse(t, capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)}))
		for _, o := range []editlock.Owner{ivanov, petrova} {
			if state, m, err := s.Locker.Request(as(t, o), doc); state != editlock.Free || m.Token != 0 || err != nil {
				t.Errorf("Request for %s = %v, %+v, %v; want FREE", o.Login, state, m, err)
			}
		}
	})

	t.Run("changes nothing", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, nil)
		past := history(t, s.Locker, editlock.HistoryQuery{})
		for range 3 {
			s.pass(10 * time.Second)
			for _, o := range []editlock.Owner{ivanov, ivanovAgain, petrova} {
				if _, _, err := s.Locker.Request(as(t, o), doc); err != nil {
					t.Fatalf("Request: %v", err)
				}
			}
		}
		wantStanding(t, s.Locker, held)
		if diff := cmp.Diff(past, history(t, s.Locker, editlock.HistoryQuery{})); diff != "" {
			t.Errorf("history changed (-before +after):\n%s", diff)
		}
	})

	t.Run("does not keep a mutex alive", func(t *testing.T) {
		s := h.Open(t)
		held := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)})
		s.pass(lease / 2)
		if _, _, err := s.Locker.Request(as(t, ivanov), doc); err != nil {
			t.Fatalf("Request: %v", err)
		}
		s.lapse(t, held) // the whole time from the capture on, at most
		wantFree(t, s.Locker, doc)
	})
}
