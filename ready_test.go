package editlock_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// readOnly is a store that counts keep-alives, and refuses or delays them.
type readOnly struct {
	store.Store
	beats   atomic.Int32
	refuses atomic.Bool
	hangs   atomic.Bool
}

var errReadOnly = errors.New("the store only reads")

func (r *readOnly) KeepAlive(ctx context.Context, process string, ttl time.Duration) ([]string, error) {
	r.beats.Add(1)
	if r.hangs.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if r.refuses.Load() {
		return nil, errReadOnly
	}
	return r.Store.KeepAlive(ctx, process, ttl)
}

func TestReady(t *testing.T) {
	run := func(name string, f func(t *testing.T, st *readOnly, m *editlock.Manager)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := &readOnly{Store: memory.New(nil)}
				m := editlock.NewManager(st, nil)
				defer func() { _ = m.Close() }()
				f(t, st, m)
			})
		})
	}
	want := func(t *testing.T, m *editlock.Manager, target error) {
		t.Helper()
		if err := editlock.Ready(t.Context(), m); !errors.Is(err, target) {
			t.Errorf("Ready: %v, want %v", err, target)
		}
	}

	run("writes at most once in five seconds, however many ask", func(t *testing.T, st *readOnly, m *editlock.Manager) {
		for range 3 {
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() { want(t, m, nil) })
			}
			all.Wait()
			time.Sleep(5 * time.Second)
		}
		if n := st.beats.Load(); n != 3 {
			t.Errorf("%d writes in 15 seconds", n)
		}
	})
	run("tries again after a second while writes fail", func(t *testing.T, st *readOnly, m *editlock.Manager) {
		st.refuses.Store(true)
		for range 10 {
			want(t, m, editlock.ErrUnavailable)
			want(t, m, errReadOnly)
		}
		st.refuses.Store(false)
		want(t, m, errReadOnly)
		time.Sleep(time.Second)
		want(t, m, nil)
		if n := st.beats.Load(); n != 2 {
			t.Errorf("%d writes", n)
		}
	})
	run("does not wait for a write that hangs, nor begin one for each who asks", func(t *testing.T, st *readOnly, m *editlock.Manager) {
		st.hangs.Store(true)
		var all sync.WaitGroup
		began := time.Now()
		for range 100 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				if err := m.Ready(ctx); err == nil {
					t.Error("ready")
				}
			})
		}
		all.Wait()
		if took, n := time.Since(began), st.beats.Load(); took > 2*time.Second || n != 1 {
			t.Errorf("%d writes in %v", n, took)
		}
	})
	run("finds out for the next caller what one who leaves began", func(t *testing.T, st *readOnly, m *editlock.Manager) {
		ctx, leave := context.WithCancel(t.Context())
		leave()
		for range 100 {
			_ = m.Ready(ctx) // canceled before or after the write
		}
		want(t, m, nil)
		if n := st.beats.Load(); n > 1 {
			t.Errorf("%d writes", n)
		}
	})
	run("leaves nothing in the store", func(t *testing.T, st *readOnly, m *editlock.Manager) {
		want(t, m, nil)
		time.Sleep(2 * time.Minute)
		page, err := st.Log(t.Context(), store.LogQuery{})
		if err != nil || len(page.Entries) > 0 {
			t.Errorf("the log is %+v, %v", page.Entries, err)
		}
	})
}
