package main

import (
	"context"
	"fmt"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store/etcd"
)

// onEtcd compares on one etcd, which syncs each write to its disk.
func onEtcd(ctx context.Context, b *bench) error {
	return onHost(ctx, b.dir, func(h *host) error {
		server := enginetest.StartEtcd(h)
		dial := func() *clientv3.Client {
			return must(clientv3.New(clientv3.Config{Endpoints: []string{server.Host}}))
		}
		c := dial()
		defer c.Close()
		status := must(c.Status(ctx, server.Host))
		fmt.Printf("etcd %s, one member.\n\n", status.Version)

		st := must(etcd.Open(ctx, "etcd://"+server.Host+"/bench-bare", nil))
		defer st.Close()
		var programs [2]*editlock.Manager
		for i := range programs {
			programs[i] = editlock.NewManager(must(etcd.Open(ctx, "etcd://"+server.Host+"/bench", nil)), nil)
			defer programs[i].Close()
		}
		sessions := make([]*concurrency.Session, many)
		for i := range sessions {
			sessions[i] = must(concurrency.NewSession(c, concurrency.WithTTL(int(lease.Seconds()))))
		}
		kept := must(c.Grant(ctx, int64(lease.Seconds()))).ID
		ops := []struct {
			name string
			op   func(context.Context, int, int) error
		}{
			{"Txn + Delete, a lease kept", func(ctx context.Context, client, n int) error {
				return bareTxn(ctx, c, peerKey("bare", client, n), kept)
			}},
			{"Txn + Delete, a lease each", func(ctx context.Context, client, n int) error {
				granted, err := c.Grant(ctx, int64(lease.Seconds()))
				if err != nil {
					return err
				}
				return bareTxn(ctx, c, peerKey("leased", client, n), granted.ID)
			}},
			{"concurrency.Mutex, a session kept", func(ctx context.Context, client, n int) error {
				m := concurrency.NewMutex(sessions[client], "/"+peerKey("mutex", client, n))
				if err := m.Lock(ctx); err != nil {
					return err
				}
				return m.Unlock(ctx)
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
		const mutex = "concurrency.Mutex, a session kept"
		const leased = "Txn + Delete, a lease each, 1 client"
		aims(all, "editlock without history, 1 client", versus{leased, 1 / 1.2})
		aims(all, "editlock, 1 client", versus{leased, 1 / 1.2})
		aims(all, "editlock without history", versus{mutex, 1})
		aims(all, "editlock", versus{mutex, 1})
		scores, err := b.race(ctx, all)
		if err != nil {
			return err
		}
		report(all, scores)

		var held [2]*concurrency.Mutex
		ends := [2]*clientv3.Client{dial(), dial()}
		return b.handOffs(ctx, []*passing{
			watched(ctx, ends),
			{
				name: mutex,
				acquire: func(ctx context.Context, client int) error {
					held[client] = concurrency.NewMutex(sessions[client], "/pass-mutex")
					return held[client].Lock(ctx)
				},
				release: func(ctx context.Context, client int) error { return held[client].Unlock(ctx) },
			},
			lockPassing("editlock, two programs", programs, versus{"Put to a watcher", 2}),
		})
	})
}

func bareTxn(ctx context.Context, c *clientv3.Client, key string, id clientv3.LeaseID) error {
	res, err := c.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, "value", clientv3.WithLease(id))).Commit()
	if err != nil || !res.Succeeded {
		return fmt.Errorf("%s: put: %w", key, err)
	}
	_, err = c.Delete(ctx, key)
	return err
}

// watched is the bare push: a Put that another client watches for.
func watched(ctx context.Context, ends [2]*clientv3.Client) *passing {
	var (
		watches [2]clientv3.WatchChan
		first   = true
		once    sync.Once
	)
	key := func(client int) string { return fmt.Sprint("/pass-bare/", client) }
	return &passing{
		name: "Put to a watcher",
		quiet: func() {
			once.Do(func() {
				for i := range watches {
					watches[i] = ends[i].Watch(ctx, key(i), clientv3.WithCreatedNotify())
					<-watches[i]
				}
			})
			for i := range watches {
				select {
				case <-watches[i]:
				default:
				}
			}
			first = true
		},
		acquire: func(ctx context.Context, client int) error {
			if first {
				first = false
				return nil
			}
			select {
			case <-watches[client]:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
		release: func(ctx context.Context, client int) error {
			_, err := ends[client].Put(ctx, key(1-client), "yours")
			return err
		},
	}
}
