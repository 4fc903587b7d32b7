package enginetest

import (
	"context"
	"database/sql"
	"fmt"
	neturl "net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver
)

// MariaDBURLVariable names a running server to test on, instead of one that the
// tests start: mysql://USER:PASSWORD@HOST:PORT, whose user may create databases.
const MariaDBURLVariable = "EDITLOCK_TEST_MARIADB_URL"

// MariaDB is a MariaDB server for tests.
type MariaDB struct {
	*Process // nil: a running server, that the tests may not stop
	URL      string
	dsn      string
	bases    atomic.Int64
}

// StartMariaDB starts a server, as safe with data as the defaults are, or takes
// the one that the environment names. Settings are such as "max_connections=20".
func StartMariaDB(t TB, settings ...string) *MariaDB {
	t.Helper()
	if url := os.Getenv(MariaDBURLVariable); url != "" && len(settings) == 0 {
		return &MariaDB{URL: url, dsn: MariaDBSource(url)}
	}
	server := Program(t, "mariadbd", "/usr/sbin")
	account := unprivileged(t)
	folder := openFolder(t)
	chown(t, folder, account)
	data, port := filepath.Join(folder, "data"), FreePort(t)
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
		cmd.Dir, cmd.SysProcAttr = folder, account
		return cmd
	}
	out, err := run(Program(t, "mariadb-install-db", "/usr/bin"), "--no-defaults", "--datadir="+data,
		"--auth-root-authentication-method=normal", "--skip-test-db").CombinedOutput()
	if err != nil {
		t.Fatalf("mariadb-install-db: %v\n%s", err, out)
	}
	m := &MariaDB{URL: "mysql://root@" + Address(port), dsn: fmt.Sprintf("root@tcp(%s)/", Address(port))}
	if len(settings) == 0 {
		settings = []string{"max_connections=400"} // tests run in parallel
	}
	args := []string{
		"--no-defaults", "--datadir=" + data, "--bind-address=127.0.0.1", "--port=" + strconv.Itoa(port),
		"--socket=" + filepath.Join(folder, "socket"), "--pid-file=" + filepath.Join(folder, "pid"), "--skip-name-resolve",
		"--tmpdir=" + folder, // a server that starts removes the temporary tables in it
	}
	for _, s := range settings {
		args = append(args, "--"+s)
	}
	m.Process = Start(t, func() *exec.Cmd { return run(server, args...) }, m.ready)
	t.Cleanup(m.Kill)
	return m
}

func (m *MariaDB) ready() error { return m.Exec("SELECT 1") }

// MariaDBSource is what the driver calls the database that a URL names.
func MariaDBSource(url string) string {
	u, err := neturl.Parse(url)
	if err != nil {
		return err.Error() // the driver refuses it
	}
	return fmt.Sprintf("%s@tcp(%s)/%s", u.User, u.Host, strings.TrimPrefix(u.Path, "/"))
}

// Exec executes a statement as the superuser.
func (m *MariaDB) Exec(statement string) error {
	db, err := sql.Open("mysql", m.dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err = db.ExecContext(ctx, statement)
	return err
}

// Database is the URL of a new database that no other test uses. It is removed
// in the end.
func (m *MariaDB) Database(t TB) string {
	t.Helper()
	name := fmt.Sprintf("editlock_test_%d_%d", os.Getpid(), m.bases.Add(1))
	if err := m.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Exec("DROP DATABASE " + name); err != nil && m.Process == nil {
			t.Error(err)
		}
	})
	return m.URL + "/" + name
}
