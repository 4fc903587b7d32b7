package editlock_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// crowded is a store that holds up the steps of a crowd, and counts them.
type crowded struct {
	store.Store
	under atomic.Int32
	let   chan struct{}
}

func (c *crowded) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	if h := req.Ops[0].Holder; h != nil && strings.HasPrefix(h.Session, "crowd") {
		c.under.Add(1)
		<-c.let
	}
	return c.Store.Commit(ctx, req)
}

// A crowd that begins to wait at once shares the store with others, however
// large it is.
func TestManager_ACrowdOfWaitersLeavesTheStoreToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &crowded{Store: memory.New(nil), let: make(chan struct{})}
		m := editlock.NewManager(st, nil)
		if _, err := m.Capture(by(t.Context(), holder), report, nil); err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		for n := range 1000 {
			go func() {
				_, _ = m.Capture(by(ctx, editlock.Owner{Session: fmt.Sprint("crowd-", n)}), report, &editlock.CaptureOptions{Wait: time.Hour})
			}()
		}
		synctest.Wait()
		if n := st.under.Load(); n > 64 {
			t.Errorf("%d steps of the crowd are under way at once", n)
		}
		close(st.let)
		synctest.Wait()
		if _, mu, err := m.Request(t.Context(), report); err != nil || mu.Waiting != 1000 {
			t.Errorf("%d wait in the end, %v", mu.Waiting, err)
		}
		leave()
		synctest.Wait()
		_ = m.Close()
	})
}
