package main

import (
	"context"
	"fmt"
)

// durable answers issue by issue what a lock costs over the two rows it is:
// alone, and with 64 clients whose writes can share commits.
func durable(ctx context.Context, b *bench) error {
	const many = 64
	each, err := newBare(ctx, b.dir, "each", false)
	if err != nil {
		return err
	}
	defer each.close()
	grouped, err := newBare(ctx, b.dir, "grouped", true)
	if err != nil {
		return err
	}
	defer grouped.close()
	pairs := func(s *bare) func(context.Context, int, int) error {
		return func(_ context.Context, client, n int) error {
			return s.pair(client, name(client, n))
		}
	}
	all := []contender{
		{name: "bare commit each", clients: 1, op: pairs(each)},
		{name: "bare commit each, many", clients: many, op: pairs(each)},
		{name: "bare group commit, many", clients: many, op: pairs(grouped)},
	}
	scores, err := b.race(ctx, all)
	if err != nil {
		return err
	}
	report(all, scores)
	return nil
}

// name is that of a mutex that only this client uses.
func name(client, n int) string {
	return fmt.Sprintf("shop/invoice/%d-%d", client, n%1000)
}
