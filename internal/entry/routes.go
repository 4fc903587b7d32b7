// Package entry has the rules that all HTTP surfaces of a server share: a path
// is served exactly as it is registered or not at all, and credentials that a
// browser adds by itself count for the server's own pages only.
package entry

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/wire/strictjson"
)

// Server is a handler that knows which paths it serves.
type Server interface {
	http.Handler
	Serves(path string) bool
}

// Routes serves the paths of first, then those of mux, and nothing else. It
// refuses all other requests, with ways for readers, and never redirects: a
// client would repeat its request at another path than the one that a proxy in
// front has let through. first may be nil.
func Routes(mux *http.ServeMux, first Server, ways ...Way) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if first != nil && first.Serves(r.URL.Path) && exact(r.URL) {
			first.ServeHTTP(w, r)
			return
		}
		switch status, allow := Refusal(mux, r); status {
		case http.StatusOK:
			mux.ServeHTTP(w, r)
		case http.StatusMethodNotAllowed:
			w.Header().Set("Allow", allow)
			Refuse(w, r, wire.NewProblem(wire.MethodNotAllowed, fmt.Sprintf("%.200q takes %s, not %.20q", r.URL.Path, allow, r.Method)), ways...)
		default:
			Refuse(w, r, wire.NewProblem(wire.NotFound, fmt.Sprintf("there is nothing at %.200q", r.URL.Path)), ways...)
		}
	})
}

// Refusal is the status by which mux must refuse a request, 200 if it serves it:
// 404, also where mux would redirect, or 405 and the methods that the path takes.
func Refusal(mux *http.ServeMux, r *http.Request) (status int, allow string) {
	if !exact(r.URL) || r.URL.Path == "*" {
		return http.StatusNotFound, ""
	}
	h, pattern := mux.Handler(r)
	if pattern == "" {
		refusal := probe{header: http.Header{}}
		h.ServeHTTP(&refusal, r)
		if refusal.status != http.StatusMethodNotAllowed {
			return http.StatusNotFound, ""
		}
		allow := refusal.header.Get("Allow")
		other := *r
		other.Method, _, _ = strings.Cut(allow, ",")
		if served, _ := Refusal(mux, &other); served != http.StatusOK { // it would add a slash
			return http.StatusNotFound, ""
		}
		return http.StatusMethodNotAllowed, allow
	}
	if _, at, ok := strings.Cut(pattern, " "); ok {
		pattern = at
	}
	if strings.TrimSuffix(pattern, "{$}") == r.URL.Path+"/" {
		return http.StatusNotFound, "" // mux would add the slash
	}
	return http.StatusOK, ""
}

// exact reports whether a path means what it says: without dots, empty parts and
// percent-encoding that it does not need. What compares it before it is decoded, such
// as a rule of a proxy, could take another for it.
func exact(u *url.URL) bool {
	clean := path.Clean(u.Path)
	if clean != "/" && strings.HasSuffix(u.Path, "/") {
		clean += "/"
	}
	return clean == u.Path && u.RawPath == ""
}

// probe keeps the head of an answer.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
func (p *probe) WriteHeader(status int)      { p.status = status }

// problem answers with a problem document.
func problem(w http.ResponseWriter, p *wire.Problem) {
	data, err := strictjson.Append(nil, p)
	if err != nil { // a path that is not UTF-8 can't be sent
		data, _ = strictjson.Append(nil, wire.NewProblem(p.Code, ""))
	}
	head := w.Header()
	head.Set("Content-Type", wire.ProblemType)
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.WriteHeader(p.Status)
	_, _ = w.Write(data)
}
