package core_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/memory"
)

// batching is an engine that takes several transactions at a time, and counts them.
type batching struct {
	*memory.Engine
	txns atomic.Int64
}

func (*batching) Limits() kv.Limits { return kv.Limits{Txns: 64, Bytes: 1 << 20, Calls: 1} }

func (e *batching) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	e.txns.Add(int64(len(txns)))
	return e.Engine.Commit(ctx, txns)
}

func TestStepsOfManyOnOneSharedNameDontFailEachOther(t *testing.T) {
	e := &batching{Engine: memory.NewEngine(nil)}
	st := core.New(e)
	defer func() { _ = st.Close() }()
	const callers, pairs = 32, 20
	var all sync.WaitGroup
	for n := range callers {
		all.Go(func() {
			share, who := store.Share(callers), store.Party{Session: fmt.Sprint("s", n)}
			for range pairs {
				for _, op := range []store.Op{
					{Name: "g/m/jobs", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Share: &share, Terms: &store.Terms{Idle: time.Hour}},
					{Name: "g/m/jobs", Do: store.Release, Expect: store.Expect{Session: &who.Session}},
				} {
					if res, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{op}}); err != nil || !res.Done {
						t.Errorf("refused: %+v, %v", res, err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	steps := int64(2 * callers * pairs)
	t.Logf("%d transactions for %d steps", e.txns.Load(), steps)
	if n := e.txns.Load(); n > steps+steps/20 {
		t.Errorf("%d transactions for %d steps", n, steps)
	}
}
