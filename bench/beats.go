package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/editlock/editlock"
)

// beats asks what many open forms cost a server: each tab refreshes what it
// holds in one request every 20 s.
func beats(ctx context.Context, b *bench) error {
	const (
		tabs   = 10_000
		perTab = 2
		every  = 20 * time.Second
	)
	path := filepath.Join(b.dir, "beats.db")
	m, err := openSQLite(ctx, b.dir, "beats")
	if err != nil {
		return err
	}
	bodies := make([]refreshForm, tabs)
	next := 0
	err = fill(ctx, m, tabs*perTab, func(held editlock.Mutex) {
		tab := &bodies[next/perTab]
		tab.Items = append(tab.Items, refreshItemForm{idForm(held.ID), uint64(held.Token)})
		next++
	})
	if err := errors.Join(err, m.Close()); err != nil {
		return err
	}
	s, err := start(ctx, "editlock:"+path)
	if err != nil {
		return err
	}
	defer s.Close()

	before, err := s.cpu()
	if err != nil {
		return err
	}
	begin := time.Now()
	took, err := beatAll(ctx, s, len(bodies), every, "/v1/refresh", func(i int) []byte {
		body, _ := json.Marshal(bodies[i]) // strings and numbers: can't fail
		return body
	})
	if err != nil {
		return err
	}
	wall := time.Since(begin)
	after, err := s.cpu()
	if err != nil {
		return err
	}
	fmt.Printf("%d tabs with %d mutexes each, a beat every %v: %.1f %% of the %d cores; a beat takes %s (p50 / p99).\n",
		tabs, perTab, every, 100*(after-before).Seconds()/wall.Seconds()/float64(runtime.NumCPU()),
		runtime.NumCPU(), quantiles(took, 0.5, 0.99))
	return nil
}

// beatAll sends one beat of each tab, spread over a period with a tenth of
// jitter, and returns what they took.
func beatAll(ctx context.Context, s *server, tabs int, every time.Duration, path string, body func(i int) []byte) ([]time.Duration, error) {
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		took   []time.Duration
		failed error
	)
	gap := every / time.Duration(tabs)
	begin := time.Now()
	for i := range tabs {
		jitter := time.Duration(rand.Int64N(int64(every / 10)))
		select {
		case <-time.After(time.Until(begin.Add(time.Duration(i) * gap))):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		wg.Go(func() {
			time.Sleep(jitter)
			sent := time.Now()
			results, err := s.post(ctx, path, body(i))
			if err == nil && bytes.Contains(results, []byte(`"code"`)) {
				err = fmt.Errorf("a beat was refused: %s", results)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(sent))
			if failed == nil {
				failed = err
			}
		})
	}
	wg.Wait()
	return took, failed
}
