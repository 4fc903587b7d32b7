package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// contender is one way to do the same work.
type contender struct {
	name    string
	clients int
	// op does the n-th piece of work of one client.
	op func(ctx context.Context, client, n int) error
	// away, if set, is used instead: it does the work in another process for
	// about d, and returns what each piece took, and all.
	away func(d time.Duration) (took []time.Duration, wall time.Duration, err error)

	// raw is the contender to compare with, by name, and aim the ratio
	// wanted. Empty: a raw limit itself.
	versus []versus
}

type versus struct {
	raw string
	aim float64
}

// score is what one contender reached in one round.
type score struct {
	rate     float64 // operations per second
	p50, p99 time.Duration
}

// race lets all contenders take turns: in each round once in the order given
// and once in reverse, so that a slow moment of the machine hits all.
func (b *bench) race(ctx context.Context, all []contender) (map[string][]score, error) {
	scores := make(map[string][]score)
	next := make([]int, len(all)) // work is numbered on through the rounds
	for range b.rounds {
		taken := make([][]time.Duration, len(all))
		spent := make([]time.Duration, len(all))
		for turn := range 2 * len(all) {
			i := turn
			if i >= len(all) {
				i = 2*len(all) - 1 - turn
			}
			lat, wall, err := all[i].work(ctx, b.round/2, &next[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", all[i].name, err)
			}
			taken[i] = append(taken[i], lat...)
			spent[i] += wall
		}
		for i, c := range all {
			if len(taken[i]) == 0 {
				return nil, fmt.Errorf("%s: nothing done in a round of %v", c.name, b.round)
			}
			slices.Sort(taken[i])
			scores[c.name] = append(scores[c.name], score{
				rate: float64(len(taken[i])) / spent[i].Seconds(),
				p50:  quantile(taken[i], 0.5),
				p99:  quantile(taken[i], 0.99),
			})
		}
	}
	return scores, nil
}

// work runs all clients of a contender for d and returns what each operation
// took.
func (c contender) work(ctx context.Context, d time.Duration, next *int) ([]time.Duration, time.Duration, error) {
	if c.away != nil {
		return c.away(d)
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		all   []time.Duration
		first error
		most  int
	)
	start := time.Now()
	end := start.Add(d)
	for client := range c.clients {
		wg.Go(func() {
			var lat []time.Duration
			var err error
			n := *next
			for now := time.Now(); now.Before(end) && ctx.Err() == nil; n++ {
				if err = c.op(ctx, client, n); err != nil {
					break
				}
				done := time.Now()
				lat = append(lat, done.Sub(now))
				now = done
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, lat...)
			most = max(most, n)
			if first == nil {
				first = err
			}
		})
	}
	wg.Wait()
	*next = most
	return all, time.Since(start), cmp.Or(first, ctx.Err())
}

// report prints a table of a race.
func report(all []contender, scores map[string][]score) {
	t := table{"what", "clients", "a second", "p50", "p99", "ratio"}
	t.head()
	for _, c := range all {
		s := scores[c.name]
		var ratios []string
		for _, v := range c.versus {
			ratio := ratios2(s, scores[v.raw])
			ratios = append(ratios, fmt.Sprintf("%s of %s (%s)", spread(ratio, "%.2f"), v.raw, v.verdict(median(ratio))))
		}
		t.row(c.name, fmt.Sprint(c.clients),
			spread(each(s, func(s score) float64 { return s.rate }), "%.0f"),
			fmt.Sprint(round(median(each(s, func(s score) time.Duration { return s.p50 })))),
			fmt.Sprint(round(median(each(s, func(s score) time.Duration { return s.p99 })))),
			strings.Join(ratios, "; "))
	}
}

// verdict compares with the aim, for the reader: nothing fails by it.
func (v versus) verdict(got float64) string {
	if v.aim == 0 {
		return "no aim"
	}
	word := "met"
	if got < v.aim {
		word = "missed"
	}
	return fmt.Sprintf("aim %.2g: %s", v.aim, word)
}

// ratios2 is the ratio of rates round by round, which is steadier than the
// ratio of two medians.
func ratios2(ours, raw []score) []float64 {
	r := make([]float64, len(ours))
	for i := range ours {
		r[i] = ours[i].rate / raw[i].rate
	}
	return r
}

func each[S, T any](s []S, f func(S) T) []T {
	out := make([]T, len(s))
	for i := range s {
		out[i] = f(s[i])
	}
	return out
}
