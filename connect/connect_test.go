package connect_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

var doc = editlock.ID{Mode: "document", ID: "42"}

// open opens a Locker or fails the test.
func open(t *testing.T, url string) editlock.Locker {
	t.Helper()
	l, err := connect.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatalf("Open(%q): %v", url, err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestOpen_CapturesOnEveryKindOfStore(t *testing.T) {
	m := editlock.NewManager(memory.New(nil), nil)
	server := httptest.NewServer(httpapi.New(m, nil))
	t.Cleanup(func() {
		server.Close()
		_ = m.Close()
	})
	for name, url := range map[string]string{
		"memory":                    "memory:",
		"a file":                    "sqlite:" + filepath.Join(t.TempDir(), "a b%20c?d=e#f.db"),
		"a file with three slashes": "sqlite://" + filepath.Join(t.TempDir(), "editlock.db"),
		"a server":                  server.URL,
		"a server with a slash":     server.URL + "/",
	} {
		t.Run(name, func(t *testing.T) {
			l := open(t, url)
			if _, err := l.Capture(t.Context(), doc, nil); err != nil {
				t.Fatal(err)
			}
			if released, err := l.Release(t.Context(), doc, editlock.Condition{}); err != nil || !released {
				t.Errorf("Release = %v, %v", released, err)
			}
		})
	}
	t.Run("and the file keeps it", func(t *testing.T) {
		url := "sqlite:" + filepath.Join(t.TempDir(), "editlock.db")
		first, err := connect.Open(t.Context(), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := first.Capture(t.Context(), doc, nil); err != nil {
			t.Fatal(err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		if state, _, err := open(t, url).Request(t.Context(), doc); err != nil || state != editlock.CapturedByMe {
			t.Errorf("Request after a restart = %v, %v", state, err)
		}
	})
}

// A program that outgrows one engine changes one string.
func TestOpen_ReachesEveryDatabase(t *testing.T) {
	t.Parallel()
	for _, engine := range []struct {
		name string
		url  func(t *testing.T) string
	}{
		{"postgres", func(t *testing.T) string { url, _ := enginetest.StartPostgres(t).Schema(t); return url }},
		{"mariadb", func(t *testing.T) string { return enginetest.StartMariaDB(t).Database(t) }},
		{"redis", func(t *testing.T) string { return enginetest.StartRedis(t).Store() }},
		{"etcd", func(t *testing.T) string { return "etcd://" + enginetest.StartEtcd(t).Host + "/" + rand.Text() }},
	} {
		t.Run(engine.name, func(t *testing.T) {
			url := engine.url(t)
			one, other := open(t, url), open(t, url)
			held, err := one.Capture(editlock.WithOwner(t.Context(), editlock.Owner{Session: "a", Name: "Ivanov"}), doc, nil)
			if err != nil {
				t.Fatal(err)
			}
			state, m, err := other.Request(editlock.WithOwner(t.Context(), editlock.Owner{Session: "b"}), doc)
			if err != nil || state != editlock.CapturedByOther || m.Token != held.Token || m.Owner.Name != "Ivanov" {
				t.Errorf("the other sees %v, %+v, %v", state, m, err)
			}
		})
	}
}

func TestOpen_AdjustsTheManager(t *testing.T) {
	opts := &connect.Options{Manager: &editlock.ManagerOptions{
		Permit: func(context.Context, editlock.EventKind, editlock.Owner, editlock.Mutex) error {
			return editlock.ErrForbidden
		},
	}}
	l, err := connect.Open(t.Context(), "memory:", opts)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	held, err := l.Capture(editlock.WithOwner(t.Context(), editlock.Owner{Session: "a"}), doc, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Takeover(editlock.WithOwner(t.Context(), editlock.Owner{Session: "b"}), doc, held.Token, "reason", nil)
	if !errors.Is(err, editlock.ErrForbidden) {
		t.Errorf("Takeover: %v, want ErrForbidden", err)
	}
}

func TestOpen_RefusesOtherURLs(t *testing.T) {
	for _, test := range []struct{ name, url, want string }{
		{"nothing", "", `url "" names no kind of store`},
		{"a bare path", "editlock.db", `url "editlock.db" names no kind of store`},
		{"a bare host", "localhost", "names no kind of store"},
		{"a host and port", "localhost:7117", `url "localhost:7117" names no kind of store that is known`},
		{"another letter case", "Memory:", "names no kind of store that is known"},
		{"memory with a name", "memory:x", "must be just memory:"},
		{"a file without a path", "sqlite:", "names no file; write sqlite:PATH"},
		{"a file without a path, with slashes", "sqlite:///", "can't be opened"},
		{"a file on a host", "sqlite://editlock.db", "has no place for a host in sqlite://editlock.db; write sqlite:PATH"},
		{"SQLite's own memory", "sqlite::memory:", "write sqlite:PATH, or memory:"},
		{"SQLite's own URLs", "sqlite:file:x.db?mode=ro", "write sqlite:PATH, or memory:"},
		{"a NUL", "sqlite:a\x00b", "has a control character at byte 8"},
		{"PostgreSQL without an address", "postgres://u:p@/?x=%zz", "postgres"},
		{"MariaDB without a database", "mysql://u:p@h", "no database"},
		{"MariaDB with a parameter", "mysql://u:p@h/d?a=b", `parameter "a": only tls is allowed`},
		{"Redis without a host", "redis://", "redis"},
		{"etcd without a host", "etcd:///prefix", "etcd"},
		{"HTTP without host", "http://", "names no host"},
		{"HTTP without slashes", "http:7117", "names no host"},
		{"HTTP with a query", "http://h/?a=b", "must end after the path"},
		{"HTTP with a password", "http://u:p@h", "must not hold a user or password"},
		{"a broken port", "http://h:x", "is not a URL"},
		{"another protocol", "ftp://h", "names no kind of store that is known"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := connect.Open(t.Context(), test.url, nil)
			if err == nil {
				_ = l.Close()
				t.Fatal("opened")
			}
			if l != nil {
				t.Errorf("a Locker beside the error: %v", l)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %q, want %q in it", err, test.want)
			}
		})
	}
}

// Nobody who mistypes a URL wants its password in a log.
func TestOpen_ShowsNoPartOfAPassword(t *testing.T) {
	for _, scheme := range []string{"postgres", "mysql", "mariadb", "redis", "rediss", "etcd", "http"} {
		for _, rest := range []string{
			"//root:secret/db", "//root:sec%zzret@h/db", "//root:100%secret@h/db", "//root:secret@h:port/db", "//root:sec ret@h/db",
			"//root@h:secret/db", "//[root:secret@h/db", ":root:secret@h/db",
		} {
			l, err := connect.Open(t.Context(), scheme+":"+rest, nil)
			if err == nil {
				_ = l.Close()
				t.Errorf("%s:%s is opened", scheme, rest)
				continue
			}
			for _, part := range []string{"sec", "ret", "%zz", "%se"} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("%s:%s: the error is %q", scheme, rest, err)
				}
			}
		}
	}
}

// FuzzOpen opens made-up URLs of all kinds but those that it would reach out
// for: files and databases.
func FuzzOpen(f *testing.F) {
	for _, seed := range []string{
		"", "memory:", "memory", "sqlite:", "sqlite://x", "http://127.0.0.1:7117", "https://[::1]:7117/a/", "http://%zz", "etcd://a,b", "HTTP://x", ":", "//", "\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, url string) {
		for _, reaches := range []string{"sqlite:", "postgres", "mysql:", "mariadb:", "redis", "etcd:"} {
			if strings.HasPrefix(url, reaches) {
				return
			}
		}
		l, err := connect.Open(t.Context(), url, nil)
		if err == nil {
			_ = l.Close()
			return
		}
		var bad *editlock.InvalidError
		if !errors.As(err, &bad) || bad.Field != "url" || bad.Problem == "" {
			t.Errorf("Open(%q): %v", url, err)
		}
	})
}

func ExampleOpen() {
	ctx := context.Background()
	locks, err := connect.Open(ctx, "memory:", nil) // or sqlite:locks.db, or http://127.0.0.1:7117
	if err != nil {
		fmt.Println(err)
		return
	}
	defer locks.Close()

	me := editlock.WithOwner(ctx, editlock.Owner{Session: "s-1", Name: "Ivanov"})
	doc := editlock.ID{Mode: "document", ID: "42"}
	if _, err := locks.Capture(me, doc, nil); err != nil {
		fmt.Println(err)
		return
	}
	other := editlock.WithOwner(ctx, editlock.Owner{Session: "s-2", Name: "Petrova"})
	state, m, _ := locks.Request(other, doc)
	fmt.Println(state, "by", m.Owner.Name)
	// Output: CAPTURED_BY_OTHER by Ivanov
}
