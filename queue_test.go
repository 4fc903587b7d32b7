package editlock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// cut is a Manager on a store whose line can be cut. It is closed with the test,
// once the test's context has ended.
func cut(t *testing.T, st store.Store) (*editlock.Manager, *cuttable) {
	line := &cuttable{Store: st}
	m := editlock.NewManager(line, nil)
	t.Cleanup(func() { _ = m.Close() })
	return m, line
}

// away cuts the line for so long.
func (c *cuttable) away(d time.Duration) {
	c.off.Store(true)
	time.Sleep(d)
	c.off.Store(false)
}

// slow is a store whose joins fail or take their time, on the way there and back, and
// whose keep-alives are answered late.
type slow struct {
	store.Store
	fail          atomic.Int64 // so many joins
	before, after atomic.Int64
	beats         atomic.Int64
}

func (s *slow) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	if req.Ops[0].Do != store.Join {
		return s.Store.Commit(ctx, req)
	}
	if s.fail.Add(-1) >= 0 {
		return store.Result{}, errCut
	}
	time.Sleep(time.Duration(s.before.Load()))
	res, err := s.Store.Commit(ctx, req)
	time.Sleep(time.Duration(s.after.Load()))
	return res, err
}

func (s *slow) KeepAlive(ctx context.Context, process string, ttl time.Duration) ([]string, error) {
	waiters, err := s.Store.KeepAlive(ctx, process, ttl)
	time.Sleep(time.Duration(s.beats.Load()))
	return waiters, err
}

// stands is who holds, and who waits, in their order.
func stands(t *testing.T, m *editlock.Manager) string {
	t.Helper()
	_, got, err := m.Request(t.Context(), report)
	if err != nil {
		t.Fatal(err)
	}
	text := got.Owner.Session
	for _, w := range got.Waiters {
		text += " " + w.Owner.Session
	}
	return text
}

// held makes the mutex held for so long.
func held(t *testing.T, m *editlock.Manager, idle time.Duration) {
	t.Helper()
	_, err := m.Capture(by(t.Context(), editlock.Owner{Session: "holder"}), report, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(idle)})
	if err != nil {
		t.Fatal(err)
	}
}

// asks waits in a request that is answered within so long, once.
func asks(t *testing.T, m *editlock.Manager, who string, within time.Duration, terms editlock.AutoRelease) {
	ctx, _ := patience.WithCaller(by(t.Context(), editlock.Owner{Session: who}), within)
	var on *patience.Waiting
	if _, err := m.Capture(ctx, report, &editlock.CaptureOptions{Wait: time.Hour, RequestID: who, AutoRelease: terms}); !errors.As(err, &on) {
		t.Errorf("%s: got %v, want to wait on", who, err)
	}
}

// returns waits as a client does behind a server: in requests of two seconds, and
// so long it is away until it asks again.
func returns(t *testing.T, m *editlock.Manager, who string, away time.Duration) {
	for {
		asked, _ := patience.WithCaller(by(t.Context(), editlock.Owner{Session: who}), 2*time.Second)
		_, err := m.Capture(asked, report, &editlock.CaptureOptions{Wait: time.Hour, RequestID: who})
		var on *patience.Waiting
		if !errors.As(err, &on) {
			return
		}
		select {
		case <-time.After(away):
		case <-t.Context().Done():
			return
		}
	}
}

// crowd has so many waiters come, each of whom returns, and tells their names in the
// order in which they came.
func crowd(t *testing.T, m *editlock.Manager, many int, away time.Duration) (names string) {
	for n := range many {
		who := fmt.Sprintf("waiter-%02d", n)
		go returns(t, m, who, away)
		time.Sleep(70 * time.Millisecond)
		names += " " + who
	}
	return names[1:]
}

// gone waits until it is told to ask again, and is away then while the process has
// lost its lease: it joins for the caller after twelve and a half seconds.
func gone(t *testing.T, m *editlock.Manager, line *cuttable) {
	t.Helper()
	go func() {
		time.Sleep(time.Second)
		line.away(10 * time.Second)
	}()
	asks(t, m, "gone", 4*time.Second, editlock.AutoRelease{})
}

// A process whose lease in the store ended, although it lives, comes back with
// its waiters in the order they had, before any newcomer.
func TestManager_WaitersComeBackInTheirOrder(t *testing.T) {
	const many = 15
	for _, test := range []struct {
		name  string
		lease time.Duration // of the holder
		stall func(line *cuttable, ahead *atomic.Int64)
		first string // who holds it then
	}{
		{"the store was away for 13 s", time.Hour, func(line *cuttable, _ *atomic.Int64) {
			line.away(13 * time.Second)
		}, "holder"},
		{"the store was away for longer than the holder's lease", 5 * time.Second, func(line *cuttable, _ *atomic.Int64) {
			line.away(13 * time.Second)
		}, "waiter-00"},
		{"the store's clock went an hour ahead", 2 * time.Hour, func(_ *cuttable, ahead *atomic.Int64) {
			ahead.Store(int64(time.Hour))
			time.Sleep(3 * time.Second)
		}, "holder"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ahead := new(atomic.Int64)
				m, line := cut(t, memory.New(&memory.Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}))
				capture := func(who string, o editlock.CaptureOptions) {
					_, _ = m.Capture(by(t.Context(), editlock.Owner{Session: who}), report, &o)
				}
				capture("holder", editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(test.lease)})
				want := "holder"
				for n := range many {
					who := fmt.Sprintf("waiter-%02d", n)
					go capture(who, editlock.CaptureOptions{Wait: time.Hour})
					synctest.Wait()
					want += " " + who
				}
				if test.first != "holder" {
					want = want[len("holder "):]
				}
				test.stall(line, ahead)
				capture("barger", editlock.CaptureOptions{})
				go capture("newcomer", editlock.CaptureOptions{Wait: time.Hour})
				synctest.Wait()
				time.Sleep(3 * time.Second)
				synctest.Wait()
				want += " newcomer"
				if got := stands(t, m); got != want {
					t.Errorf("holder and queue are\n%s, want\n%s", got, want)
				}
			})
		})
	}
}

// A waiter whose server is closed keeps the place for as long as a lease, from then on:
// who comes back later stands behind those who waited elsewhere.
func TestManager_APlaceOutlivesItsServerForALease(t *testing.T) {
	for _, test := range []struct {
		away time.Duration
		want string
	}{
		{9900 * time.Millisecond, "holder first second"},
		{11 * time.Second, "holder second first"},
	} {
		for at := range 6 { // between two keep-alives
			synctest.Test(t, func(t *testing.T) {
				kept := &memoryStore{Store: memory.New(nil)}
				server := func() *editlock.Manager { return editlock.NewManager(store.Store(kept), nil) }
				closing, other := server(), server()
				held(t, other, time.Hour)
				waits := func(m *editlock.Manager, who string) error {
					_, err := m.Capture(by(t.Context(), editlock.Owner{Session: who}), report,
						&editlock.CaptureOptions{Wait: time.Minute, RequestID: "request of " + who})
					return err
				}
				first := make(chan error)
				go func() { first <- waits(closing, "first") }()
				synctest.Wait()
				go func() { _ = waits(other, "second") }()
				time.Sleep(5*time.Second + time.Duration(at)*500*time.Millisecond)
				go func() { _ = closing.Close() }()
				if err := <-first; !errors.Is(err, editlock.ErrUnavailable) {
					t.Fatalf("who waited at the server that was closed got %v", err)
				}
				time.Sleep(test.away)
				next := server()
				go func() { _ = waits(next, "first") }()
				time.Sleep(100 * time.Millisecond)
				if got := stands(t, other); got != test.want {
					t.Errorf("after %v away holder and queue are %s; want %s", test.away, got, test.want)
				}
				_, _ = next.Close(), other.Close()
				_ = kept.Store.Close()
			})
		}
	}
}

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
