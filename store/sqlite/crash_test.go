package sqlite_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/sqlite"
)

// crashEnv names the file that a child process works on until it is killed.
const crashEnv = "EDITLOCK_TEST_CRASH"

const crashWorkers = 8

// crashSwap is what a worker sends as its nth request: it takes its name and
// drops it in turn.
func crashSwap(round string, worker, n int) store.Txn {
	name := fmt.Sprintf("%s/%d", round, worker)
	who := store.Party{Session: "worker"}
	sw := store.Op{
		Name: name, Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Terms: &store.Terms{},
		Event: &store.Event{Kind: "captured", Actor: who},
	}
	if n%2 == 1 {
		sw = store.Op{
			Name: name, Do: store.Release, Expect: store.Expect{Session: &who.Session},
			Event: &store.Event{Kind: "released", Actor: who},
		}
	}
	return store.Txn{ID: fmt.Sprintf("%s#%d", name, n), Ops: []store.Op{sw}}
}

// TestCrashChild is the process that gets killed. It tells of each request
// after it was acknowledged.
func TestCrashChild(t *testing.T) {
	path, round := os.Getenv(crashEnv), os.Getenv(crashEnv+"_ROUND")
	if path == "" {
		return // it is for TestCrash
	}
	st, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for worker := range crashWorkers {
		wg.Go(func() {
			for n := 0; ; n++ {
				res, err := st.Commit(t.Context(), crashSwap(round, worker, n))
				if err != nil || !res.Done {
					t.Errorf("request %d of worker %d: %+v, %v", n, worker, res, err)
					return
				}
				token := uint64(0)
				if rec := res.Records[0]; rec != nil {
					token = rec.Token
				}
				_, _ = fmt.Printf("ack %d %d %d\n", worker, n, token)
			}
		})
	}
	wg.Wait()
}

// acked is the last request of a worker that was acknowledged before the kill,
// and the last token it got.
type acked struct {
	n     int // -1: none
	token uint64
}

func TestCrash(t *testing.T) {
	rounds := 20
	if testing.Short() || race {
		rounds = 3
	}
	path := filepath.Join(t.TempDir(), "editlock.db")
	total := 0
	done := map[string]int{} // requests by name
	for round := range rounds {
		name := fmt.Sprintf("round%d", round)
		last, acks := crash(t, path, name)
		total += acks
		checkCrashed(t, path, name, last, done)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d kills, %d acknowledged requests", rounds, total)
}

// crash lets a child work on the file and kills it in the midst of it.
func crash(t *testing.T, path, round string) (last [crashWorkers]acked, acks int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestCrashChild$")
	cmd.Env = append(os.Environ(), crashEnv+"="+path, crashEnv+"_ROUND="+round)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }() // it was killed
	for i := range last {
		last[i].n = -1
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var worker, n int
		var token uint64
		if _, err := fmt.Sscanf(lines.Text(), "ack %d %d %d", &worker, &n, &token); err != nil {
			rest, _ := io.ReadAll(out)
			t.Fatalf("the child says %q\n%s", lines.Text(), rest)
		}
		if n != last[worker].n+1 {
			t.Fatalf("worker %d has its request %d acknowledged after %d", worker, n, last[worker].n)
		}
		last[worker] = acked{n, max(token, last[worker].token)}
		if acks++; acks == 2*crashWorkers {
			time.AfterFunc(time.Duration(rand.IntN(100_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		}
	}
	return last, acks
}

// checkCrashed opens the file again: what was acknowledged must be there, what
// was under way may be, and its retry must not tell the difference. What older
// rounds did must be there as well.
func checkCrashed(t *testing.T, path, round string, last [crashWorkers]acked, done map[string]int) {
	t.Helper()
	st, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatalf("the file does not open after the kill: %v", err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	for worker, ack := range last {
		next := crashSwap(round, worker, ack.n+1)
		name := next.Ops[0].Name
		res, err := st.Commit(t.Context(), next)
		if err != nil || !res.Done {
			t.Errorf("%s: the retry of request %d: %+v, %v", name, ack.n+1, res, err)
			continue
		}
		rec, takes := res.Records[0], next.Ops[0].Do == store.Acquire
		if (rec != nil) != takes || takes && (rec.Request != next.ID || rec.Token <= ack.token) {
			t.Errorf("%s: after request %d there stands %+v; the last token was %d", name, ack.n+1, rec, ack.token)
		}
		done[name] = ack.n + 2
	}
	for name, n := range done {
		checkCrashLog(t, st, name, n)
	}
}

// checkCrashLog expects one entry for each of n requests, in order.
func checkCrashLog(t *testing.T, st store.Store, name string, n int) {
	t.Helper()
	page, err := st.Log(t.Context(), store.LogQuery{Name: name, Limit: n + 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Entries) != n {
		t.Errorf("%s: %d entries for %d requests", name, len(page.Entries), n)
		return
	}
	for i, e := range page.Entries {
		if want := fmt.Sprintf("%s#%d", name, i); e.Request != want {
			t.Errorf("%s: entry %d is of request %q; want %q", name, i, e.Request, want)
			return
		}
	}
}
