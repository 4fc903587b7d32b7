package backup_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store/sqlite/backup"
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
	if err := backup.Check(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	st := open(t, path)
	defer func() { _ = st.Close() }()
	for _, name := range names {
		if view, err := st.Get(t.Context(), name, ""); err == nil && view.Record != nil {
			return name
		}
	}
	t.Fatalf("none of %q is held", names)
	return ""
}

// A disk that fills while a store is restored leaves what was there, and
// nothing else that takes room.
func TestRestore_OnADiskThatFills(t *testing.T) {
	outside := t.TempDir()
	dir, err := enginetest.SmallDisk(t)
	if err != nil {
		t.Logf("no file system can be mounted: %v", err)
		return // TestRestore_WithinALimit shows the same
	}
	copied := filepath.Join(outside, "backup")
	filled(t, copied, "new", 5)
	path, ballast := filepath.Join(dir, "locks.db"), filepath.Join(dir, "ballast")
	restored, failed := 0, 0
	for free := 256 << 10; free < 16<<20; free += 768 << 10 {
		for _, end := range []string{"", "-wal", "-shm", "-journal"} {
			_ = os.Remove(path + end)
		}
		filled(t, path, "old", 2)
		enginetest.FillDisk(t, ballast, free)
		r, err := backup.Restore(t.Context(), copied, path, nil)
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
	copied, path, ok := strings.Cut(os.Getenv(restoreEnv), "|")
	if !ok {
		return // it is for TestRestore_Killed
	}
	if _, err := backup.Restore(t.Context(), copied, path, nil); err != nil {
		t.Fatal(err)
	}
}

func TestRestore_Killed(t *testing.T) {
	dir := t.TempDir()
	copied, path, saved := filepath.Join(dir, "backup"), filepath.Join(dir, "locks.db"), filepath.Join(dir, "saved")
	filled(t, copied, "new", 8)
	filled(t, saved, "old", 6)
	count := make(map[string]int)
	for range 12 {
		for _, end := range []string{"-wal", "-shm", "-journal"} {
			_ = os.Remove(path + end)
		}
		copyFile(t, saved, path)
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestRestoreChild$")
		child.Env = append(os.Environ(), restoreEnv+"="+copied+"|"+path)
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
	if _, err := backup.Restore(t.Context(), copied, path, nil); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(path + ".part-*"); len(left) > 0 {
		t.Errorf("killed restores left %d copies behind: %q", len(left), left)
	}
}
