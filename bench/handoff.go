package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/editlock/editlock"
)

// handoff asks how long it takes from a release to the return of the next
// holder's capture, and what waiting costs. The bare pass keeps its token in
// memory; the durable one commits each release to a SQLite file first, as
// editlock must.
func handoff(ctx context.Context, b *bench) error {
	const (
		crowd = 1_000
		held  = 100_000
	)
	m, err := openSQLite(ctx, b.dir, "handoff-many")
	if err != nil {
		return err
	}
	if err := errors.Join(fill(ctx, m, held, nil), m.Close()); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var done sync.WaitGroup
	defer done.Wait()
	defer stop()

	all := []struct {
		name, server string
		waiting      int
		relay        *relay
		took         []time.Duration
	}{
		{name: "bare pass, 1 waiting", server: "token", waiting: 1},
		{name: "bare durable pass, 1 waiting", server: "durable-token", waiting: 1},
		{name: "editlock in memory, 1 waiting", server: "editlock-mem", waiting: 1},
		{name: "editlock, 1 waiting", server: "editlock:" + filepath.Join(b.dir, "handoff-few.db"), waiting: 1},
		{name: fmt.Sprintf("bare pass, %d waiting", crowd), server: "token", waiting: crowd},
		{
			name:   fmt.Sprintf("editlock, %d waiting, %d others held", crowd, held),
			server: "editlock:" + filepath.Join(b.dir, "handoff-many.db"), waiting: crowd,
		},
	}
	t := table{"waiting idly over HTTP", "of one core", "memory each", "aim"}
	t.head()
	for i := range all {
		c := &all[i]
		s, err := start(ctx, strings.ReplaceAll(c.server, "durable-token", "durable-token:"+b.dir))
		if err != nil {
			return err
		}
		defer s.Close()
		before, err := s.memory()
		if err != nil {
			return err
		}
		if c.relay, err = newRelay(ctx, &done, s, 1+c.waiting); err != nil {
			return err
		}
		if c.waiting > 1 {
			cpu, memory, err := idle(ctx, s)
			if err != nil {
				return err
			}
			t.row(c.name, fmt.Sprintf("%.2f %%", 100*cpu), fmt.Sprintf("%.1f KB", float64(memory-before)/float64(c.waiting)/1000), "under 30 KB")
		}
	}

	for range b.rounds {
		for i := range all {
			p50, err := all[i].relay.run(ctx, b.round)
			if err != nil {
				return err
			}
			all[i].took = append(all[i].took, p50)
		}
	}
	fmt.Println()
	t = table{"hand-off over HTTP, release to the next holder's return", "p50", "times the bare pass, 1 waiting", "aim"}
	t.head()
	for _, c := range all {
		var times []float64
		for round := range b.rounds {
			times = append(times, float64(c.took[round])/float64(all[0].took[round]))
		}
		aim := ""
		if strings.HasPrefix(c.server, "editlock") {
			aim = "at most 2"
		}
		t.row(c.name, fmt.Sprint(round(median(c.took))), spread(times, "%.2f"), aim)
	}
	return nil
}

// idle tells what waiters cost while nothing happens: a share of one core,
// and the memory of the whole server.
func idle(ctx context.Context, s *server) (share float64, memory int64, err error) {
	const watched = 10 * time.Second
	if memory, err = s.memory(); err != nil {
		return 0, 0, err
	}
	before, err := s.cpu()
	if err != nil {
		return 0, 0, err
	}
	select {
	case <-time.After(watched):
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
	after, err := s.cpu()
	return (after - before).Seconds() / watched.Seconds(), memory, err
}

// relay is a number of clients who want one mutex all the time. Its holder
// keeps it until the relay runs, then passes it on after a moment.
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
