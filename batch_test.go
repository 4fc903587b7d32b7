package editlock_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// counting counts the calls of a store, and tells of each Commit.
type counting struct {
	store.Store
	ops, lookups atomic.Int32
	onOp         func(n int32)
}

func (c *counting) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	if n := c.ops.Add(1); c.onOp != nil {
		c.onOp(n)
	}
	return c.Store.Commit(ctx, req)
}

func (c *counting) Ends(ctx context.Context, holds []store.Hold, kinds []string) (store.Ends, error) {
	c.lookups.Add(1)
	return c.Store.Ends(ctx, holds, kinds)
}

func (c *counting) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	c.lookups.Add(1)
	return c.Store.Log(ctx, q)
}

func TestManager_ABatchEndsWhenItsCallerIsGone(t *testing.T) {
	var ids []editlock.ID
	var items []editlock.RefreshItem
	for i := range editlock.MaxBatch {
		ids = append(ids, editlock.ID{ID: fmt.Sprint(i)})
		items = append(items, editlock.RefreshItem{ID: ids[i], Token: 1})
	}
	for name, call := range map[string]func(context.Context, *editlock.Manager) error{
		"Refresh": func(ctx context.Context, m *editlock.Manager) error {
			results, err := m.Refresh(ctx, items)
			if err == nil {
				err = results[len(results)-1].Err
			}
			return err
		},
		"ReleaseAll": func(ctx context.Context, m *editlock.Manager) error {
			_, err := m.ReleaseAll(ctx, ids)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			st := &counting{Store: memory.New(nil)}
			m := editlock.NewManager(st, nil)
			defer func() { _ = m.Close() }()
			ctx, leave := context.WithCancel(by(t.Context(), holder))
			defer leave()
			st.onOp = func(n int32) {
				if n == 10 {
					leave()
				}
			}
			if err := call(ctx, m); err == nil {
				t.Error("no error")
			}
			const underWay = 64
			if n := st.ops.Load(); n > 10+underWay {
				t.Errorf("%d items were worked on after the caller had gone", n-10)
			}
			if n := st.lookups.Load(); n > underWay {
				t.Errorf("%d losses were looked up for nobody", n)
			}
		})
	}
}

func TestManager_LooksUpOncePerBatchHowHoldsEnded(t *testing.T) {
	st := &counting{Store: memory.New(nil)}
	m := editlock.NewManager(st, nil)
	defer func() { _ = m.Close() }()
	ctx := by(t.Context(), holder)
	var items []editlock.RefreshItem
	for i := range editlock.MaxBatch {
		id := editlock.ID{ID: fmt.Sprint(i)}
		held, err := m.Capture(ctx, id, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if err := m.ForceRelease(by(t.Context(), intruder), id, held.Token, "needed"); err != nil {
				t.Fatal(err)
			}
		}
		items = append(items, editlock.RefreshItem{ID: id, Token: held.Token})
	}
	results, err := m.Refresh(ctx, items)
	if err != nil {
		t.Fatal(err)
	}
	for i, res := range results {
		lost, ended := res.Err.(*editlock.LostError) //nolint:errorlint // never wrapped
		switch {
		case ended != (i%2 == 0):
			t.Fatalf("item %d: %v", i, res.Err)
		case ended && (lost.How != editlock.KindForceReleased || lost.By.Session != intruder.Session || lost.Reason != "needed"):
			t.Fatalf("item %d is lost by %+v", i, lost)
		}
	}
	if n := st.lookups.Load(); n != 1 {
		t.Errorf("%d lookups for one batch", n)
	}
}

// cramped is a store where a path has more holds than are known, so that no hold on
// it passes to another session.
type cramped struct{ store.Store }

func (c cramped) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	sw := req.Ops[0]
	if sw.Do != store.Renew || sw.Holder == nil {
		return c.Store.Commit(ctx, req)
	}
	view, err := c.Get(ctx, sw.Name, "")
	return store.Result{Records: []*store.Record{view.Record}, Paths: []*store.Path{{More: 1}}, Now: view.Now}, err
}

func TestARefreshThatCantMoveTheHoldKeepsIt(t *testing.T) {
	m := editlock.NewManager(cramped{memory.New(nil)}, nil)
	defer m.Close()
	owner := editlock.Owner{Session: "first", UserID: "7"}
	id := editlock.ID{Group: "crm", Mode: "contract", Below: true}
	held, err := m.Capture(editlock.WithOwner(t.Context(), owner), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	again := owner
	again.Session = "second"
	ctx, cancel := context.WithTimeout(editlock.WithOwner(t.Context(), again), 10*time.Second)
	defer cancel()
	res, err := m.Refresh(ctx, []editlock.RefreshItem{{ID: id, Token: held.Token}})
	if err != nil || res[0].Err != nil || res[0].Mutex.Owner != owner || !res[0].Mutex.RefreshedAt.After(held.RefreshedAt) {
		t.Errorf("refreshed: %+v, %v", res, err)
	}
}
