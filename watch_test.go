package editlock_test

import (
	"context"
	"fmt"
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

// A watcher may begin at an end of the log that the others were not told of
// yet; when just that is lost, it must not wait for what it believes to know.
func TestWatch_TellsOfALossJustAfterItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		primary, copied := memory.New(nil), memory.New(nil)
		st := &failingOver{Store: primary}
		st.log.Store(primary)
		before, after := editlock.NewManager(st, nil), editlock.NewManager(copied, nil)
		defer func() { _, _ = before.Close(), after.Close() }()
		ctx, stop := context.WithCancel(editlock.WithOwner(t.Context(), editlock.Owner{Session: "ann"}))
		defer stop()
		watch := func() <-chan editlock.Event {
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
			return events
		}
		capture := func(id string, managers ...*editlock.Manager) {
			t.Helper()
			for _, m := range managers {
				if _, err := m.Capture(ctx, editlock.ID{ID: id}, nil); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
		}
		early := watch()
		time.Sleep(time.Second)
		capture("kept", before, after)
		capture("lost", before)
		capture("lost, too", before)
		late := watch()
		st.log.Store(copied) // the failover
		capture("new", after)
		time.Sleep(5 * time.Second)
		capture("newer", after)
		time.Sleep(5 * time.Second)
		for name, test := range map[string]struct {
			events <-chan editlock.Event
			want   string
		}{"early": {early, "captured kept, captured new, captured newer, "}, "late": {late, "gap , captured newer, "}} {
			got := ""
			for len(test.events) > 0 {
				e := <-test.events
				got += fmt.Sprintf("%s %s, ", e.Kind, e.ID.ID)
			}
			if got != test.want {
				t.Errorf("who began %s is told %q; want %q", name, got, test.want)
			}
		}
	})
}

// A slow watcher may hear of a loss only when the log has grown again, beyond
// all that he knew.
func TestWatch_TellsASlowOneOfALossThatWasOutgrown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		primary, copied := memory.New(nil), memory.New(nil)
		st := &failingOver{Store: primary}
		st.log.Store(primary)
		before, after := editlock.NewManager(st, nil), editlock.NewManager(copied, nil)
		defer func() { _, _ = before.Close(), after.Close() }()
		ctx, stop := context.WithCancel(editlock.WithOwner(t.Context(), editlock.Owner{Session: "ann"}))
		defer stop()
		capture := func(id string, managers ...*editlock.Manager) {
			t.Helper()
			for _, m := range managers {
				if _, err := m.Capture(ctx, editlock.ID{ID: id}, nil); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
		}
		told := make(chan string, 10)
		go func() {
			for e, err := range before.Watch(ctx, editlock.WatchQuery{}) {
				if err != nil {
					return
				}
				told <- fmt.Sprintf("%s %s", e.Kind, e.ID.ID)
				if e.ID.ID == "lost2" {
					time.Sleep(20 * time.Second)
				}
			}
		}()
		synctest.Wait()
		capture("kept", before, after)
		capture("lost1", before)
		capture("lost2", before)
		st.log.Store(copied) // the failover
		time.Sleep(5 * time.Second)
		for _, id := range []string{"new2", "new3", "new4"} {
			capture(id, after)
		}
		time.Sleep(30 * time.Second)
		got := ""
		for len(told) > 0 {
			got += <-told + ", "
		}
		if want := "captured kept, captured lost1, captured lost2, gap , captured new2, captured new3, captured new4, "; got != want {
			t.Errorf("is told %q; want %q", got, want)
		}
	})
}

// A watcher that is so far behind that the entries which all share are gone
// reads them from the store, and sees each once, as one who keeps up does.
func TestWatch_WhoLagsFarBehindMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := editlock.NewManager(memory.New(nil), nil)
		defer func() { _ = m.Close() }()
		ctx, stop := context.WithCancel(editlock.WithOwner(t.Context(), editlock.Owner{Session: "ann"}))
		defer stop()
		const captures = 3000
		seen := func(hold <-chan struct{}) <-chan uint64 {
			done := make(chan uint64, 1)
			go func() {
				last := uint64(0)
				for e, err := range m.Watch(ctx, editlock.WatchQuery{}) {
					if err != nil || e.Kind != editlock.KindCaptured || e.Owner.Session != "ann" || e.Seq != last+1 {
						t.Errorf("after %d: got %+v, %v", last, e, err)
						break
					}
					last = e.Seq
					<-hold
					if last == captures {
						break
					}
				}
				done <- last
			}()
			return done
		}
		free, held := make(chan struct{}), make(chan struct{})
		close(free)
		quick, slow := seen(free), seen(held)
		synctest.Wait()
		for i := range captures {
			if _, err := m.Capture(ctx, editlock.ID{ID: fmt.Sprint(i)}, nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := <-quick; n != captures {
			t.Errorf("who keeps up saw %d", n)
		}
		close(held)
		if n := <-slow; n != captures {
			t.Errorf("who lags saw %d", n)
		}
	})
}

// countingLog counts how often its log is read.
type countingLog struct {
	store.Store
	reads atomic.Int64
}

func (s *countingLog) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	s.reads.Add(1)
	return s.Store.Log(ctx, q)
}

func TestWatch_TellsOneEventAtOnceAndManyTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &countingLog{Store: memory.New(nil)}
		m := editlock.NewManager(st, nil)
		defer func() { _ = m.Close() }()
		ctx, stop := context.WithCancel(editlock.WithOwner(t.Context(), editlock.Owner{Session: "ann"}))
		defer stop()
		events := make(chan editlock.Event, 200)
		go func() {
			for e, err := range m.Watch(ctx, editlock.WatchQuery{}) {
				if err != nil {
					return
				}
				events <- e
			}
		}()
		capture := func(i int) {
			t.Helper()
			if _, err := m.Capture(ctx, editlock.ID{ID: fmt.Sprint(i)}, nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		time.Sleep(time.Second)
		capture(0)
		if len(events) != 1 {
			t.Errorf("of one event, %d are told at once", len(events))
		}
		before := st.reads.Load()
		const many = 100
		for i := range many {
			capture(i + 1)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(25 * time.Millisecond)
		synctest.Wait()
		if len(events) != 1+many {
			t.Errorf("%d of %d events are told", len(events), 1+many)
		}
		if n := st.reads.Load() - before; n > 6 {
			t.Errorf("the log was read %d times for events of %d ms", n, many)
		}
	})
}
