package editlock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

func TestHold_RefreshesAtAThirdOfIdle(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		start := time.Now()
		h := hold(t, l, nil)
		time.Sleep(time.Hour)
		if err := h.Context().Err(); err != nil {
			t.Fatalf("the hold ended: %v", context.Cause(h.Context()))
		}
		if state := stateFor(t, l, holder); state != editlock.CapturedByMe {
			t.Errorf("after an hour it is %v", state)
		}
		last, pauses := start, make(map[time.Duration]bool)
		for _, at := range l.beaten() {
			pause := at.Sub(last)
			if pause < 80*time.Second || pause > 120*time.Second {
				t.Errorf("a pause of %v, want about a third of %v", pause, editlock.DefaultIdle)
			}
			last, pauses[pause] = at, true
		}
		if len(pauses) < 10 {
			t.Errorf("only %d different pauses: no jitter", len(pauses))
		}
		letGo(t, h)
	})
}

func TestHold_DeadlineIsMeasuredFromTheSending(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		l.capture = func() { time.Sleep(3 * time.Second) }
		l.onRefresh(unavailable)
		sent := time.Now()
		h := hold(t, l, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(10 * time.Second)})
		<-h.Context().Done()
		if held := time.Since(sent); held > 10*time.Second || held < 9*time.Second {
			t.Errorf("held for %v after the capture was sent, want just under 10s", held)
		}
		if state := stateFor(t, l, intruder); state != editlock.CapturedByOther {
			t.Errorf("the hold ended when the mutex was %v already", state)
		}
		var lost *editlock.LostError
		if !errors.As(context.Cause(h.Context()), &lost) || lost.How != editlock.KindExpired {
			t.Errorf("ended by %v, want a loss by expiry", context.Cause(h.Context()))
		}
		letGo(t, h)
	})
}

func TestHold_DeadlineOfARefreshIsMeasuredFromItsSending(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		var sent time.Time
		l.onRefresh(func(ctx context.Context) error {
			if !sent.IsZero() {
				return editlock.ErrUnavailable // only the first one gets through, slowly
			}
			sent = time.Now()
			time.Sleep(5 * time.Second)
			return nil
		})
		h := hold(t, l, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(time.Minute)})
		<-h.Context().Done()
		if held := time.Since(sent); held > time.Minute || held < 55*time.Second {
			t.Errorf("held for %v after the refresh was sent, want just under a minute", held)
		}
		letGo(t, h)
	})
}

func TestHold_AHungRefreshDoesNotDelayTheDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		never := make(chan struct{})
		l.onRefresh(func(context.Context) error {
			<-never // deaf to its context
			return editlock.ErrUnavailable
		})
		start := time.Now()
		h := hold(t, l, nil)
		<-h.Context().Done()
		if held := time.Since(start); held > editlock.DefaultIdle || held < editlock.DefaultIdle*9/10 {
			t.Errorf("held for %v, want just under %v", held, editlock.DefaultIdle)
		}
		if state := stateFor(t, l, intruder); state != editlock.CapturedByOther {
			t.Errorf("the hold ended when the mutex was %v already", state)
		}
		close(never)
		letGo(t, h)
	})
}

func TestHold_OneHungRefreshDoesNotCostTheLock(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		hung := false
		l.onRefresh(func(ctx context.Context) error {
			if hung {
				return nil
			}
			hung = true // as on a connection that was cut without a word
			<-ctx.Done()
			return ctx.Err()
		})
		h := hold(t, l, nil)
		time.Sleep(time.Hour)
		if err := h.Context().Err(); err != nil {
			t.Errorf("the hold ended: %v", context.Cause(h.Context()))
		}
		letGo(t, h)
	})
}

func TestHold_SlowRefreshesKeepTheLock(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		l.onRefresh(func(ctx context.Context) error {
			select {
			case <-time.After(200 * time.Millisecond):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		h := hold(t, l, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(time.Second)})
		time.Sleep(time.Minute)
		if err := h.Context().Err(); err != nil {
			t.Errorf("the hold ended: %v", context.Cause(h.Context()))
		}
		letGo(t, h)
	})
}

func TestHold_RetriesARefreshUntilItSucceeds(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		start := time.Now()
		l.onRefresh(func(context.Context) error {
			if time.Since(start) < 260*time.Second {
				return editlock.ErrUnavailable
			}
			return nil
		})
		h := hold(t, l, nil)
		time.Sleep(time.Hour)
		if err := h.Context().Err(); err != nil {
			t.Errorf("the hold ended: %v", context.Cause(h.Context()))
		}
		letGo(t, h)
	})
}

func TestHold_NeverHasNoDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		l.onRefresh(unavailable)
		h := hold(t, l, &editlock.CaptureOptions{AutoRelease: editlock.Never})
		time.Sleep(24 * time.Hour)
		if err := h.Context().Err(); err != nil {
			t.Fatalf("the hold ended: %v", context.Cause(h.Context()))
		}
		l.onRefresh(nil)
		if _, err := l.Takeover(editlock.WithOwner(t.Context(), intruder), report, h.Mutex().Token, "urgent", nil); err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		<-h.Context().Done()
		letGo(t, h)
	})
}

func TestHold_EndsWithMaxHold(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		start := time.Now()
		h := hold(t, l, &editlock.CaptureOptions{AutoRelease: editlock.AutoRelease{Idle: time.Minute, MaxHold: 10 * time.Minute}})
		<-h.Context().Done()
		if held := time.Since(start); held > 10*time.Minute || held < 9*time.Minute {
			t.Errorf("held for %v, want just under 10m", held)
		}
		letGo(t, h)
	})
}

func TestHold_AfterAWaitLastsAsLongAsAskedFor(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		other := editlock.WithOwner(t.Context(), intruder)
		if _, err := l.Locker.Capture(other, report, nil); err != nil {
			t.Fatalf("Capture: %v", err)
		}
		time.AfterFunc(2*time.Minute, func() { _, _ = l.Locker.Release(other, report, editlock.Condition{}) })
		h := hold(t, l, &editlock.CaptureOptions{Wait: 4 * time.Minute})
		l.onRefresh(unavailable)
		granted := time.Now()
		<-h.Context().Done()
		if held := time.Since(granted); held > editlock.DefaultIdle || held < editlock.DefaultIdle*9/10 {
			t.Errorf("held for %v after the grant, want just under %v", held, editlock.DefaultIdle)
		}
		letGo(t, h)
	})
}
