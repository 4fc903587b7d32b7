package editlock_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/store"
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
