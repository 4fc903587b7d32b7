package memory_test

import (
	"testing"
	"time"

	"editlock/store"
	"editlock/store/memory"
	"editlock/store/storetest"
)

func open(t testing.TB, clock *storetest.Clock) store.Store {
	st := memory.New(&memory.Options{Now: clock.Now})
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Harness{Open: open})
}

// The suite must also serve engines that can't be given a clock.
func TestStore_InRealTime(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Open:   func(t testing.TB, _ *storetest.Clock) store.Store { return memory.New(nil) },
		Second: 100 * time.Millisecond,
	})
}
