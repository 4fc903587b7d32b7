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
