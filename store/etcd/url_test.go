package etcd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	type parsed struct {
		Endpoints      []string
		User, Password string
		Prefix         string
		TLS            bool
	}
	for _, c := range []struct {
		url  string
		want parsed
	}{
		{"etcd://127.0.0.1", parsed{Endpoints: []string{"http://127.0.0.1:2379"}, Prefix: "/editlock/"}},
		{"etcd://a:1,b,[::1]:3/", parsed{Endpoints: []string{"http://a:1", "http://b:2379", "http://[::1]:3"}, Prefix: "/editlock/"}},
		{"etcd://a/x/y", parsed{Endpoints: []string{"http://a:2379"}, Prefix: "/x/y/"}},
		{"etcd://u%40h:p%2Fw%3A@a:1,b:2/x?tls=true", parsed{
			Endpoints: []string{"https://a:1", "https://b:2"}, User: "u@h", Password: "p/w:", Prefix: "/x/", TLS: true,
		}},
	} {
		cfg, prefix, err := parse(c.url)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		got := parsed{cfg.Endpoints, cfg.Username, cfg.Password, prefix, cfg.TLS != nil}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.url, diff)
		}
	}
}

func TestParse_Refuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, url, want string }{
		{"another scheme", "http://a", "must begin with etcd://"},
		{"no host", "etcd://", "is no HOST:PORT"},
		{"an empty host in a list", "etcd://a,,b", "is no HOST:PORT"},
		{"a port that is none", "etcd://a:b", "is no HOST:PORT"},
		{"port 0", "etcd://a:0", "is no HOST:PORT"},
		{"a user without a password", "etcd://secret@a", "both a user and a password"},
		{"a password without a user", "etcd://:secret@a", "both a user and a password"},
		{"a password that is not encoded", "etcd://u:secret%@a", "percent-encoded"},
		{"an unknown parameter", "etcd://a?tsl=true", `parameter "tsl"; allowed are tls, ca, cert and key`},
		{"a parameter twice", "etcd://a?tls=true&tls=false", "tls twice"},
		{"tls that is no truth", "etcd://a?tls=yes", "tls must be true or false"},
		{"tls=false with a ca", "etcd://a?tls=false&ca=x", "gives a ca, cert or key"},
		{"a ca that is not there", "etcd://a?ca=/nowhere/ca.pem", "the URL's ca"},
		{"a ca without a certificate", "etcd://a?ca=" + empty, "no certificate"},
		{"a cert without a key", "etcd://a?cert=x", "both cert and key"},
		{"a fragment", "etcd://a/x#y", "no #"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := parse(c.url)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v; want %q", c.url, err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}
