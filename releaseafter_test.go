package editlock_test

import (
	"context"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

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
