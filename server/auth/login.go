package auth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/entry"
)

// LoginOptions say how people log in with an OpenID Connect provider.
type LoginOptions struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	// PublicURL is where browsers find this server: https://, or http:// on
	// this machine, with the path that a proxy cuts off, if one does. The provider
	// must know the /auth/callback below it.
	PublicURL  string
	Scopes     []string // beside openid and profile
	UserPrefix string
	// OtherPrefixes are as an Issuer's.
	OtherPrefixes []string
	Claims        Claims
	Lifetime      time.Duration // of a login; 0 means 8 hours
	Log           *slog.Logger
}

const (
	defaultLoginLifetime = 8 * time.Hour
	// beginWithin is how long somebody may take at the provider.
	beginWithin = 10 * time.Minute
	askWithin   = 15 * time.Second
)

// Login logs people in with an OpenID Connect provider (authorization code
// with PKCE) and keeps their sessions in memory: they end with the process,
// and logging out ends them at once. Register serves /auth/login, /auth/callback
// and /auth/logout.
type Login struct {
	opts     LoginOptions
	client   *http.Client
	secure   bool   // browsers come by TLS
	suffix   string // of names of cookies
	sessions *sessions
	seal     *sealer

	mu       sync.Mutex
	provider *oidc.Provider // found at the first login, so that a start needs no provider

	failed atomic.Pointer[error] // what became of the last try to find it
}

// NewLogin returns a Login. It does not contact the provider yet.
func NewLogin(o LoginOptions) (*Login, error) {
	public, err := url.Parse(o.PublicURL)
	switch {
	case CheckURL(o.Issuer) != nil:
		return nil, fmt.Errorf("issuer: %w", CheckURL(o.Issuer))
	case CheckURL(o.PublicURL) != nil:
		return nil, fmt.Errorf("public_url: %w", CheckURL(o.PublicURL))
	case err != nil || public.RawQuery != "" || public.User != nil || !plainPath(public.EscapedPath()):
		return nil, errors.New("public_url: must be an address such as https://locks.example.org or https://example.org/locks")
	case o.ClientID == "":
		return nil, errors.New("client_id: must not be empty")
	}
	below := strings.TrimRight(public.Path, "/")
	o.PublicURL = public.Scheme + "://" + public.Host + below
	if o.Lifetime == 0 {
		o.Lifetime = defaultLoginLifetime
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Login{
		opts: o, client: NewHTTPClient(), secure: public.Scheme == "https", suffix: cookieSuffix(below),
		sessions: newSessions(), seal: newSealer(),
	}, nil
}

// Register adds what a login needs to mux. Other sites may send a reader to a
// login, as the provider does on the way back, but their pages may not begin or
// end one behind the reader's back.
func (l *Login) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /auth/login", l.answer(l.begin, entry.Visit))
	mux.HandleFunc("GET /auth/callback", l.answer(l.callback, entry.Visit))
	mux.HandleFunc("POST /auth/logout", l.answer(l.logout, nil))
}

// answer is a handler for requests of the server's own pages, and for those of
// others that may passes; nil: none.
func (l *Login) answer(serve http.HandlerFunc, may func(*http.Request) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !entry.Own(r) && (may == nil || !may(r)) {
			entry.RefuseForeign(w, r)
			return
		}
		head := w.Header()
		head.Set("Cache-Control", "no-store")
		head.Set("Referrer-Policy", "no-referrer")
		serve(w, r)
	}
}

// caller returns who is logged in, nil if nobody is.
func (l *Login) caller(r *http.Request) *Caller {
	s := l.sessions.get(l.sessionID(r))
	if s == nil {
		return nil
	}
	return s.caller
}

// connect returns the provider and this client of it.
func (l *Login) connect(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.provider == nil {
		p, err := oidc.NewProvider(ctx, l.opts.Issuer)
		l.failed.Store(&err)
		if err != nil {
			return nil, nil, err
		}
		l.provider = p
	}
	return l.provider, &oauth2.Config{
		ClientID: l.opts.ClientID, ClientSecret: l.opts.ClientSecret, Endpoint: l.provider.Endpoint(),
		RedirectURL: l.opts.PublicURL + "/auth/callback",
		Scopes:      append([]string{oidc.ScopeOpenID, "profile"}, l.opts.Scopes...),
	}, nil
}

// problem is why nobody can log in, nil if nothing is known to be in the way.
func (l *Login) problem() error {
	if err := l.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// beginning is what a browser keeps, sealed, while its reader is at the
// provider.
type beginning struct {
	State, Nonce, Verifier, Back string
	Until                        time.Time
}

func (l *Login) begin(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := l.context(r)
	defer cancel()
	_, conf, err := l.connect(ctx)
	if err != nil {
		l.opts.Log.Error("the login provider can't be reached", "issuer", l.opts.Issuer, "err", err)
		entry.Notice{Status: http.StatusBadGateway, Key: "page.provider", Ways: []entry.Way{{Key: "page.again"}}}.Write(w, r)
		return
	}
	b := beginning{
		State: random(), Nonce: random(), Verifier: oauth2.GenerateVerifier(),
		Back: entry.Local(r.URL.Query().Get("back")), Until: time.Now().Add(beginWithin),
	}
	data, _ := json.Marshal(b) // texts and a time: can't fail
	if len(data) > maxBeginning {
		b.Back = "/"
		data, _ = json.Marshal(b)
	}
	l.dropBegun(w, r)
	l.setCookie(w, l.beginCookie(b.State), l.seal.seal(data), beginWithin)
	http.Redirect(w, r, conf.AuthCodeURL(b.State, oidc.Nonce(b.Nonce), oauth2.S256ChallengeOption(b.Verifier)), http.StatusSeeOther)
}

// context is for calls to the provider.
func (l *Login) context(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(oidc.ClientContext(r.Context(), l.client), askWithin)
}

var errBegin = errors.New("this login was not begun in this browser, or took too long")

func (l *Login) callback(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := l.context(r)
	defer cancel()
	b, err := l.begun(w, r)
	if err == nil {
		err = l.finish(ctx, w, r, b)
	}
	if err == nil {
		entry.Redirect(w, r, b.Back)
		return
	}
	l.opts.Log.Warn("a login failed", "err", err)
	n := entry.Notice{Status: http.StatusForbidden, Key: "page.denied", Ways: []entry.Way{{Key: "page.again", To: LoginPath("/")}}}
	if errors.Is(err, errBegin) {
		n.Key = "page.begun"
	}
	n.Write(w, r)
}

// begun finds how the login began, by its state, which counts once.
func (l *Login) begun(w http.ResponseWriter, r *http.Request) (*beginning, error) {
	state := r.URL.Query().Get("state")
	if len(state) != len(random()) {
		return nil, errBegin
	}
	name := l.beginCookie(state)
	c, err := r.Cookie(name)
	if err != nil {
		return nil, errBegin
	}
	l.setCookie(w, name, "", -1)
	b := new(beginning)
	data, err := l.seal.open(c.Value)
	if err != nil || json.Unmarshal(data, b) != nil ||
		subtle.ConstantTimeCompare([]byte(b.State), []byte(state)) != 1 || time.Now().After(b.Until) {
		return nil, errBegin
	}
	return b, nil
}

// finish changes the code for tokens and begins the session.
func (l *Login) finish(ctx context.Context, w http.ResponseWriter, r *http.Request, b *beginning) error {
	q := r.URL.Query()
	if problem := q.Get("error"); problem != "" {
		return fmt.Errorf("the provider says %.100q: %.200q", problem, q.Get("error_description"))
	}
	provider, conf, err := l.connect(ctx)
	if err != nil {
		return err
	}
	tokens, err := conf.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(b.Verifier))
	if err != nil {
		return withoutBody(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: l.opts.ClientID}).Verify(ctx, raw)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(b.Nonce)) != 1 {
		return errors.New("the ID token is of another login: its nonce differs")
	}
	claims, err := l.claims(ctx, provider, tokens, id)
	if err != nil {
		return err
	}
	caller, err := l.opts.Claims.person(Kinds{editlock.Person}, claims, l.opts.UserPrefix, l.opts.OtherPrefixes)
	if err != nil {
		return err
	}
	// The session that others see is not the one that the cookie proves.
	if caller, err = settle(caller, OIDC, "", loginSession+random()); err != nil {
		return err
	}
	caller.Ambient, caller.Expires = true, time.Now().Add(l.opts.Lifetime)
	l.sessions.end(l.sessionID(r))
	l.setCookie(w, l.sessionCookie(), l.sessions.begin(&session{caller: caller, idToken: raw}), l.opts.Lifetime)
	l.opts.Log.Info("logged in", "caller", caller.Name)
	return nil
}

// withoutBody keeps what a provider answers, which may hold secrets, out of
// logs.
func withoutBody(err error) error {
	var bad *oauth2.RetrieveError
	if errors.As(err, &bad) {
		return fmt.Errorf("the provider refuses the code: %.100q %.200q", bad.ErrorCode, bad.ErrorDescription)
	}
	return err
}

// claims are the ID token's, with what only the provider's userinfo tells.
func (l *Login) claims(ctx context.Context, p *oidc.Provider, tokens *oauth2.Token, id *oidc.IDToken) (claimSet, error) {
	all, proved := claimSet{}, claimSet{}
	if p.UserInfoEndpoint() != "" {
		info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
		if err != nil {
			return nil, err
		}
		if info.Subject != id.Subject {
			return nil, errors.New("userinfo is of another user than the ID token")
		}
		if err := info.Claims(&all); err != nil {
			return nil, err
		}
	}
	if err := id.Claims(&proved); err != nil {
		return nil, err
	}
	if !proved.names(id) {
		return nil, errors.New("the ID token has a claim whose name is in another letter case")
	}
	for name, v := range proved {
		all[name] = v
	}
	return all, nil
}

// logout ends the session here, and offers to end it at the provider too.
func (l *Login) logout(w http.ResponseWriter, r *http.Request) {
	s := l.sessions.end(l.sessionID(r))
	l.setCookie(w, l.sessionCookie(), "", -1)
	l.mu.Lock()
	provider := l.provider
	l.mu.Unlock()
	out := entry.Notice{Status: http.StatusOK, Key: "page.out", Ways: []entry.Way{{Key: "page.log_in_again", To: LoginPath("/")}}}
	if s != nil {
		l.opts.Log.Info("logged out", "caller", s.caller.Name)
		if there := l.endAtProvider(provider, s.idToken); there != "" {
			out.Key, out.Ways = "page.out_here", append([]entry.Way{{Key: "page.log_out", To: there}}, out.Ways...)
		}
	}
	out.Write(w, r)
}

// endAtProvider is where a reader ends the login at the provider, too; empty if
// that is not known. provider may be nil.
func (l *Login) endAtProvider(provider *oidc.Provider, idToken string) string {
	var meta claimSet
	if provider == nil || provider.Claims(&meta) != nil || CheckURL(meta.text("end_session_endpoint")) != nil {
		return ""
	}
	end, err := url.Parse(meta.text("end_session_endpoint"))
	if err != nil || end.Host == "" {
		return ""
	}
	q := end.Query()
	q.Set("id_token_hint", idToken)
	q.Set("post_logout_redirect_uri", l.opts.PublicURL+"/")
	q.Set("client_id", l.opts.ClientID)
	end.RawQuery = q.Encode()
	return end.String()
}

// plainPath reports whether a path has no parts that browsers and proxies might
// read differently.
func plainPath(escaped string) bool {
	trimmed := strings.TrimRight(escaped, "/")
	return trimmed == "" || path.Clean(trimmed) == trimmed && !strings.ContainsAny(trimmed, "%;\\")
}

// LogoutPath is where a POST ends a login.
const LogoutPath = "/auth/logout"

// LoginPath is where to send a browser that must log in, and come back.
func LoginPath(back string) string {
	return "/auth/login?" + url.Values{"back": {entry.Local(back)}}.Encode()
}
