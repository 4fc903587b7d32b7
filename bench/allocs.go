package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store/memory"
)

// allocs counts the allocations of single calls, all goroutines together.
func allocs(ctx context.Context, b *bench) error {
	onDisk, err := openSQLite(ctx, b.dir, "allocs")
	if err != nil {
		return err
	}
	defer onDisk.Close()
	inMemory := editlock.NewManager(memory.New(nil), nil)
	defer inMemory.Close()

	t := table{"allocations", "memory", "SQLite"}
	t.head()
	for _, call := range []struct {
		name string
		do   func(ctx context.Context, m *editlock.Manager, n int) error
	}{
		{"capture, free", func(ctx context.Context, m *editlock.Manager, n int) error {
			_, err := m.Capture(ctx, editlock.ID{Group: "shop", Mode: "order", ID: fmt.Sprint(n)}, nil)
			return err
		}},
		{"capture, mine already", func(ctx context.Context, m *editlock.Manager, _ int) error {
			_, err := m.Capture(ctx, editlock.ID{Group: "shop", Mode: "order", ID: "0"}, nil)
			return err
		}},
		{"request", func(ctx context.Context, m *editlock.Manager, _ int) error {
			_, _, err := m.Request(ctx, editlock.ID{Group: "shop", Mode: "order", ID: "0"})
			return err
		}},
		{"release", func(ctx context.Context, m *editlock.Manager, n int) error {
			_, err := m.Release(ctx, editlock.ID{Group: "shop", Mode: "order", ID: fmt.Sprint(n)}, editlock.Condition{})
			return err
		}},
	} {
		row := []string{call.name}
		for _, m := range []*editlock.Manager{inMemory, onDisk} {
			n := 0
			ctx := editlock.WithOwner(ctx, person(1))
			var failed error
			count := testing.AllocsPerRun(1000, func() {
				if err := call.do(ctx, m, n); err != nil {
					failed = err
				}
				n++
			})
			if failed != nil {
				return failed
			}
			row = append(row, fmt.Sprint(count))
		}
		t.row(row...)
	}
	return nil
}
