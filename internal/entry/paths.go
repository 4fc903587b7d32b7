package entry

import (
	"net/http"
	"strings"
)

// Root is the server's root, relative to the address of a request: "./" for
// /docs, "../" for /ui/history. A proxy may serve this server below a prefix that
// it cuts off before it passes requests on. Only the browser knows that prefix, and
// relative addresses keep it: nothing that a request says of it need be believed.
func Root(r *http.Request) string {
	if depth := strings.Count(r.URL.EscapedPath(), "/") - 1; depth > 0 {
		return strings.Repeat("../", depth)
	}
	return "./"
}

// At is the address of a page of this server, such as /ui/history, relative to
// the address of a request.
func At(r *http.Request, page string) string { return Root(r) + strings.TrimPrefix(page, "/") }

// Redirect has a browser open a page of this server, by GET. Unlike
// [http.Redirect] it keeps the address relative.
func Redirect(w http.ResponseWriter, r *http.Request, page string) {
	w.Header().Set("Location", At(r, page))
	w.WriteHeader(http.StatusSeeOther)
}
