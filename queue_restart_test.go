package editlock_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

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
