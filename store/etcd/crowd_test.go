package etcd_test

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/storetest"
)

// TestStore_CrowdTakesTurns has many processes write to one store without rest:
// each must get on, and none much later than the others.
func TestStore_CrowdTakesTurns(t *testing.T) {
	processes, rounds := 40, 3
	if os.Getenv("EDITLOCK_LONG") != "" {
		processes, rounds = 100, 10
	}
	s := &server{Etcd: enginetest.StartOwnEtcd(t)}
	clock, url := storetest.NewClock(), s.url()
	stores := make([]store.Store, processes)
	for i := range stores {
		stores[i] = s.at(t, clock, url)
	}
	took := make([]time.Duration, processes)
	var wg sync.WaitGroup
	begun := time.Now()
	for i, st := range stores {
		for caller := range 2 {
			wg.Go(func() {
				name := fmt.Sprint("crowd", i, "/", caller)
				for range rounds {
					for _, sw := range []store.Op{take(name, "ann", store.Terms{}), drop(name, "ann")} {
						before := time.Now()
						if res, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{sw}}); err != nil || !res.Done {
							t.Errorf("process %d: %v after %v (done: %v)", i, err, time.Since(before), res.Done)
							return
						}
						if caller == 0 {
							took[i] = max(took[i], time.Since(before))
						}
					}
				}
			})
		}
	}
	wg.Wait()
	slices.Sort(took)
	t.Logf("%d processes, %d rounds in %v; the longest step of the median process took %v, of the last one %v",
		processes, rounds, time.Since(begun), took[processes/2], took[processes-1])
}
