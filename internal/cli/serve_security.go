package cli

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/examples/demo"
	"github.com/editlock/editlock/internal/config"
	"github.com/editlock/editlock/internal/entry"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/server/presence"
	"github.com/editlock/editlock/server/webui"
)

// security is who may call, and what they may do. Without a chain nobody is
// authenticated.
type security struct {
	http   config.HTTP
	links  []webui.Link // of the lock manager
	chain  *auth.Chain
	access *access.Control
	board  *presence.Board
}

// openSecurity reads what a configuration names.
func openSecurity(conf *config.Config, log *slog.Logger) (*security, error) {
	var err error
	chain := &auth.Chain{}
	if conf.Keys != "" {
		if chain.Keys, err = auth.OpenKeys(conf.Keys, log); err != nil {
			return nil, err
		}
	}
	if chain.Tokens, err = conf.Tokens(log); err != nil {
		return nil, err
	}
	if chain.Login, err = conf.Logins(log); err != nil {
		return nil, err
	}
	if conf.ClientCA != "" {
		if chain.Certificates, err = conf.Owners(); err != nil {
			return nil, err
		}
	}
	sec := &security{http: conf.HTTP, links: conf.Links, board: presence.New(presence.Bounds{}, conf.Presence.IsOff)}
	if *chain != (auth.Chain{}) {
		sec.chain, sec.access = chain, access.New(*conf.Policy(), conf.Limits, log)
	}
	return sec, nil
}

// follow hears, until ctx ends, of credentials that end.
func (sec *security) follow(ctx context.Context) {
	if sec.known() && sec.chain.Keys != nil {
		sec.chain.Keys.Follow(ctx)
	}
}

// known tells whether callers are authenticated.
func (sec *security) known() bool { return sec.chain != nil }

// front puts a handler behind what all requests go through.
func (sec *security) front(next http.Handler, log *slog.Logger) http.Handler {
	return httpapi.Front(next, &httpapi.FrontOptions{
		Open: !sec.known(), Origins: sec.http.Origins, Proxies: sec.http.Proxies, Logger: log,
	})
}

// api returns the HTTP interface.
func (sec *security) api(locks editlock.Locker, log *slog.Logger) *httpapi.Handler {
	o := &httpapi.Options{Logger: log, Presence: sec.board}
	if sec.known() {
		o.Authenticator, o.Access, o.Parts = sec.chain, sec.access, sec.chain.Parts
	}
	return httpapi.New(locks, o)
}

// manager returns the lock manager: for everybody, or for those who are known.
func (sec *security) manager(api *httpapi.Handler, locks editlock.Locker, withDemo bool, log *slog.Logger) http.Handler {
	o := &webui.Options{Links: sec.links, Demo: withDemo, Presence: sec.board, Logger: log}
	if withDemo {
		o.Links = append([]webui.Link{{Group: demo.Group, Mode: "*", URL: demo.DocumentPath}}, sec.links...)
	}
	if !sec.known() {
		return webui.New(locks, o)
	}
	o.Identify, o.Everything, o.TooLarge = sec.identity, locks, sec.access.Counters.AddTooLarge
	o.While = access.WhileValid
	o.Items = func(r *http.Request, locks int) error {
		if c := auth.CallerFrom(r.Context()); c != nil {
			return sec.access.AdmitItems(c, locks)
		}
		return nil
	}
	if sec.chain.Login != nil {
		o.Logout = auth.LogoutPath
	}
	return sec.members(api, webui.New(sec.access.InContext(locks), o))
}

// identity is what the manager wants to know of a caller. A back end, which is
// nobody itself, may look at what it may see.
func (sec *security) identity(r *http.Request) webui.Identity {
	c := auth.CallerFrom(r.Context())
	if c == nil {
		return webui.Identity{Visible: []editlock.Area{}, History: []editlock.Area{}}
	}
	who := webui.Identity{
		Visible: append([]editlock.Area{}, sec.access.Visible(c)...),
		History: append([]editlock.Area{}, sec.access.Remembered(c)...),
	}
	if c.Scope == nil {
		who.Owner = c.Owner
		who.Usable = append([]editlock.Area{}, sec.access.Usable(c)...)
		who.MayRelease, who.MayTakeOver = sec.access.MayAny(c, auth.ForceRelease), sec.access.MayAny(c, auth.Takeover)
	}
	return who
}

// members lets those in who are known, and sends others to log in. Who follows a
// link on another site arrives as a reader of a page of the server's own: with
// less, the credentials that a browser adds by itself don't count.
func (sec *security) members(api *httpapi.Handler, next http.Handler) http.Handler {
	arrived := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if sec.mustLogIn(r) {
			entry.Redirect(w, r, auth.LoginPath(r.URL.RequestURI()))
			return
		}
		r, err := api.Identify(r)
		if err != nil {
			sec.refuse(api, w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
	return entry.OwnPagesOr(arrived, func(w http.ResponseWriter, r *http.Request) {
		arrived(w, r) // who shows a key or a token is no browser
	})
}

// mustLogIn tells that a reader opens a page and has shown nothing yet. A
// script's request is not sent elsewhere: it could not read the answer.
func (sec *security) mustLogIn(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	if sec.chain.Login == nil || r.Method != http.MethodGet || mode != "" && mode != "navigate" {
		return false
	}
	_, err := sec.chain.Authenticate(r)
	var unknown *auth.Error
	return errors.As(err, &unknown) && !unknown.Presented
}

// refuse answers who is not let in: readers by a page, programs as the API does.
func (sec *security) refuse(api *httpapi.Handler, w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Add("Vary", "Accept")
	if !entry.Reader(r) {
		api.Refuse(w, r, err)
		return
	}
	p := api.Refusal(w, r, err)
	var unknown *auth.Error
	switch errors.As(err, &unknown); {
	case unknown == nil:
		entry.Refuse(w, r, p, entry.Home)
	case unknown.Presented:
		entry.Notice{Status: p.Status, Key: "page.refused", Detail: p.Detail}.Write(w, r)
	case sec.chain.Login != nil:
		back := "/"
		if r.Method == http.MethodGet {
			back = r.URL.RequestURI()
		}
		entry.Notice{Status: p.Status, Key: "page.login", Ways: []entry.Way{{Key: "page.log_in", To: auth.LoginPath(back)}}}.Write(w, r)
	default:
		entry.Refuse(w, r, p)
	}
}
