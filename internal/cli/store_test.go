package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/editlock/editlock/internal/cli"
)

// The URL of a store may come from where other users of the machine do not see
// a password in it.
func TestStore_ComesFromAFlagAFileOrTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	held := "sqlite:" + filepath.Join(dir, "locks.db")
	good, blank, two := write("good", held+"\r\n"), write("blank", "\n"), write("two", "redis://:"+secret+"@h\nredis://:"+secret+"@g\n")
	conf := write("editlock.toml", `store = "memory:"`)
	password := "redis://:" + secret + "@127.0.0.1:1"
	const warns = "--store may have a password"
	for _, tt := range []struct {
		name      string
		args, env []string
		status    int
		out, errs string // a part of each; empty errs: nothing is said
	}{
		{"a capture by a file", []string{"capture", "task/1", "--session", "s", "--store-file", good}, nil, 0, "", ""},
		{"the file of a flag", []string{"list", "--store-file", good}, nil, 0, "task/1", ""},
		{"the file of a variable", []string{"list"}, []string{"EDITLOCK_STORE_FILE=" + good}, 0, "task/1", ""},
		{"a URL before the variables", []string{"list", "--store", held}, []string{"EDITLOCK_STORE=memory:", "EDITLOCK_STORE_FILE=" + blank}, 0, "task/1", ""},
		{"a file before the variables", []string{"list", "--store-file", good}, []string{"EDITLOCK_STORE=memory:", "EDITLOCK_STORE_FILE=" + blank}, 0, "task/1", ""},
		{"what serve is told by a file", []string{"config", "--store-file", good, "--config", conf}, nil, 0, held + "' # --store-file", ""},
		{"what serve is told by a variable", []string{"config", "--config", conf}, []string{"EDITLOCK_STORE_FILE=" + good}, 0, held + "' # EDITLOCK_STORE_FILE", ""},
		{"both flags", []string{"list", "--store", held, "--store-file", good}, nil, 2, "", "--store and --store-file are both given"},
		{"both variables", []string{"list"}, []string{"EDITLOCK_STORE=" + held, "EDITLOCK_STORE_FILE=" + good}, 2, "", "EDITLOCK_STORE and EDITLOCK_STORE_FILE are both given"},
		{"no file", []string{"list", "--store-file", "nowhere"}, nil, 1, "", "--store-file: nowhere"},
		{"a folder", []string{"list", "--store-file", dir}, nil, 1, "", "must be a regular file"},
		{"an empty file", []string{"list", "--store-file", blank}, nil, 1, "", "must hold the URL of a store, in one line"},
		{"two lines", []string{"list", "--store-file", two}, nil, 1, "", "must hold the URL of a store, in one line"},
		{"a command without a store", []string{"version"}, []string{"EDITLOCK_STORE_FILE=nowhere"}, 0, "editlock", ""},
		{"a password on the command line", []string{"config", "--store", password}, nil, 0, "", warns},
		{"a password in a file", []string{"config", "--store-file", write("password", password)}, nil, 0, "", ""},
		{"a password in a variable", []string{"config"}, []string{"EDITLOCK_STORE=" + password}, 0, "", ""},
		{"a user without a password", []string{"config", "--store", "postgres://anna@127.0.0.1/locks?sslmode=disable&listen_url=postgres%3a%2F%2Fh%2Fl"}, nil, 0, "", ""},
		{"in the other language", []string{"config", "--store", password}, []string{"LANG=ru_RU.UTF-8"}, 0, "", "может быть пароль"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			status := cli.Main(t.Context(), tt.args, strings.NewReader(""), &out, &errs, append([]string{"LANG=en_US.UTF-8"}, tt.env...))
			if status != tt.status || !strings.Contains(out.String(), tt.out) || !strings.Contains(errs.String(), tt.errs) || tt.errs == "" && errs.Len() > 0 {
				t.Errorf("status %d, says %s%s", status, out.String(), errs.String())
			}
			if strings.Contains(out.String()+errs.String(), secret) {
				t.Errorf("it shows the password: %s%s", out.String(), errs.String())
			}
		})
	}
	t.Run("doctor looks at the file", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			return // it keeps no modes
		}
		if err := os.Chmod(good, 0o604); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		cli.Main(t.Context(), []string{"doctor", "--listen", "127.0.0.1:0", "--store-file", good}, strings.NewReader(""), &out, &out, []string{"LANG=en_US.UTF-8"})
		if !strings.Contains(out.String(), "error    store_file: "+good) {
			t.Errorf("got %s", out.String())
		}
	})
}
