package sqlite_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"editlock/internal/enginetest"
	"editlock/store/sqlite"
)

// SQLite calls it a failure of the disk when there is no room for the file that
// processes share.
func TestOpen_OnAFullDiskSaysSo(t *testing.T) {
	dir, err := enginetest.SmallDisk(t)
	if err != nil {
		t.Logf("no file system can be mounted: %v", err)
		return
	}
	path := filepath.Join(dir, "locks.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	for _, free := range []int{0, 4 << 10, 16 << 10} {
		enginetest.FillDisk(t, filepath.Join(dir, "ballast"), free)
		st, err := sqlite.Open(t.Context(), path, nil)
		if err == nil || !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("with %d bytes free: %v", free, err)
		}
		if err == nil {
			_ = st.Close()
		}
		if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
			t.Fatal(err)
		}
	}
}
