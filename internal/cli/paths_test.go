package cli_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// ask sends a request whose path is as it stands here: clients of net/http
// clean theirs.
func (s *served) ask(t *testing.T, method, path string, header http.Header) answered {
	t.Helper()
	conn, err := net.Dial("tcp", s.at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text := method + " " + path + " HTTP/1.1\r\nHost: " + s.at + "\r\nConnection: close\r\nContent-Length: 0\r\n"
	for name, values := range header {
		text += name + ": " + values[0] + "\r\n"
	}
	if _, err := io.WriteString(conn, text+"\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{status: res.StatusCode, header: res.Header, body: string(body)}
}

// A path that is not exactly one of the server's leads nowhere: a client that
// is sent elsewhere by 307 repeats its body there, and a proxy in front may have
// checked another path than the one served.
func TestPaths_ThatAreNotExactAreProblemsAndNeverRedirects(t *testing.T) {
	d := deploy(t)
	known, metrics, profiles := free(t), free(t), free(t)
	known.run(t, "--config", filepath.Join(d.folder, "8h.toml"), "--metrics", metrics.at, "--pprof", profiles.at)
	unclean := []string{
		"//v1/capture", "/v1/./capture", "/v1/../v1/capture", "/v1//capture", "/./v1/capture", "/v1/capture/", "/v1%2Fcapture", "/v1/%2e/capture",
		"/v1/force%2Drelease", "/v1/%63apture", "/%7631/capture", "/ui/%68istory", "/demo%2F", "/%64emo/", "/auth/log%69n", "/%6detrics",
		"//", "/ui", "//ui/history", "/ui/./history", "/ui/x/../history", "/ui//history", "/ui%2Fhistory",
		"/auth", "//auth/login", "/auth/./login", "/auth/", "/auth/nowhere", "/auth/login/",
		"/demo", "//demo/", "/demo/./documents/1", "/demo/nowhere",
		"//metrics", "/./metrics", "/metrics/", "/nowhere", "/v1/nowhere", "/v1", "/v1/",
		"/debug/pprof", "//debug/pprof/", "/debug/./pprof/",
	}
	for name, s := range map[string]*served{"known callers": known, "an open server": d.open, "--metrics": metrics, "--pprof": profiles} {
		for _, path := range unclean {
			for _, method := range []string{"GET", "POST", "CONNECT", "OPTIONS"} {
				got := s.ask(t, method, path, bearerOf(d.operator))
				if got.status != http.StatusNotFound || got.header.Get("Content-Type") != "application/problem+json" ||
					!strings.Contains(got.body, `"not_found"`) || got.header.Get("Location") != "" {
					t.Errorf("%s: %s %s: %d %s to %q: %.100s", name, method, path, got.status, got.header.Get("Content-Type"), got.header.Get("Location"), got.body)
				}
			}
		}
	}
	for _, test := range []struct {
		s                   *served
		method, path, allow string
	}{
		{known, "POST", "/metrics", "GET, HEAD"},
		{known, "PUT", "/metrics", "GET, HEAD"},
		{d.open, "POST", "/metrics", "GET, HEAD"},
		{metrics, "POST", "/metrics", "GET, HEAD"},
		{profiles, "POST", "/debug/pprof/profile", "GET, HEAD"},
		{known, "GET", "/auth/logout", "POST"},
		{known, "POST", "/auth/login", "GET, HEAD"},
		{known, "GET", "/v1/capture", "POST"},
		{known, "POST", "/v1/mutexes", "GET"},
		{d.open, "DELETE", "/demo/", "GET, HEAD"},
	} {
		got := test.s.ask(t, test.method, test.path, bearerOf(d.operator))
		if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != test.allow ||
			got.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(got.body, `"method_not_allowed"`) {
			t.Errorf("%s %s: %d, Allow %q, %.100s", test.method, test.path, got.status, got.header.Get("Allow"), got.body)
		}
	}
	for _, test := range []struct{ method, path, allow string }{
		{"POST", "/", "GET, HEAD"}, {"PUT", "/ui/history", "GET, HEAD"}, {"GET", "/ui/act?do=release", "POST"},
	} {
		got := d.open.ask(t, test.method, test.path, nil)
		if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != test.allow || !strings.Contains(got.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s %s: %d, Allow %q, %s", test.method, test.path, got.status, got.header.Get("Allow"), got.header.Get("Content-Type"))
		}
	}
	// The folders of pages' files are no pages.
	page := d.open.ask(t, "GET", "/", nil).body
	_, folder, _ := strings.Cut(page, `href="./ui/assets/`)
	folder, _, _ = strings.Cut(folder, "/")
	for _, path := range []string{"", "/", "/fonts", "/fonts/", "/index.html"} {
		if got := d.open.ask(t, "GET", "/ui/assets/"+folder+path, nil); folder == "" || got.status != http.StatusNotFound {
			t.Errorf("/ui/assets/%s%s: %d to %q: %.100s", folder, path, got.status, got.header.Get("Location"), got.body)
		}
	}
}
