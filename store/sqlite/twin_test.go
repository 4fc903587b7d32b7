package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/storetest"
)

func TestStore_SharedByTwo(t *testing.T) {
	f := &files{}
	storetest.Run(t, storetest.Harness{
		Open: func(t testing.TB, clock *storetest.Clock) store.Store {
			path := filepath.Join(t.TempDir(), "editlock.db")
			return storetest.Twin(f.at(t, clock, path), f.at(t, clock, path))
		},
		Parallel: true, Quick: true,
	})
}
