package entry

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode"
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

// Local is an address of this server that a link or a form has named, such as
// where to go on from a login; "/" in the place of one that leads elsewhere. As
// browsers read addresses, a backslash is a slash, and line ends are nothing; dots
// lead out of the server's own part of a host.
func Local(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") ||
		strings.ContainsFunc(text, func(c rune) bool { return c == '\\' || unicode.IsControl(c) }) {
		return "/"
	}
	if clean := path.Clean(u.Path); clean != u.Path && clean+"/" != u.Path {
		return "/"
	}
	return text
}

// Redirect has a browser open a page of this server, by GET. Unlike
// [http.Redirect] it keeps the address relative.
func Redirect(w http.ResponseWriter, r *http.Request, page string) {
	w.Header().Set("Location", At(r, page))
	w.WriteHeader(http.StatusSeeOther)
}
