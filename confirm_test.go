package editlock_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store/sqlite"
)

// A grant lasts 15 s unless its waiter takes it up; then it lasts as asked.
func TestManager_ConfirmsWhatWasWaitedFor(t *testing.T) {
	id := editlock.ID{ID: "waited-for"}
	as := func(session string) context.Context {
		return editlock.WithOwner(t.Context(), editlock.Owner{Session: session})
	}
	open := func(t *testing.T, path string) *editlock.Manager {
		t.Helper()
		st, err := sqlite.Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return editlock.NewManager(st, nil)
	}
	wait := func(m *editlock.Manager) error {
		_, err := m.Capture(as("waiter"), id, &editlock.CaptureOptions{Wait: time.Minute, RequestID: "request-1"})
		return err
	}
	// queued captures for a holder and returns with the waiter behind them.
	queued := func(t *testing.T, m *editlock.Manager) (ended chan error) {
		t.Helper()
		if _, err := m.Capture(as("holder"), id, nil); err != nil {
			t.Fatal(err)
		}
		ended = make(chan error, 1)
		go func() { ended <- wait(m) }()
		for {
			_, mu, err := m.Request(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if mu.Waiting == 1 {
				return ended
			}
		}
	}
	release := func(t *testing.T, m *editlock.Manager) {
		t.Helper()
		if _, err := m.Release(as("holder"), id, editlock.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	// wantWhole fails unless the waiter soon holds it for the whole lease.
	wantWhole := func(t *testing.T, m *editlock.Manager) {
		t.Helper()
		var left time.Duration
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			_, mu, err := m.Request(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if left, _ = mu.ExpiresIn(); left > time.Minute {
				return
			}
		}
		t.Errorf("the waiter's mutex expires in %v", left)
	}

	t.Run("although the Manager is closed right after", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "locks.db")
		m := open(t, path)
		ended := queued(t, m)
		release(t, m)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		m = open(t, path)
		defer func() { _ = m.Close() }()
		wantWhole(t, m)
	})
	t.Run("to the retry of a wait that a restart interrupted", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "locks.db")
		m := open(t, path)
		ended := queued(t, m)
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil {
			t.Fatal("the wait outlived its Manager")
		}
		m = open(t, path)
		defer func() { _ = m.Close() }()
		release(t, m)
		if err := wait(m); err != nil {
			t.Fatal(err)
		}
		wantWhole(t, m)
	})
}
