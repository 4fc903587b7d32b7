package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/sqlite"
)

func engineAt(t *testing.T, path string, o *sqlite.Options) kv.Engine {
	t.Helper()
	e, err := sqlite.OpenEngine(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// What the writer remembers holds until another connection writes, whatever an
// operator does to the file by SQLite meanwhile.
func TestCommit_ForgetsWhatOthersChanged(t *testing.T) {
	for _, does := range []string{
		"SELECT 1", "VACUUM", "REINDEX", "ANALYZE", "PRAGMA optimize", "PRAGMA incremental_vacuum",
		"PRAGMA wal_checkpoint(PASSIVE)", "PRAGMA wal_checkpoint(RESTART)", "PRAGMA wal_checkpoint(TRUNCATE)",
		"PRAGMA journal_mode = DELETE", "PRAGMA page_size = 8192; VACUUM", "CREATE TABLE application (a)",
	} {
		t.Run(does, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "editlock.db")
			one, two := engineAt(t, path, nil), engineAt(t, path, nil)
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			operate := func() { _, _ = db.ExecContext(t.Context(), does) } // some of it is refused while others use the file
			put := func(e kv.Engine, rev uint64) uint64 {
				t.Helper()
				txn := kv.Txn{Numbers: 1, Then: []kv.Write{{Key: "a", Number: 1}}, If: []kv.Cond{{Key: "a", Rev: rev}}}
				if rev == 0 {
					txn.If[0].Absent = true
				}
				a, err := e.Commit(t.Context(), []kv.Txn{txn})
				if err != nil || !a[0].Done {
					t.Fatalf("%+v, %v", a, err)
				}
				return a[0].First
			}
			rev := put(one, 0)
			for range 3 {
				operate()
				rev = put(two, rev)
				operate()
				rev = put(one, rev)
			}
			if _, err := db.ExecContext(t.Context(), "DELETE FROM editlock_row"); err != nil {
				t.Fatal(err)
			}
			if next := put(one, 0); next <= rev {
				t.Errorf("number %d after %d", next, rev)
			}
		})
	}
}

// SQLite begins the WAL over when nothing reads from it. Where lists are read
// all the time, that moment does not come by itself.
func TestCommit_KeepsTheWALSmallWhileOthersRead(t *testing.T) {
	if testing.Short() || race {
		t.Skip("reads much")
	}
	path := filepath.Join(t.TempDir(), "editlock.db")
	e := engineAt(t, path, nil)
	batch := func(n int) {
		t.Helper()
		txns := make([]kv.Txn, 64)
		for i := range txns {
			txns[i] = kv.Txn{Then: []kv.Write{{Key: fmt.Sprint("k", (n*len(txns)+i)%512), Value: make([]byte, 4000)}}}
		}
		if _, err := e.Commit(t.Context(), txns); err != nil {
			t.Fatal(err)
		}
	}
	const piece, limit = 64 * 4000, 24 << 20
	for n := range 8 {
		batch(n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var reads sync.WaitGroup
	defer reads.Wait()
	defer cancel()
	for range 6 {
		reads.Go(func() {
			for ctx.Err() == nil {
				_, _ = e.Read(ctx, kv.Range{Prefix: "k"}) // at the end, canceled
			}
		})
	}
	for n := range 5 * limit / piece / 4 {
		batch(n)
		if wal, err := os.Stat(path + "-wal"); err != nil || wal.Size() > limit {
			t.Fatalf("after %d commits the WAL is %d MiB, %v", n, wal.Size()>>20, err)
		}
	}
}
