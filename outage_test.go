package editlock_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

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
