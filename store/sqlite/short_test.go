package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/sqlite"
)

// Each run of a command is a process that logs little. The end of the log that
// lacks an index, which each of them reads, must not grow with the history.
func TestLog_IsIndexedByShortLivedProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "editlock.db")
	n := 0
	run := func(entries int) {
		e, err := sqlite.OpenEngine(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		txns := make([]kv.Txn, entries)
		for i := range txns {
			n++
			id := fmt.Sprint("id", n)
			txns[i] = kv.Txn{Once: id, Numbers: 1, Log: []kv.Entry{{Number: 1, ID: id, Value: []byte(id), Tags: []string{"a" + id, "b" + id}}}}
		}
		if _, err := e.Commit(t.Context(), txns); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		run(5500) // more than are sorted together
		run(1)
		if left := int64(3*n) - sqlite.Indexed(t, path); left > 1000 {
			t.Errorf("%d keys of %d are not in the file's index", left, 3*n)
		}
	}
}
