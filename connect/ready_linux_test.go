package connect_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
	"github.com/editlock/editlock/internal/enginetest"
)

// fault is something that lets a store be read and not be written.
type fault struct {
	url   string
	begin func(locks editlock.Locker)
	end   func()
	seen  bool // by Examine, which tries no write
}

// Reading is no sign that locks can be captured: every engine has states in
// which all writes fail.
func TestReady_FailsWhileTheStoreTakesNoWrites(t *testing.T) {
	t.Parallel()
	for name, inject := range map[string]func(t *testing.T) *fault{
		"sqlite on a full disk":          fullDisk,
		"sqlite that another has locked": lockedFile,
		"redis that can't save":          unsavedRedis,
		"redis that became a replica":    demotedRedis,
		"redis out of memory":            fullRedis,
		"redis that may evict":           evictingRedis,
		"etcd without space":             fullEtcd,
		"postgres that only reads":       readOnlyPostgres,
		"mariadb that only reads":        readOnlyMariaDB,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := inject(t)
			locks := open(t, f.url)
			if err := editlock.Ready(t.Context(), locks); err != nil {
				t.Fatalf("before: %v", err)
			}
			f.begin(locks)
			until(t, func() error {
				if err := editlock.Ready(t.Context(), locks); !errors.Is(err, editlock.ErrUnavailable) {
					return fmt.Errorf("meanwhile: %w", errors.Join(err, errors.New("want ErrUnavailable")))
				}
				return nil
			})
			if _, err := connect.Examine(t.Context(), f.url); (err != nil) != f.seen {
				t.Errorf("Examine: %v", err)
			}
			f.end()
			until(t, func() error { return editlock.Ready(t.Context(), locks) })
		})
	}
}

// until waits for something to succeed.
func until(t *testing.T, done func() error) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := done()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func fullDisk(t *testing.T) *fault {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("no file system can be mounted: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	return &fault{
		url: "sqlite:" + filepath.Join(dir, "locks.db"),
		begin: func(locks editlock.Locker) {
			var fs syscall.Statfs_t
			if err := syscall.Statfs(dir, &fs); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(ballast, make([]byte, int64(fs.Bavail)*fs.Bsize), 0o600); err != nil {
				t.Fatal(err)
			}
			for n := range 1000 { // some may find room in what was written before
				if _, err := locks.Capture(t.Context(), editlock.ID{ID: fmt.Sprint(n)}, nil); err != nil {
					return
				}
			}
			t.Fatal("captures succeed on a full disk")
		},
		end: func() {
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func lockedFile(t *testing.T) *fault {
	path := filepath.Join(t.TempDir(), "locks.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	run := func(statement string) {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return &fault{
		url:   "sqlite:" + path,
		begin: func(editlock.Locker) { run("BEGIN IMMEDIATE") },
		end:   func() { run("ROLLBACK") },
	}
}

// redisFault asks a Redis of the test's own.
func redisFault(t *testing.T, begin, end [][]string, settings ...string) *fault {
	server := enginetest.StartRedis(t, append([]string{"appendonly=no"}, settings...)...)
	ask := func(all [][]string) {
		for _, words := range all {
			if _, err := server.Ask(t, words...); err != nil {
				t.Fatalf("%s: %v", words, err)
			}
		}
	}
	return &fault{
		url:   server.Store(),
		begin: func(editlock.Locker) { ask(begin) },
		end:   func() { ask(end) },
		seen:  true,
	}
}

func demotedRedis(t *testing.T) *fault {
	return redisFault(t, [][]string{{"REPLICAOF", "127.0.0.1", "1"}}, [][]string{{"REPLICAOF", "NO", "ONE"}})
}

func fullRedis(t *testing.T) *fault {
	return redisFault(t, [][]string{{"CONFIG", "SET", "maxmemory", "1"}}, [][]string{{"CONFIG", "SET", "maxmemory", "0"}})
}

func evictingRedis(t *testing.T) *fault {
	return redisFault(t,
		[][]string{{"CONFIG", "SET", "maxmemory-policy", "allkeys-random"}},
		[][]string{{"CONFIG", "SET", "maxmemory-policy", "noeviction"}})
}

// unsavedRedis is one whose folder is gone when it saves.
func unsavedRedis(t *testing.T) *fault {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f := redisFault(t, [][]string{{"BGSAVE"}}, [][]string{{"CONFIG", "SET", "stop-writes-on-bgsave-error", "no"}},
		"dir="+dir, "save=3600 1")
	save := f.begin
	f.begin = func(locks editlock.Locker) {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		save(locks)
	}
	return f
}

func fullEtcd(t *testing.T) *fault {
	server := enginetest.StartOwnEtcd(t, "--quota-backend-bytes", "4194304")
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{server.Host}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return &fault{
		url: "etcd://" + server.Host + "/full",
		begin: func(editlock.Locker) {
			for n := range 100 {
				_, err := client.Put(t.Context(), "ballast", strings.Repeat(fmt.Sprint(n%10), 1<<20))
				if errors.Is(err, rpctypes.ErrNoSpace) {
					return
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			t.Fatal("there is always space")
		},
		end: func() {
			head, err := client.Get(t.Context(), "ballast")
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Compact(t.Context(), head.Header.Revision, clientv3.WithCompactPhysical())
			if err == nil {
				_, err = client.Defragment(t.Context(), server.Host)
			}
			if err == nil {
				_, err = client.AlarmDisarm(t.Context(), &clientv3.AlarmMember{})
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		seen: true,
	}
}

func readOnlyMariaDB(t *testing.T) *fault {
	server := enginetest.StartMariaDB(t, "max_connections=50")
	run := func(statement string) {
		if err := server.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	run("CREATE USER locks") // read_only does not bind the superuser
	run("GRANT ALL ON `editlock_test%`.* TO locks")
	return &fault{
		url:   strings.Replace(server.Database(t), "root@", "locks@", 1),
		begin: func(editlock.Locker) { run("SET GLOBAL read_only=1") },
		end:   func() { run("SET GLOBAL read_only=0") },
		seen:  true,
	}
}

func readOnlyPostgres(t *testing.T) *fault {
	server := enginetest.StartPostgres(t, "max_connections=20")
	conn, err := pgx.Connect(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	run := func(statements ...string) {
		for _, s := range statements {
			if _, err := conn.Exec(t.Context(), s, pgx.QueryExecModeExec); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	}
	url, _ := server.Schema(t)
	return &fault{
		url: url,
		begin: func(editlock.Locker) {
			run("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
		},
		end: func() {
			run("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
		},
		seen: true,
	}
}

// A standby answers every read, and no server could do anything on it.
func TestOpen_RefusesAStandbyOfPostgreSQL(t *testing.T) {
	t.Parallel()
	primary := enginetest.StartPostgres(t, "max_connections=20", "wal_level=replica")
	open(t, enginetest.With(primary.URL, "schema=locks"))
	url := enginetest.With(primary.Standby(t).URL, "schema=locks")
	const want = "the server is a standby"
	locks, err := connect.Open(t.Context(), url, nil)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Open: %v", err)
	}
	if err == nil {
		_ = locks.Close()
	}
	if _, err := connect.Examine(t.Context(), url); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Examine: %v", err)
	}
}
