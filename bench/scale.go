package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store/memory"
)

// scale asks what a million held mutexes cost those who come next, and what
// each of them takes on disk and in memory.
func scale(ctx context.Context, b *bench) error {
	const few, lots = 1_000, 1_000_000
	small, _, err := filled(ctx, b, "few", few)
	if err != nil {
		return err
	}
	defer small.Close()
	large, disk, err := filled(ctx, b, "lots", lots)
	if err != nil {
		return err
	}
	defer large.Close()

	all := []contender{
		{name: fmt.Sprintf("%d held", few), clients: 1, op: lockPairs(small)},
		{name: fmt.Sprintf("%d held", lots), clients: 1, op: lockPairs(large)},
	}
	scores, err := b.race(ctx, all)
	if err != nil {
		return err
	}
	p50 := func(s score) float64 { return float64(s.p50) }
	var slower []float64
	for i := range b.rounds {
		slower = append(slower, p50(scores[all[1].name][i])/p50(scores[all[0].name][i]))
	}
	t := table{"durable SQLite", fmt.Sprint(few, " held"), fmt.Sprint(lots, " held"), "aim"}
	t.head()
	t.row("capture + release, p50", p50s(scores[all[0].name]), p50s(scores[all[1].name]),
		spread(slower, "%.2f")+" times, at most 1.5")
	for _, q := range []struct {
		name  string
		query editlock.Query
	}{
		{"List, first page of 100", editlock.Query{}},
		{"List, a page of 100 of a group and mode", editlock.Query{Group: "archive", Mode: "document"}},
		{"List of one session, 50 mutexes", editlock.Query{Session: person(7).Session}},
	} {
		ofSmall, err := listing(ctx, b, small, q.query)
		if err != nil {
			return err
		}
		ofLarge, err := listing(ctx, b, large, q.query)
		if err != nil {
			return err
		}
		t.row(q.name+", p50 / slowest", ofSmall, ofLarge, "20ms")
	}

	memory, err := memoryEach(ctx, lots)
	if err != nil {
		return err
	}
	fmt.Printf("\nA held mutex, with its line of history, takes %d bytes on disk (SQLite, aim: under 600) "+
		"and %d bytes of memory (memory engine).\n", disk, memory)
	return nil
}

func p50s(s []score) string {
	return fmt.Sprint(round(median(each(s, func(s score) time.Duration { return s.p50 }))))
}

// filled opens a database with n mutexes held and tells the bytes on disk of
// each.
func filled(ctx context.Context, b *bench, name string, n int) (*editlock.Manager, int64, error) {
	m, err := openSQLite(ctx, b.dir, name)
	if err != nil {
		return nil, 0, err
	}
	err = fill(ctx, m, n, nil)
	if closed := m.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, 0, err
	}
	file, err := os.Stat(filepath.Join(b.dir, name+".db"))
	if err != nil {
		return nil, 0, err
	}
	m, err = openSQLite(ctx, b.dir, name)
	return m, file.Size() / int64(n), err
}

// listing reads one page again and again for a round.
func listing(ctx context.Context, b *bench, m *editlock.Manager, q editlock.Query) (string, error) {
	var took []time.Duration
	for end := time.Now().Add(b.round); time.Now().Before(end); {
		start := time.Now()
		page, err := m.List(ctx, q)
		if err != nil {
			return "", err
		}
		if len(page.Mutexes) == 0 {
			return "", fmt.Errorf("nothing listed for %+v", q)
		}
		took = append(took, time.Since(start))
	}
	return quantiles(took, 0.5, 1), nil
}

// memoryEach is the heap that one held mutex takes in the memory engine.
func memoryEach(ctx context.Context, n int) (int64, error) {
	before := heap()
	m := editlock.NewManager(memory.New(nil), nil)
	if err := fill(ctx, m, n, nil); err != nil {
		return 0, err
	}
	each := (heap() - before) / int64(n)
	return each, m.Close()
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
