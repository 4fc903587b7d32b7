package connect_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	neturl "net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
	"github.com/editlock/editlock/internal/enginetest"
)

// documented returns the only indented block of docs/engines.md that has a
// text in it. What the page tells to run must be right word for word.
func documented(t *testing.T, has string) string {
	t.Helper()
	page, err := os.ReadFile("../docs/engines.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for block := range strings.SplitSeq(string(page), "\n\n") {
		if strings.HasPrefix(block, "    ") && strings.Contains(block, has) {
			found = append(found, strings.TrimSpace(block))
		}
	}
	if len(found) != 1 {
		t.Fatalf("engines.md has %d blocks with %s", len(found), has)
	}
	return found[0]
}

// run runs a program and returns what it says.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, &said)
	}
	return said.String()
}

// A copy made by an engine's own tools, restored as the documentation says,
// may be restored once more: it does not know of the tokens given in between.
func TestEngines_GiveNoTokenTwiceWhenACopyIsRestoredTwice(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]func(t *testing.T) (url string, save, restore func()){
		"postgres": savedPostgres, "mariadb": savedMariaDB, "redis": savedRedis, "etcd": savedEtcd,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, save, restore := engine(t)
			given := make(map[editlock.Token]string)
			live := func(when string) {
				l, err := connect.Open(t.Context(), url, nil)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 20 {
					use(t, l, given, fmt.Sprintf("%s %d", when, i))
				}
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
			}
			live("before the copy")
			save()
			live("after the copy")
			for i := range 2 {
				restore()
				live(fmt.Sprintf("after restore %d", i+1))
			}
		})
	}
}

// use captures a mutex, and has its token, which must be a new one, go all the
// ways that tokens go: large as it is, no digit of it may be lost.
func use(t *testing.T, l editlock.Locker, given map[editlock.Token]string, name string) {
	t.Helper()
	id := editlock.ID{Mode: "restored", ID: name}
	m, err := l.Capture(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if before, twice := given[m.Token]; twice {
		t.Errorf("token %d was given %s and %s", m.Token, before, name)
	}
	given[m.Token] = name
	if m.Token >= 1<<53 {
		t.Errorf("token %d is too large for JavaScript", m.Token)
	}
	if again, err := l.Capture(t.Context(), id, &editlock.CaptureOptions{If: editlock.IfToken(m.Token)}); err != nil || again.Token != m.Token {
		t.Errorf("a refresh of token %d: %d, %v", m.Token, again.Token, err)
	}
	page, err := l.History(t.Context(), editlock.HistoryQuery{ID: &id, Limit: 10})
	if err != nil || len(page.Entries) == 0 || page.Entries[0].Token != m.Token {
		t.Errorf("the history of token %d: %+v, %v", m.Token, page.Entries, err)
	}
	if released, err := l.Release(t.Context(), id, editlock.IfToken(m.Token)); err != nil || !released {
		t.Errorf("the release of token %d: %v, %v", m.Token, released, err)
	}
}

func savedPostgres(t *testing.T) (url string, save, restore func()) {
	server := enginetest.StartPostgres(t, "max_connections=50") // one of its own
	tool := func(name string) string { return enginetest.Program(t, name, "/usr/lib/postgresql/*/bin") }
	schema, dump := "s"+strings.ToLower(rand.Text()), filepath.Join(t.TempDir(), "dump")
	save = func() {
		run(t, tool("pg_dump"), "--format=custom", "--schema="+schema, "--file="+dump, server.URL)
	}
	restore = func() {
		run(t, tool("pg_restore"), "--clean", "--dbname="+server.URL, dump)
		run(t, tool("psql"), "-v", "ON_ERROR_STOP=1", "-c", "SET search_path TO "+schema, "-c", documented(t, "editlock_seq"), server.URL)
	}
	return enginetest.With(server.URL, "search_path="+schema), save, restore
}

func savedMariaDB(t *testing.T) (url string, save, restore func()) {
	server := enginetest.StartMariaDB(t)
	url = server.Database(t)
	at, err := neturl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	database, dump := strings.TrimPrefix(at.Path, "/"), filepath.Join(t.TempDir(), "dump.sql")
	client := []string{"--host=" + at.Hostname(), "--port=" + at.Port(), "--user=root"}
	save = func() {
		run(t, enginetest.Program(t, "mariadb-dump"), append(client, "--single-transaction", "--result-file="+dump, database)...)
	}
	restore = func() {
		mariadb := enginetest.Program(t, "mariadb")
		run(t, mariadb, append(client, "--execute=source "+dump, database)...)
		run(t, mariadb, append(client, "--execute="+documented(t, "editlock_meta"), database)...)
	}
	return url, save, restore
}

func savedRedis(t *testing.T) (url string, save, restore func()) {
	file, dump := filepath.Join(t.TempDir(), "dump.rdb"), filepath.Join(t.TempDir(), "saved.rdb")
	server := enginetest.StartRedis(t, "dir="+filepath.Dir(file))
	cli, port := enginetest.Program(t, "redis-cli"), strconv.Itoa(server.Port)
	save = func() { run(t, cli, "-p", port, "--rdb", dump) }
	restore = func() {
		server.Kill()
		data, err := os.ReadFile(dump)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		server.Start()
		command, ok := strings.CutPrefix(documented(t, "{editlock}:seq"), "redis-cli ")
		if !ok {
			t.Fatalf("not run by redis-cli: %s", command)
		}
		said := run(t, "sh", "-ec", cli+" -e -p "+port+" "+command)
		if n, err := strconv.ParseUint(strings.TrimSpace(said), 10, 64); err != nil || len(strconv.FormatUint(n, 10)) != 16 {
			t.Errorf("the counter is %s, %v; want microseconds since 1970, each digit of them", said, err)
		}
	}
	return server.URL, save, restore
}

func savedEtcd(t *testing.T) (url string, save, restore func()) {
	dir, saved := filepath.Join(t.TempDir(), "etcd"), filepath.Join(t.TempDir(), "saved")
	server := enginetest.StartOwnEtcd(t, "--data-dir", dir)
	replace := func(to, from string) {
		server.Kill()
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		server.Start()
	}
	return "etcd://" + server.Host + "/" + rand.Text(), func() { replace(saved, dir) }, func() { replace(dir, saved) }
}
