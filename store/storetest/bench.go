package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
)

// Bench measures pairs of a capture and a release of a free name, each its own
// request: those of one client, and those of 64 at once. The store is on the
// real clock.
func Bench(b *testing.B, open func(b *testing.B) store.Store) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("capture and release, %d clients", clients), func(b *testing.B) {
			st := open(b)
			left := atomic.Int64{}
			left.Store(int64(b.N))
			failed := make(chan error, clients)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range clients {
				go func() { failed <- benchPairs(b, st, fmt.Sprint("client ", i), &left) }()
			}
			for range clients {
				if err := <-failed; err != nil {
					b.Error(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pairs/s")
		})
	}
}

func benchPairs(b *testing.B, st store.Store, session string, left *atomic.Int64) error {
	terms := store.Terms{Idle: 5 * time.Minute}
	for n := 0; left.Add(-1) >= 0; n++ {
		name := fmt.Sprintf("bench/%s/%d", session, n%100)
		for _, sw := range []store.Op{acquire(name, session, terms), release(name, session)} {
			id := fmt.Sprint(session, "/", n, sw.Do)
			res, err := st.Commit(b.Context(), store.Txn{ID: id, Ops: []store.Op{sw}})
			if err != nil {
				return err
			}
			if !res.Done {
				return fmt.Errorf("%s: refused: %+v", name, res)
			}
		}
	}
	return nil
}
