package httpapi

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/editlock/editlock/internal/entry"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
)

// FrontOptions adjusts a front. Nil means defaults.
type FrontOptions struct {
	// Open says that nobody is authenticated behind it. Then only names of this
	// machine are answered to, and no other site's pages, whatever the method: a
	// page can make its own name mean 127.0.0.1 (DNS rebinding), and have a browser
	// send forms and open streams anywhere. A link to a page may be followed.
	Open bool
	// Origins are the sites whose pages may call the API with a token, such as
	// https://app.example.org, exactly. None but the server's own otherwise.
	Origins []string
	// Proxies are whose X-Forwarded-For is believed. Other X-Forwarded- headers
	// are not read at all.
	Proxies []netip.Prefix
	// Logger is told, once for each, of sites whose pages call and are not among
	// Origins. Nil means slog.Default().
	Logger *slog.Logger
}

// front is before everything that a server answers.
type front struct {
	next http.Handler
	opts FrontOptions
	log  *slog.Logger

	mu      sync.Mutex      // guards what follows
	strange map[string]bool // origins that the log has told of
}

// Front returns next behind what all requests go through: an ID (X-Request-Id,
// taken over or made), the caller's address as trusted proxies tell it, CORS,
// and the checks of FrontOptions.Open.
func Front(next http.Handler, o *FrontOptions) http.Handler {
	f := &front{next: next, log: slog.Default(), strange: map[string]bool{}}
	if o != nil {
		f.opts = *o
	}
	if f.opts.Logger != nil {
		f.log = f.opts.Logger
	}
	return f
}

// CheckOrigin refuses what is no origin, such as one with a path, or *.
func CheckOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || origin != u.Scheme+"://"+u.Host || strings.ContainsAny(u.Host, "*@") {
		return fmt.Errorf("%q is not an origin such as https://app.example.org", origin)
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("X-Request-Id")
	if !plausibleID(id) {
		id = rand.Text()
	}
	head := w.Header()
	head["X-Request-Id"] = []string{id}
	if r.TLS != nil {
		head.Set("Strict-Transport-Security", "max-age=31536000")
	}
	ctx := access.WithRequestID(r.Context(), id)
	if len(f.opts.Proxies) > 0 {
		ctx = withAddress(ctx, f.address(r))
	}
	f.tellOfStranger(r)
	if f.opts.Open && !f.trusted(w, r) {
		return
	}
	if len(f.opts.Origins) > 0 && f.crossOrigin(w, r) {
		return
	}
	f.next.ServeHTTP(w, r.WithContext(ctx))
}

// maxStrange bounds how many sites the log tells of: anybody may name one.
const maxStrange = 100

// tellOfStranger logs that another site's page calls, whose browser will not let
// it read the answer. To the page that looks like a server that does not answer.
func (f *front) tellOfStranger(r *http.Request) {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(f.opts.Origins, origin) || CheckOrigin(origin) != nil {
		return
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return
	case "": // an older browser, or no secure context
		if u, err := url.Parse(origin); err != nil || u.Host == r.Host {
			return
		}
	}
	f.mu.Lock()
	told := f.strange[origin] || len(f.strange) == maxStrange
	if !told {
		f.strange[origin] = true
	}
	f.mu.Unlock()
	if !told {
		f.log.Warn("pages of another site call and can't read the answers; add it to origins in [http] if they should", "origin", origin)
	}
}

const maxRequestID = 100

func plausibleID(id string) bool {
	return id != "" && len(id) <= maxRequestID && !strings.ContainsFunc(id, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune("-_.:/+=", c)
	})
}

// address is the last one in X-Forwarded-For that is no proxy of ours. What
// stands before it anybody may have written.
func (f *front) address(r *http.Request) string {
	at := hostOf(r.RemoteAddr)
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !f.isProxy(at) {
			break
		}
		ip, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		at = ip.Unmap().String()
	}
	return at
}

func (f *front) isProxy(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(f.opts.Proxies, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}

// trusted refuses foreign names on a loopback address, and calls that other
// sites' pages make.
func (f *front) trusted(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case onLoopback(r) && !auth.IsLoopback(r.Host):
		entry.RefuseHost(w, r)
	case entry.Own(r, f.opts.Origins...):
		return true
	case entry.Visit(r): // or it might open a stream, as by a prefetch
		entry.Arrive(w, r)
	default:
		entry.RefuseForeign(w, r)
	}
	return false
}

func onLoopback(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && auth.IsLoopback(local.String())
}

const (
	allowedHeaders = "Authorization, Content-Type, Idempotency-Age, Idempotency-Key, Last-Event-ID, Prefer, X-Request-Id"
	exposedHeaders = "Retry-After, X-Request-Id, WWW-Authenticate"
)

// crossOrigin adds what lets a page of a configured site read the answer, and
// answers its browser's question whether it may ask. Cookies never go along:
// such pages have tokens.
func (f *front) crossOrigin(w http.ResponseWriter, r *http.Request) (answered bool) {
	head := w.Header()
	head.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(f.opts.Origins, origin) {
		return false
	}
	head.Set("Access-Control-Allow-Origin", origin)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		head.Set("Access-Control-Expose-Headers", exposedHeaders)
		return false
	}
	head.Set("Access-Control-Allow-Methods", "GET, POST")
	head.Set("Access-Control-Allow-Headers", allowedHeaders)
	head.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
