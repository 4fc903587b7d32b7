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

// returns waits as a client does behind a server: in requests of two seconds, and
// so long it is away until it asks again. The error is that of the last.
func returns(ctx context.Context, m *editlock.Manager, who string, away time.Duration) error {
	for {
		asked, _ := patience.WithCaller(by(ctx, editlock.Owner{Session: who}), 2*time.Second)
		_, err := m.Capture(asked, report, &editlock.CaptureOptions{Wait: time.Hour, RequestID: who})
		var on *patience.Waiting
		if !errors.As(err, &on) {
			return err
		}
		select {
		case <-time.After(away):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Waiters keep their order over a lost lease also if some are between two
// requests when the process notices.
func TestManager_WaitersWhoAreAwayComeBackInTheirOrder(t *testing.T) {
	const many = 15
	for _, test := range []struct {
		name  string
		lease time.Duration // of the holder
		first int           // the waiter who is first in the queue then
	}{
		{"the mutex is still held", time.Hour, 0},
		{"the holder's lease has ended, too", 5 * time.Second, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			for at := range 6 { // where in their requests the process finds them
				synctest.Test(t, func(t *testing.T) {
					ahead := new(atomic.Int64)
					cut := &cuttable{Store: memory.New(&memory.Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})}
					m := editlock.NewManager(cut, nil)
					defer func() { _ = m.Close() }()
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					_, err := m.Capture(by(ctx, editlock.Owner{Session: "holder"}), report, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(test.lease)})
					if err != nil {
						t.Fatal(err)
					}
					want := ""
					for n := range many {
						who := fmt.Sprintf("waiter-%02d", n)
						go func() { _ = returns(ctx, m, who, time.Second) }()
						time.Sleep(70 * time.Millisecond)
						if n >= test.first {
							want += " " + who
						}
					}
					time.Sleep(time.Duration(at) * 500 * time.Millisecond)
					cut.off.Store(true)
					time.Sleep(13 * time.Second)
					cut.off.Store(false)
					go func() { _ = returns(ctx, m, "newcomer", time.Second) }()
					time.Sleep(3 * time.Second)
					_, got, err := m.Request(ctx, report)
					if err != nil {
						t.Fatal(err)
					}
					stands := ""
					for _, w := range got.Waiters {
						stands += " " + w.Owner.Session
					}
					if want += " newcomer"; stands != want {
						t.Errorf("after %d half seconds the queue behind %s is\n%s, want\n%s", at, got.Owner.Session, stands, want)
					}
				})
			}
		})
	}
}

// What is granted to a waiter who is away then is short, until it comes back.
func TestManager_AGrantToAWaiterWhoNeverComesBackIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := &cuttable{Store: memory.New(&memory.Options{Now: time.Now})}
		m := editlock.NewManager(cut, nil)
		defer func() { _ = m.Close() }()
		_, err := m.Capture(by(t.Context(), editlock.Owner{Session: "holder"}), report, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(5 * time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		asked, _ := patience.WithCaller(by(t.Context(), editlock.Owner{Session: "gone"}), 2*time.Second)
		cut.off.Store(false)
		go func() {
			time.Sleep(time.Second)
			cut.off.Store(true) // the waiter is told to ask again, and does not
			time.Sleep(11 * time.Second)
			cut.off.Store(false)
		}()
		var on *patience.Waiting
		if _, err := m.Capture(asked, report, &editlock.CaptureOptions{Wait: time.Hour, RequestID: "k"}); !errors.As(err, &on) {
			t.Fatalf("got %v, want to wait on", err)
		}
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
		cut := &cuttable{Store: kept{st}}
		one, other := editlock.NewManager(cut, nil), editlock.NewManager(st, nil)
		defer func() { _, _ = one.Close(), other.Close() }()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if _, err := other.Capture(by(ctx, editlock.Owner{Session: "holder"}), report, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		asked, _ := patience.WithCaller(by(ctx, editlock.Owner{Session: "first"}), time.Second)
		var on *patience.Waiting
		if _, err := one.Capture(asked, report, &editlock.CaptureOptions{Wait: time.Hour, RequestID: "first"}); !errors.As(err, &on) {
			t.Fatalf("got %v, want to wait on", err)
		}
		go func() { _ = returns(ctx, other, "second", time.Second) }()
		cut.off.Store(true)
		time.Sleep(time.Second)
		go func() { _ = returns(ctx, other, "first", time.Second) }()
		time.Sleep(13 * time.Second)
		cut.off.Store(false)
		time.Sleep(30 * time.Second)
		_, got, err := other.Request(ctx, report)
		if err != nil || len(got.Waiters) != 2 || got.Waiters[0].Owner.Session != "first" {
			t.Errorf("the queue is %+v, %v", got.Waiters, err)
		}
	})
}

// slowToJoin lets joins take their time.
type slowToJoin struct {
	store.Store
	slow atomic.Bool
}

func (s *slowToJoin) Swap(ctx context.Context, req store.Request) (store.Result, error) {
	if s.slow.Load() && req.Swaps[0].Do == store.Join {
		time.Sleep(400 * time.Millisecond)
	}
	return s.Store.Swap(ctx, req)
}

// Joining for a crowd takes longer than the time to the next beat, which finds
// that many are still to join.
func TestManager_WaitersWhoAreAwayKeepTheirOrderOverBeats(t *testing.T) {
	const many = 15
	synctest.Test(t, func(t *testing.T) {
		slow := &slowToJoin{Store: memory.New(nil)}
		cut := &cuttable{Store: slow}
		m := editlock.NewManager(cut, nil)
		defer func() { _ = m.Close() }()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if _, err := m.Capture(by(ctx, editlock.Owner{Session: "holder"}), report, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		want := ""
		for n := range many {
			who := fmt.Sprintf("waiter-%02d", n)
			go func() { _ = returns(ctx, m, who, 9*time.Second) }()
			time.Sleep(70 * time.Millisecond)
			want += " " + who
		}
		time.Sleep(time.Second)
		slow.slow.Store(true)
		cut.off.Store(true)
		time.Sleep(13 * time.Second)
		cut.off.Store(false)
		time.Sleep(4 * time.Second)
		go func() { _ = returns(ctx, m, "newcomer", time.Second) }()
		time.Sleep(15 * time.Second)
		_, got, err := m.Request(ctx, report)
		if err != nil {
			t.Fatal(err)
		}
		stands := ""
		for _, w := range got.Waiters {
			stands += " " + w.Owner.Session
		}
		if want += " newcomer"; stands != want {
			t.Errorf("the queue is\n%s, want\n%s", stands, want)
		}
	})
}

// cutAfterTake loses the line to the store right after a take.
type cutAfterTake struct {
	*cuttable
	armed atomic.Bool
}

func (c *cutAfterTake) Swap(ctx context.Context, req store.Request) (store.Result, error) {
	res, err := c.cuttable.Swap(ctx, req)
	if res.Done && req.Swaps[0].Do == store.Take && c.armed.Load() {
		c.off.Store(true)
	}
	return res, err
}

// gone waits until it is told to ask again, and is away then while the process has
// lost its lease: it joins for the caller after twelve and a half seconds.
func gone(t *testing.T, m *editlock.Manager, cut *cuttable) {
	t.Helper()
	asked, _ := patience.WithCaller(by(t.Context(), editlock.Owner{Session: "gone"}), 4*time.Second)
	go func() {
		time.Sleep(time.Second)
		cut.off.Store(true)
		time.Sleep(10 * time.Second)
		cut.off.Store(false)
	}()
	var on *patience.Waiting
	if _, err := m.Capture(asked, report, &editlock.CaptureOptions{Wait: time.Hour, RequestID: "k"}); !errors.As(err, &on) {
		t.Fatalf("got %v, want to wait on", err)
	}
}

// Nothing follows on what is taken for a waiter who is away: a caller who comes back
// through another server may have taken it up meanwhile.
func TestManager_WhatIsTakenForAWaiterWhoIsAwayIsShortAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := &cutAfterTake{cuttable: &cuttable{Store: memory.New(nil)}}
		m := editlock.NewManager(cut, nil)
		defer func() { _ = m.Close() }()
		_, err := m.Capture(by(t.Context(), editlock.Owner{Session: "holder"}), report, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(5 * time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		gone(t, m, cut.cuttable)
		cut.armed.Store(true)
		time.Sleep(9 * time.Second)
		cut.off.Store(false)
		_, got, err := m.Request(t.Context(), report)
		if left, ends := got.ExpiresIn(); err != nil || got.Owner.Session != "gone" || !ends || left > 15*time.Second {
			t.Errorf("%q holds it for %v, %v", got.Owner.Session, left, err)
		}
	})
}

func TestManager_NobodyJoinsForAWaiterWhoLeavesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowToJoin{Store: memory.New(nil)}
		cut := &cuttable{Store: slow}
		m := editlock.NewManager(cut, nil)
		defer func() { _ = m.Close() }()
		_, err := m.Capture(by(t.Context(), editlock.Owner{Session: "holder"}), report, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		gone(t, m, cut)
		slow.slow.Store(true)
		time.Sleep(8600 * time.Millisecond)
		if _, err := m.Release(by(t.Context(), editlock.Owner{Session: "gone"}), report, editlock.IfRequest("k")); err != nil {
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

func (j *joins) Swap(ctx context.Context, req store.Request) (store.Result, error) {
	res, err := j.Store.Swap(ctx, req)
	if res.Done && req.Swaps[0].Do == store.Join {
		j.done.Add(1)
	}
	return res, err
}

// Also behind more waiters than a record names.
func TestManager_NobodyRejoinsForAWaiterWhoAskedAnotherServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New(nil)
		joined := &joins{Store: kept{st}}
		cut := &cuttable{Store: joined}
		one, other := editlock.NewManager(cut, nil), editlock.NewManager(st, nil)
		defer func() { _, _ = one.Close(), other.Close() }()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		held(t, other, time.Hour)
		for n := range store.MaxWaiters + 5 {
			go func() { _ = returns(ctx, other, fmt.Sprint("w", n), time.Millisecond) }()
			time.Sleep(10 * time.Millisecond)
		}
		go asks(t, one, "mover", 3*time.Second, editlock.AutoRelease{})
		time.Sleep(100 * time.Millisecond)
		cut.off.Store(true)
		time.Sleep(11 * time.Second) // the lease of one has ended
		go func() { _ = returns(ctx, other, "mover", 8*time.Second) }()
		time.Sleep(500 * time.Millisecond)
		cut.off.Store(false)
		time.Sleep(30 * time.Second)
		if n := joined.done.Load(); n != 1 {
			t.Errorf("the waiter joined %d times where it asked once", n)
		}
	})
}
