package editlock_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

func by(ctx context.Context, o editlock.Owner) context.Context { return editlock.WithOwner(ctx, o) }

// patient is a wait that no test sits out.
var patient = &editlock.CaptureOptions{Wait: editlock.MaxWait}

func TestManager_Permit(t *testing.T) {
	type asked struct {
		do   editlock.EventKind
		by   editlock.Owner
		held editlock.Mutex
	}
	var calls []asked
	forbid := fmt.Errorf("%w: ask the archive", editlock.ErrForbidden)
	m := editlock.NewManager(memory.New(nil), &editlock.ManagerOptions{
		Permit: func(_ context.Context, do editlock.EventKind, by editlock.Owner, held editlock.Mutex) error {
			calls = append(calls, asked{do, by, held})
			return forbid
		},
	})
	defer func() { _ = m.Close() }()
	ctx := t.Context()
	held, err := m.Capture(by(ctx, holder), report, nil)
	if err != nil {
		t.Fatalf("Capture: %v", err)
	}

	t.Run("another person is refused, and nothing changes", func(t *testing.T) {
		calls = nil
		if _, err := m.Takeover(by(ctx, intruder), report, held.Token, "urgent", nil); !errors.Is(err, forbid) {
			t.Errorf("Takeover: %v, want %v", err, forbid)
		}
		if err := m.ForceRelease(by(ctx, intruder), report, held.Token, "urgent"); !errors.Is(err, forbid) {
			t.Errorf("ForceRelease: %v, want %v", err, forbid)
		}
		if len(calls) != 2 || calls[0].do != editlock.KindTakenOver || calls[1].do != editlock.KindForceReleased {
			t.Fatalf("asked %+v", calls)
		}
		for _, c := range calls {
			if c.by != intruder || c.held.Token != held.Token || c.held.Owner != holder {
				t.Errorf("asked %+v", c)
			}
		}
		if _, now, _ := m.Request(by(ctx, holder), report); now.Token != held.Token {
			t.Errorf("now stands %+v", now)
		}
	})
	t.Run("a stale token is refused as such", func(t *testing.T) {
		calls = nil
		if _, err := m.Takeover(by(ctx, intruder), report, held.Token+1, "urgent", nil); !errors.Is(err, editlock.ErrBusy) {
			t.Errorf("Takeover: %v, want busy", err)
		}
		if len(calls) != 0 {
			t.Errorf("asked %+v", calls)
		}
	})
	t.Run("the same person needs no permission", func(t *testing.T) {
		calls = nil
		elsewhere := holder
		elsewhere.Session = "s-elsewhere"
		now, err := m.Takeover(by(ctx, elsewhere), report, held.Token, "moved", nil)
		if err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		if err := m.ForceRelease(by(ctx, holder), report, now.Token, "moved"); err != nil {
			t.Errorf("ForceRelease: %v", err)
		}
		if len(calls) != 0 {
			t.Errorf("asked %+v", calls)
		}
	})
}

// TestManager_Close checks that nobody hangs on a closed Manager, and that
// what is held stays held.
func TestManager_Close(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New(nil)
		m := editlock.NewManager(unclosed{st}, nil)
		held, err := m.Capture(by(t.Context(), holder), report, nil)
		if err != nil {
			t.Fatalf("Capture: %v", err)
		}
		ended := make(chan error, 2)
		go func() {
			_, err := m.Capture(by(t.Context(), intruder), report, patient)
			ended <- err
		}()
		go func() {
			var last error
			for _, err := range m.Watch(t.Context(), editlock.WatchQuery{}) {
				last = err
			}
			ended <- last
		}()
		synctest.Wait()
		if err := m.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		for range 2 {
			if err := <-ended; !errors.Is(err, editlock.ErrUnavailable) {
				t.Errorf("ended with %v, want %v", err, editlock.ErrUnavailable)
			}
		}
		next := editlock.NewManager(st, nil)
		if _, now, err := next.Request(by(t.Context(), holder), report); err != nil || now.Token != held.Token {
			t.Errorf("the next Manager finds %+v, %v", now, err)
		}
		if err := next.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if _, _, err := next.Request(by(t.Context(), holder), report); !errors.Is(err, editlock.ErrUnavailable) {
			t.Errorf("Request after Close: %v, want %v", err, editlock.ErrUnavailable)
		}
	})
}

// unclosed is a store that outlives its Manager.
type unclosed struct{ store.Store }

func (unclosed) Close() error { return nil }

// TestManager_WaitOutlivesRestart checks that a waiter at a server that is
// restarted keeps their place, and that its end grants them nothing twice.
func TestManager_WaitOutlivesRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New(nil)
		first := editlock.NewManager(unclosed{st}, nil)
		ctx := t.Context()
		if _, err := first.Capture(by(ctx, holder), report, nil); err != nil {
			t.Fatalf("Capture: %v", err)
		}
		queue := func(m *editlock.Manager, o editlock.Owner, request string) <-chan error {
			ended := make(chan error, 1)
			go func() {
				_, err := m.Capture(by(ctx, o), report, &editlock.CaptureOptions{Wait: editlock.MaxWait, RequestID: request})
				ended <- err
			}()
			synctest.Wait()
			return ended
		}
		one, two := editlock.Owner{Session: "one"}, editlock.Owner{Session: "two"}
		before := queue(first, one, "r1")
		if err := first.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if err := <-before; !errors.Is(err, editlock.ErrUnavailable) {
			t.Fatalf("the wait ended with %v", err)
		}

		second := editlock.NewManager(st, nil)
		behind := queue(second, two, "r2")
		again := queue(second, one, "r1")
		if _, now, _ := second.Request(by(ctx, holder), report); now.Waiting != 2 || now.Waiters[0].Owner != one {
			t.Fatalf("the queue is %+v, want one before two", now.Waiters)
		}
		if _, err := second.Release(by(ctx, holder), report, editlock.Condition{}); err != nil {
			t.Fatalf("Release: %v", err)
		}
		if err := <-again; err != nil {
			t.Errorf("the retry: %v", err)
		}
		if _, err := second.Release(by(ctx, one), report, editlock.Condition{}); err != nil {
			t.Fatalf("Release: %v", err)
		}
		if err := <-behind; err != nil {
			t.Errorf("who waited behind: %v", err)
		}
		if err := second.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// TestManager_DeadProcess checks that those who waited at a process that died
// are passed over within its lease, and a grant to one of them does not last.
func TestManager_DeadProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New(nil)
		alive := editlock.NewManager(st, nil)
		cut := &cuttable{Store: st}
		dying := editlock.NewManager(cut, nil)
		ctx := t.Context()
		if _, err := alive.Capture(by(ctx, holder), report, nil); err != nil {
			t.Fatalf("Capture: %v", err)
		}
		go func() { _, _ = dying.Capture(by(ctx, intruder), report, patient) }()
		synctest.Wait()
		granted := make(chan error, 1)
		go func() {
			_, err := alive.Capture(by(ctx, editlock.Owner{Session: "behind"}), report, patient)
			granted <- err
		}()
		synctest.Wait()
		cut.off.Store(true)
		died := time.Now()
		if _, err := alive.Release(by(ctx, holder), report, editlock.Condition{}); err != nil {
			t.Fatalf("Release: %v", err)
		}
		if err := <-granted; err != nil {
			t.Fatalf("who waited behind: %v", err)
		}
		if passed := time.Since(died); passed > 20*time.Second {
			t.Errorf("the dead one blocked the queue for %v", passed)
		}
		_ = dying.Close()
		if err := alive.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// TestManager_WaitEndsWhileTheHolderReleases cuts a release in between the end
// of a wait and the look at who is in the way: there is no holder to name, but
// no lock either.
func TestManager_WaitEndsWhileTheHolderReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &meddled{Store: memory.New(nil)}
		m := editlock.NewManager(st, nil)
		ctx := t.Context()
		if _, err := m.Capture(by(ctx, holder), report, nil); err != nil {
			t.Fatalf("Capture: %v", err)
		}
		st.left = func() {
			if released, err := m.Release(by(ctx, holder), report, editlock.Condition{}); !released || err != nil {
				t.Errorf("Release = %v, %v", released, err)
			}
		}
		got, err := m.Capture(by(ctx, intruder), report, &editlock.CaptureOptions{Wait: time.Minute})
		_, now, _ := m.Request(by(ctx, intruder), report)
		if err == nil && (got.Token == 0 || now.Token != got.Token) {
			t.Errorf("the wait ended with %+v and no error, while %+v stands", got, now)
		}
		if err := m.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// meddled is a store in which something happens just after somebody left a
// queue.
type meddled struct {
	store.Store
	left func()
}

func (s *meddled) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	res, err := s.Store.Commit(ctx, req)
	if then := s.left; then != nil && req.Ops[0].Do == store.Leave {
		s.left = nil
		then()
	}
	return res, err
}

func TestManager_Retention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := editlock.NewManager(memory.New(nil), &editlock.ManagerOptions{History: editlock.Retention{MaxEntries: 4}})
		ctx := by(t.Context(), holder)
		for i := range 6 {
			id := editlock.ID{ID: fmt.Sprint(i)}
			if _, err := m.Capture(ctx, id, nil); err != nil {
				t.Fatalf("Capture: %v", err)
			}
			if _, err := m.Release(ctx, id, editlock.Condition{}); err != nil {
				t.Fatalf("Release: %v", err)
			}
		}
		entries := func() []editlock.Event {
			page, err := m.History(ctx, editlock.HistoryQuery{})
			if err != nil {
				t.Fatalf("History: %v", err)
			}
			return page.Entries
		}
		all := entries()
		if len(all) != 12 {
			t.Fatalf("%d entries, want 12: what is young stays", len(all))
		}
		time.Sleep(store.RetryWindow + time.Minute)
		kept := entries()
		if diff := cmp.Diff(all[:4], kept); diff != "" {
			t.Errorf("entries kept (-want +got):\n%s", diff)
		}

		got := firstEvents(ctx, t, m, 0, 5)
		if gap := got[0]; gap.Kind != editlock.KindGap || gap.Seq < all[4].Seq || gap.Seq >= all[3].Seq {
			t.Errorf("who resumes before what is kept is told %+v, want a gap up to %d", gap, all[4].Seq)
		}
		slices.Reverse(kept)
		if diff := cmp.Diff(kept, got[1:]); diff != "" {
			t.Errorf("events behind the gap (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(kept[1:], firstEvents(ctx, t, m, kept[0].Seq, 3)); diff != "" {
			t.Errorf("who resumes within what is kept (-want +got):\n%s", diff)
		}
		if err := m.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// firstEvents are the first n events behind a number.
func firstEvents(ctx context.Context, t *testing.T, m *editlock.Manager, after uint64, n int) (got []editlock.Event) {
	t.Helper()
	for e, err := range m.Watch(ctx, editlock.WatchQuery{After: &after}) {
		if err != nil {
			t.Fatalf("Watch: %v", err)
		}
		if got = append(got, e); len(got) == n {
			break
		}
	}
	return got
}

// TestManager_ExpiryIsNoticed checks that an expiry is on record within a
// second although nobody asks.
func TestManager_ExpiryIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := editlock.NewManager(memory.New(nil), nil)
		ctx, stop := context.WithCancel(by(t.Context(), holder))
		var at time.Time
		done := make(chan struct{})
		go func() {
			defer close(done)
			for e, err := range m.Watch(ctx, editlock.WatchQuery{After: new(uint64)}) {
				if err == nil && e.Kind == editlock.KindExpired {
					at = time.Now()
					return
				}
			}
		}()
		time.Sleep(12345 * time.Millisecond)
		held, err := m.Capture(ctx, report, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(7 * time.Second)})
		if err != nil {
			t.Fatalf("Capture: %v", err)
		}
		<-done
		if late := at.Sub(held.ExpiresAt); late < 0 || late > time.Second {
			t.Errorf("told %v after the expiry", late)
		}
		stop()
		if err := m.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

func TestManager_CaptureAllRefusesAMaxHoldThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := editlock.NewManager(memory.New(nil), nil)
		defer func() { _ = m.Close() }()
		ctx := by(t.Context(), editlock.Owner{Session: "s"})
		mine, free := editlock.ID{ID: "mine"}, editlock.ID{ID: "free"}
		if _, err := m.Capture(ctx, mine, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		_, err := m.CaptureAll(ctx, []editlock.ID{mine, free}, &editlock.CaptureOptions{
			AutoRelease: editlock.AutoRelease{MaxHold: time.Second},
		})
		if !errors.Is(err, editlock.ErrInvalid) {
			t.Errorf("got %v, want ErrInvalid", err)
		}
		for id, want := range map[editlock.ID]editlock.State{mine: editlock.CapturedByMe, free: editlock.Free} {
			if state, _, err := m.Request(ctx, id); state != want || err != nil {
				t.Errorf("%s is %v, %v; want %v", id, state, err, want)
			}
		}
	})
}

// Who lost a mutex long ago is not told of a takeover from somebody else.
func TestManager_SaysNothingOfALossThatIsPruned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := editlock.NewManager(memory.New(nil), &editlock.ManagerOptions{History: editlock.Retention{MaxEntries: 2}})
		capture := func(o editlock.Owner) editlock.Mutex {
			got, err := m.Capture(by(t.Context(), o), report, &editlock.CaptureOptions{AutoRelease: editlock.Never})
			if err != nil {
				t.Fatalf("Capture: %v", err)
			}
			return got
		}
		first := capture(holder)
		if _, err := m.Release(by(t.Context(), holder), report, editlock.Condition{}); err != nil {
			t.Fatalf("Release: %v", err)
		}
		second := capture(intruder)
		third := editlock.Owner{Session: "s-third", UserID: "3", Name: "Third"}
		if _, err := m.Takeover(by(t.Context(), third), report, second.Token, "urgent", &editlock.CaptureOptions{AutoRelease: editlock.Never}); err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		loss := func() *editlock.LostError {
			_, err := m.Capture(by(t.Context(), holder), report, &editlock.CaptureOptions{If: editlock.IfToken(first.Token)})
			var lost *editlock.LostError
			if !errors.As(err, &lost) {
				t.Fatalf("the stale token gives %v, want a *LostError", err)
			}
			return lost
		}
		if lost := loss(); lost.How != editlock.KindReleased {
			t.Errorf("while history tells, it ended by %q", lost.How)
		}
		time.Sleep(store.RetryWindow + time.Minute)
		if lost := loss(); lost.How != "" || lost.Holder == nil || lost.Holder.Owner != third {
			t.Errorf("once that is pruned: %+v", lost)
		}
		if err := m.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}
