package demo_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/examples/demo"
	"github.com/editlock/editlock/internal/wire"
)

const editorPath = "/demo/documents/contract-2417"

func TestPages(t *testing.T) {
	d := open(t)

	t.Run("ask a stranger who they are, and then lead on", func(t *testing.T) {
		b := d.browser(t, "")
		if page := b.get(editorPath).body; !strings.Contains(page, `name="next" value="`+editorPath+`"`) {
			t.Errorf("got %s", page)
		}
		r := b.enter("  Anna \t Petrova ", editorPath)
		if r.url.Path != editorPath || !strings.Contains(r.body, `data-name="Anna Petrova"`) {
			t.Errorf("at %s: %.500s", r.url, r.body)
		}
	})

	t.Run("lead nowhere else", func(t *testing.T) {
		for _, next := range []string{"https://example.com/", "//example.com/", "/v1/mutexes", "/demo/documents/../../x", `/demo/documents/"`} {
			if r := d.browser(t, "").enter("x", next); r.url.Path != "/demo/" {
				t.Errorf("%s leads to %s", next, r.url)
			}
		}
	})

	t.Run("refuse a name that is none", func(t *testing.T) {
		for _, name := range []string{"", "  ", strings.Repeat("я", 61), "a\x00b", "\xff"} {
			r := d.browser(t, "").enter(name, "")
			if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "1 to 60 characters") {
				t.Errorf("%q: %d", name, r.status)
			}
		}
	})

	t.Run("keep the session when the name changes", func(t *testing.T) {
		b := d.browser(t, "Ivanov")
		if session := between(t, b.enter("Sidorov", "").body, `data-session="`, `"`); session != b.owner.Session {
			t.Errorf("%s became %s", b.owner.Session, session)
		}
	})

	t.Run("show what people wrote as text", func(t *testing.T) {
		const probe = `"><script>alert(1)</script>`
		page := d.browser(t, "").enter(probe, editorPath).body
		if strings.Contains(page, probe) || !strings.Contains(page, "&lt;script&gt;") {
			t.Error("the name is markup")
		}
	})

	t.Run("know no other document", func(t *testing.T) {
		b := d.browser(t, "Ivanov")
		if r := b.get("/demo/documents/contract-1"); r.url.Path != "/demo/" {
			t.Errorf("leads to %s", r.url)
		}
		if r := b.get("/demo/api/documents/contract-1"); r.status != http.StatusNotFound || r.problem(t).Code != wire.NotFound {
			t.Errorf("answers %d %s", r.status, r.body)
		}
	})

	t.Run("send an assistant, whom only a person sends away", func(t *testing.T) {
		b := d.browser(t, "Anna Petrova")
		if r := b.do("POST", "/demo/assistant", ""); r.url.Path != "/demo/documents/price-list-12" {
			t.Errorf("leads to %s", r.url)
		}
		id := editlock.ID{Group: "demo", Mode: "price-list", ID: "12"}
		_, m, err := d.locker.Request(editlock.WithoutOwner(t.Context()), id)
		if err != nil || m.Owner.Kind != editlock.Agent || m.Owner.OnBehalfOf != "Anna Petrova" || m.Owner.Name != "Assistant" {
			t.Fatalf("held by %+v: %v", m.Owner, err)
		}
		if _, err := d.locker.Takeover(editlock.WithOwner(t.Context(), b.owner), id, m.Token, "why not", nil); err != nil {
			t.Error(err)
		}
		if r := d.browser(t, "").do("POST", "/demo/assistant", ""); r.url.Path != "/demo/" {
			t.Errorf("a stranger's leads to %s", r.url)
		}
		if r := b.do("POST", "/demo/assistant", "", "Sec-Fetch-Site", "cross-site"); r.status != http.StatusForbidden {
			t.Errorf("of another site: answers %d", r.status)
		}
	})

	t.Run("let no other site act", func(t *testing.T) {
		if r := d.browser(t, "Ivanov").enter("x", "", "Sec-Fetch-Site", "cross-site"); r.status != http.StatusForbidden {
			t.Errorf("answers %d", r.status)
		}
	})

	t.Run("load from their own server only", func(t *testing.T) {
		r := d.browser(t, "Ivanov").get(editorPath)
		policy := r.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("no %s in %s", want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("unsafe: %s", policy)
		}
		if found := regexp.MustCompile(`(src|href)="(https?:)?//[^"]*"| style="| on\w+="`).FindString(r.body); found != "" {
			t.Errorf("the page has %s", found)
		}
	})

	t.Run("have assets that may be kept", func(t *testing.T) {
		b := d.browser(t, "Ivanov")
		folder := between(t, b.get("/demo/").body, `rel="stylesheet" href="`, "avatar/avatar.css")
		for _, name := range []string{"main.js", "demo.css", "avatar/avatar.css", "avatar/avatar.js", "icon.svg", "fonts/golos-latin.woff2"} {
			r := b.get(strings.TrimPrefix(folder, "..") + name)
			if r.status != http.StatusOK || r.body == "" || !strings.Contains(r.header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %d, %v", name, r.status, r.header)
			}
		}
	})
}

func TestLanguage(t *testing.T) {
	d := open(t)
	language := func(t *testing.T, r reply) string {
		t.Helper()
		return between(t, r.body, `<html lang="`, `"`)
	}
	for accept, want := range map[string]string{
		"": "en", "ru-RU,ru;q=0.9,en;q=0.8": "ru", "en-GB,ru;q=0.5": "en", "de": "en", "de,ru;q=0.5": "ru", ";;;": "en",
	} {
		if got := language(t, d.browser(t, "").get("/demo/", "Accept-Language", accept)); got != want {
			t.Errorf("%q gets %s, want %s", accept, got, want)
		}
	}

	b := d.browser(t, "Ivanov")
	if r := b.get("/demo/?lang=ru&next=" + editorPath); !strings.Contains(r.body, "Поставка офисной мебели") || r.url.RawQuery != "" {
		t.Errorf("at %s: not in Russian", r.url)
	}
	if got := language(t, b.get("/demo/", "Accept-Language", "en")); got != "ru" {
		t.Errorf("the choice is forgotten: %s", got)
	}
	if got := language(t, b.get("/demo/?lang=xx")); got != "ru" {
		t.Errorf("an unknown language replaces the choice: %s", got)
	}
}

func TestIdle(t *testing.T) {
	idle := func(t *testing.T, o *demo.Options) string {
		t.Helper()
		return between(t, openWith(t, o).browser(t, "Ivanov").get(editorPath).body, `data-idle="`, `"`)
	}
	for variable, want := range map[string]string{"": "2m", "5s": "5s", "0s": "2m", "10ms": "2m", "soon": "2m"} {
		t.Setenv(demo.IdleVariable, variable)
		if got := idle(t, nil); got != want {
			t.Errorf("with %q it is %s, want %s", variable, got, want)
		}
	}
	if got := idle(t, &demo.Options{Idle: 7 * time.Second}); got != "7s" {
		t.Errorf("with an option it is %s", got)
	}
}
