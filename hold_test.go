package editlock_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store/memory"
)

var (
	holder   = editlock.Owner{Session: "s-holder", UserID: "1", Name: "Holder"}
	intruder = editlock.Owner{Session: "s-intruder", UserID: "2", Name: "Intruder"}
	report   = editlock.ID{Mode: "report", ID: "7"}
)

// line is a Locker whose calls can be delayed, refused or left hanging.
type line struct {
	editlock.Locker
	capture func() // before and after the capture, if set

	mu      sync.Mutex
	refresh func(ctx context.Context) error // before each refresh, if set
	beats   []time.Time
}

func (l *line) Capture(ctx context.Context, id editlock.ID, o *editlock.CaptureOptions) (editlock.Mutex, error) {
	if l.capture != nil {
		l.capture()
		defer l.capture()
	}
	return l.Locker.Capture(ctx, id, o)
}

func (l *line) Refresh(ctx context.Context, items []editlock.RefreshItem) ([]editlock.RefreshResult, error) {
	l.mu.Lock()
	l.beats = append(l.beats, time.Now())
	refresh := l.refresh
	l.mu.Unlock()
	if refresh != nil {
		if err := refresh(ctx); err != nil {
			return nil, err
		}
	}
	return l.Locker.Refresh(ctx, items)
}

// onRefresh sets what happens before each refresh.
func (l *line) onRefresh(f func(ctx context.Context) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refresh = f
}

func unavailable(context.Context) error { return editlock.ErrUnavailable }

func (l *line) beaten() []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]time.Time(nil), l.beats...)
}

// bubble runs a test on a Manager in memory, on a clock that runs as fast as
// everybody sleeps.
func bubble(t *testing.T, test func(t *testing.T, l *line)) {
	synctest.Test(t, func(t *testing.T) {
		m := editlock.NewManager(memory.New(nil), nil)
		test(t, &line{Locker: m})
		if err := m.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

func hold(t *testing.T, l editlock.Locker, o *editlock.CaptureOptions) *editlock.Held {
	t.Helper()
	h, err := editlock.Hold(editlock.WithOwner(t.Context(), holder), l, report, o)
	if err != nil {
		t.Fatalf("Hold: %v", err)
	}
	return h
}

// letGo ends a hold at the end of a test, however it went.
func letGo(t *testing.T, h *editlock.Held) {
	t.Helper()
	if err := h.Release(t.Context()); err != nil && !errors.Is(err, editlock.ErrLost) {
		t.Errorf("Release: %v", err)
	}
}

// stateFor is what somebody finds.
func stateFor(t *testing.T, l editlock.Locker, o editlock.Owner) editlock.State {
	t.Helper()
	state, _, err := l.Request(editlock.WithOwner(t.Context(), o), report)
	if err != nil {
		t.Fatalf("Request: %v", err)
	}
	return state
}

func TestHold_EndsAtOnceWhenSomebodyEndsIt(t *testing.T) {
	for _, tt := range []struct {
		name   string
		end    func(t *testing.T, l editlock.Locker, token editlock.Token)
		how    editlock.EventKind
		by     editlock.Owner
		reason string
	}{
		{"by takeover", func(t *testing.T, l editlock.Locker, token editlock.Token) {
			if _, err := l.Takeover(editlock.WithOwner(t.Context(), intruder), report, token, "urgent", nil); err != nil {
				t.Fatalf("Takeover: %v", err)
			}
		}, editlock.KindTakenOver, intruder, "urgent"},
		{"by forced release", func(t *testing.T, l editlock.Locker, token editlock.Token) {
			if err := l.ForceRelease(editlock.WithOwner(t.Context(), intruder), report, token, "on leave"); err != nil {
				t.Fatalf("ForceRelease: %v", err)
			}
		}, editlock.KindForceReleased, intruder, "on leave"},
		{"by the end of its session", func(t *testing.T, l editlock.Locker, _ editlock.Token) {
			if _, err := l.ReleaseSession(editlock.WithOwner(t.Context(), holder), holder.Session); err != nil {
				t.Fatalf("ReleaseSession: %v", err)
			}
		}, editlock.KindReleased, holder, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, l *line) {
				h := hold(t, l, nil)
				time.Sleep(10*time.Second + time.Millisecond) // just after a watcher looked of itself
				at := time.Now()
				tt.end(t, l, h.Mutex().Token)
				<-h.Context().Done()
				if late := time.Since(at); late != 0 {
					t.Errorf("told %v later", late)
				}
				var lost *editlock.LostError
				if !errors.As(context.Cause(h.Context()), &lost) {
					t.Fatalf("ended by %v, want a loss", context.Cause(h.Context()))
				}
				if lost.How != tt.how || lost.By != tt.by || lost.Reason != tt.reason || !lost.At.Equal(at) || lost.ID != report {
					t.Errorf("lost %v by %q of %s at %v because %q", lost.ID, lost.How, lost.By.Name, lost.At, lost.Reason)
				}
				if err := h.Release(t.Context()); !errors.Is(err, editlock.ErrLost) {
					t.Errorf("Release after the loss: %v", err)
				}
			})
		})
	}
}

func TestHold_HandedOverEndsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		h := hold(t, l, nil)
		granted := make(chan error)
		go func() {
			_, err := l.Locker.Capture(editlock.WithOwner(t.Context(), intruder), report, &editlock.CaptureOptions{Wait: time.Minute})
			granted <- err
		}()
		synctest.Wait()
		if passed, err := l.HandOver(editlock.WithOwner(t.Context(), holder), report); !passed || err != nil {
			t.Fatalf("HandOver = %v, %v", passed, err)
		}
		<-h.Context().Done()
		var lost *editlock.LostError
		if !errors.As(context.Cause(h.Context()), &lost) || lost.How != editlock.KindHandedOver {
			t.Errorf("ended by %v, want a hand-over", context.Cause(h.Context()))
		}
		if err := <-granted; err != nil {
			t.Errorf("the waiter: %v", err)
		}
		letGo(t, h)
	})
}

func TestHold_LostUnseenIsToldByTheNextRefresh(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		h := hold(t, deaf{l}, nil)
		if _, err := l.Takeover(editlock.WithOwner(t.Context(), intruder), report, h.Mutex().Token, "urgent", nil); err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		at := time.Now()
		<-h.Context().Done()
		if late := time.Since(at); late > editlock.DefaultIdle/2 {
			t.Errorf("told %v later, want with the next refresh", late)
		}
		var lost *editlock.LostError
		if !errors.As(context.Cause(h.Context()), &lost) || lost.By != intruder || lost.Holder == nil || lost.Holder.Owner != intruder {
			t.Errorf("ended by %+v, want the takeover", context.Cause(h.Context()))
		}
		letGo(t, h)
	})
}

// deaf is a Locker without events.
type deaf struct{ editlock.Locker }

func (deaf) Watch(context.Context, editlock.WatchQuery) iter.Seq2[editlock.Event, error] {
	return func(yield func(editlock.Event, error) bool) { yield(editlock.Event{}, editlock.ErrUnavailable) }
}

func TestHold_ReleaseFreesAndStops(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		h := hold(t, l, nil)
		time.Sleep(150 * time.Second)
		if err := h.Release(t.Context()); err != nil {
			t.Fatalf("Release: %v", err)
		}
		if cause := context.Cause(h.Context()); !errors.Is(cause, editlock.ErrReleased) {
			t.Errorf("ended by %v, want %v", cause, editlock.ErrReleased)
		}
		if state := stateFor(t, l, intruder); state != editlock.Free {
			t.Errorf("after the release it is %v", state)
		}
		before := len(l.beaten())
		time.Sleep(time.Hour)
		if n := len(l.beaten()) - before; n != 0 {
			t.Errorf("refreshed %d times after the release", n)
		}
		if err := h.Release(t.Context()); err != nil {
			t.Errorf("the second release: %v", err)
		}
	})
}

// The event of the loss has not come yet; the answer to the release is told.
func TestHold_ReleaseTellsOfALossThatNobodyHasToldYet(t *testing.T) {
	for name, end := range map[editlock.EventKind]func(ctx context.Context, l *line, m editlock.Mutex) error{
		editlock.KindForceReleased: func(ctx context.Context, l *line, m editlock.Mutex) error {
			return l.ForceRelease(ctx, report, m.Token, "enough")
		},
		editlock.KindTakenOver: func(ctx context.Context, l *line, m editlock.Mutex) error {
			_, err := l.Takeover(ctx, report, m.Token, "enough", nil)
			return err
		},
	} {
		t.Run(string(name), func(t *testing.T) {
			bubble(t, func(t *testing.T, l *line) {
				h := hold(t, deaf{l}, nil)
				if err := end(editlock.WithOwner(t.Context(), intruder), l, h.Mutex()); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					err := h.Release(t.Context())
					var lost *editlock.LostError
					if !errors.As(err, &lost) || lost.How != name || lost.By != intruder || lost.Reason != "enough" {
						t.Errorf("Release: %v, want it lost, %s", err, name)
					}
				}
			})
		})
	}
}

// cutRelease loses the answer to the first release.
type cutRelease struct {
	*line
	cut bool
}

func (l *cutRelease) Release(ctx context.Context, id editlock.ID, cond editlock.Condition) (bool, error) {
	released, err := l.Locker.Release(ctx, id, cond)
	if !l.cut {
		l.cut = true
		return false, editlock.ErrUnavailable
	}
	return released, err
}

func TestHold_ReleaseAgainAfterAnErrorIsTheSameRelease(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		h := hold(t, &cutRelease{line: l}, nil)
		if err := h.Release(t.Context()); !errors.Is(err, editlock.ErrUnavailable) {
			t.Fatalf("Release: %v", err)
		}
		for range 2 {
			if err := h.Release(t.Context()); err != nil {
				t.Errorf("Release again: %v", err)
			}
		}
	})
}

// lateCapture answers a capture when its caller has gone.
type lateCapture struct{ editlock.Locker }

func (l lateCapture) Capture(ctx context.Context, id editlock.ID, o *editlock.CaptureOptions) (editlock.Mutex, error) {
	m, err := l.Locker.Capture(context.WithoutCancel(ctx), id, o)
	if err != nil {
		return m, err
	}
	<-ctx.Done()
	return editlock.Mutex{}, ctx.Err()
}

func TestHold_GivenUpWhileItBeginsLeavesNothingHeld(t *testing.T) {
	for name, tt := range map[string]struct {
		opts *editlock.CaptureOptions
		want editlock.State
	}{
		"":                           {nil, editlock.Free},
		"with a wait":                {&editlock.CaptureOptions{Wait: time.Minute}, editlock.Free},
		"with a key to ask by again": {&editlock.CaptureOptions{RequestID: "k"}, editlock.CapturedByMe},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, l *line) {
				ctx, cancel := context.WithTimeout(editlock.WithOwner(t.Context(), holder), time.Second)
				defer cancel()
				if _, err := editlock.Hold(ctx, lateCapture{l}, report, tt.opts); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("Hold: %v", err)
				}
				if state := stateFor(t, l, holder); state != tt.want {
					t.Errorf("it is %v, want %v", state, tt.want)
				}
			})
		})
	}
}

// What the session held before, in another way, is none of Hold's.
func TestHold_GivenUpWhileItBeginsLeavesAnEarlierHoldAlone(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		ctx, cancel := context.WithTimeout(editlock.WithOwner(t.Context(), holder), time.Second)
		defer cancel()
		if _, err := l.Locker.Capture(ctx, report, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := editlock.Hold(ctx, lateCapture{l}, report, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Hold: %v", err)
		}
		if state := stateFor(t, l, holder); state != editlock.CapturedByMe {
			t.Errorf("it is %v", state)
		}
	})
}

func TestHold_ReleaseDoesNotFreeWhatIsHeldAnew(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		h := hold(t, deaf{l}, nil)
		ctx := editlock.WithOwner(t.Context(), holder)
		if _, err := l.Release(ctx, report, editlock.Condition{}); err != nil {
			t.Fatalf("Release: %v", err)
		}
		if _, err := l.Locker.Capture(ctx, report, nil); err != nil {
			t.Fatalf("Capture: %v", err)
		}
		letGo(t, h)
		if state := stateFor(t, l, holder); state != editlock.CapturedByMe {
			t.Errorf("the release of the old hold left %v of the new one", state)
		}
	})
}

func TestHold_EndsWithTheContextItWasMadeWith(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		gone := errors.New("gone home")
		ctx, cancel := context.WithCancelCause(editlock.WithOwner(t.Context(), holder))
		h, err := editlock.Hold(ctx, l, report, nil)
		if err != nil {
			t.Fatalf("Hold: %v", err)
		}
		cancel(gone)
		<-h.Context().Done()
		if cause := context.Cause(h.Context()); !errors.Is(cause, gone) {
			t.Errorf("ended by %v, want %v", cause, gone)
		}
		synctest.Wait()
		before := len(l.beaten())
		time.Sleep(editlock.DefaultIdle)
		if n := len(l.beaten()) - before; n != 0 {
			t.Errorf("refreshed %d times after its end", n)
		}
		if state := stateFor(t, l, intruder); state != editlock.Free {
			t.Errorf("unrefreshed it is %v", state)
		}
		letGo(t, h)
	})
}

func TestHold_SetStatusDataReplacesAndRefreshes(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		h := hold(t, l, &editlock.CaptureOptions{StatusData: "0 %"})
		before := h.Mutex()
		time.Sleep(10 * time.Second)
		if err := h.SetStatusData(t.Context(), "50 %"); err != nil {
			t.Fatalf("SetStatusData: %v", err)
		}
		after := h.Mutex()
		if after.StatusData != "50 %" || after.Token != before.Token || !after.RefreshedAt.Equal(before.RefreshedAt.Add(10*time.Second)) {
			t.Errorf("the mutex is %+v after %+v", after, before)
		}
		letGo(t, h)
	})
}

func TestHold_Refused(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		if _, err := l.Locker.Capture(editlock.WithOwner(t.Context(), intruder), report, nil); err != nil {
			t.Fatalf("Capture: %v", err)
		}
		h, err := editlock.Hold(editlock.WithOwner(t.Context(), holder), l, report, nil)
		var busy *editlock.BusyError
		if h != nil || !errors.As(err, &busy) || busy.Holder.Owner != intruder {
			t.Errorf("Hold = %v, %v; want *BusyError with the holder", h, err)
		}
	})
}

func TestHold_OutlivesATakeoverOfAnothersShare(t *testing.T) {
	bubble(t, func(t *testing.T, l *line) {
		shared := &editlock.CaptureOptions{Sharing: editlock.Shared}
		const heard = 30 * time.Second // long enough for an event, and before the next refresh
		h := hold(t, l, shared)
		defer letGo(t, h)
		other := editlock.WithOwner(t.Context(), editlock.Owner{Session: "another reader"})
		m, err := l.Capture(other, report, shared)
		if err != nil {
			t.Fatal(err)
		}
		by := editlock.WithOwner(t.Context(), intruder)
		if _, err := l.Takeover(by, report, m.Token, "urgent", nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(heard)
		if err := h.Context().Err(); err != nil {
			t.Fatalf("the hold ended: %v", context.Cause(h.Context()))
		}
		if err := l.ForceRelease(other, report, h.Mutex().Token, "urgent"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(heard)
		if h.Context().Err() == nil {
			t.Error("the hold goes on after its own forced release")
		}
	})
}
