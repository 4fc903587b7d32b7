package access_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// together lets nobody hear how a mutex stands before all have asked.
type together struct {
	editlock.Locker
	asked *sync.WaitGroup
}

func (l together) Request(ctx context.Context, id editlock.ID) (editlock.State, editlock.Mutex, error) {
	state, m, err := l.Locker.Request(ctx, id)
	l.asked.Done()
	l.asked.Wait()
	return state, m, err
}

// Many who begin to wait at once stay within the limit, although the store
// knows of none of them yet.
func TestGuard_HoldsManyWhoBeginToWaitAtOnceToTheLimit(t *testing.T) {
	const limit, many = 3, 20
	locks := editlock.NewManager(memory.New(nil), nil)
	defer func() { _ = locks.Close() }()
	id := editlock.ID{Group: "docs", ID: "busy"}
	if _, err := locks.Capture(editlock.WithOwner(t.Context(), editlock.Owner{Session: "holder"}), id, nil); err != nil {
		t.Fatal(err)
	}
	asked := new(sync.WaitGroup)
	asked.Add(many)
	guard := access.New(access.Policy{}, access.Limits{WaitersPerMutex: limit}, slog.New(slog.DiscardHandler))
	ctx, leave := context.WithTimeout(t.Context(), 30*time.Second) // for a test that fails
	defer leave()
	ended := make(chan error, many)
	for i := range many {
		name := fmt.Sprint("waiter-", i)
		caller := &auth.Caller{
			Name: name, Owner: editlock.Owner{Session: name, UserID: name},
			Grants: []auth.Grant{{Rights: []auth.Right{auth.Use}, Group: "docs", Mode: "*"}},
		}
		go func() {
			_, err := guard.For(together{locks, asked}, caller).Capture(ctx, id, &editlock.CaptureOptions{Wait: editlock.MaxWait})
			ended <- err
		}()
	}
	for range many - limit {
		if err := <-ended; !errors.Is(err, editlock.ErrLimited) {
			t.Errorf("one of those too many got %v", err)
		}
	}
	if n := guard.Counters.Limited()["waiters_per_mutex"]; n != many-limit {
		t.Errorf("%d are counted as refused, want %d", n, many-limit)
	}
	leave()
	for range limit {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("one who may wait got %v", err)
		}
	}
}

// A wait ends with the API key or login that it began with; a token has a
// successor, who goes on waiting in the same place.
func TestGuard_WaitsEndInTime(t *testing.T) {
	for name, ends := range map[string]bool{"of a key or login": true, "of a token": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				locks := editlock.NewManager(memory.New(nil), nil)
				defer func() { _ = locks.Close() }()
				id := editlock.ID{Group: "docs", ID: "busy"}
				holder := editlock.WithOwner(t.Context(), editlock.Owner{Session: "holder"})
				if _, err := locks.Capture(holder, id, nil); err != nil {
					t.Fatal(err)
				}
				caller := &auth.Caller{
					Name: "user:w", Owner: editlock.Owner{Session: "w", UserID: "w"}, Expires: time.Now().Add(10 * time.Second),
					Grants: []auth.Grant{{Rights: []auth.Right{auth.Use}, Group: "docs", Mode: "*"}},
				}
				if ends {
					caller.Ended = make(chan struct{})
				}
				guard := access.New(access.Policy{}, access.Limits{}, slog.New(slog.DiscardHandler))
				got := make(chan error, 1)
				go func() {
					_, err := guard.For(locks, caller).Capture(t.Context(), id, &editlock.CaptureOptions{Wait: time.Minute})
					got <- err
				}()
				time.Sleep(11 * time.Second)
				if _, err := locks.Release(holder, id, editlock.Condition{}); err != nil {
					t.Fatal(err)
				}
				if err := <-got; errors.Is(err, editlock.ErrUnauthenticated) != ends || !ends && err != nil {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// Who waits already, and whose connection was cut off, comes back to a full
// queue: it makes no queue longer.
func TestGuard_LetsWaitersComeBackToAFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locks := editlock.NewManager(memory.New(nil), nil)
		defer func() { _ = locks.Close() }()
		id := editlock.ID{Group: "docs", ID: "busy"}
		if _, err := locks.Capture(editlock.WithOwner(t.Context(), editlock.Owner{Session: "holder"}), id, nil); err != nil {
			t.Fatal(err)
		}
		guard := access.New(access.Policy{}, access.Limits{WaitersPerMutex: 1}, slog.New(slog.DiscardHandler))
		wait := func(ctx context.Context, name, key string) error {
			caller := &auth.Caller{
				Name: name, Owner: editlock.Owner{Session: name, UserID: name},
				Grants: []auth.Grant{{Rights: []auth.Right{auth.Use}, Group: "docs", Mode: "*"}},
			}
			ctx, _ = patience.WithCaller(ctx, time.Second)
			_, err := guard.For(locks, caller).Capture(ctx, id, &editlock.CaptureOptions{Wait: time.Minute, RequestID: key})
			return err
		}
		var on *patience.Waiting
		for range 3 {
			if err := wait(t.Context(), "waiter", "k"); !errors.As(err, &on) {
				t.Fatalf("got %v, want to wait on", err)
			}
		}
		cut, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if err := wait(cut, "waiter", "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("cut off: %v", err)
		}
		if err := wait(t.Context(), "waiter", "k"); !errors.As(err, &on) {
			t.Errorf("got %v, want to wait on", err)
		}
		if err := wait(t.Context(), "waiter", "another"); !errors.Is(err, editlock.ErrLimited) {
			t.Errorf("another wait: %v, want %v", err, editlock.ErrLimited)
		}
		// A place that was given up is nothing to come back to.
		caller := &auth.Caller{
			Name: "waiter", Owner: editlock.Owner{Session: "waiter", UserID: "waiter"},
			Grants: []auth.Grant{{Rights: []auth.Right{auth.Use}, Group: "docs", Mode: "*"}},
		}
		if left, err := guard.For(locks, caller).Release(t.Context(), id, editlock.IfRequest("k")); err != nil || !left {
			t.Fatalf("left: %v, %v", left, err)
		}
		if err := wait(t.Context(), "next", "k"); !errors.As(err, &on) {
			t.Fatalf("the next one: %v, want to wait on", err)
		}
		if err := wait(t.Context(), "waiter", "k"); !errors.Is(err, editlock.ErrLimited) {
			t.Errorf("after leaving: %v, want %v", err, editlock.ErrLimited)
		}
	})
}

// A waiter whose next request goes to another server of the same store has a place
// there, too, however full the queue is; another wait of the same session has none.
func TestGuard_LetsWaitersComeBackThroughAnotherServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New(nil)
		var servers [2]editlock.Locker
		id := editlock.ID{Group: "docs", ID: "busy"}
		caller := func(name string) *auth.Caller {
			return &auth.Caller{
				Name: name, Owner: editlock.Owner{Session: name, UserID: name},
				Grants: []auth.Grant{{Rights: []auth.Right{auth.Use}, Group: "docs", Mode: "*"}},
			}
		}
		var guards [2]*access.Control
		for n := range servers {
			m := editlock.NewManager(shared{st}, nil)
			defer func() { _ = m.Close() }()
			servers[n] = m
			guards[n] = access.New(access.Policy{}, access.Limits{WaitersPerMutex: 2}, slog.New(slog.DiscardHandler))
		}
		if _, err := servers[0].Capture(editlock.WithOwner(t.Context(), editlock.Owner{Session: "holder"}), id, nil); err != nil {
			t.Fatal(err)
		}
		wait := func(server int, name, key string) error {
			ctx, _ := patience.WithCaller(t.Context(), time.Second)
			_, err := guards[server].For(servers[server], caller(name)).Capture(ctx, id, &editlock.CaptureOptions{Wait: time.Minute, RequestID: key})
			return err
		}
		var on *patience.Waiting
		for n := range 6 {
			for _, name := range []string{"one", "two"} {
				if err := wait(n%2, name, "k"); !errors.As(err, &on) {
					t.Errorf("%s, request %d: %v, want to wait on", name, n, err)
				}
			}
		}
		if err := wait(1, "one", "another"); !errors.Is(err, editlock.ErrLimited) {
			t.Errorf("another wait: %v, want %v", err, editlock.ErrLimited)
		}
		if err := wait(1, "three", "k"); !errors.Is(err, editlock.ErrLimited) {
			t.Errorf("a third: %v, want %v", err, editlock.ErrLimited)
		}
	})
}

// shared is a store that outlives its Managers.
type shared struct{ store.Store }

func (shared) Close() error { return nil }
