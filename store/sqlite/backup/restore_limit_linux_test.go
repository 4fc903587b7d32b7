package backup

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/editlock/editlock/store/sqlite"
)

// limitEnv is how large files may become in a child process, and the store.
const limitEnv = "EDITLOCK_TEST_LIMIT"

// TestLimitChild replaces a store's content within the limit, which stands for
// a full disk where none can be made.
func TestLimitChild(t *testing.T) {
	limit, path, ok := strings.Cut(os.Getenv(limitEnv), "|")
	if !ok {
		return // it is for TestRestore_WithinALimit
	}
	c, err := claim(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.release() }()
	bytes, err := strconv.ParseUint(limit, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: bytes}); err != nil {
		t.Fatal(err)
	}
	if _, err = c.replace(t.Context(), path+".new", time.Now()); err != nil {
		t.Fatal(err)
	}
}

// sizedStore makes a store with a table of its size.
func sizedStore(t *testing.T, path string, kib int) {
	t.Helper()
	st, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	conn, closeFile, err := openExisting(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"CREATE TABLE filler (kib, x)", "INSERT INTO filler VALUES (" + strconv.Itoa(kib) + ", randomblob(1024 * " + strconv.Itoa(kib) + "))",
		"PRAGMA wal_checkpoint(TRUNCATE)",
	} {
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := closeFile(); err != nil {
		t.Fatal(err)
	}
}

func TestRestore_WithinALimit(t *testing.T) {
	for _, spoilt := range []bool{false, true} {
		for limit := int64(64 << 10); limit < 1200<<10; limit += 96 << 10 {
			path := filepath.Join(t.TempDir(), "locks.db")
			sizedStore(t, path, 256)
			sizedStore(t, path+".new", 1024)
			if spoilt { // SQLite can't read it
				if err := os.WriteFile(path, bytes.Repeat([]byte("rubbish "), 32<<10), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestLimitChild$")
			child.Env = append(os.Environ(), limitEnv+"="+strconv.FormatInt(limit, 10)+"|"+path)
			said, failed := child.CombinedOutput()
			if fits := limit > 1100<<10; fits != (failed == nil) {
				t.Fatalf("limit %d: %v\n%s", limit, failed, said)
			}
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if spoilt && failed != nil {
				if !bytes.Equal(before, after) {
					t.Errorf("limit %d: %d bytes became %d others", limit, len(before), len(after))
				}
				continue
			}
			if err := Check(t.Context(), path); err != nil {
				t.Errorf("limit %d: %v", limit, err)
				continue
			}
			conn, closeFile, err := openExisting(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			var kib int
			err = conn.QueryRowContext(t.Context(), "SELECT kib FROM filler").Scan(&kib)
			if want := map[bool]int{true: 256, false: 1024}[failed != nil]; err != nil || kib != want {
				t.Errorf("limit %d: the store of %d KiB is there, %v; want that of %d", limit, kib, err, want)
			}
			if err := closeFile(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
