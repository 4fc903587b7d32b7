package editlock_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store/memory"
)

// A process whose lease in the store ended, although it lives, comes back with
// its waiters in the order they had, before any newcomer.
func TestManager_WaitersComeBackInTheirOrder(t *testing.T) {
	const many = 15
	for _, test := range []struct {
		name  string
		lease time.Duration // of the holder
		stall func(line *cuttable, ahead *atomic.Int64)
		first string // who holds it then
	}{
		{"the store was away for 13 s", time.Hour, func(line *cuttable, _ *atomic.Int64) {
			line.away(13 * time.Second)
		}, "holder"},
		{"the store was away for longer than the holder's lease", 5 * time.Second, func(line *cuttable, _ *atomic.Int64) {
			line.away(13 * time.Second)
		}, "waiter-00"},
		{"the store's clock went an hour ahead", 2 * time.Hour, func(_ *cuttable, ahead *atomic.Int64) {
			ahead.Store(int64(time.Hour))
			time.Sleep(3 * time.Second)
		}, "holder"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ahead := new(atomic.Int64)
				m, line := cut(t, memory.New(&memory.Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}))
				capture := func(who string, o editlock.CaptureOptions) {
					_, _ = m.Capture(by(t.Context(), editlock.Owner{Session: who}), report, &o)
				}
				capture("holder", editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(test.lease)})
				want := "holder"
				for n := range many {
					who := fmt.Sprintf("waiter-%02d", n)
					go capture(who, editlock.CaptureOptions{Wait: time.Hour})
					synctest.Wait()
					want += " " + who
				}
				if test.first != "holder" {
					want = want[len("holder "):]
				}
				test.stall(line, ahead)
				capture("barger", editlock.CaptureOptions{})
				go capture("newcomer", editlock.CaptureOptions{Wait: time.Hour})
				synctest.Wait()
				time.Sleep(3 * time.Second)
				synctest.Wait()
				want += " newcomer"
				if got := stands(t, m); got != want {
					t.Errorf("holder and queue are\n%s, want\n%s", got, want)
				}
			})
		})
	}
}
