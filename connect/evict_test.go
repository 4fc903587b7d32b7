package connect_test

import (
	"errors"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/enginetest"
)

// Where Redis drops keys, a holder is told before somebody else can hold the mutex: the
// store refuses all calls from its first check on, and a hold that is not renewed ends in time.
func TestHold_EndsWhereRedisDropsKeys(t *testing.T) {
	t.Parallel()
	const idle = 6 * time.Second
	server := enginetest.StartRedis(t, "appendonly=no")
	ask := func(words ...string) string {
		t.Helper()
		answer, err := server.Ask(t, words...)
		if err != nil {
			t.Fatalf("%s: %v", words, err)
		}
		return answer
	}
	mine, others := open(t, server.Store()), open(t, server.Store())
	id := editlock.ID{ID: "17"}
	held, err := editlock.Hold(editlock.WithOwner(t.Context(), editlock.Owner{Session: "me"}), mine, id, &editlock.CaptureOptions{
		AutoRelease: editlock.AutoRelease{Idle: idle},
	})
	if err != nil {
		t.Fatal(err)
	}
	ask("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
	for _, locks := range []editlock.Locker{mine, others} {
		until(t, func() error {
			if editlock.Ready(t.Context(), locks) == nil {
				return errors.New("the policy goes unnoticed")
			}
			return nil
		})
	}
	ask("CONFIG", "SET", "maxmemory", "1")
	until(t, func() error { // refused or not, it makes Redis evict
		_, _ = server.Ask(t, "SET", "x", "1")
		if n := ask("DBSIZE"); n != "0" {
			return errors.New(n + " keys are left")
		}
		return nil
	})
	ask("CONFIG", "SET", "maxmemory", "0")
	ask("CONFIG", "SET", "maxmemory-policy", "noeviction") // as if nothing had been
	got := make(chan editlock.Mutex, 1)
	go func() {
		for as := editlock.WithOwner(t.Context(), editlock.Owner{Session: "other"}); t.Context().Err() == nil; time.Sleep(20 * time.Millisecond) {
			if m, err := others.Capture(as, id, nil); err == nil {
				got <- m
				return
			}
		}
	}()
	select {
	case <-held.Context().Done():
	case m := <-got:
		t.Errorf("another captured %v while the hold went on", m.ID)
	case <-time.After(2 * idle):
		t.Error("the hold goes on, though its mutex was dropped")
	}
}
