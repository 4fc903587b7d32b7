package faults

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/netfault"
)

// TestNothingHangs is the everyday trouble of a data centre: some milliseconds
// of latency, an engine that is restarted, and one that forgets the scripts
// sent to it. No wait may hang, and nobody may be refused what is free.
func TestNothingHangs(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, e.start(t))
			lockers, _ := w.clients(t)
			for _, n := range w.networks {
				n.Set(netfault.Faults{MinDelay: 12 * time.Millisecond, MaxDelay: 26 * time.Millisecond})
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			work, over := context.WithCancel(ctx)
			var trouble, all sync.WaitGroup
			if w.engine.forget != nil {
				trouble.Go(func() {
					for work.Err() == nil {
						_ = w.engine.forget() // fails while it restarts
						time.Sleep(15 * time.Millisecond)
					}
				})
			}
			turns := 4
			if long {
				turns = 100
			}
			for i := range 8 {
				l := lockers[i%len(lockers)]
				owner := editlock.WithOwner(ctx, editlock.Owner{Session: fmt.Sprint("s", i)})
				all.Go(func() { // mutexes that nobody else wants
					for turn := range 4 * turns {
						id := editlock.ID{Group: "free", Mode: fmt.Sprint(i), ID: fmt.Sprint(turn % 10)}
						if err := holdOnce(owner, l, id, 0); err != nil {
							t.Errorf("a free mutex: %v", err)
							return
						}
					}
				})
				all.Go(func() { // one that all want
					for range turns {
						if err := holdOnce(owner, l, editlock.ID{Group: "wanted", ID: "1"}, 30*time.Second); err != nil {
							t.Errorf("a wait: %v", err)
							return
						}
					}
				})
			}
			if w.engine.address != "" {
				time.Sleep(200 * time.Millisecond)
				w.engine.kill()
				w.engine.start()
			}
			all.Wait()
			over()
			trouble.Wait()
		})
	}
}

// holdOnce captures and releases. Only a store out of reach is a reason to try
// again.
func holdOnce(ctx context.Context, l editlock.Locker, id editlock.ID, wait time.Duration) error {
	opts := &editlock.CaptureOptions{AutoRelease: editlock.Never, Wait: wait, RequestID: time.Now().Format(time.RFC3339Nano)}
	m, err := l.Capture(ctx, id, opts)
	for errors.Is(err, editlock.ErrUnavailable) && ctx.Err() == nil {
		m, err = l.Capture(ctx, id, opts)
	}
	if err != nil {
		return err
	}
	_, err = l.Release(ctx, id, editlock.IfToken(m.Token))
	for errors.Is(err, editlock.ErrUnavailable) && ctx.Err() == nil {
		_, err = l.Release(ctx, id, editlock.IfToken(m.Token))
	}
	return err
}
