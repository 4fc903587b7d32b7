package cli_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/editlock/editlock"
)

// The addresses beside the server's own ask nobody who they are: they have what
// they are for, for this machine's pages and programs, and nothing else.
func TestSideAddresses_HaveWhatTheyAreForOnly(t *testing.T) {
	d := deploy(t)
	s, metrics, profiles := free(t), free(t), free(t)
	s.run(t, "--config", filepath.Join(d.folder, "8h.toml"), "--metrics", metrics.at, "--pprof", profiles.at)

	foreign := http.Header{"Host": {"rebound.example"}}
	another := http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}
	operator := bearerOf(d.operator)
	for _, test := range []struct {
		name               string
		method, path, body string
		header             http.Header
		metrics, profiles  int
	}{
		{"metrics", "GET", "/metrics", "", nil, 200, 404},
		{"the list of profiles", "GET", "/debug/pprof/", "", nil, 404, 200},
		{"a profile", "GET", "/debug/pprof/goroutine?debug=1", "", nil, 404, 200},
		{"symbols", "GET", "/debug/pprof/symbol", "", nil, 404, 200},
		{"the command line", "GET", "/debug/pprof/cmdline", "", nil, 404, 404},
		{"locks", "GET", "/v1/mutexes", "", operator, 404, 404},
		{"a capture", "POST", "/v1/capture", `{"mutex":{"group":"docs","id":"new"},"owner":{"session":"s"}}`, operator, 404, 404},
		{"events", "GET", "/v1/events", "", operator, 404, 404},
		{"the manager", "GET", "/", "", nil, 404, 404},
		{"a page of the manager", "GET", "/ui/history", "", operator, 404, 404},
		{"a login", "GET", "/auth/login", "", nil, 404, 404},
		{"the documents", "GET", "/openapi.json", "", nil, 404, 404},
		{"readiness", "GET", "/readyz", "", nil, 404, 404},
		{"metrics posted to", "POST", "/metrics", "x=", nil, 405, 404},
		{"symbols posted to", "POST", "/debug/pprof/symbol", "x=", nil, 404, 405},
		{"metrics by a foreign name", "GET", "/metrics", "", foreign, 403, 403},
		{"profiles by a foreign name", "GET", "/debug/pprof/", "", foreign, 403, 403},
		{"metrics for another site's page", "GET", "/metrics", "", another, 403, 403},
		{"profiles for another site's page", "GET", "/debug/pprof/profile?seconds=1", "", another, 403, 403},
		{"another site's form", "POST", "/metrics", "x=", another, 403, 403},
	} {
		for at, want := range map[*served]int{metrics: test.metrics, profiles: test.profiles} {
			got := at.call(t, test.method, test.path, test.body, test.header)
			if got.status != want {
				t.Errorf("%s at --%s: %d, want %d: %.200s", test.name, map[*served]string{metrics: "metrics", profiles: "pprof"}[at], got.status, want, got.body)
			}
			for name := range got.header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s: another site may read it by %s", test.name, name)
				}
			}
		}
	}
}

// Metrics are for those who have the right admin anywhere, and where --metrics
// says so for everybody: they name no people, no mutexes and no groups.
func TestMetrics_NameNobody(t *testing.T) {
	d := deploy(t)
	s := d.servers[0]
	const secret = "zweckverband"
	owner := editlock.Owner{Session: secret + "-session", UserID: secret + "-user", Name: secret + "-name", Login: secret + "-login", Host: secret + "-host"}
	chief := bearerOf(d.token(t, jose.HS256, d.secret, "chief", map[string]any{"sid": secret, "name": secret, "preferred_username": secret}))
	body := func(more string) string {
		return `{"mutex":{"group":"docs","id":"` + secret + `","mode":"` + secret + `"}` + more + `}`
	}
	token := d.hold(t, s, secret, owner)
	for _, call := range [][2]string{
		{"/v1/capture", body("")},
		{"/v1/capture", body(`,"status_data":"` + secret + `"`)},
		{"/v1/release", body("")},
		{"/v1/capture", `{"mutex":{"group":"` + secret + `","id":"1"}}`}, // refused
		{"/v1/nowhere-" + secret, "{}"},
		{"/v1/capture", `{"mutex":{"group":"docs","id":"` + secret + `"}}`}, // in the way
	} {
		s.call(t, "POST", call[0], call[1], chief)
	}
	s.call(t, "POST", "/ui/act?do=takeover", "lock=docs//"+secret+"+"+fmt.Sprint(token)+"&reason="+secret, chief)
	s.call(t, "GET", "/"+secret, "", http.Header{"X-Request-Id": {secret}, "User-Agent": {secret}})
	got := s.call(t, "GET", "/metrics", "", bearerOf(d.operator))
	if got.status != http.StatusOK || !strings.Contains(got.body, "editlock_") {
		t.Fatalf("%d %.300s", got.status, got.body)
	}
	for _, name := range []string{secret, "chief", `"docs"`, "petrov"} {
		if at := strings.Index(got.body, name); at >= 0 {
			t.Errorf("they name %q: %.200s", name, got.body[max(0, at-100):])
		}
	}
}

// Metrics may be for other machines, which the log says; profiles may not.
func TestSideAddresses_ForOtherMachines(t *testing.T) {
	_, port, _ := net.SplitHostPort(free(t).at)
	for _, test := range []struct {
		at    string
		warns bool
	}{{"0.0.0.0:" + port, true}, {"127.0.0.1:" + port, false}} {
		s := free(t)
		var log bytes.Buffer
		t.Run(test.at, func(t *testing.T) { s.runInto(t, &log, "--metrics", test.at) })
		if got := strings.Contains(log.String(), "all who reach"); got != test.warns {
			t.Errorf("it warns: %v, want %v: %s", got, test.warns, log.String())
		}
	}
}
