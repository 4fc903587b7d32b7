// Package httpapi serves an [editlock.Locker] over HTTP: JSON, errors as
// application/problem+json with stable codes, events as server-sent events,
// and a description of it all as OpenAPI 3.1 at /openapi.json, readable at
// /docs.
//
// The OpenAPI document comes from the same Go types that the bodies are read
// into (huma derives it); the reading itself is package strictjson's, which
// names the field that is wrong, refuses names that are unknown or given
// twice, and costs a fraction of huma's validation. See BenchmarkReading.
package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/server/presence"
)

// Options adjusts a Handler. Nil means defaults.
type Options struct {
	// MaxBody is the largest request body in bytes. 0 means 512 KiB: 64 KiB
	// of status data fit even with every byte written as \u00XX.
	MaxBody int64
	// BodyTimeout is how long a body may take to arrive. 0 means 10 s.
	BodyTimeout time.Duration
	// Logger hears of what went wrong inside. Nil means slog.Default().
	Logger *slog.Logger
	// Authenticator finds out who calls, and Access what they may do. Give both
	// or none. Without them a caller who reaches the Handler may act as any owner.
	Authenticator auth.Authenticator
	Access        *access.Control
	// Presence is who looks at which record. Nil: a new one, of this Handler.
	Presence *presence.Board
	// Parts returns what only some callers need, such as an issuer's keys, by
	// name, and what is wrong with it, nil if nothing is. /readyz tells the
	// names and whether they work, to everybody. It must not block.
	Parts func() map[string]error
}

const (
	defaultMaxBody     = 512 << 10
	defaultBodyTimeout = 10 * time.Second
)

// Handler is the HTTP surface of a Locker.
type Handler struct {
	locker editlock.Locker // as the caller in the context may use it
	store  editlock.Locker // as it is
	opts   Options
	routes map[string]route

	draining context.Context
	drain    context.CancelFunc

	streams   atomic.Int64  // that are open
	turns     chan struct{} // of streams that encode an event
	encodings encodings
}

// route is what stands at one path.
type route struct {
	method string
	serve  func(h *Handler, w http.ResponseWriter, r *http.Request) error
	stream bool // writes before it knows how it ends
	public bool // tells nothing that is worth a question who asks
}

// New returns a Handler that serves l.
func New(l editlock.Locker, o *Options) *Handler {
	h := &Handler{locker: l, store: l, turns: make(chan struct{}, runtime.GOMAXPROCS(0)), routes: map[string]route{
		"/openapi.json": {method: http.MethodGet, serve: openAPI, public: true},
		"/docs":         {method: http.MethodGet, serve: docs, public: true},
	}}
	if o != nil {
		h.opts = *o
	}
	if h.opts.MaxBody == 0 {
		h.opts.MaxBody = defaultMaxBody
	}
	if h.opts.BodyTimeout == 0 {
		h.opts.BodyTimeout = defaultBodyTimeout
	}
	if h.opts.Logger == nil {
		h.opts.Logger = slog.Default()
	}
	if h.opts.Presence == nil {
		h.opts.Presence = presence.New(presence.Bounds{}, nil)
	}
	if h.opts.Access != nil {
		h.locker = access.Outside(h.opts.Access.InContext(l))
	}
	h.draining, h.drain = context.WithCancel(context.Background())
	for _, op := range operations() {
		h.routes[op.path] = op.route
	}
	return h
}

// errDraining ends what would outlast the server. Its being ErrUnavailable
// makes a Manager keep the place of those who wait, for their retry.
var errDraining = fmt.Errorf("%w: the server is stopping; ask again with the same Idempotency-Key", editlock.ErrUnavailable)

// Drain makes the server ready to stop: captures that wait are answered with
// code unavailable and Retry-After, event streams end, /readyz fails, and new
// ones of these are refused; all other calls go on. Call it before
// http.Server.Shutdown, which would wait for them. It may be called again.
func (h *Handler) Drain() { h.drain() }

// untilDrained returns a context that ends with ctx or at Drain, then with
// the cause errDraining.
func (h *Handler) untilDrained(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(h.draining, func() { cancel(errDraining) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// Serves reports whether the API has something at a path.
func (h *Handler) Serves(path string) bool {
	_, ok := h.routes[path]
	return ok
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at, ok := h.routes[r.URL.Path]
	ok = ok && r.URL.RawPath == "" // an encoded path is another to what compares it undecoded, as proxies may
	defer func() {
		if cause := recover(); cause != nil {
			h.panicked(w, r, at, cause)
		}
	}()
	serve := at.serve
	head := w.Header()
	head["X-Content-Type-Options"], head["Content-Security-Policy"] = noSniff, loadsNothing
	switch {
	case !ok:
		serve = notFound
	case r.Method != at.method && (r.Method != http.MethodHead || at.method != http.MethodGet || at.stream):
		serve = methodNotAllowed
	case h.opts.Authenticator != nil && !at.public:
		var err error
		if r, err = h.Identify(r); err != nil {
			h.refuse(w, r, err)
			return
		}
	}
	if err := serve(h, w, r); err != nil {
		h.refuse(w, r, err)
	}
}

func notFound(_ *Handler, _ http.ResponseWriter, r *http.Request) error {
	return wire.NewProblem(wire.NotFound, fmt.Sprintf("there is nothing at %.200q; /docs says what there is", r.URL.Path))
}

func methodNotAllowed(h *Handler, w http.ResponseWriter, r *http.Request) error {
	takes := h.routes[r.URL.Path].method
	w.Header().Set("Allow", takes)
	return wire.NewProblem(wire.MethodNotAllowed, fmt.Sprintf("%s takes %s, not %.20q", r.URL.Path, takes, r.Method))
}

func (h *Handler) panicked(w http.ResponseWriter, r *http.Request, at route, cause any) {
	if cause == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		panic(cause)
	}
	h.opts.Logger.Error("panic in a handler", "path", r.URL.Path, "cause", cause, "stack", string(debug.Stack()))
	if at.stream {
		panic(http.ErrAbortHandler)
	}
	h.refuse(w, r, wire.NewProblem(wire.Internal, "the server failed; its log says how"))
}
