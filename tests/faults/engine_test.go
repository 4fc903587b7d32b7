package faults

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/internal/netfault"
)

// engine is a database that runs, with what the tests do to it.
type engine struct {
	address string // HOST:PORT; empty: a file, with no server of its own
	// url is of the store, at the engine's address or that of a proxy to it.
	url func(address string) string

	kill, start func()
	signal      func(syscall.Signal)
	forget      func() error // makes it forget scripts that are sent once; may be nil
}

// engines start a database each, that the test has for itself.
var engines = []struct {
	name  string
	start func(t *testing.T) *engine
}{
	{"sqlite", func(t *testing.T) *engine {
		path := filepath.Join(t.TempDir(), "locks.db")
		return &engine{url: func(string) string { return "sqlite:" + path }}
	}},
	{"postgres", func(t *testing.T) *engine {
		p := enginetest.StartPostgres(t, "synchronous_commit=on")
		url, _ := p.Schema(t)
		at := enginetest.Address(p.Port)
		return &engine{
			address: at, url: func(address string) string { return strings.Replace(url, at, address, 1) },
			kill: p.Kill, start: p.Start, signal: everyProcess(t, p),
		}
	}},
	{"mariadb", func(t *testing.T) *engine {
		m := enginetest.StartMariaDB(t, "max_connections=400")
		at := strings.TrimPrefix(m.URL, "mysql://root@")
		url := m.Database(t)
		return &engine{
			address: at, url: func(address string) string { return strings.Replace(url, at, address, 1) },
			kill: m.Kill, start: m.Start, signal: m.Signal,
		}
	}},
	{"redis", func(t *testing.T) *engine {
		r := enginetest.StartRedis(t, enginetest.Durable...)
		return &engine{
			address: enginetest.Address(r.Port), url: func(address string) string { return "redis://" + address },
			kill: r.Kill, start: r.Start, signal: r.Signal,
			forget: func() error {
				_, err := r.Ask(t, "SCRIPT", "FLUSH")
				return err
			},
		}
	}},
	{"etcd", func(t *testing.T) *engine {
		e := enginetest.StartOwnEtcd(t)
		return &engine{
			address: e.Host, url: func(address string) string { return "etcd://" + address },
			kill: e.Kill, start: e.Start, signal: e.Signal,
		}
	}},
}

// everyProcess signals a PostgreSQL whole: each of its connections has a
// process.
func everyProcess(t *testing.T, p *enginetest.Postgres) func(syscall.Signal) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	var folder string
	if err := conn.QueryRow(t.Context(), "SHOW data_directory").Scan(&folder); err != nil {
		t.Fatal(err)
	}
	return func(s syscall.Signal) {
		text, err := os.ReadFile(filepath.Join(folder, "postmaster.pid"))
		if err != nil {
			t.Error(err)
			return
		}
		pid, _, _ := strings.Cut(string(text), "\n")
		p.Signal(s)
		children, _ := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
		for _, child := range strings.Fields(string(children)) {
			if n, err := strconv.Atoi(child); err == nil {
				_ = syscall.Kill(n, s) // gone already, perhaps
			}
		}
	}
}

// world is two servers on one engine, each with a network of its own to it.
type world struct {
	engine   *engine
	servers  []*server
	networks []*netfault.Proxy // to the engine; none if it has no address
	direct   editlock.Locker   // on the engine, past all networks
}

// newWorld starts two servers; the clock of the second is ahead where the
// engine has one of its own.
func newWorld(t *testing.T, e *engine) *world {
	t.Helper()
	w := &world{engine: e}
	for i := range 2 {
		address := ""
		if e.address != "" {
			n := netfault.Start(t, e.address)
			w.networks, address = append(w.networks, n), n.Address
		}
		w.servers = append(w.servers, startServer(t, e.url(address), i == 1 && e.address != ""))
	}
	w.direct = open(t, e.url(e.address))
	return w
}

// open opens a Locker that is closed when the test ends.
func open(t *testing.T, url string) editlock.Locker {
	t.Helper()
	l, err := connect.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
