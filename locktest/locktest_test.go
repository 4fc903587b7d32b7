package locktest_test

import (
	"path/filepath"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/locktest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
	"github.com/editlock/editlock/store/sqlite"
)

func TestManagerOnMemory(t *testing.T) {
	locktest.Run(t, locktest.Harness{Open: func(t *testing.T) locktest.System {
		var clock locktest.Clock
		st := memory.New(&memory.Options{Now: clock.Now})
		return locktest.System{
			Locker: manager(t, st), Second: manager(t, shared{st}), Advance: clock.Advance,
		}
	}})
}

func TestManagerOnSQLite(t *testing.T) {
	locktest.Run(t, locktest.Harness{Open: func(t *testing.T) locktest.System {
		var clock locktest.Clock
		path := filepath.Join(t.TempDir(), "editlock.db")
		open := func() store.Store {
			st, err := sqlite.Open(t.Context(), path, &sqlite.Options{Now: clock.Now})
			if err != nil {
				t.Fatalf("Open: %v", err)
			}
			return st
		}
		return locktest.System{
			Locker: manager(t, open()), Second: manager(t, open()), Advance: clock.Advance,
		}
	}})
}

// manager is a Manager that the test closes.
func manager(t *testing.T, st store.Store) *editlock.Manager {
	m := editlock.NewManager(st, nil)
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return m
}

// shared is a store that another Manager closes.
type shared struct{ store.Store }

func (shared) Close() error { return nil }
