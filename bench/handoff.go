package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"editlock"
)

// handoff asks how long it takes from a release to the return of the next
// holder's capture, and what waiting costs.
func handoff(ctx context.Context, b *bench) error {
	const (
		crowd = 1_000
		held  = 100_000
	)
	path := filepath.Join(b.dir, "handoff.db")
	m, err := openSQLite(ctx, b.dir, "handoff")
	if err != nil {
		return err
	}
	if err := errors.Join(fill(ctx, m, held, nil), m.Close()); err != nil {
		return err
	}
	bare, err := start(ctx, "token")
	if err != nil {
		return err
	}
	defer bare.Close()
	few, err := start(ctx, "editlock:"+filepath.Join(b.dir, "handoff-few.db"))
	if err != nil {
		return err
	}
	defer few.Close()
	many, err := start(ctx, "editlock:"+path)
	if err != nil {
		return err
	}
	defer many.Close()

	ctx, stop := context.WithCancel(ctx)
	var done sync.WaitGroup
	defer done.Wait()
	defer stop()
	raw, err := newRelay(ctx, &done, bare, 2)
	if err != nil {
		return err
	}
	two, err := newRelay(ctx, &done, few, 2)
	if err != nil {
		return err
	}
	before, err := many.used()
	if err != nil {
		return err
	}
	lots, err := newRelay(ctx, &done, many, 1+crowd)
	if err != nil {
		return err
	}
	if err := idle(ctx, many, before, crowd); err != nil {
		return err
	}

	relays := []*relay{raw, two, lots}
	took := make([][]time.Duration, len(relays))
	for range b.rounds {
		for i, r := range relays {
			p50, err := r.run(ctx, b.round)
			if err != nil {
				return err
			}
			took[i] = append(took[i], p50)
		}
	}
	t := table{"hand-off over HTTP, release to the next holder's return", "p50", "times the bare pass", "aim"}
	t.head()
	for i, name := range []string{
		"bare long-poll token, 2 clients", "editlock, 2 clients",
		fmt.Sprintf("editlock, %d waiting, %d others held", crowd, held),
	} {
		var times []float64
		for round := range b.rounds {
			times = append(times, float64(took[i][round])/float64(took[0][round]))
		}
		t.row(name, fmt.Sprint(round(median(took[i]))), spread(times, "%.2f"), "at most 2")
	}
	return nil
}

// idle tells what a crowd of waiters costs while nothing happens.
func idle(ctx context.Context, s *server, before usage, crowd int) error {
	const watched = 10 * time.Second
	joined, err := s.used()
	if err != nil {
		return err
	}
	select {
	case <-time.After(watched):
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := s.used()
	if err != nil {
		return err
	}
	fmt.Printf("%d idle waiters: %.2f %% of one core, %.1f KB of memory each.\n\n", crowd,
		100*(after.CPU-joined.CPU).Seconds()/watched.Seconds(),
		float64(after.Memory-before.Memory)/float64(crowd)/1000)
	return nil
}

// relay is a number of clients who want one mutex all the time. Whoever has
// it keeps it until the relay runs, then passes it on after a moment.
type relay struct {
	server *server
	id     editlock.ID

	mu       sync.Mutex
	running  chan struct{} // closed while it runs
	released time.Time     // when the last holder began to let go
	took     []time.Duration
	failed   error
}

// holdFor lets the rest of the clients queue up again before each release.
const holdFor = 5 * time.Millisecond

// newRelay starts the clients and returns when all but one wait.
func newRelay(ctx context.Context, done *sync.WaitGroup, s *server, clients int) (*relay, error) {
	r := &relay{server: s, id: editlock.ID{Group: "relay", Mode: "baton", ID: "1"}, running: make(chan struct{})}
	for client := range clients {
		done.Go(func() { r.fail(ctx, r.client(ctx, client)) })
	}
	look := captureBody(r.id, person(0), "")
	for {
		body, err := s.post(ctx, "/v1/request", look)
		if err != nil {
			return nil, err
		}
		var now capturedForm
		if err := json.Unmarshal(body, &now); err != nil {
			return nil, err
		}
		if now.Mutex.Waiting == clients-1 {
			return r, nil
		}
		if err := r.err(); err != nil {
			return nil, err
		}
		time.Sleep(holdFor)
	}
}

func (r *relay) err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *relay) fail(ctx context.Context, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil && ctx.Err() == nil {
		r.failed = err
	}
}

func (r *relay) client(ctx context.Context, client int) error {
	want := captureBody(r.id, person(client), "1h")
	give := captureBody(r.id, person(client), "")
	for {
		if _, err := r.server.post(ctx, "/v1/capture", want); err != nil {
			return err
		}
		r.mu.Lock()
		if !r.released.IsZero() {
			r.took = append(r.took, time.Since(r.released))
		}
		running := r.running
		r.mu.Unlock()
		select {
		case <-running:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-time.After(holdFor):
		case <-ctx.Done():
			return ctx.Err()
		}
		r.mu.Lock()
		r.released = time.Now()
		r.mu.Unlock()
		if _, err := r.server.post(ctx, "/v1/release", give); err != nil {
			return err
		}
	}
}

// run lets the mutex go round for d and returns the median of the hand-offs.
func (r *relay) run(ctx context.Context, d time.Duration) (time.Duration, error) {
	r.mu.Lock()
	close(r.running)
	r.took, r.released = nil, time.Time{}
	r.mu.Unlock()
	select {
	case <-time.After(d):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = make(chan struct{})
	if r.failed != nil {
		return 0, r.failed
	}
	if len(r.took) == 0 {
		return 0, fmt.Errorf("nothing was handed over within %v", d)
	}
	return median(r.took), nil
}
