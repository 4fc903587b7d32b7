//go:build unix

package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"
)

// A store names people. What was there keeps its mode.
func TestOpen_MakesFilesForThePresentUserOnly(t *testing.T) {
	dir := t.TempDir()
	path, shared := filepath.Join(dir, "locks.db"), filepath.Join(dir, "shared.db")
	if err := open(t, shared).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shared, 0o664); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]os.FileMode{path: 0o600, shared: 0o664} {
		take(t, open(t, file), "a")
		for _, end := range []string{"", "-wal", "-shm"} {
			if info, err := os.Stat(file + end); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v; want %v", file+end, info.Mode(), err, want)
			}
		}
	}
	if files, _ := filepath.Glob(path + "*"); len(files) != 3 {
		t.Errorf("there are %q", files)
	}
}
