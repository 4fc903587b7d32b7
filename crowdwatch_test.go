package editlock_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store/memory"
)

// Many watchers are woken less often, and miss nothing.
func TestManager_ACrowdOfWatchersIsWokenLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &countingLog{Store: memory.New(nil)}
		m := editlock.NewManager(st, nil)
		ctx, leave := context.WithCancel(by(t.Context(), holder))
		const watchers, captures = 2000, 200
		var told atomic.Int32
		for range watchers {
			go func() {
				for _, err := range m.Watch(ctx, editlock.WatchQuery{}) {
					if err != nil {
						return
					}
					told.Add(1)
				}
			}()
		}
		synctest.Wait()
		before := st.reads.Load()
		for n := range captures {
			if _, err := m.Capture(ctx, editlock.ID{ID: fmt.Sprint(n)}, nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(time.Second)
		if n := st.reads.Load() - before; n > 15 {
			t.Errorf("2,000 watchers are woken %d times in two seconds", n)
		}
		if n := told.Load(); n != watchers*captures {
			t.Errorf("%d events were told; want %d", n, watchers*captures)
		}
		leave()
		synctest.Wait()
		_ = m.Close()
	})
}
