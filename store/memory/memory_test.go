package memory_test

import (
	"testing"

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

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(*testing.B) store.Store { return memory.New(nil) })
}
