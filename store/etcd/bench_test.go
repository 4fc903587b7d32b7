package etcd_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.uber.org/zap"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/etcd"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/kv/kvtest"
	"github.com/editlock/editlock/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	s := &server{Etcd: enginetest.StartEtcd(b)}
	storetest.Bench(b, func(b *testing.B) store.Store { return s.at(b, nil, s.url()) })
}

// BenchmarkBare is what etcd itself needs for a pair: a put if there is nothing
// and a delete, without any record, history or expiry; and a lock and unlock
// of its own concurrency package, with a session that is there already.
func BenchmarkBare(b *testing.B) {
	s := enginetest.StartEtcd(b)
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + s.Host}, Logger: zap.NewNop()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	session, err := concurrency.NewSession(c, concurrency.WithTTL(60))
	if err != nil {
		b.Fatal(err)
	}
	pairs := map[string]func(ctx context.Context, key string) error{
		"put if absent and delete": func(ctx context.Context, key string) error {
			if _, err := c.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
				Then(clientv3.OpPut(key, "x")).Commit(); err != nil {
				return err
			}
			_, err := c.Delete(ctx, key)
			return err
		},
		"Mutex": func(ctx context.Context, key string) error {
			m := concurrency.NewMutex(session, key)
			if err := m.Lock(ctx); err != nil {
				return err
			}
			return m.Unlock(ctx)
		},
	}
	for name, pair := range pairs {
		for _, clients := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s, %d clients", name, clients), func(b *testing.B) {
				var left atomic.Int64
				left.Store(int64(b.N))
				var wg sync.WaitGroup
				for i := range clients {
					wg.Go(func() {
						for n := 0; left.Add(-1) >= 0; n++ {
							if err := pair(b.Context(), fmt.Sprintf("/bare/%d/%d", i, n%100)); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pairs/s")
			})
		}
	}
}

func BenchmarkTree(b *testing.B) {
	s := &server{Etcd: enginetest.StartEtcd(b)}
	kvtest.BenchTree(b, func(b *testing.B) kv.Engine {
		e, err := etcd.OpenEngine(b.Context(), s.url(), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = e.Close() })
		return e
	})
}
