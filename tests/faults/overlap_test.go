package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/internal/netfault"
)

// TestNoOverlap puts the connection of a holder in a black hole: the holder must know
// that their hold is over before another has the mutex.
func TestNoOverlap(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, e.start(t))
			t.Run("a client of a server", func(t *testing.T) {
				other, err := client.New(w.servers[1].url, nil)
				if err != nil {
					t.Fatal(err)
				}
				margins(t, other, func(t *testing.T) (editlock.Locker, *netfault.Proxy) {
					n := netfault.Start(t, w.servers[0].url[len("http://"):])
					return open(t, "http://"+n.Address), n
				})
			})
			if w.engine.address == "" {
				return
			}
			t.Run("a program on the engine", func(t *testing.T) {
				margins(t, w.direct, func(t *testing.T) (editlock.Locker, *netfault.Proxy) {
					n := netfault.Start(t, w.engine.address)
					return open(t, w.engine.url(n.Address)), n
				})
			})
		})
	}
}

// margins makes trials, some at a time, and logs by how much the closest was
// won.
func margins(t *testing.T, other editlock.Locker, holder func(t *testing.T) (editlock.Locker, *netfault.Proxy)) {
	trials, atOnce := 5, 5
	if long {
		trials, atOnce = 100, 10
	}
	var mu sync.Mutex
	smallest, byStore := time.Hour, time.Hour
	made := 0
	for n := 0; made < trials && n < 3*trials; n += atOnce {
		var wg sync.WaitGroup
		for i := range atOnce {
			id := editlock.ID{Group: "overlap", Mode: t.Name(), ID: fmt.Sprint(n + i)}
			l, network := holder(t)
			wg.Go(func() {
				defer func() { _ = l.Close() }()
				margin, granted, ok := trial(t, other, l, network, id)
				if !ok {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				made++
				smallest, byStore = min(smallest, margin), min(byStore, granted)
			})
		}
		wg.Wait()
	}
	if made < trials {
		t.Errorf("only %d trials of %d: in the others the hold ended before its connection failed", made, trials)
	}
	t.Logf("%d trials: the holder knew at least %v before the other had it (%v before it was granted, by the store's clock)",
		made, smallest.Round(time.Microsecond), byStore.Round(time.Microsecond))
	if smallest <= 0 {
		t.Errorf("both held at a time, for %v", -smallest)
	}
}

// trial is by how much the holder's context ended before another captured, on
// one monotonic clock; and before that was granted, by the store's clock, which
// here is the same machine's. It is not ok if there was nothing to try.
func trial(t *testing.T, other, l editlock.Locker, n *netfault.Proxy, id editlock.ID) (margin, granted time.Duration, ok bool) {
	defer n.Heal()
	ctx := editlock.WithOwner(t.Context(), editlock.Owner{Session: "holder of " + id.ID})
	h, err := editlock.Hold(ctx, l, id, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(time.Second)})
	if err != nil {
		t.Error(err)
		return 0, 0, false
	}
	var over time.Time
	ended := make(chan struct{})
	go func() {
		<-h.Context().Done()
		over = time.Now()
		close(ended)
	}()
	time.Sleep(rand.N(time.Second)) // at any moment of its beat
	if h.Context().Err() != nil {   // a machine too busy to refresh in time
		return 0, 0, false
	}
	n.Set(netfault.Faults{BlackHole: true})
	octx, cancel := context.WithTimeout(editlock.WithOwner(t.Context(), editlock.Owner{Session: "other"}), 30*time.Second)
	defer cancel()
	m, err := other.Capture(octx, id, &editlock.CaptureOptions{Wait: 20 * time.Second})
	had, early := time.Now(), h.Context().Err() == nil
	if err != nil {
		t.Errorf("another never gets it: %v", err)
		return 0, 0, false
	}
	if early {
		t.Errorf("another has %s, and its holder does not know", id)
	}
	<-ended
	if _, err := other.Release(octx, id, editlock.IfToken(m.Token)); err != nil {
		t.Error(err)
	}
	n.Heal()
	_ = h.Release(ctx) // it is lost
	return had.Sub(over), m.CapturedAt.Sub(over.Round(0)), true
}
