package editlock_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// behind lets a take wait until its caller's withdrawal has been there.
type behind struct {
	store.Store
	went atomic.Bool
}

func (b *behind) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	switch req.Ops[0].Do {
	case store.Acquire:
		time.Sleep(time.Second)
	case store.Leave:
		b.went.Store(true)
		if err := ctx.Err(); err != nil {
			return store.Result{}, err
		}
	default:
	}
	return b.Store.Commit(ctx, req)
}

// A server that stood still finds the capture and its withdrawal together, and
// both of their callers gone.
func TestRelease_OfACaptureThatComesLaterLeavesNothingHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &behind{Store: memory.New(nil)}
		m := editlock.NewManager(b, nil)
		defer func() { _ = m.Close() }()
		ctx := by(t.Context(), editlock.Owner{Session: "ann"})
		captured := make(chan error)
		go func() {
			_, err := m.Capture(ctx, report, &editlock.CaptureOptions{RequestID: "k"})
			captured <- err
		}()
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if released, err := m.Release(gone, report, editlock.IfRequest("k")); released || err != nil || !b.went.Load() {
			t.Fatalf("the withdrawal: %v, %v", released, err)
		}
		if err := <-captured; !errors.Is(err, editlock.ErrLost) {
			t.Errorf("the capture: %v, want it lost", err)
		}
		if state, _, err := m.Request(ctx, report); state != editlock.Free || err != nil {
			t.Errorf("it is %v, %v", state, err)
		}
		// Another call is another capture.
		if _, err := m.Capture(ctx, report, &editlock.CaptureOptions{RequestID: "k2"}); err != nil {
			t.Error(err)
		}
	})
}

// However many others withdraw, the latest are remembered.
func TestRelease_OfACaptureIsRememberedWhenManyAreWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := editlock.NewManager(memory.New(nil), nil)
		defer func() { _ = m.Close() }()
		ctx := by(t.Context(), editlock.Owner{Session: "ann"})
		const many = 10_001
		for n := range many {
			if _, err := m.Release(ctx, report, editlock.IfRequest(fmt.Sprint("k", n))); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range []int{1, many / 2, many - 1} {
			if _, err := m.Capture(ctx, report, &editlock.CaptureOptions{RequestID: fmt.Sprint("k", n)}); !errors.Is(err, editlock.ErrLost) {
				t.Errorf("capture %d: %v, want it lost", n, err)
			}
		}
	})
}

// The same where the mutex is held: the capture would wait for nobody.
func TestRelease_OfACaptureThatComesLaterAndWaitsLeavesNobodyInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := editlock.NewManager(memory.New(nil), nil)
		defer func() { _ = m.Close() }()
		if _, err := m.Capture(by(t.Context(), editlock.Owner{Session: "holder"}), report, nil); err != nil {
			t.Fatal(err)
		}
		ctx := by(t.Context(), editlock.Owner{Session: "ann"})
		if released, err := m.Release(ctx, report, editlock.IfRequest("k")); released || err != nil {
			t.Fatalf("the withdrawal: %v, %v", released, err)
		}
		if _, err := m.Capture(ctx, report, &editlock.CaptureOptions{RequestID: "k", Wait: time.Minute}); !errors.Is(err, editlock.ErrLost) {
			t.Errorf("the capture: %v, want it lost", err)
		}
		if _, got, err := m.Request(ctx, report); err != nil || got.Waiting != 0 {
			t.Errorf("the queue is %+v, %v", got.Waiters, err)
		}
	})
}

// A client behind a proxy withdraws at a server that is not the one with its open
// request, or with its request that is still on the way.
func TestRelease_OfACaptureAtAnotherServerIsNotUndone(t *testing.T) {
	for _, test := range []struct {
		name string
		lost bool // the server with the request has no store meanwhile, and loses its lease
		free bool // the mutex becomes free meanwhile
		late bool // the request comes after its withdrawal
		wait time.Duration
	}{
		{"a request that waits", false, false, false, time.Hour},
		{"a request that waits, and gets free what it waited for", false, true, false, time.Hour},
		{"a request that waits at a server that lost its lease", true, false, false, time.Hour},
		{"the same, and it gets free what it waited for", true, true, false, time.Hour},
		{"a request that comes later, and waits", false, false, true, time.Hour},
		{"a request that comes later, and finds it free", false, true, true, time.Hour},
		{"a request that comes later, and has no patience", false, true, true, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := memory.New(nil)
				one, line := cut(t, st)
				other, _ := cut(t, st)
				held(t, other, time.Hour)
				asked, _ := patience.WithCaller(by(t.Context(), editlock.Owner{Session: "ann"}), 0)
				answered := make(chan error, 1)
				ask := func() {
					_, err := one.Capture(asked, report, &editlock.CaptureOptions{Wait: test.wait, RequestID: "k"})
					answered <- err
				}
				if !test.late {
					go ask()
					time.Sleep(time.Second)
				}
				line.off.Store(test.lost)
				if test.lost {
					time.Sleep(11 * time.Second)
				}
				released, err := other.Release(by(t.Context(), editlock.Owner{Session: "ann"}), report, editlock.IfRequest("k"))
				if err != nil || released != (!test.late && !test.lost) {
					t.Fatalf("the withdrawal: %v, %v", released, err)
				}
				want := "holder"
				if test.free {
					want = ""
					if _, err := other.Release(by(t.Context(), editlock.Owner{Session: "holder"}), report, editlock.Condition{}); err != nil {
						t.Fatal(err)
					}
				}
				if test.late {
					go ask()
				}
				for at := range 50 { // quarters of a second
					line.off.Store(test.lost && at < 4)
					time.Sleep(250 * time.Millisecond)
					if got := stands(t, other); got != want {
						t.Fatalf("holder and queue are %q after %d quarters of a second, want %q", got, at, want)
					}
				}
				select {
				case err := <-answered:
					lost := (*editlock.LostError)(nil)
					if !errors.As(err, &lost) {
						t.Fatalf("the request: %v, want it lost", err)
					}
					if lost.Holder == nil && !test.free { // else it may have been answered before
						t.Errorf("the request: %v", err)
					}
				default:
					t.Error("the request is not answered")
				}
			})
		})
	}
}

// Also where the waiter stands in the way of what is above or below.
func TestRelease_OfAWaitAtAnotherServerOpensWhatItClosed(t *testing.T) {
	all := editlock.ID{Group: report.Group, Mode: report.Mode, Below: true}
	for _, test := range []struct{ held, asked editlock.ID }{
		{report, all},
		{all, report},
	} {
		t.Run(test.asked.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := memory.New(nil)
				one, _ := cut(t, st)
				other, _ := cut(t, st)
				if _, err := other.Capture(in(t, "holder"), test.held, nil); err != nil {
					t.Fatal(err)
				}
				go func() {
					asked, _ := patience.WithCaller(in(t, "ann"), 0)
					_, _ = one.Capture(asked, test.asked, &editlock.CaptureOptions{Wait: time.Hour, RequestID: "k"})
				}()
				time.Sleep(time.Second)
				if _, err := other.Release(in(t, "ann"), test.asked, editlock.IfRequest("k")); err != nil {
					t.Fatal(err)
				}
				if _, err := other.Release(in(t, "holder"), test.held, editlock.Condition{}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(15 * time.Second)
				if _, err := one.Capture(in(t, "bob"), test.held, nil); err != nil {
					t.Errorf("after the withdrawal: %v", err)
				}
			})
		})
	}
}

// While the store is away, each withdrawal is tried again by the process; but not
// without a bound, however many are asked for.
func TestRelease_OfManyCapturesWhileTheStoreIsAwayCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, line := cut(t, memory.New(nil))
		ctx := by(t.Context(), editlock.Owner{Session: "ann"})
		if _, err := m.Capture(ctx, report, &editlock.CaptureOptions{RequestID: "k0"}); err != nil {
			t.Fatal(err)
		}
		line.off.Store(true)
		before := runtime.NumGoroutine()
		for n := range 30_000 {
			if _, err := m.Release(ctx, report, editlock.IfRequest(fmt.Sprint("k", n))); !errors.Is(err, editlock.ErrUnavailable) {
				t.Fatal(err)
			}
		}
		if n := runtime.NumGoroutine() - before; n > 5000 {
			t.Errorf("%d goroutines wait for the store", n)
		}
		line.off.Store(false)
		time.Sleep(5 * time.Second)
		if state, _, err := m.Request(ctx, report); state != editlock.Free || err != nil {
			t.Errorf("what was withdrawn first is %v, %v", state, err)
		}
		line.off.Store(true)
		if _, err := m.Release(ctx, report, editlock.IfRequest("later")); !errors.Is(err, editlock.ErrUnavailable) {
			t.Fatal(err)
		}
		line.off.Store(false)
		time.Sleep(5 * time.Second)
		if _, err := m.Capture(ctx, report, &editlock.CaptureOptions{RequestID: "later"}); !errors.Is(err, editlock.ErrLost) {
			t.Errorf("one that was withdrawn after all that: %v, want it lost", err)
		}
	})
}

// lateConfirm is a store that hears late of the confirmation of a grant.
type lateConfirm struct {
	store.Store
	gate chan struct{}
}

func (s *lateConfirm) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	if sw := req.Ops[0]; sw.Do == store.Renew && sw.Expect.Token != 0 && sw.Expect.Session == nil && sw.ConfirmWithin == 0 {
		<-s.gate
	}
	return s.Store.Commit(ctx, req)
}

func TestReleaseAfter_IsNotUndoneByALateConfirmation(t *testing.T) {
	st := &lateConfirm{memory.New(nil), make(chan struct{})}
	m := editlock.NewManager(st, nil)
	defer func() { _ = m.Close() }()
	if _, err := m.Capture(by(t.Context(), holder), report, nil); err != nil {
		t.Fatal(err)
	}
	got := make(chan editlock.Mutex, 1)
	go func() {
		mu, err := m.Capture(by(t.Context(), intruder), report, &editlock.CaptureOptions{Wait: 20 * time.Second})
		if err != nil {
			t.Error(err)
		}
		got <- mu
	}()
	for waits := false; !waits; time.Sleep(time.Millisecond) {
		_, mu, err := m.Request(t.Context(), report)
		if err != nil {
			t.Fatal(err)
		}
		waits = mu.Waiting > 0
	}
	if _, err := m.Release(by(t.Context(), holder), report, editlock.Condition{}); err != nil {
		t.Fatal(err)
	}
	mu := <-got
	time.AfterFunc(50*time.Millisecond, func() { close(st.gate) })
	if ok, err := m.ReleaseAfter(by(t.Context(), intruder), report, editlock.IfToken(mu.Token), 2*time.Second); !ok || err != nil {
		t.Fatal(ok, err)
	}
	_, mu, err := m.Request(t.Context(), report)
	if left, _ := mu.ExpiresIn(); err != nil || left > 2*time.Second {
		t.Errorf("to be released after 2 s, it lasts %v more, %v", left, err)
	}
}
