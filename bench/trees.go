package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/editlock/editlock"
)

// trees asks on each engine what it costs those who capture an object that all
// of a type, or a part, may be captured in its group, and how long it takes until
// who asks for all of a type with many held is told who is in the way.
func trees(ctx context.Context, b *bench) error {
	held := min(b.large, 100_000)
	chosen, err := choose(b.engines, engines, engine.called)
	if err != nil {
		return fmt.Errorf("-engines %w", err)
	}
	t := table{
		fmt.Sprint(held, " held"), "no tree in use", "nodes in use", "times", "parts, too", "times",
		"refresh, no tree in use", "nodes in use, times", "parts, too, times",
		"all of the type, refused, p50 / slowest", "all of another, given and released",
	}
	t.head()
	for _, e := range chosen {
		err := onHost(ctx, b.dir, func(h *host) error {
			m := editlock.NewManager(must(e.open(ctx, e.serve(h)("trees"))), nil)
			defer m.Close()
			if err := fill(ctx, m, held, nil); err != nil {
				return err
			}
			row, err := treeRow(ctx, b, m)
			if err == nil {
				t.row(append([]string{e.name}, row...)...)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

// treeRow measures one engine. The groups differ in what was captured there before.
func treeRow(ctx context.Context, b *bench, m *editlock.Manager) ([]string, error) {
	ctx = editlock.WithOwner(ctx, editlock.Owner{Session: "import"})
	pairs := func(id editlock.ID) func(context.Context, int, int) error {
		return func(context.Context, int, int) error {
			if _, err := m.Capture(ctx, id, nil); err != nil {
				return err
			}
			_, err := m.Release(ctx, id, editlock.Condition{})
			return err
		}
	}
	object := func(group string) editlock.ID { return editlock.ID{Group: group, Mode: "document", ID: "new"} }
	beats := func(group string) (func(context.Context, int, int) error, error) {
		id := editlock.ID{Group: group, Mode: "document", ID: "kept"}
		kept, err := m.Capture(ctx, id, nil)
		items := []editlock.RefreshItem{{ID: id, Token: kept.Token}}
		return func(context.Context, int, int) error {
			got, err := m.Refresh(ctx, items)
			if err != nil {
				return err
			}
			return got[0].Err
		}, err
	}
	for _, id := range []editlock.ID{
		{Group: "nodes", Mode: "other", Below: true},
		{Group: "parts", Mode: "other", Below: true},
		{Group: "parts", Mode: "document", ID: "other", Part: "address"},
	} {
		if err := pairs(id)(ctx, 0, 0); err != nil {
			return nil, err
		}
	}
	groups := []string{"plain", "nodes", "parts"}
	var all []contender
	for _, group := range groups {
		op, err := beats(group)
		if err != nil {
			return nil, err
		}
		all = append(all, contender{name: group, clients: 1, op: pairs(object(group))}, contender{name: group + ", refresh", clients: 1, op: op})
	}
	scores, err := b.race(ctx, all)
	if err != nil {
		return nil, err
	}
	slower := func(name, than string) string {
		var times []float64
		for i := range b.rounds {
			times = append(times, float64(scores[name][i].p50)/float64(scores[than][i].p50))
		}
		return spread(times, "%.2f")
	}
	row := []string{p50s(scores["plain"])}
	for _, group := range groups[1:] {
		row = append(row, p50s(scores[group]), slower(group, "plain"))
	}
	row = append(row, p50s(scores["plain, refresh"]))
	for _, group := range groups[1:] {
		row = append(row, slower(group+", refresh", "plain, refresh"))
	}
	var refused, given []time.Duration
	for end := time.Now().Add(b.round); time.Now().Before(end); {
		begun := time.Now()
		_, err := m.Capture(ctx, editlock.ID{Group: "archive", Mode: "document", Below: true}, nil)
		refused = append(refused, time.Since(begun))
		if !errors.Is(err, editlock.ErrBusy) {
			return nil, fmt.Errorf("a type of which much is held was given: %w", err)
		}
	}
	for end := time.Now().Add(b.round); time.Now().Before(end); {
		begun := time.Now()
		if err := pairs(editlock.ID{Group: "nodes", Mode: "empty", Below: true})(ctx, 0, 0); err != nil {
			return nil, err
		}
		given = append(given, time.Since(begun))
	}
	return append(row, quantiles(refused, 0.5, 1), quantiles(given, 0.5, 1)), nil
}
