package editlock_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/store/memory"
)

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
