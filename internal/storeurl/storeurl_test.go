package storeurl_test

import (
	"net/url"
	"slices"
	"testing"

	"github.com/editlock/editlock/internal/storeurl"
)

func TestRedact(t *testing.T) {
	for store, want := range map[string]string{
		"sqlite:locks.db":                          "sqlite:locks.db",
		"sqlite:///srv/a@b:c?d=e.db":               "sqlite:///srv/a@b:c?d=e.db", // a path
		"sqlite://x:y@z":                           "sqlite://***",
		"sqlite:file:x.db?_auth_pass=s3":           "sqlite:file:***",
		"memory:":                                  "memory:",
		"editlock.db":                              "editlock.db",
		"localhost:7117":                           "localhost:7117",
		"host=db password=s3":                      "***",
		"ann:s3@db":                                "***",
		"POSTGRES://ann:s3@db/locks":               "***",
		"postgres:host=db password=s3":             "postgres:***",
		"postgres://ann:s3cret@db/locks":           "postgres://ann@db/locks",
		"mysql://ann:s3cret@db/locks":              "mysql://ann@db/locks",
		"mariadb://ann@db:3306/locks?tls=true":     "mariadb://ann@db:3306/locks?tls=true",
		"mysql://ann:s3/cr@t@db/locks":             "mysql://***",
		"postgres://ann@db:5432/locks":             "postgres://ann@db:5432/locks",
		"postgres://[::1]:5432,db/locks":           "postgres://[::1]:5432,db/locks",
		"postgres://ann:s3/cr@t@db/locks":          "postgres://***",
		"postgres://ann:s3?cr@db/locks?sslmode=no": "postgres://***",
		"postgres://ann:s3":                        "postgres://***",
		"postgres://db/locks?user=ann&password=s3": "postgres://db/locks?user=ann",
		"postgres://db/l?user=ann&PASSWORD=s3":     "postgres://db/l?user=ann",
		"postgres://db/l?a=b;password=s3":          "postgres://db/l",
		"postgres://a:s3@db/l?listen_url=postgres%3A%2F%2Fa%3As3%40h%2Fl": "postgres://a@db/l?listen_url=postgres%3A%2F%2Fa%40h%2Fl",
		"postgres://db/l?user=ann&pass%77ord=s3":                          "postgres://db/l?user=ann",
		"postgres://db/l?passfile=/etc/pass":                              "postgres://db/l?passfile=/etc/pass",
		"redis://:s3@h:1,i:2/0?prefix=x":                                  "redis://@h:1,i:2/0?prefix=x",
		"redis://s3@h":                                                    "redis://@h",
		"etcd://ann:s3@h:1,i:2/locks":                                     "etcd://ann@h:1,i:2/locks",
		"https://locks.example.org":                                       "https://locks.example.org",
		"https://locks.example.org/?key=s3":                               "https://locks.example.org/",
	} {
		if got := storeurl.Redact(store); got != want {
			t.Errorf("%s: %s, want %s", store, got, want)
		}
	}
}

func TestFiles(t *testing.T) {
	store := "postgres://db/l?sslkey=/a.key&sslrootcert=/ca&passfile=/pass&servicefile=/services" +
		"&listen_url=" + url.QueryEscape("postgres://db/l?sslkey=/b.key&sslcert=/b.crt")
	secrets, public := storeurl.Files(store)
	if want := []string{"/b.key", "/pass", "/services", "/a.key"}; !slices.Equal(secrets, want) {
		t.Errorf("of secrets: %q, want %q", secrets, want)
	}
	if want := []string{"/b.crt", "/ca"}; !slices.Equal(public, want) {
		t.Errorf("others: %q, want %q", public, want)
	}
}
