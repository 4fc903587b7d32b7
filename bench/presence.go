package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"github.com/editlock/editlock"
)

// presenceCost asks what it costs a server that many tabs tell which record they
// show, and are told who else does.
func presenceCost(ctx context.Context, b *bench) error {
	const (
		tabs      = 10_000
		perRecord = 4
		every     = 10 * time.Second
	)
	s, err := start(ctx, "editlock:"+filepath.Join(b.dir, "presence.db"))
	if err != nil {
		return err
	}
	defer s.Close()
	bodies := make([][]byte, tabs)
	for i := range bodies {
		name := fmt.Sprintf("Person Number %d", i)
		bodies[i], err = json.Marshal(map[string]any{
			"owner": map[string]string{"session": fmt.Sprint("browser-", i), "user_id": fmt.Sprint(i), "name": name},
			"page":  fmt.Sprintf("%024x", i),
			"looks": []any{map[string]any{"mutex": map[string]string{"group": "crm", "mode": "contract", "id": fmt.Sprint(i / perRecord)}, "state": "looking"}},
		})
		if err != nil {
			return err
		}
	}
	round := func() ([]time.Duration, error) {
		return beatAll(ctx, s, len(bodies), every, "/v1/presence", func(i int) []byte { return bodies[i] })
	}
	memory, err := s.memory()
	if err != nil {
		return err
	}
	if _, err := round(); err != nil { // everybody arrives
		return err
	}
	more, err1 := s.memory()
	before, err2 := s.cpu()
	begin := time.Now()
	took, err3 := round()
	wall := time.Since(begin)
	after, err4 := s.cpu()
	writes, err5 := historyLength(ctx, b, s)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return err
	}
	fmt.Printf("%d tabs, %d at each record, a beat every %v: %.1f %% of the %d cores, %.0f MB of memory and %d entries in the store; a beat takes %s (p50 / p99).\n",
		tabs, perRecord, every, 100*(after-before).Seconds()/wall.Seconds()/float64(runtime.NumCPU()), runtime.NumCPU(),
		float64(more-memory)/1e6, writes, quantiles(took, 0.5, 0.99))
	return nil
}

// historyLength is how many entries the store of a server has written, of all that
// it can write: locks, queues and history.
func historyLength(ctx context.Context, b *bench, s *server) (int, error) {
	if err := s.Close(); err != nil {
		return 0, err
	}
	m, err := openSQLite(ctx, b.dir, "presence")
	if err != nil {
		return 0, err
	}
	page, err1 := m.History(ctx, editlock.HistoryQuery{})
	held, err2 := m.List(ctx, editlock.Query{})
	return len(page.Entries) + len(held.Mutexes), errors.Join(err1, err2, m.Close())
}
