package editlock_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// Of those who wait in a tree: a free mutex has waiters there, if something above or
// below it is held.

var (
	contracts = editlock.ID{Group: "crm", Mode: "contract", Below: true}
	contract  = editlock.ID{Group: "crm", Mode: "contract", ID: "7"}
	address   = editlock.ID{Group: "crm", Mode: "contract", ID: "7", Part: "address"}
)

// metered counts transactions, and fails those after the first thousand: no caller
// of these tests needs so many.
type metered struct {
	store.Store
	commits atomic.Int64
}

func (m *metered) Commit(ctx context.Context, txn store.Txn) (store.Result, error) {
	if m.commits.Add(1) > 1000 {
		return store.Result{}, errCut
	}
	return m.Store.Commit(ctx, txn)
}

// unplugged is a store that is closed last.
func unplugged(t *testing.T) store.Store {
	st := memory.New(nil)
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// takes captures a mutex for a session.
func takes(t *testing.T, m *editlock.Manager, session string, id editlock.ID) {
	t.Helper()
	if _, err := m.Capture(in(t, session), id, &editlock.CaptureOptions{If: editlock.IfFree(), AutoRelease: editlock.Never}); err != nil {
		t.Fatal(err)
	}
}

func frees(t *testing.T, m *editlock.Manager, session string, id editlock.ID) {
	t.Helper()
	if done, err := m.Release(in(t, session), id, editlock.Condition{}); err != nil || !done {
		t.Fatalf("%s releases %v: %v, %v", session, id, done, err)
	}
}

// waitsFor captures a mutex for a session, and tells when it has it.
func waitsFor(t *testing.T, m *editlock.Manager, session string, id editlock.ID) (got <-chan error) {
	answer := make(chan error, 1)
	go func() {
		_, err := m.Capture(in(t, session), id, &editlock.CaptureOptions{Wait: time.Hour})
		answer <- err
	}()
	return answer
}

func wantWithin(t *testing.T, got <-chan error, within time.Duration) {
	t.Helper()
	select {
	case err := <-got:
		if err != nil {
			t.Errorf("the waiter gets %v", err)
		}
	case <-time.After(within):
		t.Errorf("the waiter still waits after %v", within)
	}
}

func TestManager_AWaiterForANodeRejoinsAfterAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &metered{Store: unplugged(t)}
		m, line := cut(t, st)
		other, _ := cut(t, st)
		takes(t, other, "ann", contract)
		got := waitsFor(t, m, "bob", contracts)
		time.Sleep(time.Second)
		line.away(13 * time.Second)
		time.Sleep(3 * time.Second)
		if _, err := other.Capture(in(t, "eve"), editlock.ID{Group: "crm", Mode: "contract", ID: "8"}, nil); !errors.Is(err, editlock.ErrBusy) {
			t.Errorf("a newcomer below gets %v, want it busy: somebody waits for all of it", err)
		}
		frees(t, other, "ann", contract)
		wantWithin(t, got, 10*time.Second)
	})
}

func TestManager_AWaiterRejoinsAFreeMutexBelowWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &metered{Store: unplugged(t)}
		m, line := cut(t, st)
		other, _ := cut(t, st)
		takes(t, other, "ann", contracts)
		takes(t, other, "ann", contract)
		first := waitsFor(t, m, "bob", contract)
		time.Sleep(time.Second)
		second := waitsFor(t, m, "eve", contract)
		time.Sleep(time.Second)
		frees(t, other, "ann", contract)
		line.away(13 * time.Second)
		time.Sleep(3 * time.Second)
		frees(t, other, "ann", contracts)
		wantWithin(t, first, 10*time.Second)
		frees(t, other, "bob", contract)
		wantWithin(t, second, 10*time.Second)
	})
}

func TestManager_AWaiterForAFreeMutexHearsOfAGrantWhoseNewsWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := editlock.NewManager(&unheard{Store: unplugged(t)}, nil)
		t.Cleanup(func() { _ = m.Close() })
		takes(t, m, "ann", contract)
		got := waitsFor(t, m, "bob", contracts)
		time.Sleep(time.Second)
		frees(t, m, "ann", contract)
		wantWithin(t, got, 15*time.Second)
	})
}

// unheard is a store that loses all news.
type unheard struct{ store.Store }

func (s *unheard) Subscribe(string) *store.Subscription { return s.Store.Subscribe("nobody") }

func TestManager_AWaiterForANodeWhoseJoinFailedComesBackToItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &slow{Store: &metered{Store: unplugged(t)}}
		m, _ := cut(t, st)
		takes(t, m, "ann", contract)
		st.fail.Store(1)
		ask := func() error {
			ctx, _ := patience.WithCaller(in(t, "bob"), 2*time.Second)
			_, err := m.Capture(ctx, contracts, &editlock.CaptureOptions{Wait: time.Hour, RequestID: "r"})
			return err
		}
		if err := ask(); !errors.Is(err, editlock.ErrUnavailable) {
			t.Fatalf("got %v, want that the store is unavailable", err)
		}
		time.Sleep(time.Second)
		if _, err := m.Capture(in(t, "eve"), editlock.ID{Group: "crm", Mode: "contract", ID: "8"}, nil); !errors.Is(err, editlock.ErrBusy) {
			t.Errorf("a newcomer below gets %v, want it busy: somebody waits for all of it", err)
		}
		frees(t, m, "ann", contract)
		if err := ask(); err != nil {
			t.Errorf("the waiter gets %v", err)
		}
	})
}

// Its caller asked another server while this one had lost its store.
func TestManager_AWaiterForANodeWhoAskedAnotherServerStaysThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &metered{Store: unplugged(t)}
		one, line := cut(t, st)
		other, _ := cut(t, st)
		takes(t, other, "ann", contract)
		ask := func(m *editlock.Manager, within time.Duration) error {
			ctx, _ := patience.WithCaller(in(t, "bob"), within)
			_, err := m.Capture(ctx, contracts, &editlock.CaptureOptions{Wait: time.Hour, RequestID: "r"})
			return err
		}
		var on *patience.Waiting
		if err := ask(one, time.Second); !errors.As(err, &on) {
			t.Fatal(err)
		}
		line.off.Store(true)
		time.Sleep(time.Second)
		answer := make(chan error, 1)
		go func() { answer <- ask(other, time.Hour) }()
		time.Sleep(13 * time.Second)
		line.off.Store(false)
		time.Sleep(30 * time.Second)
		frees(t, other, "ann", contract)
		wantWithin(t, answer, 10*time.Second)
	})
}

func TestManager_NobodyWaitsForTheirOwnMutexBesideAPart(t *testing.T) {
	for name, beside := range map[string]editlock.ID{"a part": address, "the node above": contracts} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := &metered{Store: unplugged(t)}
				m, _ := cut(t, st)
				takes(t, m, "ann", contract)
				takes(t, m, "ann", beside)
				began := time.Now()
				_, err := m.Capture(in(t, "ann"), contract, &editlock.CaptureOptions{If: editlock.IfFree(), Wait: time.Minute})
				busy := (*editlock.BusyError)(nil)
				if !errors.As(err, &busy) || !busy.Self || busy.Holder.ID != contract || time.Since(began) > 0 {
					t.Errorf("after %v another tab gets %v, want it busy at once, by itself", time.Since(began), err)
				}
			})
		})
	}
}
