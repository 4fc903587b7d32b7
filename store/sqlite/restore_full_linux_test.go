package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"editlock/store/sqlite"
)

// filled makes a store in which name is held, some MiB large.
func filled(t *testing.T, path, name string, mib int) {
	t.Helper()
	st := open(t, path)
	take(t, st, name)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, path, fmt.Sprintf(`CREATE TABLE filler (x);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO filler SELECT randomblob(1048576) FROM n;
		PRAGMA wal_checkpoint(TRUNCATE)`, mib))
}

// holds expects a sound store in which one of the names is held, and says which.
func holds(t *testing.T, path string, names ...string) string {
	t.Helper()
	if err := sqlite.Check(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	st := open(t, path)
	defer func() { _ = st.Close() }()
	for _, name := range names {
		if view, err := st.Get(t.Context(), name); err == nil && view.Record != nil {
			return name
		}
	}
	t.Fatalf("none of %q is held", names)
	return ""
}

// smallDisk is a folder with a file system of its own, of 24 MiB; empty if none
// can be mounted here.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Logf("no file system can be mounted: %v", err)
		return ""
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file that leaves so many bytes free.
func fill(t *testing.T, file string, free int) {
	t.Helper()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(file), &fs); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, make([]byte, int64(fs.Bavail)*fs.Bsize-int64(free)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// SQLite calls it a failure of the disk when there is no room for the file that
// processes share.
func TestOpen_OnAFullDiskSaysSo(t *testing.T) {
	dir := smallDisk(t)
	if dir == "" {
		return
	}
	path := filepath.Join(dir, "locks.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	for _, free := range []int{0, 4 << 10, 16 << 10} {
		fill(t, filepath.Join(dir, "ballast"), free)
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

// A disk that fills while a store is restored leaves what was there, and
// nothing else that takes room.
func TestRestore_OnADiskThatFills(t *testing.T) {
	dir, outside := smallDisk(t), t.TempDir()
	if dir == "" {
		return // TestRestore_WithinALimit shows the same
	}
	backup := filepath.Join(outside, "backup")
	filled(t, backup, "new", 5)
	path, ballast := filepath.Join(dir, "locks.db"), filepath.Join(dir, "ballast")
	restored, failed := 0, 0
	for free := 256 << 10; free < 16<<20; free += 768 << 10 {
		for _, end := range []string{"", "-wal", "-shm", "-journal"} {
			_ = os.Remove(path + end)
		}
		filled(t, path, "old", 2)
		fill(t, ballast, free)
		r, err := sqlite.Restore(t.Context(), backup, path, nil)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		got := holds(t, path, "old", "new")
		left, _ := filepath.Glob(path + ".*")
		if err == nil {
			restored++
			if got != "new" || len(left) != 1 || left[0] != r.Kept || holds(t, r.Kept, "old") != "old" {
				t.Errorf("%d KiB free: restored, but %s is held; there are %q", free>>10, got, left)
			}
			_ = os.Remove(r.Kept)
			continue
		}
		failed++
		if got != "old" || len(left) > 0 {
			t.Errorf("%d KiB free: not restored, but %s is held; there are %q", free>>10, got, left)
		}
		if !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("%d KiB free: %v; want that the disk is full", free>>10, err)
		}
	}
	if restored == 0 || failed == 0 {
		t.Errorf("%d restored, %d failed", restored, failed)
	}
}

// restoreEnv names the backup that a child process restores, and the store.
const restoreEnv = "EDITLOCK_TEST_RESTORE"

// TestRestoreChild is the process that gets killed.
func TestRestoreChild(t *testing.T) {
	backup, path, ok := strings.Cut(os.Getenv(restoreEnv), "|")
	if !ok {
		return // it is for TestRestore_Killed
	}
	if _, err := sqlite.Restore(t.Context(), backup, path, nil); err != nil {
		t.Fatal(err)
	}
}

func TestRestore_Killed(t *testing.T) {
	dir := t.TempDir()
	backup, path, saved := filepath.Join(dir, "backup"), filepath.Join(dir, "locks.db"), filepath.Join(dir, "saved")
	filled(t, backup, "new", 8)
	filled(t, saved, "old", 6)
	count := make(map[string]int)
	for range 12 {
		for _, end := range []string{"-wal", "-shm", "-journal"} {
			_ = os.Remove(path + end)
		}
		copyFile(t, saved, path)
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestRestoreChild$")
		child.Env = append(os.Environ(), restoreEnv+"="+backup+"|"+path)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		patience := time.Now().Add(20 * time.Second)
		for kept := []string(nil); len(kept) == 0 && time.Now().Before(patience); { // then the store itself is next
			kept, _ = filepath.Glob(path + ".replaced-*")
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
		_ = child.Process.Kill()
		_ = child.Wait() // killed, or just done
		if kept, _ := filepath.Glob(path + ".replaced-*"); len(kept) > 0 {
			_ = os.Remove(kept[0])
		}
		count[holds(t, path, "old", "new")]++
	}
	t.Logf("after the kill there was: %v", count)
	if _, err := sqlite.Restore(t.Context(), backup, path, nil); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(path + ".part-*"); len(left) > 0 {
		t.Errorf("killed restores left %d copies behind: %q", len(left), left)
	}
}
