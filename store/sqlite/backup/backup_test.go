package backup_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/sqlite"
	"github.com/editlock/editlock/store/sqlite/backup"
)

const loadWorkers = 8

// loadRequest is what a worker sends as its nth request: it takes its name and
// drops it in turn.
func loadRequest(worker, n int) store.Txn {
	who := store.Party{Session: "worker"}
	sw := store.Op{
		Name: fmt.Sprintf("load/%d", worker), Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Terms: &store.Terms{},
		Event: &store.Event{Kind: "captured", Actor: who},
	}
	if n%2 == 1 {
		sw = store.Op{
			Name: sw.Name, Do: store.Release, Expect: store.Expect{Session: &who.Session},
			Event: &store.Event{Kind: "released", Actor: who},
		}
	}
	return store.Txn{ID: fmt.Sprintf("%s#%d", sw.Name, n), Ops: []store.Op{sw}}
}

// load lets workers take and drop their names until it is stopped, and knows
// what was acknowledged.
type load struct {
	st   *sqlite.Store
	stop chan struct{}
	wg   sync.WaitGroup

	mu   sync.Mutex
	done [loadWorkers]int // requests of each worker
	grew *sync.Cond
}

func startLoad(t *testing.T, st *sqlite.Store) *load {
	l := &load{st: st, stop: make(chan struct{})}
	l.grew = sync.NewCond(&l.mu)
	for worker := range loadWorkers {
		l.wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-l.stop:
					return
				default:
				}
				res, err := st.Commit(t.Context(), loadRequest(worker, n))
				if err != nil || !res.Done {
					t.Errorf("request %d of worker %d: %+v, %v", n, worker, res, err)
					return
				}
				l.mu.Lock()
				l.done[worker] = n + 1
				l.grew.Broadcast()
				l.mu.Unlock()
			}
		})
	}
	return l
}

// reach waits until every worker has done so many more requests.
func (l *load) reach(more int) [loadWorkers]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := l.done
	for i := range from {
		for l.done[i] < from[i]+more {
			l.grew.Wait()
		}
	}
	return l.done
}

func TestCreate_UnderLoadHasAllThatWasAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "editlock.db")
	st, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	l := startLoad(t, st)
	var copies []string
	var before [][loadWorkers]int
	for i := range 3 {
		before = append(before, l.reach(20))
		dst := filepath.Join(t.TempDir(), fmt.Sprintf("backup%d.db", i))
		if err := backup.Create(t.Context(), path, dst, nil); err != nil {
			t.Fatal(err)
		}
		copies = append(copies, dst)
		l.reach(5) // it goes on meanwhile, and after
	}
	if err := backup.Check(t.Context(), path); err != nil {
		t.Errorf("the file in use: %v", err)
	}
	close(l.stop)
	l.wg.Wait()
	for i, dst := range copies {
		if err := backup.Check(t.Context(), dst); err != nil {
			t.Errorf("copy %d: %v", i, err)
		}
		restored, err := sqlite.Open(t.Context(), dst, nil)
		if err != nil {
			t.Fatal(err)
		}
		for worker, n := range before[i] {
			checkRestored(t, restored, worker, n)
		}
		if err := restored.Close(); err != nil {
			t.Error(err)
		}
	}
}

// checkRestored expects a worker's first requests in the log, at least those
// acknowledged, without a gap, and the record that the last of them left.
func checkRestored(t *testing.T, st *sqlite.Store, worker, acknowledged int) {
	t.Helper()
	name := loadRequest(worker, 0).Ops[0].Name
	page, err := st.Log(t.Context(), store.LogQuery{Name: name, Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Entries) < acknowledged {
		t.Errorf("%s: %d entries; %d requests were acknowledged before the backup", name, len(page.Entries), acknowledged)
	}
	for i, e := range page.Entries {
		if want := loadRequest(worker, i).ID; e.Request != want {
			t.Fatalf("%s: entry %d is of request %q; want %q", name, i, e.Request, want)
		}
	}
	view, err := st.Get(t.Context(), name, "")
	if err != nil || (view.Record != nil) != (len(page.Entries)%2 == 1) {
		t.Errorf("%s: after %d requests there stands %+v, %v", name, len(page.Entries), view.Record, err)
	}
}

func TestCreate_Refuses(t *testing.T) {
	dir := t.TempDir()
	path, dst := filepath.Join(dir, "editlock.db"), filepath.Join(dir, "copy.db")
	made(t, path)
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	other := filepath.Join(dir, "other.db")
	execute(t, other, "CREATE TABLE things (id INTEGER)")
	taken := filepath.Join(dir, "taken.db")
	if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name      string
		ctx       context.Context
		path, dst string
		want      string
	}{
		{"to overwrite a file", t.Context(), path, taken, "exists already"},
		{"a file that is not there", t.Context(), filepath.Join(dir, "none.db"), dst, "no such file"},
		{"a folder that is not there", t.Context(), path, filepath.Join(dir, "none", "copy.db"), "does not exist"},
		{"another program's database", t.Context(), other, dst, "no editlock store"},
		{"what is no database", t.Context(), taken, dst, "corrupt or not an SQLite database"},
		{"to go on when its context has ended", stopped, path, dst, "context canceled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := backup.Create(tt.ctx, tt.path, tt.dst, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v; want %q", err, tt.want)
			}
		})
	}
	if data, err := os.ReadFile(taken); err != nil || string(data) != "precious" {
		t.Errorf("the file in the way is %q, %v", data, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.part-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
	if _, err := os.Stat(dst); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a copy was left: %v", err)
	}
}

func TestCreate_IsForThePresentUserOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "editlock.db")
	made(t, path)
	if err := backup.Create(t.Context(), path, path+".copy", nil); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path + ".copy")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestCreateAndRestore_NameWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	path, none, folder := filepath.Join(dir, "locks.db"), filepath.Join(dir, "none.db"), filepath.Join(dir, "none")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	restore := func(from, path string) error {
		_, err := backup.Restore(t.Context(), from, path, nil)
		return err
	}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"the store to back up":         {backup.Create(t.Context(), none, path+".copy", nil), none + ": there is no such file"},
		"the folder of the backup":     {backup.Create(t.Context(), path, filepath.Join(folder, "copy"), nil), "the folder " + folder + " does not exist"},
		"the backup to restore":        {restore(none, path), none + ": there is no such file"},
		"the folder to restore a file": {restore(path, filepath.Join(folder, "locks.db")), "the folder " + folder + " does not exist"},
	} {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", name, tt.err, tt.want)
		}
	}
}

func TestCheck(t *testing.T) {
	used := filepath.Join(t.TempDir(), "editlock.db")
	made(t, used)
	sound := used + ".copy" // one file, without a write-ahead log beside it
	if err := backup.Create(t.Context(), used, sound, nil); err != nil {
		t.Fatal(err)
	}
	if err := backup.Check(t.Context(), sound); err != nil {
		t.Fatalf("a sound file: %v", err)
	}
	for _, tt := range []struct{ name, damage, want string }{
		{"finds a token that would be given out again", "UPDATE editlock_row SET rev = 99 WHERE k = 'ha'", "is 99, but the last number given out is"},
		{"finds a place in a queue that would be given out again", "UPDATE editlock_row SET rev = 98 WHERE k LIKE 'q%'", "is 98, but the last number given out is"},
		{"finds a hold that the log does not tell of", "DELETE FROM editlock_log; UPDATE editlock_meta SET seq = 50", `"a" is held with token`},
		{"finds an entry about something else", "UPDATE editlock_row SET k = 'hc' WHERE k = 'ha'", `"c" is held with token`},
		{"finds two holds with one token", "UPDATE editlock_row SET rev = (SELECT min(rev) FROM editlock_row WHERE k LIKE 'h%') WHERE k LIKE 'h%'", "same token"},
		{"finds a row of the log cut short", "UPDATE editlock_log SET body = substr(body, 1, length(body) - 1) WHERE seq = (SELECT min(seq) FROM editlock_log)", "does not hold the 1 entries"},
		{"finds a row that holds nothing", "UPDATE editlock_log SET body = x''", "does not hold"},
		{"finds that a row of the log is gone", "DELETE FROM editlock_log WHERE seq = (SELECT seq FROM editlock_log ORDER BY seq LIMIT 1, 1)", "does not hold the 1 entries"},
		{"finds a log that is marked as pruned to beyond its end", "UPDATE editlock_meta SET floor = 77", "floor of the log is 77"},
		{"refuses a newer version", "UPDATE editlock_meta SET version = 99", "version 99"},
		{"finds a version that never was", "UPDATE editlock_meta SET version = 0", "version 0"},
		{"finds no version", "DELETE FROM editlock_meta", "no rows"},
		{"refuses a file without the tables", "DROP TABLE editlock_meta", "no editlock store"},
		{"accepts a hold whose entry is pruned", "DELETE FROM editlock_log; UPDATE editlock_meta SET seq = 50, floor = 50", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "editlock.db")
			copyFile(t, sound, path)
			execute(t, path, tt.damage)
			err := backup.Check(t.Context(), path)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v; want %q", err, tt.want)
			}
		})
	}
	t.Run("finds a damaged page", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "editlock.db")
		data, err := os.ReadFile(sound)
		if err != nil {
			t.Fatal(err)
		}
		const page = 4096
		for at := 2 * page; at < len(data); at += page { // the first two hold the schema
			copy(data[at:], slices.Repeat([]byte{0xff}, 64))
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := backup.Check(t.Context(), path); err == nil {
			t.Error("nothing is found")
		}
	})
}

// made makes a file in which a and b are held and one waits for a.
func made(t *testing.T, path string) {
	t.Helper()
	st, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	who := store.Party{Session: "ann"}
	_, err = st.KeepAlive(t.Context(), "peer", 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	for _, sw := range []store.Op{
		{Name: "a", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Terms: &store.Terms{}},
		{Name: "b", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Terms: &store.Terms{}},
		{Name: "a", Do: store.Join, Expect: store.Expect{Session: &who.Session}, Waiter: &store.Waiter{ID: "w", Process: "peer", Holder: who}},
	} {
		sw.Event = &store.Event{Kind: "captured", Actor: who}
		if res, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{sw}}); err != nil || !res.Done {
			t.Fatalf("%+v, %v", res, err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}

// execute changes a file behind the store's back.
func execute(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), text)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
