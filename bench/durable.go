package main

import (
	"context"
)

// durable asks what a lock costs over the two rows it is, on the same driver:
// alone, and with 64 clients whose writes can share commits.
func durable(ctx context.Context, b *bench) error {
	const many = 64
	each, err := newBare(ctx, b.dir, "each", false)
	if err != nil {
		return err
	}
	defer each.Close()
	grouped, err := newBare(ctx, b.dir, "grouped", true)
	if err != nil {
		return err
	}
	defer grouped.Close()
	locks, err := openSQLite(ctx, b.dir, "durable")
	if err != nil {
		return err
	}
	defer locks.Close()

	rows := func(s *bare) func(context.Context, int, int) error {
		return func(ctx context.Context, client, n int) error {
			return s.pair(ctx, invoice(client, n).String())
		}
	}
	all := []contender{
		{name: "bare, a commit each", clients: 1, op: rows(each)},
		{name: "editlock", clients: 1, op: lockPairs(locks), versus: []versus{{"bare, a commit each", 0.8}}},
		{name: "bare, a commit each, 64 clients", clients: many, op: rows(each)},
		{name: "bare, group commit, 64 clients", clients: many, op: rows(grouped)},
		{name: "editlock, 64 clients", clients: many, op: lockPairs(locks), versus: []versus{
			{"bare, a commit each, 64 clients", 15}, {"bare, group commit, 64 clients", 0.6},
		}},
	}
	scores, err := b.race(ctx, all)
	if err != nil {
		return err
	}
	report(all, scores)
	return nil
}
