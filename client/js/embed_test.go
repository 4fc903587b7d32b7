package js_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/editlock/editlock/client/js"
)

func TestFiles_AreModulesThatImportTheClientFromBesideThemselves(t *testing.T) {
	files := js.Files()
	if _, err := fs.Stat(files, "editlock.js"); err != nil {
		t.Error(err)
	}
	for name, wants := range map[string]string{"element.js": `from"./editlock.js"`, "presence.js": `from"./editlock.js"`, "element.js ": `import("./presence.js")`, "element.js  ": `import("./diff.js")`, " element.js": `import("./version.js")`, "  element.js": `import("./sections.js")`} {
		module, err := fs.ReadFile(files, strings.TrimSpace(name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(module), wants) {
			t.Errorf("%s has no %s", name, wants)
		}
	}
}

func TestHandler(t *testing.T) {
	h := js.Handler("/editlock/", http.NotFoundHandler())
	get := func(path string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for _, name := range []string{"editlock.js", "element.js", "presence.js", "diff.js", "version.js", "sections.js"} {
		want, err := fs.ReadFile(js.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		plain := get("/editlock/" + name)
		if plain.Code != http.StatusOK || plain.Body.String() != string(want) || plain.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("%s: status %d, type %q, %d bytes", name, plain.Code, plain.Header().Get("Content-Type"), plain.Body.Len())
		}
		if got := plain.Header().Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s is kept as %q, want it asked for each time", name, got)
		}
		tag := plain.Header().Get("ETag")
		if again := get("/editlock/"+name, "If-None-Match", tag); tag == "" || again.Code != http.StatusNotModified {
			t.Errorf("%s again, with the tag %q: status %d, want 304", name, tag, again.Code)
		}
		// Relative, so that it leads there through a proxy, too.
		at := plain.Header().Get("Content-Location")
		kept := get("/editlock/" + at)
		if got := kept.Header().Get("Content-Location"); got != name {
			t.Errorf("%s names itself %q, want %q", at, got, name)
		}
		if kept.Code != http.StatusOK || kept.Body.String() != string(want) || !strings.Contains(kept.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: status %d, kept as %q", at, kept.Code, kept.Header().Get("Cache-Control"))
		}
	}
	for _, path := range []string{"/editlock/", "/editlock/other.js", "/editlock/0123456789ab/element.js", "/editlock/types/index.d.ts", "/element.js"} {
		if got := get(path); got.Code != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, got.Code)
		}
	}
}
