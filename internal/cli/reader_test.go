package cli_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// asReader is what a browser sends that opens a page.
func asReader(language string, more http.Header) http.Header {
	h := more.Clone()
	if h == nil {
		h = http.Header{}
	}
	h.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8")
	h.Set("Accept-Language", language)
	return h
}

// Whatever address a person opens, there is a page in the person's language that
// says what is the matter; a program is answered by a problem document there.
func TestReaders_SeePagesWhereProgramsSeeProblems(t *testing.T) {
	d, keys := deployWithKeys(t)
	known, metrics := free(t), free(t)
	known.run(t, "--config", filepath.Join(d.folder, "8h.toml"), "--metrics", metrics.at)
	keyed := free(t)
	keyed.run(t, "--keys", filepath.Join(d.folder, "keys.json"))
	foreign := http.Header{"Sec-Fetch-Site": {"cross-site"}}
	for _, test := range []struct {
		name         string
		s            *served
		method, path string
		header       http.Header
		status       int
		en, ru       string
		link         string // one that the page has
	}{
		{"no login", keyed, "GET", "/", nil, 401, "no login for people", "нет входа для людей", ""},
		{"no login, deeper", keyed, "GET", "/ui/history", nil, 401, "no login for people", "нет входа для людей", ""},
		{"no login at the metrics", keyed, "GET", "/metrics", nil, 401, "no login for people", "нет входа для людей", ""},
		{"a bad token", keyed, "GET", "/", bearerOf("elk_no"), 401, "does not know you", "не узнал", ""},
		{"not allowed", keyed, "GET", "/metrics", bearerOf(keys["without"]), 403, "not allowed", "не разрешено", `href="./"`},
		{"logged out meanwhile", known, "POST", "/ui/act?do=release", nil, 401, "not logged in", "Вы не вошли", `href="../auth/login?back=%2F"`},
		{"metrics without a login", known, "GET", "/metrics", nil, 401, "not logged in", "Вы не вошли", `href="./auth/login?back=%2Fmetrics"`},
		{"nothing there", known, "GET", "/nope", nil, 404, "nothing here", "ничего нет", `href="./"`},
		{"nothing there, deeper", d.open, "GET", "/no/pe/", nil, 404, "nothing here", "ничего нет", `href="../../"`},
		{"an unclean path", d.open, "GET", "//ui/history", nil, 404, "nothing here", "ничего нет", `href="../../"`},
		{"no such file", d.open, "GET", "/editlock/nope.js", nil, 404, "nothing here", "ничего нет", `href="../"`},
		{"no such page of the demo", d.open, "GET", "/demo/nope", nil, 404, "nothing here", "ничего нет", `href="../demo/"`},
		{"no such page beside the server", metrics, "GET", "/", nil, 404, "nothing here", "ничего нет", ""},
		{"a button's address", known, "GET", "/auth/logout", nil, 405, "can&#39;t be opened", "не открывается", `href="../"`},
		{"another site's form", d.open, "POST", "/demo/person", foreign, 403, "another site", "с другого сайта", ""},
		{"another site's frame", d.open, "GET", "/", foreign, 403, "another site", "с другого сайта", `href=""`},
		{"another site's logout", known, "POST", "/auth/logout", foreign, 403, "another site", "с другого сайта", ""},
		{"a foreign name", d.open, "GET", "/", http.Header{"Host": {"rebound.example"}}, 403, "another name", "другое имя", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for language, want := range map[string]string{"en-GB,en;q=0.9": test.en, "ru-RU,ru;q=0.9,en;q=0.5": test.ru} {
				got := test.s.call(t, test.method, test.path, "", asReader(language, test.header))
				if got.status != test.status || got.header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(got.body, want) {
					t.Errorf("%s: %d %s, want %d and %q: %.2000s", language, got.status, got.header.Get("Content-Type"), test.status, want, got.body)
				}
				for _, part := range []string{`<html lang="` + language[:2] + `">`, "<title>", "<main>", "<h1>", `name="viewport"`, test.link} {
					if !strings.Contains(got.body, part) {
						t.Errorf("%s: the page has no %s", language, part)
					}
				}
				for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
					if got.header.Get(name) != want {
						t.Errorf("%s is %q, want %q", name, got.header.Get(name), want)
					}
				}
				vary := strings.Join(got.header.Values("Vary"), ", ")
				if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(vary, "Accept,") || !strings.Contains(vary, "Accept-Language") {
					t.Errorf("policy %q, Vary %q", policy, vary)
				}
				if test.status == 401 && got.header.Get("WWW-Authenticate") == "" {
					t.Error("a 401 says not how to authenticate")
				}
			}
			for _, accept := range []string{"", "*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0"} {
				header := test.header.Clone()
				if header == nil {
					header = http.Header{}
				}
				header.Set("Accept", accept)
				got := test.s.call(t, test.method, test.path, "", header)
				var problem struct {
					Code   string
					Status int
				}
				err := json.Unmarshal([]byte(got.body), &problem)
				if got.status != test.status || got.header.Get("Content-Type") != "application/problem+json" || err != nil || problem.Code == "" || problem.Status != test.status {
					t.Errorf("Accept %q: %d %s %.200s", accept, got.status, got.header.Get("Content-Type"), got.body)
				}
			}
		})
	}
	// The API is for programs, some of which ask for HTML without being browsers.
	for path, s := range map[string]*served{"/v1/mutexes": keyed, "/v1/nope": keyed, "/v1/capture": d.open} {
		if got := s.call(t, "GET", path, "", asReader("en", nil)); got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, got.status, got.header.Get("Content-Type"))
		}
	}
}

// The reader's choice in the lock manager counts everywhere.
func TestReaders_AreSpokenToInTheLanguageTheyChose(t *testing.T) {
	d := deploy(t)
	for chosen, want := range map[string]string{"ru": "ru", "en": "en", "xx": "en", "": "en"} {
		got := d.open.call(t, "GET", "/nope", "", asReader("en", http.Header{"Cookie": {"editlock_language=" + chosen}}))
		if !strings.Contains(got.body, `<html lang="`+want+`">`) {
			t.Errorf("chosen %q: %.60s", chosen, got.body)
		}
	}
}
