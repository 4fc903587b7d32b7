package entry

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/editlock/editlock/internal/wire"
)

// ForeignPage is why a request is refused that Own does not report.
const ForeignPage = "another site's page made your browser send this"

// everyMethod treats a request as one that changes something.
var everyMethod = http.NewCrossOriginProtection()

// Own reports whether a request comes from a page of the server's own origin,
// from one of others, from the browser's user or from a program. All else comes
// from another site's page, which must use up and trigger nothing in the name of
// the browser's user, whatever the method: a stream of events is a GET, too.
// Browsers tell by Sec-Fetch-Site, older ones by Origin.
func Own(r *http.Request, others ...string) bool {
	asked := http.Request{Method: http.MethodPost, Host: r.Host, URL: r.URL, Header: r.Header}
	return everyMethod.Check(&asked) == nil || slices.Contains(others, r.Header.Get("Origin"))
}

// Visit reports whether a browser opens a page of the server in a tab or window,
// as it does for a link. Of the answer the page with the link sees nothing.
func Visit(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// OwnPages serves next to requests that are Own. It refuses those of other sites'
// pages, but for a Visit, which it answers with a page that opens the same address
// again, as a page of the server's own.
func OwnPages(next http.Handler) http.Handler {
	return OwnPagesOr(next, RefuseForeign)
}

// RefuseForeign answers a request of another site's page. A reader may open the
// same address from here.
func RefuseForeign(w http.ResponseWriter, r *http.Request) {
	n := Notice{Status: http.StatusForbidden, Key: "page.foreign"}
	if r.Method == http.MethodGet {
		n.Ways = []Way{{Key: "page.open"}}
	}
	refuse(w, r, wire.NewProblem(wire.Forbidden, ForeignPage), n)
}

// RefuseHost answers a request by a name that is not this machine's, on an
// address that only this machine can reach.
func RefuseHost(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, wire.NewProblem(wire.Forbidden, fmt.Sprintf("%.100q is not this machine; call it localhost or 127.0.0.1", r.Host)),
		Notice{Status: http.StatusForbidden, Key: "page.host"})
}

// OwnPagesOr is OwnPages with a refusal of the caller's own.
func OwnPagesOr(next http.Handler, refuse http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case Own(r):
			next.ServeHTTP(w, r)
		case Visit(r):
			Arrive(w, r)
		default:
			refuse(w, r)
		}
	})
}

// Arrive answers a Visit by a page that opens its address again. Nothing in the
// page depends on who opens it.
func Arrive(w http.ResponseWriter, r *http.Request) {
	Notice{Status: http.StatusOK, Key: "page.arrive", Opens: true, Ways: []Way{{Key: "page.open"}}}.Write(w, r)
}
