package editlock_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// failingOver is a store whose log can be another's from one moment on.
type failingOver struct {
	store.Store
	log atomic.Pointer[store.Store]
}

func (s *failingOver) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	return (*s.log.Load()).Log(ctx, q)
}

// failover is a Manager on a store that fails over to a copy, and another on
// the copy itself.
type failover struct {
	*testing.T
	ctx           context.Context
	before, after *editlock.Manager
	happen        func()
}

// bubbleFailover runs a test with one, in time that passes as it says.
func bubbleFailover(t *testing.T, do func(f *failover)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var primary, copied store.Store = memory.New(nil), memory.New(nil)
		st := &failingOver{Store: primary}
		st.log.Store(&primary)
		ctx, stop := context.WithCancel(editlock.WithOwner(t.Context(), editlock.Owner{Session: "ann"}))
		f := &failover{t, ctx, editlock.NewManager(st, nil), editlock.NewManager(copied, nil), func() { st.log.Store(&copied) }}
		defer func() { _, _ = f.before.Close(), f.after.Close() }()
		defer stop()
		do(f)
	})
}

// capture captures by each of managers.
func (f *failover) capture(id string, managers ...*editlock.Manager) {
	f.Helper()
	for _, m := range managers {
		if _, err := m.Capture(f.ctx, editlock.ID{ID: id}, nil); err != nil {
			f.Fatal(err)
		}
	}
	synctest.Wait()
}

// watch tells what a watcher is told, who rests after one event. Of a gap it
// tells its end.
func (f *failover) watch(restAfter string, rest time.Duration) <-chan string {
	told := make(chan string, 10)
	go func() {
		for e, err := range f.before.Watch(f.ctx, editlock.WatchQuery{}) {
			if err != nil {
				return
			}
			what := e.ID.ID
			if e.Kind == editlock.KindGap {
				what = fmt.Sprint(e.Seq)
			}
			told <- fmt.Sprintf("%s %s, ", e.Kind, what)
			if e.ID.ID == restAfter {
				time.Sleep(rest)
			}
		}
	}()
	synctest.Wait()
	return told
}

// all is what was told until now.
func all(told <-chan string) (text string) {
	for len(told) > 0 {
		text += <-told
	}
	return text
}

func TestWatch_TellsThatTheStoreLostTheEndOfItsLog(t *testing.T) {
	bubbleFailover(t, func(f *failover) {
		told := f.watch("", 0)
		f.capture("kept", f.before, f.after)
		for _, id := range []string{"lost", "lost, too"} {
			time.Sleep(time.Second)
			f.capture(id, f.before)
		}
		time.Sleep(time.Second)
		f.happen()
		time.Sleep(5 * time.Second)
		f.capture("new", f.after)
		time.Sleep(5 * time.Second)
		if got, want := all(told), "captured kept, captured lost, captured lost, too, gap 1, captured new, "; got != want {
			f.Errorf("is told %q; want %q", got, want)
		}
	})
}

// A watcher may begin at an end of the log that the others were not told of
// yet; when just that is lost, it must not wait for what it believes to know.
func TestWatch_TellsOfALossJustAfterItBegan(t *testing.T) {
	bubbleFailover(t, func(f *failover) {
		early := f.watch("", 0)
		time.Sleep(time.Second)
		f.capture("kept", f.before, f.after)
		f.capture("lost", f.before)
		f.capture("lost, too", f.before)
		late := f.watch("", 0)
		f.happen()
		f.capture("new", f.after)
		time.Sleep(5 * time.Second)
		f.capture("newer", f.after)
		time.Sleep(5 * time.Second)
		for name, test := range map[string]struct {
			told <-chan string
			want string
		}{"early": {early, "captured kept, captured new, captured newer, "}, "late": {late, "gap 2, captured newer, "}} {
			if got := all(test.told); got != test.want {
				f.Errorf("who began %s is told %q; want %q", name, got, test.want)
			}
		}
	})
}

// A slow watcher may learn of a loss only when the log has grown again, beyond
// all that it knew.
func TestWatch_TellsASlowOneOfALossThatWasOutgrown(t *testing.T) {
	bubbleFailover(t, func(f *failover) {
		told := f.watch("lost, too", 20*time.Second)
		f.capture("kept", f.before, f.after)
		for _, id := range []string{"lost", "lost, too"} {
			time.Sleep(time.Second)
			f.capture(id, f.before)
		}
		time.Sleep(time.Second)
		f.happen()
		time.Sleep(5 * time.Second)
		for _, id := range []string{"new", "newer", "newest"} {
			f.capture(id, f.after)
		}
		time.Sleep(30 * time.Second)
		want := "captured kept, captured lost, captured lost, too, gap 1, captured new, captured newer, captured newest, "
		if got := all(told); got != want {
			f.Errorf("is told %q; want %q", got, want)
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

// Many watchers are woken less often, and miss nothing.
func TestManager_ACrowdOfWatchersIsWokenLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &countingLog{Store: memory.New(nil)}
		m := editlock.NewManager(st, nil)
		ctx, leave := context.WithCancel(by(t.Context(), holder))
		const watchers, captures = 2000, 200
		var told atomic.Int32
		for range watchers {
			go func() {
				for _, err := range m.Watch(ctx, editlock.WatchQuery{}) {
					if err != nil {
						return
					}
					told.Add(1)
				}
			}()
		}
		synctest.Wait()
		before := st.reads.Load()
		for n := range captures {
			if _, err := m.Capture(ctx, editlock.ID{ID: fmt.Sprint(n)}, nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(time.Second)
		if n := st.reads.Load() - before; n > 15 {
			t.Errorf("2,000 watchers are woken %d times in two seconds", n)
		}
		if n := told.Load(); n != watchers*captures {
			t.Errorf("%d events were told; want %d", n, watchers*captures)
		}
		leave()
		synctest.Wait()
		_ = m.Close()
	})
}
