package editlock_test

import (
	"context"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

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
