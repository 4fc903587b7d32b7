//go:build unix

package sqlite_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"editlock/store/sqlite"
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

func TestCare_NamesWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	path, none, folder := filepath.Join(dir, "locks.db"), filepath.Join(dir, "none.db"), filepath.Join(dir, "none")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	restore := func(backup, path string) error {
		_, err := sqlite.Restore(t.Context(), backup, path, nil)
		return err
	}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"the store to back up":         {sqlite.Backup(t.Context(), none, path+".copy", nil), none + ": there is no such file"},
		"the folder of the backup":     {sqlite.Backup(t.Context(), path, filepath.Join(folder, "copy"), nil), "the folder " + folder + " does not exist"},
		"the backup to restore":        {restore(none, path), none + ": there is no such file"},
		"the folder to restore a file": {restore(path, filepath.Join(folder, "locks.db")), "the folder " + folder + " does not exist"},
	} {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", name, tt.err, tt.want)
		}
	}
}
