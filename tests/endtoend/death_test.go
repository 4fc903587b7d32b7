package endtoend

import (
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// passesOnWhatTheDeadHeld kills a server with its callers: one has one of two
// permits, another reads what somebody waits to write. The other server's
// waiters have both within a second of the ends of the leases.
func passesOnWhatTheDeadHeld(t *testing.T, w *world) {
	s, other := w.servers(t)
	look := dial(t, other.url())
	report := editlock.ID{Group: record.Group, Mode: "report", ID: "17"}
	var late time.Duration
	for range 3 { // a busy machine may be late once
		dying := dial(t, s.url())
		permit, shared := editlock.CaptureOptions{Limit: 2}, editlock.CaptureOptions{Sharing: editlock.Shared}
		capture(t, look, record, "lives", permit)
		last := []editlock.RefreshItem{
			{ID: record, Token: capture(t, dying, record, "dies", permit).Token},
			{ID: report, Token: capture(t, dying, report, "dies", shared).Token},
		}
		permits, writes := make(chan grant, 1), make(chan grant, 1)
		queueUpFor(t, look, look, record, "next", 1, permit, permits)
		queueUpFor(t, look, look, report, "next", 1, editlock.CaptureOptions{}, writes)
		for i := range last {
			last[i].AutoRelease = editlock.TimeoutAutoRelease(editlock.MinAutoRelease)
		}
		results, err := dying.Refresh(as(t.Context(), "dies"), last)
		if err != nil {
			t.Fatal(err)
		}
		s.kill()
		late = 0
		for i, grants := range []chan grant{permits, writes} {
			if results[i].Err != nil {
				t.Fatal(results[i].Err)
			}
			end, m := results[i].Mutex.ExpiresAt, receive(t, grants).mutex
			if m.CapturedAt.Before(end) {
				t.Fatalf("%v was granted at %v, before the lease ends at %v", m.ID, m.CapturedAt, end)
			}
			late = max(late, m.CapturedAt.Sub(end))
		}
		if late <= time.Second {
			t.Logf("granted %v after the ends of the leases", late)
			return
		}
		for _, who := range []string{"lives", "next"} {
			if _, err := look.ReleaseSession(t.Context(), "session-"+who); err != nil {
				t.Fatal(err)
			}
		}
		s.start()
	}
	t.Errorf("granted %v after the ends of the leases; a second is allowed", late)
}

func capture(t *testing.T, l editlock.Locker, id editlock.ID, who string, opts editlock.CaptureOptions) editlock.Mutex {
	t.Helper()
	m, err := l.Capture(as(t.Context(), who), id, &opts)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
