package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/locktest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/postgres"
	"github.com/editlock/editlock/store/storetest"
)

func TestLocker(t *testing.T) {
	start(t)
	locktest.Run(t, locktest.Harness{Open: func(t *testing.T) locktest.System {
		url, schema := server.Schema(t)
		manager := func() *editlock.Manager {
			st, err := postgres.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			m := editlock.NewManager(st, nil)
			t.Cleanup(func() {
				if err := m.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			return m
		}
		one, other := manager(), manager()
		return locktest.System{Locker: one, Second: other, Advance: runningAhead(t, schema)}
	}})
}

// runningAhead replaces a schema's clock by one that runs like the database's
// own, and returns what puts it forward.
func runningAhead(t *testing.T, schema string) func(d time.Duration) {
	t.Helper()
	exec := func(script string) {
		conn, err := pgx.Connect(context.Background(), server.URL) // briefly: hundreds of tests run at once
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close(context.Background()) }()
		if _, err := conn.PgConn().Exec(context.Background(), script).ReadAll(); err != nil {
			t.Error(err)
		}
	}
	exec(`CREATE TABLE ` + schema + `.test_ahead AS SELECT 0::bigint AS ahead;
		CREATE OR REPLACE FUNCTION ` + schema + `.editlock_now(p_read boolean) RETURNS bigint LANGUAGE sql AS
		'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + ahead FROM ` + schema + `.test_ahead'`)
	return func(d time.Duration) {
		exec(fmt.Sprintf("UPDATE %s.test_ahead SET ahead = ahead + %d", schema, d.Microseconds()))
	}
}

func TestOpen(t *testing.T) {
	pg := start(t)
	t.Run("twenty at once make one schema", func(t *testing.T) {
		url, _ := pg.Schema(t)
		url = enginetest.With(url, "pool_max_conns=1")
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				st, err := postgres.Open(t.Context(), url)
				if err != nil {
					t.Error(err)
					return
				}
				if err := st.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
	t.Run("refuses the tables of a newer editlock and leaves them", func(t *testing.T) {
		url, schema := pg.Schema(t)
		open(t, url)
		conn := connect(t, pg.URL)
		if _, err := conn.Exec(t.Context(), "UPDATE "+schema+".editlock_meta SET version = version + 1"); err != nil {
			t.Fatal(err)
		}
		_, err := postgres.Open(t.Context(), url)
		if err == nil || !strings.Contains(err.Error(), "use a newer editlock") {
			t.Errorf("Open: %v", err)
		}
	})
	t.Run("tells what to do with the tables of an older editlock, and leaves them", func(t *testing.T) {
		url, schema := pg.Schema(t)
		conn := connect(t, pg.URL)
		old := "CREATE SCHEMA %[1]s; CREATE TABLE %[1]s.editlock_meta (version integer NOT NULL, seq bigint NOT NULL, floor bigint NOT NULL);" +
			"INSERT INTO %[1]s.editlock_meta VALUES (1, 0, 0)"
		if _, err := conn.PgConn().Exec(t.Context(), fmt.Sprintf(old, schema)).ReadAll(); err != nil {
			t.Fatal(err)
		}
		for _, look := range []func() error{
			func() error { _, err := postgres.Open(t.Context(), url); return err },
			func() error { _, err := postgres.Inspect(t.Context(), url); return err },
		} {
			if err := look(); err == nil || !strings.Contains(err.Error(), "those of an older editlock") || !strings.Contains(err.Error(), "?schema=") {
				t.Errorf("it says %v", err)
			}
		}
		if _, err := conn.Exec(t.Context(), "SELECT seq FROM "+schema+".editlock_meta"); err != nil {
			t.Error(err)
		}
	})
	t.Run("schemas and search paths keep stores apart", func(t *testing.T) {
		url, schema := pg.Schema(t)
		one, same := open(t, url), open(t, enginetest.With(pg.URL, "search_path="+schema+",public"))
		other, _ := pg.Schema(t)
		take := store.Op{
			Name: "a", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &store.Party{Session: "ann"}, Terms: &store.Terms{},
		}
		for i, st := range []store.Store{one, same, open(t, other)} {
			res, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{take}})
			if want := i != 1; err != nil || res.Done != want {
				t.Errorf("store %d: Done = %v, %v; want %v", i, res.Done, err, want)
			}
		}
	})
	for _, tt := range []struct{ name, url, want string }{
		{"no server", "postgres://nobody@127.0.0.1:1/x?connect_timeout=5", "refused"},
		{"no such database", strings.Replace(pg.URL, "/postgres?", "/nothing?", 1), "the database does not exist"},
		{"no URL", "postgres://[", "postgres:"},
		{"an odd schema", enginetest.With(pg.URL, "schema=a%27b"), "schema"},
	} {
		t.Run("says what is wrong: "+tt.name, func(t *testing.T) {
			_, err := postgres.Open(t.Context(), tt.url)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open: %v; want it to say %q", err, tt.want)
			}
		})
	}
	t.Run("keeps the password to itself", func(t *testing.T) {
		_, err := postgres.Open(t.Context(), "postgres://ann:s3cret@127.0.0.1:1/x")
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("Open: %v", err)
		}
	})
}

// crashSwap is what a worker sends as its nth request: it takes its name and
// drops it in turn.
func crashSwap(worker, n int) store.Txn {
	name, who := fmt.Sprint("worker", worker), store.Party{Session: "worker"}
	sw := store.Op{
		Name: name, Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Terms: &store.Terms{},
		Event: &store.Event{Kind: "captured", Actor: who},
	}
	if n%2 == 1 {
		sw = store.Op{
			Name: name, Do: store.Release, Expect: store.Expect{Session: &who.Session}, Event: &store.Event{Kind: "released", Actor: who},
		}
	}
	return store.Txn{ID: fmt.Sprint(name, "#", n), Ops: []store.Op{sw}}
}

// TestCrash kills all of the server's processes while they work. What was
// acknowledged must be there after the restart, and the store must find its
// way back by itself.
func TestCrash(t *testing.T) {
	pg := enginetest.StartPostgres(t, "max_connections=30")
	url, _ := pg.Schema(t)
	st := open(t, url)
	const workers = 8
	var acked [workers]int // requests acknowledged, by worker
	for round := range 3 {
		var wg sync.WaitGroup
		var once sync.Once
		started := make(chan struct{})
		for worker := range workers {
			wg.Go(func() {
				for {
					n := acked[worker]
					res, err := st.Commit(t.Context(), crashSwap(worker, n))
					if err != nil {
						return // killed
					}
					if !res.Done {
						t.Errorf("round %d: request %d of worker %d is refused: %+v", round, n, worker, res)
						return
					}
					if acked[worker]++; acked[worker]%100 == 50 {
						once.Do(func() { close(started) })
					}
				}
			})
		}
		<-started
		pg.Kill()
		wg.Wait()
		pg.Start()
		for worker := range workers {
			page, err := st.Log(t.Context(), store.LogQuery{Name: fmt.Sprint("worker", worker), Limit: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			if n := len(page.Entries); n != acked[worker] && n != acked[worker]+1 {
				t.Fatalf("round %d: worker %d had %d requests acknowledged, and the log has %d", round, worker, acked[worker], n)
			}
		}
	}
}

// TestCrash_AfterCommitsWereMadeLazy: what an operator sets while the store is
// open takes nothing from what is acknowledged.
func TestCrash_AfterCommitsWereMadeLazy(t *testing.T) {
	pg := enginetest.StartPostgres(t, "max_connections=30", "wal_writer_delay=10s", "wal_writer_flush_after=1GB")
	url, _ := pg.Schema(t)
	st := open(t, url)
	if res, err := st.Commit(t.Context(), crashSwap(0, 0)); err != nil || !res.Done {
		t.Fatal(res, err)
	}
	conn := connect(t, pg.URL)
	for _, text := range []string{"ALTER SYSTEM SET synchronous_commit = off", "SELECT pg_reload_conf()"} {
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	for at := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		var now string
		if err := conn.QueryRow(t.Context(), "SELECT current_setting('synchronous_commit')").Scan(&now); err != nil {
			t.Fatal(err)
		}
		if now == "off" {
			break
		}
		if time.Since(at) > 30*time.Second {
			t.Fatal("the setting is not taken over")
		}
	}
	done := 0
	for n := 1; n < 20; n++ {
		if res, err := st.Commit(t.Context(), crashSwap(0, n)); err != nil || !res.Done {
			t.Fatal(res, err)
		}
		done = n
	}
	pg.Kill()
	pg.Start()
	page, err := st.Log(t.Context(), store.LogQuery{Name: "worker0", Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(page.Entries); n != done+1 {
		t.Errorf("%d requests were acknowledged, and the log has %d", done+1, n)
	}
}

func TestStore_ReturnsWhileTheServerStandsStill(t *testing.T) {
	pg := enginetest.StartPostgres(t, "max_connections=31")
	url, _ := pg.Schema(t)
	st := open(t, url)
	pids, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pg.PID()))
	signal := func(s syscall.Signal) {
		for _, pid := range strings.Fields(string(pids)) {
			n, _ := strconv.Atoi(pid)
			_ = syscall.Kill(n, s)
		}
		pg.Signal(s)
	}
	signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := st.Commit(ctx, crashSwap(0, 0))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Swap: %v", err)
	}
	if _, err := st.Get(ctx, "a", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get: %v", err)
	}
	signal(syscall.SIGCONT)
	if res, err := st.Commit(t.Context(), crashSwap(0, 0)); err != nil || !res.Done {
		t.Errorf("the retry: %+v, %v", res, err)
	}
}

// TestStore_BehindPgBouncer goes through a pooler in transaction mode: each
// statement may go over another connection.
func TestStore_BehindPgBouncer(t *testing.T) {
	pg := enginetest.StartPostgres(t, "max_connections=60")
	pool := startBouncer(t, pg)
	if os.Getenv("EDITLOCK_LONG") != "" {
		storetest.Run(t, storetest.Harness{
			Open: func(t testing.TB, clock *storetest.Clock) store.Store {
				_, schema := pg.Schema(t)
				url := enginetest.With(pool, "schema="+schema)
				return core.New(openEngine(t, url, pg.URL, clock.Now))
			},
			Quick: true,
		})
	}
	_, schema := pg.Schema(t)
	direct := "&listen_url=" + url.QueryEscape(pg.URL)
	for name, more := range map[string]string{"looking": "", "listening directly": direct} {
		t.Run("a wait ends across processes, "+name, func(t *testing.T) {
			handOver(t, enginetest.With(pool, "schema="+schema+more))
		})
	}
}

// handOver lets one Manager release what another waits for, again and again.
func handOver(t *testing.T, url string) {
	id := editlock.ID{ID: t.Name()}
	var managers [2]*editlock.Manager
	for i := range managers {
		st, err := postgres.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		managers[i] = editlock.NewManager(st, nil)
		t.Cleanup(func() { _ = managers[i].Close() })
	}
	var wg sync.WaitGroup
	var last editlock.Token // which the mutex guards
	for i, m := range managers {
		ctx := editlock.WithOwner(t.Context(), editlock.Owner{Session: fmt.Sprint("s", i)})
		wg.Go(func() {
			for range 20 {
				held, err := m.Capture(ctx, id, &editlock.CaptureOptions{Wait: time.Minute})
				if err != nil {
					t.Error(err)
					return
				}
				if held.Token <= last {
					t.Errorf("token %d after %d", held.Token, last)
				}
				last = held.Token
				if _, err := m.Release(ctx, id, editlock.Condition{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// startBouncer starts a PgBouncer in front of a server.
func startBouncer(t *testing.T, pg *enginetest.Postgres) string {
	t.Helper()
	program := enginetest.Program(t, "pgbouncer", "/usr/sbin")
	port := enginetest.FreePort(t)
	ini := filepath.Join(t.TempDir(), "pgbouncer.ini")
	text := fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%d\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port=%d\nauth_type=any\n"+
		"pool_mode=transaction\ndefault_pool_size=10\nunix_socket_dir=\n", pg.Port, port)
	text = strings.Replace(text, "* = host=127.0.0.1", "* = user=postgres host=127.0.0.1", 1)
	if err := os.WriteFile(ini, []byte(text), 0o644); err != nil { //nolint:gosec // for another account to read
		t.Fatal(err)
	}
	var account *syscall.SysProcAttr
	if os.Getuid() == 0 { // which it refuses to run as
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		account = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	pool := fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", enginetest.Address(port))
	enginetest.Start(t, func() *exec.Cmd {
		config, err := os.Open(ini)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, "/dev/stdin")
		cmd.Stdin, cmd.SysProcAttr, cmd.Dir = config, account, "/"
		return cmd
	}, func() error {
		st, err := postgres.Open(t.Context(), enginetest.With(pool, "schema=editlock_bouncer"))
		if err != nil {
			return err
		}
		return st.Close()
	})
	return pool
}
