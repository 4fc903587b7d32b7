// Package js holds the browser client as it is sent to browsers, for Go
// programs that serve it themselves.
package js

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

//go:embed dist/*.js
var dist embed.FS

// Files returns editlock.js, the client; element.js, the <edit-lock> element;
// presence.js, which tells who else looks at a record; and what the element imports
// from beside itself where it is used, such as presence.js. All are ES modules.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	return files
}

// version names the files by their content.
var version = func() string {
	sum := sha256.New()
	names, err := fs.Glob(Files(), "*.js")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for _, name := range names {
		data, err := fs.ReadFile(Files(), name)
		if err != nil {
			panic(err) // it is built in
		}
		_, _ = sum.Write(data) // a hash never fails
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}()

// Handler serves Files below a prefix that ends with a slash. Under their
// plain names browsers ask each time whether they have changed; under
// prefix/VERSION/, which Content-Location tells relative to the address asked,
// they are kept for good. Other paths, versions of another build among them, go to other.
func Handler(prefix string, other http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, found := strings.CutPrefix(r.URL.Path, prefix)
		name, versioned := strings.CutPrefix(name, version+"/")
		if !found || strings.Contains(name, "/") {
			other.ServeHTTP(w, r)
			return
		}
		data, err := fs.ReadFile(Files(), name)
		if err != nil {
			other.ServeHTTP(w, r)
			return
		}
		head := w.Header()
		head.Set("Content-Type", "text/javascript; charset=utf-8")
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("ETag", `"`+version+`"`)
		head.Set("Content-Location", version+"/"+name)
		head.Set("Cache-Control", "no-cache")
		if versioned {
			head.Set("Content-Location", name)
			head.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
	})
}
