package entry

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOwnPages_ServesTheServersOwnPagesForEveryMethod(t *testing.T) {
	const (
		served   = http.StatusNoContent
		refused  = http.StatusForbidden
		anewPage = http.StatusOK
	)
	h := OwnPages(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(served) }))
	for _, test := range []struct {
		name      string
		header    map[string]string
		get, post int
	}{
		{"no browser", nil, served, served},
		{"the browser's user", map[string]string{"Sec-Fetch-Site": "none"}, served, served},
		{"a page of this origin", map[string]string{"Sec-Fetch-Site": "same-origin"}, served, served},
		{"a page of this origin in an old browser", map[string]string{"Origin": "http://example.com"}, served, served},
		{"another site's page", map[string]string{"Sec-Fetch-Site": "cross-site"}, refused, refused},
		{"another port's page", map[string]string{"Sec-Fetch-Site": "same-site"}, refused, refused},
		{"another site's page in an old browser", map[string]string{"Origin": "https://evil.example"}, refused, refused},
		{"a sandboxed frame", map[string]string{"Origin": "null"}, refused, refused},
		{"a word of a later browser", map[string]string{"Sec-Fetch-Site": "neighbour"}, refused, refused},
		{"another site's link", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, anewPage, refused},
		{"another site's frame", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, refused, refused},
		{"another site's stream", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, refused, refused},
	} {
		for method, want := range map[string]int{"GET": test.get, "HEAD": test.get, "POST": test.post, "DELETE": test.post, "OPTIONS": test.post} {
			r := httptest.NewRequestWithContext(t.Context(), method, "http://example.com/ui/lock?id=a%2Fb&x=%22%3E", nil)
			for name, value := range test.header {
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != want {
				t.Errorf("%s, %s: %d, want %d", test.name, method, w.Code, want)
			}
			if w.Code == anewPage && !strings.Contains(w.Body.String(), `<meta http-equiv="refresh" content="0">`) {
				t.Errorf("%s leads to %s", test.name, w.Body)
			}
		}
	}
	if r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil); true {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Origin", "https://app.example")
		if Own(r) || !Own(r, "https://app.example") || Own(r, "https://app.example.evil") {
			t.Error("of other origins only those named count as own")
		}
	}
}

func TestRoutes_ServeAPathOnlyAsItIsWritten(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ui/lock", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	h := Routes(mux, nil)
	for at, want := range map[string]int{
		"/ui/lock": http.StatusNoContent, "/ui/lock?id=%6c": http.StatusNoContent,
		"/ui/%6cock": http.StatusNotFound, "/ui/%6Cock": http.StatusNotFound, "/%75i/lock": http.StatusNotFound,
		"/ui%2flock": http.StatusNotFound, "/ui/%2e/lock": http.StatusNotFound, "/ui/x/%2E%2E/lock": http.StatusNotFound,
		"//ui/lock": http.StatusNotFound, "/ui//lock": http.StatusNotFound, "/ui/lock/": http.StatusNotFound, "/ui/lock%2F": http.StatusNotFound,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "http://example.com"+at, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", at, w.Code, want)
		}
	}
}
