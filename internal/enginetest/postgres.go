package enginetest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgresURLVariable names a running server to test on, instead of one that
// the tests start.
const PostgresURLVariable = "EDITLOCK_TEST_POSTGRES_URL"

// Postgres is a PostgreSQL server for tests.
type Postgres struct {
	*Process        // nil: a running server, that the tests may not stop
	URL      string // of a database, as its superuser
	Port     int
	schemas  atomic.Int64
}

// StartPostgres starts a server, as safe with data as the defaults are, or
// takes the one that the environment names. Settings are such as
// "max_connections=20".
func StartPostgres(t TB, settings ...string) *Postgres {
	t.Helper()
	if url := os.Getenv(PostgresURLVariable); url != "" && len(settings) == 0 {
		return &Postgres{URL: url}
	}
	initdb := Program(t, "initdb", "/usr/lib/postgresql/*/bin")
	server := filepath.Join(filepath.Dir(initdb), "postgres")
	account := unprivileged(t)
	data := filepath.Join(openFolder(t), "data")
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
		cmd.Dir, cmd.SysProcAttr = filepath.Dir(data), account
		return cmd
	}
	chown(t, filepath.Dir(data), account)
	out, err := run(initdb, "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync").CombinedOutput()
	if err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	port := FreePort(t)
	p := &Postgres{URL: fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", Address(port)), Port: port}
	if len(settings) == 0 {
		settings = []string{"max_connections=400"} // tests run in parallel
	}
	args := []string{"-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", ""}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	p.Process = Start(t, func() *exec.Cmd { return run(server, args...) }, p.ready)
	t.Cleanup(p.Kill)
	return p
}

// Standby starts a server that follows p, with all that p has by now.
func (p *Postgres) Standby(t TB) *Postgres {
	t.Helper()
	server := Program(t, "postgres", "/usr/lib/postgresql/*/bin")
	account := unprivileged(t)
	folder := openFolder(t)
	chown(t, folder, account)
	data, port := filepath.Join(folder, "data"), FreePort(t)
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
		cmd.Dir, cmd.SysProcAttr = folder, account
		return cmd
	}
	out, err := run(filepath.Join(filepath.Dir(server), "pg_basebackup"), "-D", data, "-d", p.URL, "-R", "-c", "fast").CombinedOutput()
	if err != nil {
		t.Fatalf("pg_basebackup: %v\n%s", err, out)
	}
	s := &Postgres{URL: fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", Address(port)), Port: port}
	s.Process = Start(t, func() *exec.Cmd {
		return run(server, "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", "", "-c", "hot_standby=on")
	}, s.ready)
	t.Cleanup(s.Kill)
	return s
}

// PID is the process ID of the server's first process.
func (p *Postgres) PID() int { return p.cmd.Process.Pid }

// Kill kills the server with all its processes at once, as a crash of the
// machine would, and waits until they are gone.
func (p *Postgres) Kill() {
	if p.cmd == nil {
		return
	}
	pid := strconv.Itoa(p.cmd.Process.Pid)
	list, _ := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
	if list == nil {
		p.Signal(syscall.SIGQUIT) // where there is no such list: crash yourself
		<-p.ended
	}
	p.Process.Kill()
	for _, child := range strings.Fields(string(list)) {
		n, _ := strconv.Atoi(child)
		killAll(n)
	}
}

func (p *Postgres) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.URL)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// Schema is the URL of a schema that no other test uses. It is removed in the
// end if the server stays.
func (p *Postgres) Schema(t TB) (url, schema string) {
	t.Helper()
	schema = fmt.Sprintf("editlock_test_%d_%d", os.Getpid(), p.schemas.Add(1))
	if p.Process == nil {
		t.Cleanup(func() {
			ctx := context.WithoutCancel(t.Context())
			conn, err := pgx.Connect(ctx, p.URL)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+schema+" CASCADE"); err != nil {
				t.Error(err)
			}
			_ = conn.Close(ctx)
		})
	}
	return With(p.URL, "schema="+schema), schema
}

// With is a URL with one more parameter.
func With(url, parameter string) string {
	for _, c := range url {
		if c == '?' {
			return url + "&" + parameter
		}
	}
	return url + "?" + parameter
}

// openFolder is a temporary folder that other accounts may reach.
func openFolder(t TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "editlock") // t.TempDir is closed to other accounts
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
