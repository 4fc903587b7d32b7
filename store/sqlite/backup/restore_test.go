package backup_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/sqlite"
	"github.com/editlock/editlock/store/sqlite/backup"
)

// take captures a name, and returns its token.
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
	view, err := st.Get(ctx, name, "")
	if err != nil {
		return 0, err
	}
	return view.Record.Token, nil
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

// lived makes a store and a backup of it (copied), goes on for some tokens, and tells
// the last of them.
func lived(t *testing.T) (path, copied string, last uint64) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "editlock.db")
	copied = path + ".backup"
	made(t, path)
	if err := backup.Create(t.Context(), path, copied, nil); err != nil {
		t.Fatal(err)
	}
	st := open(t, path)
	for _, name := range []string{"c", "d", "e"} {
		last = take(t, st, name)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return path, copied, last
}

func TestRestore_GivesNoTokenTwice(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, path string)
		jumps bool
	}{
		{"as the replaced file tells", func(*testing.T, string) {}, false},
		{"when a process was killed and left its last writes in the WAL", killed, false},
		{"when the replaced file is gone", func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"when the replaced file is no database any more", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("rubbish ", 2000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"when the replaced file is not sound", func(t *testing.T, path string) {
			execute(t, path, "DELETE FROM editlock_log; UPDATE editlock_meta SET seq = 1")
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, copied, last := lived(t)
			tt.spoil(t, path)
			if d, err := backup.Describe(t.Context(), path); err == nil && !tt.jumps {
				last = d.Last
			}
			_, there := os.Stat(path)
			r, err := backup.Restore(t.Context(), copied, path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.Jumped != tt.jumps || (r.Kept == "") != errors.Is(there, fs.ErrNotExist) {
				t.Errorf("%+v", r)
			}
			if err := backup.Check(t.Context(), path); err != nil {
				t.Error(err)
			}
			st := open(t, path)
			if token := take(t, st, "f"); token <= last || token != r.Last+1 {
				t.Errorf("token %d after the restore, %d before it; %+v", token, last, r)
			}
			for name, held := range map[string]bool{"a": true, "b": true, "c": false} {
				if view, err := st.Get(t.Context(), name, ""); err != nil || (view.Record != nil) != held {
					t.Errorf("%s: %+v, %v", name, view.Record, err)
				}
			}
		})
	}
}

// killed leaves a store as a process that was killed does: with a WAL.
func killed(t *testing.T, path string) {
	t.Helper()
	st := open(t, path)
	take(t, st, "late")
	dir := t.TempDir()
	for _, end := range []string{"", "-wal"} {
		copyFile(t, path+end, filepath.Join(dir, "x"+end))
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "-wal"} {
		copyFile(t, filepath.Join(dir, "x"+end), path+end)
	}
}

func TestRestore_KeepsWhatItReplaces(t *testing.T) {
	path, copied, _ := lived(t)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	r, err := backup.Restore(t.Context(), copied, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := backup.Check(t.Context(), r.Kept); err != nil {
		t.Error(err)
	}
	st := open(t, r.Kept)
	if view, err := st.Get(t.Context(), "c", ""); err != nil || view.Record == nil {
		t.Errorf("%+v, %v", view, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(path + ".part-*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestRestore_TakesAwayWhatAFileThatIsGoneLeft(t *testing.T) {
	path, copied, _ := lived(t)
	for _, end := range []string{"-wal", "-shm", "-journal"} {
		if err := os.WriteFile(path+end, []byte("of another file"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Restore(t.Context(), copied, path, nil); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"-wal", "-shm", "-journal"} {
		if _, err := os.Stat(path + end); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", end, err)
		}
	}
}

func TestRestore_Refuses(t *testing.T) {
	path, copied, _ := lived(t)
	newer, unsound, other := copied+".newer", copied+".unsound", copied+".other"
	for file, damage := range map[string]string{
		newer: "UPDATE editlock_meta SET version = 99", unsound: "UPDATE editlock_row SET rev = 99 WHERE k = 'ha'",
	} {
		copyFile(t, copied, file)
		execute(t, file, damage)
	}
	if err := os.WriteFile(other, []byte("a letter, and no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, copied, want string }{
		{"a backup that is not sound", unsound, "is 99, but the last number given out is"},
		{"a backup of a newer editlock", newer, "use a newer editlock"},
		{"what is no database", other, "corrupt or not an SQLite database"},
		{"a file that is not there", copied + ".none", "no such file"},
		{"the store itself", path, "is the store itself"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := backup.Restore(t.Context(), tt.copied, path, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v; want %q", err, tt.want)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
				t.Errorf("the store was changed, %v", err)
			}
			if left, _ := filepath.Glob(path + ".*-*"); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
	t.Run("while a store is open", func(t *testing.T) {
		st := open(t, path)
		if _, err := backup.Restore(t.Context(), copied, path, nil); !errors.Is(err, backup.ErrInUse) {
			t.Error(err)
		}
		take(t, st, "goes-on")
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Restore(t.Context(), copied, path, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestCreate_TellsItsProgress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "editlock.db")
	made(t, path)
	var copied, total int64
	o := &backup.Options{Progress: func(a, b int64) { copied, total = a, b }}
	if err := backup.Create(t.Context(), path, path+".copy", o); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path + ".copy")
	if err != nil || copied != info.Size() || total != copied {
		t.Errorf("%d of %d, %v, %v", copied, total, info.Size(), err)
	}
	d, err := backup.Describe(t.Context(), path+".copy")
	if err != nil || d.Mutexes != 2 || d.Waiting != 1 || d.Entries != 3 || d.Version != backup.SchemaVersion || d.FileSize != copied {
		t.Errorf("%+v, %v", d, err)
	}
}

// Servers that start while a store is being replaced wait, and get the new one.
// On a file put aside they would give tokens that are given again.
func TestRestore_WhileServersStart(t *testing.T) {
	path, copied, _ := lived(t)
	var mu sync.Mutex
	given := make(map[uint64]string)
	serve := func(name string) {
		time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond) // before, within or after the restore
		st, err := sqlite.Open(t.Context(), path, nil)
		if err != nil {
			t.Error(err)
			return
		}
		token, err := captured(t.Context(), st, name)
		if err := errors.Join(err, st.Close()); err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if other, twice := given[token]; twice {
			t.Errorf("token %d was given for %s and for %s", token, other, name)
		}
		given[token] = name
	}
	restored := 0
	for round := 0; round < 40 && restored < 5; round++ {
		var servers sync.WaitGroup
		for server := range 3 {
			servers.Go(func() { serve(fmt.Sprintf("round-%d-server-%d", round, server)) })
		}
		_, err := backup.Restore(t.Context(), copied, path, nil)
		servers.Wait()
		switch {
		case err == nil:
			restored++
		case !errors.Is(err, backup.ErrInUse):
			t.Fatal(err)
		}
	}
	if restored == 0 {
		t.Error("it was in use each time")
	}
}
