package memory_test

import (
	"os"
	"testing"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/kv/kvtest"
	"github.com/editlock/editlock/store/memory"
	"github.com/editlock/editlock/store/storetest"
)

func TestEngine(t *testing.T) {
	kvtest.Run(t, func(t testing.TB, clock *kvtest.Clock) kv.Engine {
		e := memory.NewEngine(&memory.Options{Now: clock.Now})
		t.Cleanup(func() { _ = e.Close() })
		return e
	})
}

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Harness{Quick: race && os.Getenv("EDITLOCK_LONG") == "", Open: func(t testing.TB, clock *storetest.Clock) store.Store {
		st := memory.New(&memory.Options{Now: clock.Now})
		t.Cleanup(func() { _ = st.Close() })
		return st
	}})
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(*testing.B) store.Store { return memory.New(nil) })
}

func BenchmarkTree(b *testing.B) {
	kvtest.BenchTree(b, func(*testing.B) kv.Engine { return memory.NewEngine(nil) })
}
