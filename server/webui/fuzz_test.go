package webui

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store/memory"
)

// FuzzPages is of addresses and forms: no page fails, whatever they say.
func FuzzPages(f *testing.F) {
	m := editlock.NewManager(memory.New(nil), nil)
	f.Cleanup(func() { _ = m.Close() })
	if _, err := m.Capture(editlock.WithOwner(context.Background(), editlock.Owner{Session: "s"}), editlock.ID{ID: "1"}, nil); err != nil {
		f.Fatal(err)
	}
	h := New(m, &Options{Logger: slog.New(slog.DiscardHandler)})
	pages := []string{"/", "/ui/lock", "/ui/person", "/ui/history", "/ui/me", "/ui/confirm", "/ui/act", "/ui/tree"}
	for i := range uint8(8) {
		for _, seed := range []string{
			"", "q=x&group=a&sort=since&after=1", "after=%ff&sort=until", "id=1&group=&mode=", "person=u:x", "person=s:", "cursor=AAAA", "lang=ru", "lang=xx&to=//evil.example",
			"lock=1+1&do=release", "lock=%2F%2F1+1&lock=x&do=takeover&reason=so", "%zz", "name=%00", "from=2025-11-22&to=x", "open=%2F&open=%2F%2F&page=%2F+2&page=+9", "open=a%2Fb%2Fc%23&open=%23",
		} {
			f.Add(i, seed)
		}
	}
	f.Fuzz(func(t *testing.T, page uint8, query string) {
		at := pages[int(page)%len(pages)]
		r := httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost"+at, nil)
		if at == "/ui/confirm" || at == "/ui/act" {
			r = httptest.NewRequestWithContext(t.Context(), "POST", "http://localhost"+at, strings.NewReader(query))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		} else {
			r.URL.RawQuery = query
		}
		r.Header.Set("Cookie", "editlock_session=s")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%s %q is answered with %d %s", at, query, w.Code, w.Body)
		}
		if to := w.Header().Get("Location"); to != "" {
			here, _ := url.Parse("http://localhost/below" + at) // a proxy's prefix
			if there, err := here.Parse(strings.ReplaceAll(to, `\`, "/")); err != nil || there.Host != here.Host || !strings.HasPrefix(there.Path, "/below/") {
				t.Fatalf("%s %q leads away, to %q", at, query, to)
			}
		}
	})
}

func FuzzParseTarget(f *testing.F) {
	f.Add("a/b/1 7")
	f.Add(" 0")
	f.Fuzz(func(t *testing.T, text string) {
		one, err := parseTarget(text)
		if err != nil {
			return
		}
		if again, err := parseTarget(one.String()); err != nil || again != one {
			t.Fatalf("%q is %+v, and that is %+v, %v", text, one, again, err)
		}
	})
}
