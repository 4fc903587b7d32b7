package redis

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		url  string
		want address
	}{
		{"redis://localhost", address{hosts: []string{"localhost:6379"}, prefix: "editlock", waitTimeout: time.Second}},
		{"redis://[::1]", address{hosts: []string{"[::1]:6379"}, prefix: "editlock", waitTimeout: time.Second}},
		{
			"redis://ann:p%40ss@10.0.0.1:7000/3?prefix=shop&wait_replicas=2&wait_timeout=250ms",
			address{
				hosts: []string{"10.0.0.1:7000"}, user: "ann", password: "p@ss", db: 3, prefix: "shop", replicas: 2,
				waitTimeout: 250 * time.Millisecond,
			},
		},
		{"redis://a:1,b:2,c:3", address{hosts: []string{"a:1", "b:2", "c:3"}, prefix: "editlock", waitTimeout: time.Second}},
	} {
		got, err := parseURL(c.url)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(address{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.url, diff)
		}
	}
	if a, err := parseURL("rediss://db.example:6380"); err != nil || a.tls == nil || a.tls.ServerName != "db.example" {
		t.Errorf("over TLS: %+v, %v", a.tls, err)
	}
}

func TestParseURL_Refusals(t *testing.T) {
	for url, want := range map[string]string{
		"http://localhost":                      "scheme",
		"redis://":                              "names no host",
		"redis://:se%zzcret@localhost":          "can't be read",
		"redis://:secret@localhost/shop":        "number of a database",
		"redis://:secret@a:1,b:2/1":             "only database 0",
		"redis://localhost?prefix=":             "prefix",
		"redis://localhost?prefix={a}":          "prefix",
		"redis://localhost?prefix=a&prefix=b":   "twice",
		"redis://localhost?wait_replicas=many":  "wait_replicas",
		"redis://localhost?wait_replicas=-1":    "wait_replicas",
		"redis://localhost?wait_timeout=5":      "wait_timeout",
		"redis://localhost?wait_timeout=1us":    "wait_timeout",
		"redis://localhost?prefixes=a":          "known are",
		"redis://:secret@localhost?prefix=%zz;": "parameters",
	} {
		_, err := parseURL(url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: the error is %v; want %q in it, and no password", url, err, want)
		}
	}
}

func TestAtLeast(t *testing.T) {
	for version, want := range map[string]bool{
		"5.0.14": false, "6.0.20": false, "6.2.0": true, "6.10": true, "7.0.15": true, "10.0": true, "": false, "x": false,
	} {
		if got := atLeast(version, 6, 2); got != want {
			t.Errorf("%q is new enough: %v", version, got)
		}
	}
}
