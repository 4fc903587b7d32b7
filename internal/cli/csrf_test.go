package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"github.com/editlock/editlock/internal/cli"
)

// member is a browser in which somebody has logged in.
type member struct {
	*http.Client
	url string
}

// logIn starts a server that takes logins of a real provider, and logs in.
func logIn(t *testing.T) *member {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := ln.Addr().String()
	_ = ln.Close()
	m := &member{url: "http://" + at}

	before := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the provider writes there
	t.Cleanup(func() { slog.SetDefault(before) })
	var provider http.Handler
	op := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { provider.ServeHTTP(w, r) }))
	t.Cleanup(op.Close)
	provider = exampleop.SetupServer(op.URL, storage.NewStorageWithClients(storage.NewUserStore(op.URL),
		map[string]*storage.Client{"editlock": storage.WebClient("editlock", "s3cret", m.url+"/auth/callback")}), nil, false)

	folder := t.TempDir()
	for name, text := range map[string]string{
		"client.secret": "s3cret",
		"editlock.toml": fmt.Sprintf(`[login]
issuer = %q
client_id = "editlock"
client_secret_file = "client.secret"
public_url = %q

[[rule]]
everyone = true
rights = ["admin"]
group = "*"
mode = "*"

[limits]
requests_per_second = 0
`, op.URL, m.url),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(ctx, []string{
			"serve", "--config", filepath.Join(folder, "editlock.toml"), "--listen", at, "--store", "memory:",
		}, nil, io.Discard, io.Discard, nil)
	}()
	t.Cleanup(func() {
		stop()
		if status := <-ended; status != 0 {
			t.Errorf("the server ended with status %d", status)
		}
	})
	jar, _ := cookiejar.New(nil)
	m.Client = &http.Client{Jar: jar, Timeout: 30 * time.Second}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if res, err := m.Get(m.url + "/healthz"); err == nil {
			_ = res.Body.Close()
			break
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	_, form := m.send(t, "GET", "/", "", "")
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(form)
	if id == nil {
		t.Fatalf("the provider shows no form: %s", form)
	}
	res, err := m.PostForm(op.URL+"/login/username", url.Values{"id": {id[1]}, "username": {"test-user2"}, "password": {"verysecure"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.Request.URL.Host != at || res.StatusCode != http.StatusOK {
		t.Fatalf("the login ends with %s at %s", res.Status, res.Request.URL)
	}
	return m
}

// send sends a request with the login's cookie, as a page of some site would.
func (m *member) send(t *testing.T, method, path, body, contentType string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, m.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := m.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

// changing are all paths that change something: those that the description of
// the API gives a method other than GET, and those that the sources of the
// pages and of the login do.
func changing(t *testing.T, m *member) []string {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	_, text := m.send(t, "GET", "/openapi.json", "", "")
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for path, methods := range doc.Paths {
		for method := range methods {
			if method != "get" {
				found[path] = true
			}
		}
	}
	inAPI := len(found)
	route := regexp.MustCompile(`"(POST|PUT|PATCH|DELETE) (/[^"]*)"`)
	for _, folder := range []string{"server/webui", "server/auth", "internal/cli"} {
		files, err := filepath.Glob(filepath.Join("..", "..", folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range route.FindAllSubmatch(source, -1) {
				found[string(match[2])] = true
			}
		}
	}
	if inAPI < 9 || !found["/ui/act"] || !found["/auth/logout"] {
		t.Fatalf("this finds not all that there is: %v", found)
	}
	return slices.Sorted(maps.Keys(found))
}

// A browser adds the login's cookie to whatever any page makes it send. (That
// the cookie is SameSite is one more hurdle, which this does not count on.)
func TestLogins_OtherSitesPagesChangeNothing(t *testing.T) {
	m := logIn(t)
	own := []string{"Origin", m.url, "Sec-Fetch-Site", "same-origin"}
	const mutex = `{"mutex":{"group":"docs","id":"1"}}`
	status, body := m.send(t, "POST", "/v1/capture", mutex, "application/json", own...)
	var captured struct {
		Mutex struct {
			Token int `json:"token"`
		} `json:"mutex"`
	}
	if err := json.Unmarshal([]byte(body), &captured); err != nil || status != http.StatusOK {
		t.Fatalf("a page of one's own captures nothing: %d %s", status, body)
	}
	held := func() string {
		t.Helper()
		_, text := m.send(t, "GET", "/v1/mutexes", "", "")
		_, past := m.send(t, "GET", "/v1/history", "", "")
		var list struct{ Mutexes []struct{ Token int } }
		var log struct{ Entries []struct{ Kind string } }
		if json.Unmarshal([]byte(text), &list) != nil || json.Unmarshal([]byte(past), &log) != nil {
			t.Fatalf("no lists: %s %s", text, past)
		}
		return fmt.Sprint(list.Mutexes, log.Entries)
	}
	before := held()
	target := url.QueryEscape(fmt.Sprintf("docs//1 %d", captured.Mutex.Token))
	forms := map[string]string{
		"application/json":                  fmt.Sprintf(`{"mutex":{"group":"docs","id":"1"},"seen_token":%d,"reason":"so"}`, captured.Mutex.Token),
		"text/plain":                        mutex, // as a form or a beacon of any page may be sent, without a question to the server
		"application/x-www-form-urlencoded": "one=" + target + "&lock=" + target + "&reason=so&reasoned=1",
	}
	paths := changing(t, m)
	for _, path := range paths {
		for name, header := range map[string][]string{
			"another site":               {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
			"another host of the domain": {"Origin", "https://evil.localhost", "Sec-Fetch-Site", "same-site"},
			"another port":               {"Origin", "http://127.0.0.1:1", "Sec-Fetch-Site", "same-site"},
			"a site in an old browser":   {"Origin", "https://evil.example"},
			"a sandboxed frame":          {"Origin", "null", "Sec-Fetch-Site", "cross-site"},
			"a page without an origin":   {"Sec-Fetch-Site", "cross-site"},
		} {
			for kind, body := range forms {
				query := ""
				if strings.HasPrefix(path, "/ui/") {
					query = "?do=release"
				}
				if status, answer := m.send(t, "POST", path+query, body, kind, header...); status != http.StatusForbidden {
					t.Errorf("%s of %s by %s: %d %.300s", path, name, kind, status, answer)
				}
			}
			// A link or an image.
			if status, _ := m.send(t, "GET", path, "", "", header...); status != http.StatusMethodNotAllowed && status != http.StatusForbidden {
				t.Errorf("a GET of %s from %s: %d", path, name, status)
			}
		}
	}
	if after := held(); after != before {
		t.Errorf("before: %s, after: %s", before, after)
	}

	slices.SortFunc(paths, func(a, b string) int { return strings.Compare(b, a) }) // the logout last
	for _, path := range paths {
		for _, header := range [][]string{own, {"Sec-Fetch-Site", "same-origin"}, {"Origin", m.url}} {
			kind := "application/json"
			if !strings.HasPrefix(path, "/v1/") {
				kind = "application/x-www-form-urlencoded"
			}
			status, answer := m.send(t, "POST", path, forms[kind], kind, header...)
			if status == http.StatusForbidden || status == http.StatusUnauthorized || status >= 500 {
				t.Errorf("%s of one's own page: %d %.300s", path, status, answer)
			}
		}
	}
}

// A stream of events that another site opens in the reader's name takes one of
// the caller's places, and a page that it loads tells by its size and time.
func TestLogins_OtherSitesPagesReadNothing(t *testing.T) {
	m := logIn(t)
	if status, body := m.send(t, "POST", "/v1/capture", `{"mutex":{"group":"docs","id":"secret"}}`, "application/json"); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	api := []string{
		"/v1/mutexes", "/v1/history", "/v1/events", "/v1/nowhere?", "/metrics",
	}
	pages := []string{"/", "/?q=secret", "/ui/lock?id=docs//secret", "/ui/person?who=u:x", "/ui/history", "/ui/nowhere"}
	for name, header := range map[string][]string{
		"a script":             {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "script"},
		"a fetch":              {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Origin", "https://evil.example"},
		"another port":         {"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"},
		"a frame":              {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"},
		"an old browser":       {"Origin", "https://evil.example"},
		"nothing but the site": {"Sec-Fetch-Site", "cross-site"},
	} {
		for _, path := range append(append([]string{}, api...), pages...) {
			want := http.StatusForbidden
			if path == "/v1/nowhere?" {
				want = http.StatusNotFound
			}
			if status, body := m.send(t, "GET", path, "", "", header...); status != want || strings.Contains(body, "secret<") {
				t.Errorf("%s by %s: %d %.200s", path, name, status, body)
			}
		}
		if status, _ := m.send(t, "GET", "/auth/login", "", "", header...); status != http.StatusForbidden {
			t.Errorf("a login begun by %s: %d", name, status)
		}
	}
	link := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	for _, path := range api[:3] {
		if status, _ := m.send(t, "GET", path, "", "", link...); status != http.StatusForbidden {
			t.Errorf("a link to %s: %d", path, status)
		}
	}
	for _, path := range pages {
		status, body := m.send(t, "GET", path, "", "", link...)
		if status != http.StatusOK || !strings.Contains(body, `<meta http-equiv="refresh" content="0">`) || strings.Contains(body, "Test User2") {
			t.Errorf("a link to %s: %d %.300s", path, status, body)
		}
	}
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"},
		{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"},
		{},
	} {
		if status, body := m.send(t, "GET", "/ui/lock?id=docs//secret", "", "", header...); status != http.StatusOK || !strings.Contains(body, "secret") {
			t.Errorf("a reader's own page, by %v: %d %.200s", header, status, body)
		}
	}
}
