package backup_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock/store/sqlite/backup"
)

// lose removes a store as a disk that fails does.
func lose(t *testing.T, path string) {
	t.Helper()
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

func TestRestore_GivesNoTokenTwiceWhenAStoreWasLost(t *testing.T) {
	for _, tt := range []struct {
		name string
		then func(t *testing.T, path string)
	}{
		{"twice, and one backup is restored both times", func(*testing.T, string) {}},
		{"and a server made an empty one in its place", func(t *testing.T, path string) {
			if err := open(t, path).Close(); err != nil {
				t.Fatal(err)
			}
		}},
		{"and a new one gave more than the old one had at the backup", func(t *testing.T, path string) {
			st := open(t, path)
			for _, name := range []string{"n", "o", "p", "q", "r", "s"} {
				take(t, st, name)
			}
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, copied, last := lived(t)
			for range 3 {
				lose(t, path)
				tt.then(t, path)
				r, err := backup.Restore(t.Context(), copied, path, nil)
				if err != nil {
					t.Fatal(err)
				}
				st := open(t, path)
				token := take(t, st, "after")
				if token <= last || !r.Jumped {
					t.Errorf("token %d was given, %d before; %+v", token, last, r)
				}
				last = token
				if err := st.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// startEnv names the file on which a child process starts as a server does.
const startEnv = "EDITLOCK_TEST_START"

// TestStartChild captures a name on the file, and tells the token.
func TestStartChild(t *testing.T) {
	path := os.Getenv(startEnv)
	if path == "" {
		return // it is for TestRestore_OfAMissingFileWhileServersStart
	}
	after, err := time.ParseDuration(os.Getenv(startEnv + "_AFTER"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
	time.Sleep(after)
	fmt.Printf("token %d\n", take(t, open(t, path), "mine"))
}

// A restore must not take the WAL away from a server that makes the missing
// file first. One that comes later waits for the restored file.
func TestRestore_OfAMissingFileWhileServersStart(t *testing.T) {
	rounds := 20
	if os.Getenv("EDITLOCK_LONG") != "" {
		rounds = 120
	}
	restored, refused := 0, 0
	for round := range rounds {
		path, copied, _ := lived(t)
		lose(t, path)
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestStartChild$")
		after := time.Duration(round) * 30 * time.Millisecond / time.Duration(rounds) // before, while or after the file is replaced
		child.Env = append(os.Environ(), startEnv+"="+path, startEnv+"_AFTER="+after.String())
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fscanln(out, new(string)); err != nil { // ready
			t.Fatal(err)
		}
		_, err = backup.Restore(t.Context(), copied, path, nil)
		said, _ := io.ReadAll(out)
		_ = child.Wait() // what it says counts
		switch {
		case err == nil:
			restored++
		case !errors.Is(err, backup.ErrInUse):
			t.Fatal(err)
		}
		var token uint64
		if _, err := fmt.Sscanf(string(said), "token %d", &token); err != nil {
			// Right before the lock, it may find the old file, or a file of it gone.
			early := strings.Contains(string(said), "corrupt") || strings.Contains(string(said), "there is no such file")
			if refused++; refused > 2 || !early {
				t.Errorf("round %d: the server says %s", round, said)
			}
			continue
		}
		if err := backup.Check(t.Context(), path); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
	}
	if restored == 0 {
		t.Error("it was in use each time")
	}
	t.Logf("%d of %d restored, %d servers refused", restored, rounds, refused)
}

func TestRestore_LeavesNothingButTheKeptFile(t *testing.T) {
	path, copied, _ := lived(t)
	r, err := backup.Restore(t.Context(), copied, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != 3 { // the store, the backup, what was kept
		t.Errorf("%q, %v; kept %s", files, err, r.Kept)
	}
}

func TestCreate_TakesNoPartOfAStoreForABackup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "editlock.db")
	st := open(t, path)
	take(t, st, "a")
	for _, end := range []string{"-wal", "-shm", "-journal"} {
		if err := backup.Create(t.Context(), path, path+end, &backup.Options{Replace: true}); err == nil {
			t.Errorf("%s was replaced", end)
		}
	}
	if view, err := open(t, path).Get(t.Context(), "a", ""); err != nil || view.Record == nil {
		t.Errorf("%+v, %v", view.Record, err)
	}
}
