package editlock

import (
	"testing"
	"time"
)

// A machine that sleeps stops the monotonic clock, not the wall clock.
func TestHeld_NoticesWhatItSleptThrough(t *testing.T) {
	sent := time.Now()
	held := func(lease time.Duration) *Held {
		h := &Held{sent: sent, mutex: Mutex{AsOf: sent, ExpiresAt: sent.Add(lease)}}
		if lease == 0 {
			h.mutex.ExpiresAt = time.Time{}
		}
		return h
	}
	for _, tt := range []struct {
		name  string
		lease time.Duration
		woke  time.Duration
		want  bool
	}{
		{"awake within the lease", 5 * time.Minute, 4 * time.Minute, false},
		{"just before its safe end", 5 * time.Minute, 5*time.Minute - 7*time.Second, false},
		{"at its safe end", 5 * time.Minute, 5*time.Minute - 6*time.Second, true},
		{"long after", 5 * time.Minute, time.Hour, true},
		{"a hold without an end", 0, time.Hour, false},
		{"the wall clock was set back", 5 * time.Minute, -time.Hour, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := held(tt.lease).overslept(sent.Round(0).Add(tt.woke)); got != tt.want {
				t.Errorf("overslept is %v", got)
			}
		})
	}
}
