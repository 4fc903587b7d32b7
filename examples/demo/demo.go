// Package demo shows editlock in a browser: a small back office whose
// documents one person at a time can edit.
//
// The pages hold their locks through the public HTTP API at /v1/ of the same
// origin; nothing here is a door that another program does not have. The
// documents live in this process's memory. Saving one is the part a real
// application would write itself: it asks the Locker whether the token that
// came with the text is still the one in force, and refuses the text if not.
//
// Who you are is what you say, kept in a cookie: a demonstration of locks,
// not of logins.
package demo

import (
	"net/http"
	"os"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/entry"
)

// DefaultIdle frees a document this long after its page was last heard of.
// It is above the minute between two timers of a tab in the background.
const DefaultIdle = 2 * time.Minute

// IdleVariable names the environment variable that replaces DefaultIdle, with
// a duration such as "5s", for who wants to watch a lock expire.
const IdleVariable = "EDITLOCK_DEMO_IDLE"

// Options adjusts the demo. Nil, or zero fields, are the defaults.
type Options struct {
	// Idle is how long a lock outlives its page's last refresh, 1 s at
	// least. Zero means IdleVariable, or DefaultIdle without it.
	Idle time.Duration
	// Now is the clock that dates saved versions, for tests. Nil means
	// time.Now.
	Now func() time.Time
}

// contentPolicy lets a page load and call nothing but its own server, run no
// script written into it, and turn no text into markup.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

type handler struct {
	locker editlock.Locker
	office *office
	pages  map[string]*page // by language
	idle   time.Duration
}

// New returns the demo for mounting at /demo/, on the origin that serves the
// API of l at /v1/.
func New(l editlock.Locker, o *Options) http.Handler {
	if o == nil {
		o = &Options{}
	}
	h := &handler{locker: l, idle: o.Idle, office: newOffice(o.Now)}
	if h.idle == 0 {
		h.idle = idleFromEnvironment()
	}
	h.pages = parsePages()

	mux := http.NewServeMux()
	mux.HandleFunc("GET /demo/{$}", h.index)
	mux.HandleFunc("GET /demo/documents/{id}", h.document)
	mux.HandleFunc("POST /demo/person", h.setPerson)
	mux.HandleFunc("POST /demo/assistant", h.sendAssistant)
	mux.HandleFunc("GET /demo/api/documents/{id}", h.readDocument)
	mux.HandleFunc("POST /demo/api/documents/{id}", h.saveDocument)
	mux.Handle("GET /demo/assets/"+assetsVersion+"/", serveAssets())

	pages := entry.OwnPages(entry.Routes(mux, nil, entry.Way{Key: "page.demo", To: "/demo/"}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", contentPolicy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "same-origin")
		pages.ServeHTTP(w, r)
	})
}

func idleFromEnvironment() time.Duration {
	idle, err := time.ParseDuration(os.Getenv(IdleVariable))
	if err != nil || editlock.TimeoutAutoRelease(idle).Validate() != nil || idle == 0 {
		return DefaultIdle
	}
	return idle
}
