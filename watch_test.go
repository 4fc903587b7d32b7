package editlock_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"editlock"
	"editlock/store"
	"editlock/store/memory"
)

// failingOver is a store whose log can be another's from one moment on.
type failingOver struct {
	store.Store
	log atomic.Pointer[memory.Store]
}

func (s *failingOver) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	return s.log.Load().Log(ctx, q)
}

func TestWatch_TellsThatTheStoreLostTheEndOfItsLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		primary, copied := memory.New(nil), memory.New(nil)
		st := &failingOver{Store: primary}
		st.log.Store(primary)
		before, after := editlock.NewManager(st, nil), editlock.NewManager(copied, nil)
		defer func() { _, _ = before.Close(), after.Close() }()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ann := editlock.WithOwner(ctx, editlock.Owner{Session: "ann"})
		capture := func(m *editlock.Manager, id string) {
			t.Helper()
			if _, err := m.Capture(ann, editlock.ID{ID: id}, nil); err != nil {
				t.Fatal(err)
			}
		}
		events := make(chan editlock.Event, 10)
		go func() {
			for e, err := range before.Watch(ctx, editlock.WatchQuery{}) {
				if err != nil {
					return
				}
				events <- e
			}
		}()
		synctest.Wait()
		capture(after, "kept")
		for _, id := range []string{"kept", "lost", "lost, too"} {
			capture(before, id)
			if e := <-events; e.ID.ID != id {
				t.Fatalf("got %+v; want the capture of %s", e, id)
			}
		}
		st.log.Store(copied) // the failover
		time.Sleep(5 * time.Second)
		select {
		case e := <-events:
			if e.Kind != editlock.KindGap || e.Seq >= 3 {
				t.Errorf("got %+v; want a gap at the copy's end", e)
			}
		default:
			t.Error("nothing is told")
		}
		capture(after, "new")
		time.Sleep(5 * time.Second)
		select {
		case e := <-events:
			if e.ID.ID != "new" {
				t.Errorf("got %+v; want the capture of new", e)
			}
		default:
			t.Error("what comes then is not told")
		}
	})
}
