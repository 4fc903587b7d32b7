package editlock_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
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

// leaveless is a store that does not hear of the first who leaves a queue.
type leaveless struct {
	store.Store
	failed atomic.Bool
}

func (l *leaveless) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	if req.Ops[0].Do == store.Leave && l.failed.CompareAndSwap(false, true) {
		return store.Result{}, errCut
	}
	return l.Store.Commit(ctx, req)
}

func TestWhoIsToldBusyDoesNotWaitAnyMore(t *testing.T) {
	m := editlock.NewManager(&leaveless{Store: memory.New(nil)}, nil)
	defer m.Close()
	id := editlock.ID{ID: "17"}
	olga := editlock.WithOwner(t.Context(), editlock.Owner{Session: "olga"})
	ivan := editlock.WithOwner(t.Context(), editlock.Owner{Session: "ivan"})
	if _, err := m.Capture(olga, id, nil); err != nil {
		t.Fatal(err)
	}
	_, err := m.Capture(ivan, id, &editlock.CaptureOptions{Wait: 20 * time.Millisecond})
	if err == nil {
		t.Fatal("captured what another holds")
	}
	if _, err := m.Release(olga, id, editlock.Condition{}); err != nil {
		t.Fatal(err)
	}
	state, holder, lookErr := m.Request(t.Context(), id)
	if lookErr != nil {
		t.Fatal(lookErr)
	}
	if errors.Is(err, editlock.ErrBusy) && state != editlock.Free {
		t.Errorf("%s was told %q, and holds it now", holder.Owner.Session, err)
	}
}

// Two sessions that happen to use one request ID are told of their own
// captures only.
func TestManager_KeepsRequestIDsOfTwoSessionsApart(t *testing.T) {
	m := editlock.NewManager(memory.New(nil), nil)
	defer func() { _ = m.Close() }()
	ann := editlock.WithOwner(t.Context(), editlock.Owner{Session: "ann"})
	bob := editlock.WithOwner(t.Context(), editlock.Owner{Session: "bob"})
	id, opts := editlock.ID{ID: "1"}, &editlock.CaptureOptions{RequestID: "1", If: editlock.IfFree()}

	first, err := m.Capture(ann, id, opts)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := m.Capture(ann, id, opts); err != nil || again.Token != first.Token {
		t.Errorf("the retry got token %d, %v; want %d", again.Token, err, first.Token)
	}
	if got, err := m.Capture(bob, id, opts); !errors.Is(err, editlock.ErrBusy) {
		t.Errorf("another session got %+v, %v", got, err)
	}
	if _, err := m.Capture(ann, editlock.ID{ID: "2"}, opts); err != nil {
		t.Errorf("the same ID on another mutex: %v", err)
	}
}

// cuttable is a store whose line can be cut, as by the death of the process
// that uses it: nothing it asks for happens any more.
type cuttable struct {
	store.Store
	off atomic.Bool
}

var errCut = errors.New("the line is cut")

func (c *cuttable) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	if c.off.Load() {
		return store.Result{}, errCut
	}
	return c.Store.Commit(ctx, req)
}

func (c *cuttable) Get(ctx context.Context, name, session string) (store.View, error) {
	if c.off.Load() {
		return store.View{}, errCut
	}
	return c.Store.Get(ctx, name, session)
}

func (c *cuttable) List(ctx context.Context, q store.RecordQuery) (store.RecordPage, error) {
	if c.off.Load() {
		return store.RecordPage{}, errCut
	}
	return c.Store.List(ctx, q)
}

func (c *cuttable) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	if c.off.Load() {
		return store.LogPage{}, errCut
	}
	return c.Store.Log(ctx, q)
}

func (c *cuttable) KeepAlive(ctx context.Context, process string, ttl time.Duration) ([]string, error) {
	if c.off.Load() {
		return nil, errCut
	}
	return c.Store.KeepAlive(ctx, process, ttl)
}

func (c *cuttable) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	if c.off.Load() {
		return 0, errCut
	}
	return c.Store.Sweep(ctx, keep)
}

func (c *cuttable) Close() error { return nil }

// TestManager_StoreOutOfReach checks what callers are told when the store
// does not answer.
func TestManager_StoreOutOfReach(t *testing.T) {
	cut := &cuttable{Store: memory.New(nil)}
	m := editlock.NewManager(cut, nil)
	defer func() { _ = m.Close() }()
	cut.off.Store(true)
	ctx := by(t.Context(), holder)
	for name, call := range map[string]func() error{
		"Capture": func() error { _, err := m.Capture(ctx, report, nil); return err },
		"Capture with a wait": func() error {
			_, err := m.Capture(ctx, report, patient)
			return err
		},
		"CaptureAll": func() error { _, err := m.CaptureAll(ctx, []editlock.ID{report}, nil); return err },
		"Refresh": func() error {
			res, err := m.Refresh(ctx, []editlock.RefreshItem{{ID: report, Token: 1}})
			if err == nil {
				err = res[0].Err
			}
			return err
		},
		"Request":        func() error { _, _, err := m.Request(ctx, report); return err },
		"Release":        func() error { _, err := m.Release(ctx, report, editlock.Condition{}); return err },
		"ReleaseAll":     func() error { _, err := m.ReleaseAll(ctx, []editlock.ID{report}); return err },
		"ReleaseSession": func() error { _, err := m.ReleaseSession(ctx, holder.Session); return err },
		"Takeover":       func() error { _, err := m.Takeover(ctx, report, 1, "urgent", nil); return err },
		"ForceRelease":   func() error { return m.ForceRelease(ctx, report, 1, "urgent") },
		"HandOver":       func() error { _, err := m.HandOver(ctx, report); return err },
		"Decline":        func() error { _, err := m.Decline(ctx, report, "w", ""); return err },
		"List":           func() error { _, err := m.List(ctx, editlock.Query{}); return err },
		"History":        func() error { _, err := m.History(ctx, editlock.HistoryQuery{}); return err },
		"Watch": func() error {
			for _, err := range m.Watch(ctx, editlock.WatchQuery{}) {
				return err
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := call()
			if !errors.Is(err, editlock.ErrUnavailable) || !errors.Is(err, errCut) {
				t.Errorf("error is %v, want %v with the cause", err, editlock.ErrUnavailable)
			}
			if errors.Is(err, editlock.ErrLost) || errors.Is(err, editlock.ErrBusy) {
				t.Errorf("the silence is taken for an answer: %v", err)
			}
		})
	}
}
