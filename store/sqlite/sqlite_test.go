package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "modernc.org/sqlite" // the driver of database/sql

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/kv/kvtest"
	"github.com/editlock/editlock/store/sqlite"
	"github.com/editlock/editlock/store/storetest"
)

// files remembers where the stores of a test are.
type files struct{ paths sync.Map }

func (f *files) at(t testing.TB, clock *storetest.Clock, path string) store.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), path, &sqlite.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	f.paths.Store(st, path)
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return st
}

func (f *files) open(t testing.TB, clock *storetest.Clock) store.Store {
	return f.at(t, clock, filepath.Join(t.TempDir(), "editlock.db"))
}

// reopen opens the file again; crashed, a copy of what the disk has of it now.
func (f *files) reopen(t testing.TB, clock *storetest.Clock, st store.Store, crashed bool) store.Store {
	t.Helper()
	found, _ := f.paths.Load(st)
	path := found.(string)
	if !crashed {
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		return f.at(t, clock, path)
	}
	image := filepath.Join(t.TempDir(), "editlock.db")
	for _, part := range []string{"", "-wal"} {
		copyFile(t, path+part, image+part)
	}
	return f.at(t, clock, image)
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestEngine(t *testing.T) {
	kvtest.Run(t, func(t testing.TB, clock *kvtest.Clock) kv.Engine {
		e, err := sqlite.OpenEngine(t.Context(), filepath.Join(t.TempDir(), "editlock.db"), &sqlite.Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		return e
	})
}

func TestStore(t *testing.T) {
	f := &files{}
	storetest.Run(t, storetest.Harness{Open: f.open, Reopen: f.reopen, Parallel: true, Quick: race && os.Getenv("EDITLOCK_LONG") == ""})
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) store.Store {
		st, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "editlock.db"), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = st.Close() })
		return st
	})
}

func TestSwap_TellsThatItsCommitFailed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "editlock.db")
	st, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "DROP TABLE editlock_row"); err != nil {
		t.Fatal(err)
	}
	res, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{
		{Name: "a", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &store.Party{Session: "ann"}, Terms: &store.Terms{}},
	}})
	if err == nil {
		t.Errorf("acknowledged, done: %v", res.Done)
	}
}

func TestClose_LeavesAllInTheFileItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "editlock.db")
	st := open(t, path)
	take(t, st, "a")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	alone := filepath.Join(t.TempDir(), "copy.db")
	copyFile(t, path, alone)
	if view, err := open(t, alone).Get(t.Context(), "a", ""); err != nil || view.Record == nil {
		t.Errorf("in a copy of the file alone: %+v, %v", view.Record, err)
	}
}

// In UTF-16, keys are in another order than by bytes, so a prefix misses some.
func TestOpen_RefusesAnApplicationsFileInUTF16(t *testing.T) {
	path := filepath.Join(t.TempDir(), "application.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "PRAGMA encoding = 'UTF-16'; CREATE TABLE orders (id INTEGER)"); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, nil); err == nil || !strings.Contains(err.Error(), "only UTF-8 is supported") {
		t.Errorf("opened: %v", err)
	}
	var tables int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil || tables != 1 {
		t.Errorf("the file has %d tables now, %v", tables, err)
	}
}

// An older program has other tables. It can still write its history; the file
// is left as it was for it.
func TestOpen_RefusesTheTablesOfAnOlderProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "editlock.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	const version2 = "CREATE TABLE editlock_meta (version INTEGER, seq INTEGER, floor INTEGER, indexed INTEGER); INSERT INTO editlock_meta VALUES (2, 7, 0, 0)"
	if _, err := db.ExecContext(t.Context(), version2); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.Open(t.Context(), path, nil)
	for _, says := range []string{"version 2", "editlock history --json", "a file that does not exist"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Fatalf("%v; want it to say %q", err, says)
		}
	}
	if is, err := os.ReadFile(path); err != nil || !bytes.Equal(is, was) {
		t.Errorf("the file was changed: %v", err)
	}
}

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// take captures a name that is free, and returns its token.
func take(t *testing.T, st *sqlite.Store, name string) uint64 {
	t.Helper()
	token, err := captured(t.Context(), st, name)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func captured(ctx context.Context, st *sqlite.Store, name string) (token uint64, err error) {
	who := store.Party{Session: "ann"}
	res, err := st.Commit(ctx, store.Txn{Ops: []store.Op{{
		Name: name, Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Terms: &store.Terms{},
		Event: &store.Event{Kind: "captured", Actor: who},
	}}})
	if err != nil || !res.Done {
		return 0, fmt.Errorf("%s: %+v, %w", name, res, err)
	}
	return res.Records[0].Token, nil
}

func BenchmarkTree(b *testing.B) {
	kvtest.BenchTree(b, func(b *testing.B) kv.Engine {
		e, err := sqlite.OpenEngine(b.Context(), filepath.Join(b.TempDir(), "editlock.db"), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = e.Close() })
		return e
	})
}
