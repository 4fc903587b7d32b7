package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
)

// histories asks what a long history costs on each engine: those whose refresh
// is refused, those who search in it, and the others meanwhile.
func histories(ctx context.Context, b *bench) error {
	chosen, err := choose(b.engines, engines, engine.called)
	if err != nil {
		return fmt.Errorf("-engines %w", err)
	}
	losses := table{
		"refresh", "entries", "items", "good", "of free mutexes", "of mutexes long lost", "times a good one",
		"others alone, p50 / p99", "beside good", "beside bogus",
	}
	filters := searched("the larger history", "entries")
	for _, e := range chosen {
		fmt.Println()
		losses.head()
		err := onHost(ctx, b.dir, func(h *host) error {
			l := &logbook{st: must(e.open(ctx, e.serve(h)("history")))}
			l.m = editlock.NewManager(l.st, nil)
			defer l.m.Close()
			for _, n := range []int{20_000, max(20_000, b.large)} {
				if err := l.grow(ctx, n); err != nil {
					return err
				}
				for _, items := range []int{1, 1000} {
					row, err := l.losses(ctx, b, items)
					if err != nil {
						return err
					}
					losses.row(append([]string{e.name, fmt.Sprint(l.entries), fmt.Sprint(items)}, row...)...)
				}
			}
			return l.show(ctx, b, filters, e.name, l.filters())
		})
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

// logbook is a store whose log grows, with mutexes that stay held.
type logbook struct {
	st      store.Store
	m       *editlock.Manager
	entries int
}

// logged are how many names the entries speak of.
const logged = 20_000

// grow makes the log n entries long: captures and releases by turns, as one
// sees them, but written in few steps.
func (l *logbook) grow(ctx context.Context, n int) error {
	const step = 500
	for ; l.entries < n; l.entries += step {
		swaps := make([]store.Op, step)
		for i := range swaps {
			at := l.entries + i
			who := person(at % 1000)
			party := store.Party{Session: who.Session, User: who.UserID, Value: `{"l":"ivanov","n":"Ivan Ivanov","h":"desk-17.example"}`}
			kind := editlock.KindCaptured
			if at/logged%2 == 1 {
				kind = editlock.KindReleased
			}
			swaps[i] = store.Op{
				Name: editlock.ID{Group: "archive", Mode: fmt.Sprint("mode-", at%10), ID: fmt.Sprint(at % logged)}.String(),
				Do:   store.Renew, Event: &store.Event{Kind: string(kind), Actor: party},
			}
			if at < logged {
				swaps[i].Do, swaps[i].Holder, swaps[i].Terms, swaps[i].Expect.Free = store.Acquire, &party, &store.Terms{}, true
			}
		}
		res, err := l.st.Commit(ctx, store.Txn{Ops: swaps})
		if err == nil && !res.Done {
			err = fmt.Errorf("the log was not written at %d", l.entries)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// losses refreshes what is held, what never was, and what is held by others.
func (l *logbook) losses(ctx context.Context, b *bench, items int) ([]string, error) {
	who := editlock.WithOwner(ctx, editlock.Owner{Session: "tab", UserID: "tab"})
	good, free, lost := make([]editlock.RefreshItem, items), make([]editlock.RefreshItem, items), make([]editlock.RefreshItem, items)
	ids := make([]editlock.ID, items)
	for i := range ids {
		ids[i] = editlock.ID{Group: "open", ID: fmt.Sprint(i)}
		free[i] = editlock.RefreshItem{ID: editlock.ID{Group: "nosuch", ID: fmt.Sprint(i)}, Token: 1}
		lost[i] = editlock.RefreshItem{ID: editlock.ID{Group: "archive", Mode: fmt.Sprint("mode-", i%10), ID: fmt.Sprint(i)}, Token: 1}
	}
	held, err := l.m.CaptureAll(who, ids, nil)
	if err != nil {
		return nil, err
	}
	for i, m := range held {
		good[i] = editlock.RefreshItem{ID: m.ID, Token: m.Token}
	}
	if _, err := l.m.Refresh(who, lost); err != nil { // whatever is read once only
		return nil, err
	}
	refresh := func(items []editlock.RefreshItem, refused bool) func(context.Context) error {
		return func(context.Context) error {
			results, err := l.m.Refresh(who, items)
			if err == nil && (results[0].Err != nil) != refused {
				err = fmt.Errorf("refused, or not: %w", results[0].Err)
			}
			return err
		}
	}
	alone, err := l.beside(ctx, b, nil)
	if err != nil {
		return nil, err
	}
	took, err := inTurns(ctx, b, refresh(good, false), refresh(free, true), refresh(lost, true))
	if err != nil {
		return nil, err
	}
	besideGood, err := l.beside(ctx, b, refresh(good, false))
	if err != nil {
		return nil, err
	}
	besideBogus, err := l.beside(ctx, b, refresh(lost, true))
	if err != nil {
		return nil, err
	}
	worst := float64(max(took[1], took[2])) / float64(took[0])
	return []string{
		fmt.Sprint(round(took[0])), fmt.Sprint(round(took[1])), fmt.Sprint(round(took[2])),
		fmt.Sprintf("%.2f (%s)", worst, versus{aim: 3}.atMost(worst)), alone, besideGood, besideBogus,
	}, nil
}

// inTurns does one after the other, again and again for a round each, and returns
// their medians: what disturbs the machine meanwhile disturbs all.
func inTurns(ctx context.Context, b *bench, all ...func(context.Context) error) ([]time.Duration, error) {
	took, medians := make([][]time.Duration, len(all)), make([]time.Duration, len(all))
	for end := time.Now().Add(time.Duration(len(all)) * b.round); time.Now().Before(end) || len(took[0]) < 3; {
		for i, do := range all {
			begun := time.Now()
			if err := do(ctx); err != nil {
				return nil, err
			}
			took[i] = append(took[i], time.Since(begun))
		}
	}
	for i := range took {
		slices.Sort(took[i])
		medians[i] = quantile(took[i], 0.5)
	}
	return medians, nil
}

// beside is what others get while somebody does this without a pause: each of a
// few captures and releases ten times a second.
func (l *logbook) beside(ctx context.Context, b *bench, do func(context.Context) error) (string, error) {
	const others = 8
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		took   []time.Duration
		failed error
	)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	busy := make(chan error, 1)
	go func() {
		var err error
		for do != nil && err == nil && ctx.Err() == nil {
			err = do(ctx)
		}
		busy <- err
	}()
	end := time.Now().Add(2 * b.round)
	for i := range others {
		wg.Go(func() {
			pair := lockPairs(l.m)
			tick := time.NewTicker(time.Second / 10)
			defer tick.Stop()
			for n := 0; time.Now().Before(end); n++ {
				<-tick.C
				begun := time.Now()
				err := pair(ctx, i, n)
				mu.Lock()
				took = append(took, time.Since(begun))
				if failed == nil {
					failed = err
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	stop()
	if err := <-busy; err != nil && ctx.Err() == nil {
		return "", err
	}
	return quantiles(took, 0.5, 0.99), failed
}
