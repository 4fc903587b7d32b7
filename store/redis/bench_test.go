package redis_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/kv/kvtest"
	"github.com/editlock/editlock/store/redis"
	"github.com/editlock/editlock/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	server := enginetest.StartRedis(b)
	storetest.Bench(b, func(b *testing.B) store.Store { return benchStore(b, server) })
}

func benchStore(b *testing.B, server *enginetest.Redis) store.Store {
	st, err := redis.Open(b.Context(), server.Store())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = st.Close() })
	return st
}

// BenchmarkPair is a capture and a release of a key of one's own: by the bare
// commands, and with all that a record has, without and with history.
func BenchmarkPair(b *testing.B) {
	server := enginetest.StartRedis(b)
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("%d clients/SET NX and DEL", clients), func(b *testing.B) {
			c, err := rueidis.NewClient(rueidis.ClientOption{
				InitAddress: []string{strings.TrimPrefix(server.URL, "redis://")}, DisableCache: true,
			})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			ctx := context.Background() // one that never ends is the fastest
			pairs(b, clients, func(client, _ int) error {
				key := fmt.Sprint("bare", client)
				err := c.Do(ctx, c.B().Set().Key(key).Value("a value of 22 bytes...").Nx().PxMilliseconds(300_000).Build()).Error()
				if err != nil {
					return err
				}
				return c.Do(ctx, c.B().Del().Key(key).Build()).Error()
			})
		})
		for _, history := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d clients/history %v", clients, history), func(b *testing.B) {
				st := benchStore(b, server)
				pairs(b, clients, func(client, n int) error { return benchPair(b.Context(), st, client, n, history) })
			})
		}
	}
}

func benchPair(ctx context.Context, st store.Store, client, n int, history bool) error {
	who := store.Party{Session: fmt.Sprint("s", client), User: fmt.Sprint("u", client), Value: `{"name":"Ann","login":"ann","host":"10.0.0.17"}`}
	name := fmt.Sprint("bench/document/", client)
	data := "request-0123456789"
	take := store.Op{
		Name: name, Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Data: &data, Terms: &store.Terms{Idle: 5 * time.Minute},
	}
	drop := store.Op{Name: name, Do: store.Release, Expect: store.Expect{Session: &who.Session}}
	if history {
		take.Event, drop.Event = &store.Event{Kind: "captured", Actor: who}, &store.Event{Kind: "released", Actor: who}
	}
	for i, sw := range []store.Op{take, drop} {
		id := ""
		if history {
			id = fmt.Sprint(client, ".", n, ".", i)
		}
		res, err := st.Commit(ctx, store.Txn{ID: id, Ops: []store.Op{sw}})
		if err != nil {
			return err
		}
		if !res.Done {
			return fmt.Errorf("%s: refused: %+v", name, res)
		}
	}
	return nil
}

// pairs lets clients do b.N pairs together.
func pairs(b *testing.B, clients int, do func(client, n int) error) {
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	for client := range clients {
		wg.Go(func() {
			for n := 0; left.Add(-1) >= 0; n++ {
				if err := do(client, n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pairs/s")
}

func BenchmarkTree(b *testing.B) {
	server := enginetest.StartRedis(b)
	kvtest.BenchTree(b, func(b *testing.B) kv.Engine {
		e, err := redis.OpenEngine(b.Context(), server.Store(), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = e.Close() })
		return e
	})
}
