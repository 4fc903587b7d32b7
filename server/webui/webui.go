// Package webui is the lock manager: pages that show who holds what, since
// when and until when, who waits, and what happened; and that release locks
// and take them over, one by one or many at once.
//
// The pages are plain HTML that works without scripts. A small script keeps
// them current, filters while one types, and shows times as the reader's
// clock does. They ask a [editlock.Locker] and nothing else, so they stand on
// a store or, through a client, on another server.
package webui

import (
	"context"
	"log/slog"
	"net/http"
	"slices"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/entry"
	"github.com/editlock/editlock/server/presence"
)

// Options adjusts the manager. Nil, or zero fields, are the defaults.
type Options struct {
	// Identify says who a request is from. Nil takes people at their word:
	// they state a name, which a cookie keeps.
	Identify func(*http.Request) Identity
	// Everything is what the lists are read from, once for all readers, each of
	// whom is shown what is in Identity.Visible. Nil means the Locker that all else
	// is asked of. A store with more locks than the manager reads is asked by
	// editlock.Query.Visible, which is for Managers.
	Everything editlock.Locker
	// Logout is where a POST ends a reader's login. Empty: there is none.
	Logout string
	// Items counts the locks of one form against the reader's rate, or refuses
	// them. Nil counts nothing.
	Items func(r *http.Request, locks int) error
	// While returns a context that ends when the reader's credentials do, for what
	// takes long. Nil: they don't end. stop must be called.
	While func(context.Context) (ctx context.Context, stop func())
	// TooLarge is told of each form that is larger than is taken. May be nil.
	TooLarge func()
	// Presence is who looks at the records. Nil: nobody is told of.
	Presence *presence.Board
	// Links lead from locks to their records. They must be valid.
	Links []Link
	// Demo shows a link to the demo at /demo/.
	Demo bool
	// Logger hears what went wrong inside. Nil means slog.Default().
	Logger *slog.Logger
}

// Identity is who a request is from, and what they may do here. The zero
// Identity may look.
type Identity struct {
	// Owner is who acts. A takeover makes them the holder.
	Owner       editlock.Owner
	MayRelease  bool // locks of others, by force; one's own always
	MayTakeOver bool // from others; a person from an agent wherever Usable says so
	// Usable are the areas of the mutexes that the reader may use. Nil: all.
	Usable []editlock.Area
	// Visible are the areas of the mutexes that are shown. Nil: all.
	Visible []editlock.Area
	// History are the areas of the mutexes whose history is shown. Nil: all.
	History []editlock.Area
	// Stated says that Owner is a name that the reader gave, without proof. The
	// pages say so, offer to change it, and count locks of the same name as
	// the reader's.
	Stated bool
}

func (i Identity) sees(m *editlock.Mutex) bool {
	return slices.ContainsFunc(i.Visible, func(a editlock.Area) bool { return a.Contains(m.ID, m.Owner) })
}

func (i Identity) known() bool { return i.Owner.Session != "" }

// owns reports whether a lock is the reader's own, whatever session holds it.
func (i Identity) owns(o editlock.Owner) bool {
	return i.known() && (i.Owner.SamePerson(o) || i.Stated && i.Owner.Kind == o.Kind && i.sameName(o))
}

type handler struct {
	locker   editlock.Locker
	identify func(*http.Request) Identity
	demo     bool
	logout   string
	items    func(*http.Request, int) error
	while    func(context.Context) (context.Context, func())
	tooLarge func()
	presence *presence.Board
	log      *slog.Logger
	scans    *scanner
	parts    *lru.Cache[string, *scanner] // of what some readers may see
	views    views
	turns    *turns
	exports  exports
	pages    map[string]*pages // by language
}

// New returns the manager, for mounting at / (that path alone) and at /ui/,
// on the origin that serves the API's description at /docs.
func New(l editlock.Locker, o *Options) http.Handler {
	if o == nil {
		o = &Options{}
	}
	everything := o.Everything
	if everything == nil {
		everything = l
	}
	h := &handler{
		locker: l, identify: o.Identify, demo: o.Demo, logout: o.Logout, log: o.Logger, items: o.Items, while: o.While, tooLarge: o.TooLarge, presence: o.Presence,
		scans: newScanner(everything, nil, maxLocks), pages: parsePages(o.Links), turns: newTurns(),
	}
	h.parts, _ = lru.New[string, *scanner](maxParts) // fails for sizes below 1
	if h.while == nil {
		h.while = func(ctx context.Context) (context.Context, func()) { return ctx, func() {} }
	}
	if h.log == nil {
		h.log = slog.Default()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.list)
	mux.HandleFunc("GET /ui/lock", h.lock)
	mux.HandleFunc("GET /ui/person", h.person)
	mux.HandleFunc("GET /ui/tree", h.tree)
	mux.HandleFunc("GET /ui/history", h.history)
	mux.HandleFunc("GET /ui/history.csv", h.export(".csv", "text/csv; charset=utf-8", newCSV))
	mux.HandleFunc("GET /ui/history.json", h.export(".json", "application/json", newJSON))
	mux.HandleFunc("POST /ui/confirm", h.confirm)
	mux.HandleFunc("POST /ui/act", h.act)
	if h.identify == nil {
		h.identify = stated
		mux.HandleFunc("GET /ui/me", h.askName)
		mux.HandleFunc("POST /ui/me", h.setName)
	}
	mux.Handle("GET "+assetsPath+"/", h.assets())
	return h.secure(h.exactly(mux), o.Identify == nil)
}

// exactly serves what mux has, and a page that says so for all else.
func (h *handler) exactly(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch status, allow := entry.Refusal(mux, r); status {
		case http.StatusOK:
			mux.ServeHTTP(w, r)
		case http.StatusMethodNotAllowed:
			w.Header().Set("Allow", allow)
			h.fail(w, r, status, "error.method")
		default:
			h.fail(w, r, status, "error.page")
		}
	})
}
