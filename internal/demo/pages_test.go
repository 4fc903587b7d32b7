package demo_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"editlock/internal/demo"
)

const editorPath = "/demo/documents/contract-2417"

func TestPages(t *testing.T) {
	d := open(t)

	t.Run("ask a stranger who he is, and then lead on", func(t *testing.T) {
		b := d.browser(t, "")
		if _, page := b.get(editorPath); !strings.Contains(page, `name="next" value="`+editorPath+`"`) {
			t.Errorf("got %s", page)
		}
		r, err := b.http.PostForm(d.url+"/demo/person", url.Values{"name": {"  Anna \t Petrova "}, "next": {editorPath}})
		if err != nil {
			t.Fatal(err)
		}
		if page := b.text(r); r.Request.URL.Path != editorPath || !strings.Contains(page, `data-name="Anna Petrova"`) {
			t.Errorf("at %s: %.500s", r.Request.URL, page)
		}
	})

	t.Run("lead nowhere else", func(t *testing.T) {
		for _, next := range []string{"https://example.com/", "//example.com/", "/v1/mutexes", "/demo/documents/../../x", `/demo/documents/"`} {
			r, err := d.browser(t, "").http.PostForm(d.url+"/demo/person", url.Values{"name": {"x"}, "next": {next}})
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Body.Close()
			if r.Request.URL.Path != "/demo/" {
				t.Errorf("%s leads to %s", next, r.Request.URL)
			}
		}
	})

	t.Run("refuse a name that is none", func(t *testing.T) {
		for _, name := range []string{"", "  ", strings.Repeat("я", 61), "a\x00b", "\xff"} {
			b := d.browser(t, "")
			r, err := b.http.PostForm(d.url+"/demo/person", url.Values{"name": {name}})
			if err != nil {
				t.Fatal(err)
			}
			if page := b.text(r); r.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "1 to 60 characters") {
				t.Errorf("%q: %s", name, r.Status)
			}
		}
	})

	t.Run("keep the session when the name changes", func(t *testing.T) {
		b := d.browser(t, "Ivanov")
		r, err := b.http.PostForm(d.url+"/demo/person", url.Values{"name": {"Sidorov"}})
		if err != nil {
			t.Fatal(err)
		}
		if session := between(t, b.text(r), `data-session="`, `"`); session != b.owner.Session {
			t.Errorf("%s became %s", b.owner.Session, session)
		}
	})

	t.Run("show what people wrote as text", func(t *testing.T) {
		const probe = `"><script>alert(1)</script>`
		b := d.browser(t, "")
		r, err := b.http.PostForm(d.url+"/demo/person", url.Values{"name": {probe}, "next": {editorPath}})
		if err != nil {
			t.Fatal(err)
		}
		if page := b.text(r); strings.Contains(page, probe) || !strings.Contains(page, "&lt;script&gt;") {
			t.Error("the name is markup")
		}
	})

	t.Run("know no other document", func(t *testing.T) {
		b := d.browser(t, "Ivanov")
		if r, _ := b.get("/demo/documents/contract-1"); r.Request.URL.Path != "/demo/" {
			t.Errorf("leads to %s", r.Request.URL)
		}
		if r, _ := b.get("/demo/api/documents/contract-1"); r.StatusCode != http.StatusNotFound {
			t.Errorf("answers %s", r.Status)
		}
	})

	t.Run("let no other site act", func(t *testing.T) {
		b := d.browser(t, "Ivanov")
		req, err := http.NewRequestWithContext(t.Context(), "POST", d.url+"/demo/person", strings.NewReader("name=x"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		r, err := b.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if r.StatusCode != http.StatusForbidden {
			t.Errorf("answers %s", r.Status)
		}
	})

	t.Run("load from their own server only", func(t *testing.T) {
		r, page := d.browser(t, "Ivanov").get(editorPath)
		policy := r.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("no %s in %s", want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("unsafe: %s", policy)
		}
		if found := regexp.MustCompile(`(src|href)="(https?:)?//[^"]*"| style="| on\w+="`).FindString(page); found != "" {
			t.Errorf("the page has %s", found)
		}
	})

	t.Run("have assets that may be kept", func(t *testing.T) {
		b := d.browser(t, "Ivanov")
		_, page := b.get("/demo/")
		for _, name := range []string{"main.js", "demo.css", "icon.svg", "fonts/golos-latin.woff2"} {
			r, body := b.get(between(t, page, `rel="stylesheet" href="`, "demo.css") + name)
			if r.StatusCode != http.StatusOK || body == "" || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %s, %v", name, r.Status, r.Header)
			}
		}
	})
}

func TestLanguage(t *testing.T) {
	d := open(t)
	for accept, want := range map[string]string{
		"": "en", "ru-RU,ru;q=0.9,en;q=0.8": "ru", "en-GB,ru;q=0.5": "en", "de": "en", "de,ru;q=0.5": "ru", ";;;": "en",
	} {
		_, page := d.browser(t, "").get("/demo/", "Accept-Language", accept)
		if got := between(t, page, `<html lang="`, `"`); got != want {
			t.Errorf("%q gets %s, want %s", accept, got, want)
		}
	}

	b := d.browser(t, "Ivanov")
	if r, page := b.get(editorPath + "?lang=ru"); !strings.Contains(page, "Поставка офисной мебели") || r.Request.URL.RawQuery != "" {
		t.Errorf("at %s: not in Russian", r.Request.URL)
	}
	if _, page := b.get("/demo/", "Accept-Language", "en"); between(t, page, `<html lang="`, `"`) != "ru" {
		t.Error("the choice is forgotten")
	}
	b.get("/demo/?lang=xx")
	if _, page := b.get("/demo/"); between(t, page, `<html lang="`, `"`) != "ru" {
		t.Error("an unknown language replaces the choice")
	}
}

func TestIdle(t *testing.T) {
	idle := func(t *testing.T, o *demo.Options) string {
		d := openWith(t, o)
		_, page := d.browser(t, "Ivanov").get(editorPath)
		return between(t, page, `data-idle="`, `"`)
	}
	for variable, want := range map[string]string{"": "2m0s", "5s": "5s", "0s": "2m0s", "10ms": "2m0s", "soon": "2m0s"} {
		t.Setenv(demo.IdleVariable, variable)
		if got := idle(t, nil); got != want {
			t.Errorf("with %q it is %s, want %s", variable, got, want)
		}
	}
	if got := idle(t, &demo.Options{Idle: 7 * time.Second}); got != "7s" {
		t.Errorf("with an option it is %s", got)
	}
}
