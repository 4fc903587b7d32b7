package connect_test

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
	"github.com/editlock/editlock/internal/enginetest"
)

// A look tells nothing of a store that is not there, and makes none.
func TestExamine(t *testing.T) {
	t.Parallel()
	file := "sqlite:" + filepath.Join(t.TempDir(), "locks.db")
	if _, err := connect.Examine(t.Context(), file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	for name, test := range map[string]struct {
		url      string
		before   bool
		hasClock bool
	}{
		"sqlite":   {file, false, false},
		"postgres": {enginetest.With(enginetest.StartPostgres(t).URL, "schema=examined_"+rand.Text()), true, true},
		"mariadb":  {enginetest.StartMariaDB(t).Database(t), true, true},
		"redis":    {enginetest.StartRedis(t).URL + "?prefix=examined-" + rand.Text(), true, true},
		"etcd":     {"etcd://" + enginetest.StartEtcd(t).Host + "/examined-" + rand.Text(), true, false},
	} {
		t.Run(name, func(t *testing.T) {
			if test.before {
				if e, err := connect.Examine(t.Context(), test.url); err != nil || e.Tables != 0 || e.Version == "" {
					t.Fatalf("before there is a store: %+v, %v", e, err)
				}
			}
			locks, err := connect.Open(t.Context(), test.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = locks.Close() }()
			if _, err := locks.Capture(t.Context(), editlock.ID{ID: "x"}, nil); err != nil {
				t.Fatal(err)
			}
			e, err := connect.Examine(t.Context(), test.url)
			if err != nil || e.Tables == 0 || e.Tables != e.Newest || e.HasClock != test.hasClock || e.RoundTrip <= 0 || e.Skew.Abs() > time.Minute {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
}

// silentRedis is a store whose user must not ask for the server's settings.
func silentRedis(t *testing.T) string {
	server := enginetest.StartRedis(t, "appendonly=yes", "appendfsync=everysec")
	if _, err := server.Ask(t, "ACL", "SETUSER", "default", "-config"); err != nil {
		t.Fatal(err)
	}
	return server.Store()
}

func TestExamine_TellsWhereCommitsAreNotOnDisk(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ url, want string }{
		"postgres":         {enginetest.StartPostgres(t, "fsync=off").URL, "fsync = off"},
		"postgres, safe":   {enginetest.StartPostgres(t, "fsync=on", "synchronous_commit=off").URL, ""},
		"mariadb":          {enginetest.StartMariaDB(t, "innodb_flush_log_at_trx_commit=2").Database(t), "innodb_flush_log_at_trx_commit = 2"},
		"mariadb, default": {enginetest.StartMariaDB(t, "innodb_flush_log_at_trx_commit=1").Database(t), ""},
		"redis":            {enginetest.StartRedis(t, "appendonly=yes", "appendfsync=everysec").Store(), "appendfsync = everysec"},
		"redis, no file":   {enginetest.StartRedis(t, "appendonly=no").Store(), "appendonly = no"},
		"redis, safe":      {enginetest.StartRedis(t, enginetest.Durable...).Store(), ""},
		"redis, silent":    {silentRedis(t), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if e, err := connect.Examine(t.Context(), test.url); err != nil || e.Lazy != test.want {
				t.Errorf("%+v, %v; want %q", e, err, test.want)
			}
		})
	}
}
