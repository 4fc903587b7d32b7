//go:build unix

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/sqlite"
)

// A store goes on with files that have other names, or none: what it
// acknowledged would be gone with its end, and who opens the path would find
// every mutex free.
func TestStore_RefusesToGoOnWhenAFileIsRemovedOrReplaced(t *testing.T) {
	for _, file := range []string{"locks.db", "locks.db-wal", "locks.db-shm"} {
		for how, change := range map[string]func(path string) error{
			"removed": os.Remove,
			"replaced": func(path string) error {
				content, err := os.ReadFile(path)
				return errors.Join(err, os.WriteFile(path+".new", content, 0o600), os.Rename(path+".new", path))
			},
		} {
			t.Run(file+" "+how, func(t *testing.T) {
				dir := t.TempDir()
				st := open(t, filepath.Join(dir, "locks.db"))
				take(t, st, "a")
				if err := change(filepath.Join(dir, file)); err != nil {
					t.Fatal(err)
				}
				const want = "was removed or replaced while the store was open"
				for range 2 {
					if _, err := captured(t.Context(), st, "b"); err == nil || !strings.Contains(err.Error(), file+" "+want) {
						t.Fatalf("a capture: %v", err)
					}
				}
				for method, call := range map[string]func() error{
					"Get":   func() error { _, err := st.Get(t.Context(), "a", ""); return err },
					"List":  func() error { _, err := st.List(t.Context(), store.RecordQuery{}); return err },
					"Log":   func() error { _, err := st.Log(t.Context(), store.LogQuery{}); return err },
					"Beat":  func() error { _, err := st.KeepAlive(t.Context(), "peer", time.Minute); return err },
					"Sweep": func() error { _, err := st.Sweep(t.Context(), store.Retention{}); return err },
				} {
					if err := call(); err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("%s: %v", method, err)
					}
				}
			})
		}
	}
}

func TestStore_NoticesWithoutACallThatItsFileIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "locks.db")
	st := open(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := st.Get(t.Context(), "a", ""); err != nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal("it goes on reading")
		}
	}
}

// When the last connection closes, SQLite empties the WAL and removes it by its
// name: that may be the WAL of the file that took the place.
func TestClose_LeavesTheWALOfTheFileThatTookThePlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "locks.db")
	old := open(t, path)
	take(t, old, "a")
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Rename(name, name+".old"); err != nil {
			t.Fatal(err)
		}
	}
	other := open(t, path)
	take(t, other, "b")
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); err != nil {
		t.Error(err)
	}
	take(t, other, "c")
}

func TestStore_GoesOnInAnotherFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	st := open(t, "locks.db")
	take(t, st, "a")
	t.Chdir(t.TempDir())
	take(t, st, "b")
}

func TestOpen_FollowsALinkToTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "locks.db")
	if err := os.Symlink(filepath.Join(t.TempDir(), "real.db"), path); err != nil {
		t.Fatal(err)
	}
	st := open(t, path)
	take(t, st, "a")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := captured(t.Context(), st, "b"); err == nil {
		t.Error("captured behind a link that is gone")
	}
}

// While a store is paused, another connection gets SQLite's write lock at
// once, and can empty the WAL: nothing is being read either.
func TestPause_LeavesNoTransactionOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "locks.db")
	st := open(t, path)
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(0)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	ctx, cancel := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	defer busy.Wait()
	defer cancel()
	for i := range 8 {
		busy.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_, _ = captured(ctx, st, fmt.Sprint(i, " ", n)) // at the end, canceled
				_, _ = st.Log(ctx, store.LogQuery{Newest: true, Limit: 100})
				_, _ = st.Sweep(ctx, store.Retention{})
			}
		})
	}
	for n := range 200 {
		resume := st.Pause()
		_, err := db.ExecContext(t.Context(), "BEGIN IMMEDIATE; ROLLBACK")
		var blocked, frames, moved int
		if err == nil {
			err = db.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&blocked, &frames, &moved)
		}
		resume()
		if err != nil || blocked != 0 {
			t.Fatalf("pause %d: the WAL is in use: %d, %v", n, blocked, err)
		}
	}
}

var _ store.Pauser = (*sqlite.Store)(nil)
