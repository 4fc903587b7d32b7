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

// slow is a store whose joins fail or take their time, on the way there and back, and
// whose beats are answered late.
type slow struct {
	store.Store
	fail          atomic.Int64 // so many joins
	before, after atomic.Int64
	beats         atomic.Int64
}

func (s *slow) Swap(ctx context.Context, req store.Request) (store.Result, error) {
	if req.Swaps[0].Do != store.Join {
		return s.Store.Swap(ctx, req)
	}
	if s.fail.Add(-1) >= 0 {
		return store.Result{}, errCut
	}
	time.Sleep(time.Duration(s.before.Load()))
	res, err := s.Store.Swap(ctx, req)
	time.Sleep(time.Duration(s.after.Load()))
	return res, err
}

func (s *slow) Beat(ctx context.Context, peer string, ttl time.Duration) ([]string, error) {
	tickets, err := s.Store.Beat(ctx, peer, ttl)
	time.Sleep(time.Duration(s.beats.Load()))
	return tickets, err
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

func TestManager_WaitersKeepTheirOrderWhereOneCanNotRejoinAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &slow{Store: memory.New(nil)}
		cut := &cuttable{Store: st}
		m := editlock.NewManager(cut, nil)
		defer func() { _ = m.Close() }()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		held(t, m, time.Hour)
		for n := range 4 {
			go func() { _ = returns(ctx, m, fmt.Sprintf("w%d", n), 9*time.Second) }()
			time.Sleep(70 * time.Millisecond)
		}
		time.Sleep(time.Second)
		cut.off.Store(true)
		time.Sleep(13 * time.Second)
		st.fail.Store(1)
		cut.off.Store(false)
		time.Sleep(20 * time.Second)
		if got := stands(t, m); got != "holder w0 w1 w2 w3" {
			t.Errorf("%s: want the order that they had", got)
		}
	})
}

func TestManager_APlaceThatRejoinedJustNowIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &slow{Store: memory.New(nil)}
		cut := &cuttable{Store: st}
		m := editlock.NewManager(cut, nil)
		defer func() { _ = m.Close() }()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		held(t, m, time.Hour)
		go func() { _ = returns(ctx, m, "present", time.Millisecond) }() // keeps the process beating
		for n := range 12 {
			time.Sleep(10 * time.Millisecond)
			go asks(t, m, fmt.Sprintf("w%d", n), 9*time.Second, editlock.AutoRelease{})
		}
		time.Sleep(time.Second)
		cut.off.Store(true)
		time.Sleep(10 * time.Second)
		st.before.Store(int64(200 * time.Millisecond))
		st.beats.Store(int64(300 * time.Millisecond)) // so its answer is older than some joins
		cut.off.Store(false)
		time.Sleep(time.Hour / 2)
		if got := stands(t, m); got != "holder present" {
			t.Errorf("%s: want nobody who has gone long ago", got)
		}
	})
}

func TestManager_AWaitThatIsWithdrawnWhileItRejoinsHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &slow{Store: memory.New(nil)}
		cut := &cuttable{Store: st}
		m := editlock.NewManager(cut, nil)
		defer func() { _ = m.Close() }()
		held(t, m, time.Hour)
		gone(t, m, cut)
		st.before.Store(int64(400 * time.Millisecond))
		st.after.Store(int64(400 * time.Millisecond))
		time.Sleep(8600 * time.Millisecond)
		if _, err := m.Release(by(t.Context(), editlock.Owner{Session: "gone"}), report, editlock.IfRequest("k")); err != nil {
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
		cut := &cuttable{Store: st}
		a, b := editlock.NewManager(cut, nil), editlock.NewManager(&cuttable{Store: st}, nil)
		defer func() { _, _ = a.Close(), b.Close() }()
		held(t, b, 10500*time.Millisecond)
		go func() {
			time.Sleep(time.Second)
			cut.off.Store(true)
			time.Sleep(10300 * time.Millisecond)
			cut.off.Store(false)
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
