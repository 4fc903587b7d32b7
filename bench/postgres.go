package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store/postgres"
)

// onPostgres compares on PostgreSQL with its durable settings.
func onPostgres(ctx context.Context, b *bench) error {
	return onHost(ctx, b.dir, func(h *host) error {
		server := enginetest.StartPostgres(h, "fsync=on", "synchronous_commit=on", "max_connections=200")
		config := must(pgxpool.ParseConfig(server.URL))
		config.MaxConns = many
		pool := must(pgxpool.NewWithConfig(ctx, config))
		defer pool.Close()
		var version string
		if err := pool.QueryRow(ctx, "SELECT version() || ', fsync ' || current_setting('fsync') || ', synchronous_commit ' || current_setting('synchronous_commit')").Scan(&version); err != nil {
			return err
		}
		fmt.Printf("%s.\n\n", version)
		for _, table := range []string{"bare", "lease"} {
			if _, err := pool.Exec(ctx, "CREATE TABLE "+table+
				" (name text PRIMARY KEY, owner text NOT NULL, data text NOT NULL, expires timestamptz NOT NULL)"); err != nil {
				return err
			}
		}
		url, _ := server.Schema(h)
		st := must(postgres.Open(ctx, url))
		defer st.Close()
		var programs [2]*editlock.Manager
		url, _ = server.Schema(h)
		for i := range programs {
			programs[i] = editlock.NewManager(must(postgres.Open(ctx, url)), nil)
			defer programs[i].Close()
		}
		ops := []struct {
			name string
			op   func(context.Context, int, int) error
		}{
			{"INSERT + DELETE, a commit each", func(ctx context.Context, client, n int) error {
				name := invoice(client, n).String()
				if _, err := pool.Exec(ctx, "INSERT INTO bare VALUES ($1, $2, '', now() + interval '5 min')", name, person(client).Session); err != nil {
					return err
				}
				_, err := pool.Exec(ctx, "DELETE FROM bare WHERE name = $1", name)
				return err
			}},
			{"a lease row in plain SQL", func(ctx context.Context, client, n int) error {
				name, owner := invoice(client, n).String(), person(client).Session
				tag, err := pool.Exec(ctx, `INSERT INTO lease VALUES ($1, $2, '', now() + interval '5 min')
					ON CONFLICT (name) DO UPDATE SET owner = $2, expires = excluded.expires
					WHERE lease.expires < now() OR lease.owner = $2`, name, owner)
				if err != nil || tag.RowsAffected() != 1 {
					return fmt.Errorf("%v, %w", tag, err)
				}
				_, err = pool.Exec(ctx, "DELETE FROM lease WHERE name = $1 AND owner = $2", name, owner)
				return err
			}},
			{"advisory lock (no owner, no lease, not durable)", func(ctx context.Context, client, n int) error {
				return pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
					key := int64(client)<<32 + int64(n%1000)
					if _, err := c.Exec(ctx, "SELECT pg_advisory_lock($1)", key); err != nil {
						return err
					}
					_, err := c.Exec(ctx, "SELECT pg_advisory_unlock($1)", key)
					return err
				})
			}},
			{"editlock without history", bareSwaps(st)},
			{"editlock", lockPairs(programs[0])},
		}
		var all []contender
		for _, clients := range []int{1, many} {
			for _, o := range ops {
				name := o.name
				if clients == 1 {
					name += ", 1 client"
				}
				all = append(all, contender{name: name, clients: clients, op: o.op})
			}
		}
		const raw = "INSERT + DELETE, a commit each"
		aims(all, "editlock without history, 1 client", versus{raw + ", 1 client", 0.9})
		aims(all, "editlock, 1 client", versus{raw + ", 1 client", 0.9})
		aims(all, "editlock without history", versus{raw, 2})
		aims(all, "editlock", versus{raw, 2})
		scores, err := b.race(ctx, all)
		if err != nil {
			return err
		}
		report(all, scores)
		return b.handOffs(ctx, []*passing{
			notified(ctx, server.URL), advisory(ctx, server.URL),
			lockPassing("editlock, two programs", programs, versus{"NOTIFY to a listener", 2}),
		})
	})
}

// notified is the bare push: NOTIFY on one connection, awaited on another.
func notified(ctx context.Context, url string) *passing {
	var listens, says [2]*pgx.Conn
	for i := range listens {
		listens[i], says[i] = must(pgx.Connect(ctx, url)), must(pgx.Connect(ctx, url))
		must(listens[i].Exec(ctx, fmt.Sprint("LISTEN pass_", i)))
	}
	first := true
	return &passing{
		name: "NOTIFY to a listener",
		acquire: func(ctx context.Context, client int) error {
			if first {
				first = false
				return nil
			}
			_, err := listens[client].WaitForNotification(ctx)
			return err
		},
		release: func(ctx context.Context, client int) error {
			_, err := says[client].Exec(ctx, fmt.Sprint("NOTIFY pass_", 1-client))
			return err
		},
		quiet: func() {
			for i := range listens {
				short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
				if _, err := listens[i].WaitForNotification(short); err != nil && short.Err() == nil {
					panic(failure{err})
				}
				cancel()
			}
			first = true
		},
	}
}

// advisory passes PostgreSQL's own lock between two connections.
func advisory(ctx context.Context, url string) *passing {
	conns := [2]*pgx.Conn{must(pgx.Connect(ctx, url)), must(pgx.Connect(ctx, url))}
	return &passing{
		name: "advisory lock",
		acquire: func(ctx context.Context, client int) error {
			_, err := conns[client].Exec(ctx, "SELECT pg_advisory_lock(1)")
			return err
		},
		release: func(ctx context.Context, client int) error {
			_, err := conns[client].Exec(ctx, "SELECT pg_advisory_unlock(1)")
			return err
		},
	}
}
