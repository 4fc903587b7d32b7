package locktest

import (
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// testDeath checks that what a dead process held passes to the next in the
// queue soon after its lease ended, with nobody calling meanwhile.
func testDeath(t *testing.T, h Harness) {
	for _, tt := range []struct {
		name string
		run  func(t *testing.T, s System) (end time.Time, granted []editlock.Mutex)
	}{
		{"of a holder alone", func(t *testing.T, s System) (time.Time, []editlock.Mutex) {
			dead := capture(as(t, ivanov), t, s.Locker, doc, nil)
			next := s.waitAt(t, s.other(), petrova, doc, nil)
			return s.die(t, dead), []editlock.Mutex{next.granted(t)}
		}},
		{"of a holder of one of several permits", func(t *testing.T, s System) (time.Time, []editlock.Mutex) {
			permit := &editlock.CaptureOptions{Limit: 3}
			all := crowd(5)
			capture(as(t, all[0]), t, s.Locker, doc, permit)
			dead := capture(as(t, all[1]), t, s.Locker, doc, permit)
			capture(as(t, all[2]), t, s.other(), doc, permit)
			next, behind := s.waitAt(t, s.other(), all[3], doc, permit), s.wait(t, all[4], doc, permit)
			end, m := s.die(t, dead), next.granted(t)
			behind.still(t)
			return end, []editlock.Mutex{m}
		}},
		{"of the last reader before a writer", func(t *testing.T, s System) (time.Time, []editlock.Mutex) {
			first := capture(as(t, ivanov), t, s.Locker, doc, sharedHold)
			second := capture(as(t, smith), t, s.other(), doc, sharedHold)
			writer := s.waitAt(t, s.other(), petrova, doc, nil)
			s.die(t, first)
			return s.die(t, second), []editlock.Mutex{writer.granted(t)}
		}},
		{"of a writer before readers", func(t *testing.T, s System) (time.Time, []editlock.Mutex) {
			dead := capture(as(t, ivanov), t, s.Locker, doc, nil)
			first, second := s.waitAt(t, s.other(), petrova, doc, sharedHold), s.wait(t, smith, doc, sharedHold)
			return s.die(t, dead), []editlock.Mutex{first.granted(t), second.granted(t)}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// A busy machine may be late, hardly three times in a row. A system
			// that looks for the dead every now and then always is.
			var late time.Duration
			for range 3 {
				end, granted := tt.run(t, h.Open(t))
				late = 0
				for _, m := range granted {
					if m.CapturedAt.Before(end) {
						t.Fatalf("%s has it at %v, before the lease ends at %v", m.Owner.Label(), m.CapturedAt, end)
					}
					late = max(late, m.CapturedAt.Sub(end))
				}
				if late <= time.Second {
					t.Logf("the next had it %v after the end of the lease", late)
					return
				}
				if late > prompt {
					break
				}
			}
			t.Errorf("the next had it %v after the end of the lease; a second is allowed", late)
		})
	}
	t.Run("of one of several readers lets no writer in", func(t *testing.T) {
		t.Parallel()
		s := h.Open(t)
		dead := capture(as(t, ivanov), t, s.Locker, doc, sharedHold)
		capture(as(t, smith), t, s.other(), doc, sharedHold)
		writer := s.waitAt(t, s.other(), petrova, doc, nil)
		s.die(t, dead)
		within(t, prompt, "the dead reader to be gone", func() bool { return standing(t, s.Locker, doc).Beside == 0 })
		writer.still(t)
		release(as(t, smith), t, s.Locker, doc)
		writer.granted(t)
	})
}

// die refreshes a mutex for the last time, for the shortest lease, and tells
// when that ends. The clock is left alone, so that it is seen who wakes by it.
func (s System) die(t *testing.T, m editlock.Mutex) (end time.Time) {
	t.Helper()
	last, err := refresh(as(t, m.Owner), t, s.Locker, editlock.RefreshItem{
		ID: m.ID, Token: m.Token, AutoRelease: editlock.TimeoutAutoRelease(lease),
	})
	if err != nil {
		t.Fatalf("the last refresh: %v", err)
	}
	return last.ExpiresAt
}
