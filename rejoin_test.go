package editlock_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// Waiters keep their order over a lost lease also if some are between two
// requests when the process notices.
func TestManager_WaitersWhoAreAwayComeBackInTheirOrder(t *testing.T) {
	for _, test := range []struct {
		name  string
		lease time.Duration // of the holder
		still bool          // held then
	}{
		{"the mutex is still held", time.Hour, true},
		{"the holder's lease has ended, too", 5 * time.Second, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			for at := range 6 { // where in their requests the process finds them
				synctest.Test(t, func(t *testing.T) {
					m, line := cut(t, memory.New(nil))
					held(t, m, test.lease)
					want := crowd(t, m, 15, time.Second) + " newcomer"
					if test.still {
						want = "holder " + want
					}
					time.Sleep(time.Duration(at) * 500 * time.Millisecond)
					line.away(13 * time.Second)
					go returns(t, m, "newcomer", time.Second)
					time.Sleep(3 * time.Second)
					if got := stands(t, m); got != want {
						t.Errorf("after %d half seconds holder and queue are\n%s, want\n%s", at, got, want)
					}
				})
			}
		})
	}
}

// What is granted to a waiter who is away then is short, until it comes back.
func TestManager_AGrantToAWaiterWhoNeverComesBackIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, line := cut(t, memory.New(nil))
		held(t, m, 5*time.Second)
		go func() {
			time.Sleep(time.Second)
			line.away(11 * time.Second) // the waiter is told to ask again, and does not
		}()
		asks(t, m, "gone", 2*time.Second, editlock.AutoRelease{})
		time.Sleep(12 * time.Second)
		state, got, err := m.Request(t.Context(), report)
		if err != nil {
			t.Fatal(err)
		}
		if left, ends := got.ExpiresIn(); state != editlock.Free && (!ends || left > 15*time.Second) {
			t.Errorf("%s holds it for %v", got.Owner.Session, left)
		}
	})
}

// Who asked another server while this one had lost its store stays there.
func TestManager_WaitersWhoAskedAnotherServerStayThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New(nil)
		one, line := cut(t, st)
		other, _ := cut(t, st)
		held(t, other, time.Hour)
		asks(t, one, "first", time.Second, editlock.AutoRelease{})
		go returns(t, other, "second", time.Second)
		line.off.Store(true)
		time.Sleep(time.Second)
		go returns(t, other, "first", time.Second)
		time.Sleep(13 * time.Second)
		line.off.Store(false)
		time.Sleep(30 * time.Second)
		if got := stands(t, other); got != "holder first second" {
			t.Errorf("%s: want the order in which they came first", got)
		}
	})
}

// Joining for a crowd takes longer than the time to the next keep-alive, which finds
// that many are still to join.
func TestManager_WaitersWhoAreAwayKeepTheirOrderOverBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &slow{Store: memory.New(nil)}
		m, line := cut(t, st)
		held(t, m, time.Hour)
		want := "holder " + crowd(t, m, 15, 9*time.Second) + " newcomer"
		time.Sleep(time.Second)
		st.before.Store(int64(400 * time.Millisecond))
		line.away(13 * time.Second)
		time.Sleep(4 * time.Second)
		go returns(t, m, "newcomer", time.Second)
		time.Sleep(15 * time.Second)
		if got := stands(t, m); got != want {
			t.Errorf("holder and queue are\n%s, want\n%s", got, want)
		}
	})
}

// cutAfterTake loses the line to the store right after a take.
type cutAfterAcquire struct {
	*cuttable
	armed atomic.Bool
}

func (c *cutAfterAcquire) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	res, err := c.cuttable.Commit(ctx, req)
	if res.Done && req.Ops[0].Do == store.Acquire && c.armed.Load() {
		c.off.Store(true)
	}
	return res, err
}

// Nothing follows on what is taken for a waiter who is away: a caller who comes back
// through another server may have taken it up meanwhile.
func TestManager_WhatIsTakenForAWaiterWhoIsAwayIsShortAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := &cutAfterAcquire{cuttable: &cuttable{Store: memory.New(nil)}}
		m := editlock.NewManager(line, nil)
		defer func() { _ = m.Close() }()
		held(t, m, 5*time.Second)
		gone(t, m, line.cuttable)
		line.armed.Store(true)
		time.Sleep(9 * time.Second)
		line.off.Store(false)
		_, got, err := m.Request(t.Context(), report)
		if left, ends := got.ExpiresIn(); err != nil || got.Owner.Session != "gone" || !ends || left > 15*time.Second {
			t.Errorf("%q holds it for %v, %v", got.Owner.Session, left, err)
		}
	})
}

func TestManager_NobodyJoinsForAWaiterWhoLeavesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &slow{Store: memory.New(nil)}
		m, line := cut(t, st)
		held(t, m, time.Hour)
		gone(t, m, line)
		st.before.Store(int64(400 * time.Millisecond))
		time.Sleep(8600 * time.Millisecond)
		if _, err := m.Release(by(t.Context(), editlock.Owner{Session: "gone"}), report, editlock.IfRequest("gone")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if _, got, err := m.Request(t.Context(), report); err != nil || got.Waiting != 0 {
			t.Errorf("the queue is %+v, %v", got.Waiters, err)
		}
	})
}

// joins counts the joins that are done through it.
type joins struct {
	store.Store
	done atomic.Int64
}

func (j *joins) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	res, err := j.Store.Commit(ctx, req)
	if res.Done && req.Ops[0].Do == store.Join {
		j.done.Add(1)
	}
	return res, err
}

// Also behind more waiters than a record names.
func TestManager_NobodyRejoinsForAWaiterWhoAskedAnotherServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New(nil)
		joined := &joins{Store: st}
		one, line := cut(t, joined)
		other, _ := cut(t, st)
		held(t, other, time.Hour)
		for n := range store.MaxWaiters + 5 {
			go returns(t, other, fmt.Sprint("w", n), time.Millisecond)
			time.Sleep(10 * time.Millisecond)
		}
		go asks(t, one, "mover", 3*time.Second, editlock.AutoRelease{})
		time.Sleep(100 * time.Millisecond)
		line.off.Store(true)
		time.Sleep(11 * time.Second) // the lease of one has ended
		go returns(t, other, "mover", 8*time.Second)
		time.Sleep(500 * time.Millisecond)
		line.off.Store(false)
		time.Sleep(30 * time.Second)
		if n := joined.done.Load(); n != 1 {
			t.Errorf("the waiter joined %d times where it asked once", n)
		}
	})
}

func TestManager_WaitersKeepTheirOrderWhereOneCanNotRejoinAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &slow{Store: memory.New(nil)}
		m, line := cut(t, st)
		held(t, m, time.Hour)
		want := "holder " + crowd(t, m, 4, 9*time.Second)
		time.Sleep(time.Second)
		line.off.Store(true)
		time.Sleep(13 * time.Second)
		st.fail.Store(1)
		line.off.Store(false)
		time.Sleep(20 * time.Second)
		if got := stands(t, m); got != want {
			t.Errorf("%s: want the order that they had", got)
		}
	})
}

func TestManager_APlaceThatRejoinedJustNowIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &slow{Store: memory.New(nil)}
		m, line := cut(t, st)
		held(t, m, time.Hour)
		go returns(t, m, "present", time.Millisecond) // keeps the process alive
		for n := range 12 {
			time.Sleep(10 * time.Millisecond)
			go asks(t, m, fmt.Sprintf("w%d", n), 9*time.Second, editlock.AutoRelease{})
		}
		time.Sleep(time.Second)
		line.off.Store(true)
		time.Sleep(10 * time.Second)
		st.before.Store(int64(200 * time.Millisecond))
		st.beats.Store(int64(300 * time.Millisecond)) // so its answer is older than some joins
		line.off.Store(false)
		time.Sleep(time.Hour / 2)
		if got := stands(t, m); got != "holder present" {
			t.Errorf("%s: want nobody who has gone long ago", got)
		}
	})
}

func TestManager_AWaitThatIsWithdrawnWhileItRejoinsHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &slow{Store: memory.New(nil)}
		m, line := cut(t, st)
		held(t, m, time.Hour)
		gone(t, m, line)
		st.before.Store(int64(400 * time.Millisecond))
		st.after.Store(int64(400 * time.Millisecond))
		time.Sleep(8600 * time.Millisecond)
		if _, err := m.Release(by(t.Context(), editlock.Owner{Session: "gone"}), report, editlock.IfRequest("gone")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		if _, err := m.Release(by(t.Context(), editlock.Owner{Session: "holder"}), report, editlock.Condition{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if got := stands(t, m); got != "" {
			t.Errorf("%s holds it: it had withdrawn before", got)
		}
	})
}

func TestManager_ARejoinExtendsNoOtherHoldOfItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New(nil)
		a, line := cut(t, st)
		b, _ := cut(t, st)
		held(t, b, 10500*time.Millisecond)
		go func() {
			time.Sleep(time.Second)
			line.away(10300 * time.Millisecond)
		}()
		asks(t, a, "s", 4*time.Second, editlock.Never)
		time.Sleep(7100 * time.Millisecond)
		if _, err := b.Capture(by(t.Context(), editlock.Owner{Session: "s"}), report, &editlock.CaptureOptions{
			AutoRelease: editlock.TimeoutAutoRelease(20 * time.Second), RequestID: "k2",
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := stands(t, b); got != "" {
			t.Errorf("%s holds it still: its capture was for 20 seconds", got)
		}
	})
}

// What became of a join that failed is not known: the process sees to it.
func TestManager_AWaiterWhoseJoinFailedComesBackToItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &slow{Store: memory.New(nil)}
		m, _ := cut(t, st)
		held(t, m, time.Hour)
		st.fail.Store(1)
		asked, _ := patience.WithCaller(by(t.Context(), editlock.Owner{Session: "first"}), 2*time.Second)
		if _, err := m.Capture(asked, report, &editlock.CaptureOptions{Wait: time.Hour, RequestID: "first"}); !errors.Is(err, editlock.ErrUnavailable) {
			t.Fatalf("got %v, want that the store is unavailable", err)
		}
		time.Sleep(time.Second)
		go returns(t, m, "second", time.Second)
		time.Sleep(time.Second)
		go returns(t, m, "first", time.Second)
		time.Sleep(20 * time.Second)
		if got := stands(t, m); got != "holder first second" {
			t.Errorf("%s: want the order in which they asked", got)
		}
	})
}
