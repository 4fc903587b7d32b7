package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/cli"
)

// A secret is never shown, however a store's URL is mistyped: it would stand in
// logs, in bug reports and on screens. The text in the middle is what a reader
// would recognise; each form has one.
const secret = "s3cr3tX"

// oddStores are stores with a secret in a place that somebody may think right.
// Nothing listens at their addresses.
var oddStores = []string{
	"host=127.0.0.1 password=" + secret,
	"host=127.0.0.1 PASSWORD='" + secret + "' dbname=locks",
	"postgres:host=127.0.0.1 password=" + secret,
	"u:" + secret + "@127.0.0.1",
	"//u:" + secret + "@127.0.0.1",
	":" + secret + "@127.0.0.1:6379",
	secret + "@127.0.0.1",
	"POSTGRES://u:" + secret + "@127.0.0.1:1/locks",
	"Postgres://127.0.0.1:1/locks?password=" + secret,
	"pg://u:" + secret + "@127.0.0.1/locks",
	"jdbc:postgresql://127.0.0.1/locks?user=u&password=" + secret,
	"postgres//u:" + secret + "@127.0.0.1/locks",
	"postgres:/u:" + secret + "@127.0.0.1/locks",
	"postgres://u:" + secret + "@127.0.0.1:1/locks",
	"mysql://u:" + secret + "@127.0.0.1:1/locks",
	"mysql://u:" + secret + "@127.0.0.1:1/",
	"mysql://u:" + secret + "@127.0.0.1:1/locks?password=" + secret,
	"mysql://u:" + secret,
	"mysql://u:" + secret + "/locks",
	"mysql://u:" + secret + "@127.0.0.1:port/locks",
	"mysql:u:" + secret + "@tcp(127.0.0.1:1)/locks",
	"u:" + secret + "@tcp(127.0.0.1:1)/locks",
	"postgres://u:" + secret + "/more@127.0.0.1:1/locks",
	"postgres://u:more/" + secret + "@127.0.0.1:1/locks",
	"postgres://u:1/" + secret + "@127.0.0.1:1/locks",
	"postgres://u:1?" + secret + "@127.0.0.1:1/locks",
	"postgres://u:1#" + secret + "@127.0.0.1:1/locks",
	"postgres://u:%zz" + secret + "@127.0.0.1:1/locks",
	"postgres://u:" + secret + "%zz@127.0.0.1:1/locks",
	"postgres://u:" + secret + "@127.0.0.1:port/locks",
	"postgres://u:" + secret,
	"postgres://127.0.0.1:1/locks?password=" + secret,
	"postgres://127.0.0.1:1/locks?PASSWORD=" + secret,
	"postgres://127.0.0.1:1/locks?pass%77ord=" + secret,
	"postgres://127.0.0.1:1/locks?pass%zzword=" + secret,
	"postgres://127.0.0.1:1/locks?PASSWORD=" + secret + "&sslmode=bad",
	"postgres://127.0.0.1:1/locks?pass%77ord=" + secret + "&pool_max_conns=x",
	"postgres://127.0.0.1:1/locks?pwd=" + secret + "&connect_timeout=x",
	"postgres://127.0.0.1:1/locks?sslmode=disable;password=" + secret,
	"postgres://127.0.0.1:1/locks?sslmode=disable&password=" + secret + "=",
	"postgres://127.0.0.1:1/locks?sslmode=disable&" + secret,
	"postgres://127.0.0.1:1/locks?sslmode=disable&user=a@b&password=" + secret,
	"postgres://127.0.0.1:1/locks#password=" + secret,
	"postgres://127.0.0.1:1/locks?listen_url=postgres%3A%2F%2Fu%3A" + secret + "%40127.0.0.1%3Ax%2Fl",
	"postgres://127.0.0.1:1/locks?listen_url=host%3Dh+PASSWORD%3D" + secret + "+port%3Dx",
	"postgres://127.0.0.1:1/locks?LISTEN_URL=postgres://u:" + secret + "@127.0.0.1:x/l",
	"redis://:" + secret + "@127.0.0.1:1",
	"redis://" + secret + "@127.0.0.1:1",
	"redis://u:" + secret + "/more@127.0.0.1:1",
	"redis://u:1/" + secret + "@127.0.0.1:1",
	"redis://u:1?" + secret + "@127.0.0.1:1",
	"redis://u:" + secret + "@127.0.0.1:1/db",
	"redis://u:" + secret,
	"redis://u:" + secret + "%zz@127.0.0.1:1",
	"redis://127.0.0.1:1?password=" + secret,
	"redis://127.0.0.1:1?a=%zz" + secret,
	"redis:127.0.0.1:1,password=" + secret,
	"rediss://u:" + secret + "@127.0.0.1:1?prefix={",
	"etcd://u:" + secret + "@127.0.0.1:1/locks",
	"etcd://u:" + secret + "/more@127.0.0.1:1/locks",
	"etcd://u:1/" + secret + "@127.0.0.1:1/locks",
	"etcd://" + secret + "@127.0.0.1:1/locks",
	"etcd://u:" + secret,
	"etcd://127.0.0.1:1/locks?password=" + secret,
	"etcd://127.0.0.1:1/locks?tls=true;password=" + secret,
	"http://u:" + secret + "@127.0.0.1:1",
	"http://u:" + secret + "@127.0.0.1:port",
	"http://u:" + secret,
	"HTTP://u:" + secret + "@127.0.0.1:1",
	"https://127.0.0.1:1/?token=" + secret,
	"https://127.0.0.1:1/#" + secret,
	"sqlite://u:" + secret + "@127.0.0.1/locks.db",
	"sqlite:file:locks.db?_auth&_auth_user=u&_auth_pass=" + secret,
	"memory:u:" + secret + "@127.0.0.1",
}

func TestSecrets_AreShownNowhere(t *testing.T) {
	dir := t.TempDir()
	const everyForm = 7 // commands are tried with
	commands := [][]string{
		{"list"},
		{"serve", "--listen", "127.0.0.1:0"},
		{"config"},
		{"doctor", "--listen", "127.0.0.1:0"},
		{"doctor", "--listen", "127.0.0.1:0", "--json"},
		{"backup", filepath.Join(dir, "copy.db")},
		{"restore", filepath.Join(dir, "copy.db")},
		{"capture", "task/1"},
		{"release", "task/1"},
		{"request", "task/1"},
		{"run", "task/1", "--", "true"},
		{"history"},
		{"watch"},
		{"takeover", "task/1", "--reason", "r", "--seen-token", "1"},
		{"force-release", "task/1", "--reason", "r", "--seen-token", "1"},
		{"release-session", "s"},
		{"hand-over", "task/1", "--waiter", "w"},
		{"decline", "task/1", "--waiter", "w"},
		{"config", "--check"},
		{"capture", "task/1", "--json"},
	}
	limit := make(chan struct{}, 16)
	var all sync.WaitGroup
	for at, store := range oddStores {
		for n, words := range commands {
			if n >= everyForm && (at+n)%4 != 0 {
				continue // opened as by list
			}
			all.Go(func() {
				limit <- struct{}{}
				defer func() { <-limit }()
				noSecret(t, append([]string{"--store", store}, words...), "LANG=en_US.UTF-8")
			})
		}
		all.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			noSecret(t, []string{"list"}, "LANG=ru_RU.UTF-8", "EDITLOCK_STORE="+store)
			noSecret(t, []string{"doctor", "--listen", "127.0.0.1:0"}, "LANG=ru_RU.UTF-8", "EDITLOCK_STORE="+store)
			held := filepath.Join(dir, strconv.Itoa(at)+".store")
			if err := os.WriteFile(held, []byte(store), 0o600); err != nil {
				t.Error(err)
			}
			noSecret(t, []string{"list", "--store-file", held}, "LANG=en_US.UTF-8")
			noSecret(t, []string{"list", store}, "LANG=en_US.UTF-8") // the flag's name is forgotten
			noSecret(t, []string{store}, "LANG=en_US.UTF-8")
			file := filepath.Join(dir, strconv.Itoa(at)+".toml")
			if err := os.WriteFile(file, []byte("store = "+strconv.Quote(store)+"\n"), 0o600); err != nil {
				t.Error(err)
			}
			noSecret(t, []string{"config", "--config", file})
			noSecret(t, []string{"serve", "--config", file, "--listen", "127.0.0.1:0"})
		})
	}
	all.Wait()
}

// noSecret runs a command for a moment and looks at what it says.
func noSecret(t *testing.T, args []string, env ...string) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var out, errs bytes.Buffer
	status := cli.Main(ctx, args, strings.NewReader(""), &out, &errs, env)
	for _, said := range []string{out.String(), errs.String()} {
		if strings.Contains(strings.ToLower(said), strings.ToLower(secret)) {
			t.Errorf("%q with %q, which ended with %d, says: %s", args, env, status, said)
		}
	}
	if out.Len()+errs.Len() == 0 {
		t.Errorf("%q with %q, which ended with %d, says nothing", args, env, status)
	}
}
