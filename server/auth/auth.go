// Package auth says who is calling: it makes a [Caller] of an HTTP request, by
// API key, JWT, client certificate or the session cookie of an OpenID Connect
// login. What a caller may do is package access's.
//
// Who somebody is, is compared byte for byte everywhere. Two logins that look
// alike are two people.
package auth

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock"
)

// Method is how a caller proved who they are.
type Method string

// The methods.
const (
	APIKey      Method = "api_key"
	JWT         Method = "jwt"
	Certificate Method = "certificate"
	OIDC        Method = "oidc"
)

// Caller is who sent a request, proved.
type Caller struct {
	// Name tells callers apart, in limits and logs: key:ID, user:ID or
	// certificate:FINGERPRINT.
	Name   string
	Method Method
	// Owner is who the caller is, with the session as stores know it. A back
	// end, which has a Scope, states for each call whom it acts for.
	Owner  editlock.Owner
	Scope  *Scope
	Kinds  Kinds // of owner that calls may act as
	Groups []string
	Grants []Grant // what the credential itself allows
	Rank   int
	// Ambient credentials are sent by a browser by itself, whatever site made it
	// send the request.
	Ambient bool
	Expires time.Time // of the credential; zero: never
	// Ended is closed when a login ends before it expires, and when an API key
	// is revoked, removed or changed. Nil: of others nothing is heard.
	Ended <-chan struct{} `json:"-"`

	realm   realm
	session string // of Owner, as the credentials name it
}

// Scope is whom a back end may act for.
type Scope struct {
	Sessions []Pattern `json:"sessions"`
	Users    []Pattern `json:"users"` // of owners that name a user
}

// ActAs returns the owner that a call acts for, with the session as stores know
// it. stated is what the call says of it, nil if nothing: the owner of a
// credential needs no word, and none but that one is accepted, or an agent or job
// that acts for it, if the credential allows that. A refusal is a *ForbiddenError that
// names the field.
func (c *Caller) ActAs(stated *editlock.Owner) (editlock.Owner, error) {
	if c.Scope != nil {
		return c.actFor(stated)
	}
	if stated == nil {
		return c.Owner, nil
	}
	as := c.acting(*stated)
	if err := c.StateKind(as.Kind); err != nil {
		return editlock.Owner{}, err
	}
	for _, f := range []struct{ name, said, proved string }{
		{"owner.session", stated.Session, c.Shown(c.Owner.Session)},
		{"owner.user_id", stated.UserID, as.UserID},
		{"owner.login", stated.Login, as.Login},
		{"owner.name", stated.Name, as.Name},
		{"owner.host", stated.Host, as.Host},
		{"owner.on_behalf_of", stated.OnBehalfOf, as.OnBehalfOf},
	} {
		if f.said != "" && f.said != f.proved {
			return editlock.Owner{}, forbidden(f.name, "is not what your credentials say; leave it out")
		}
	}
	return as, as.Validate()
}

func (c *Caller) actFor(stated *editlock.Owner) (editlock.Owner, error) {
	switch {
	case stated == nil:
		return editlock.Owner{}, &editlock.InvalidError{Field: "owner", Problem: "is missing: an API key acts for many, so it says whom for", Code: "owner_of_key_missing"}
	case c.realm != "" && madeHere(stated.Session):
		return editlock.Owner{}, forbidden("owner.session", "has the form of those that this server gives to logins and certificates; state one of your own")
	case inRealm(stated.Session):
		return editlock.Owner{}, forbidden("owner.session", "is as sessions of other issuers and API keys are shown; state one of your own")
	}
	as := *stated
	if as.Kind == editlock.Person {
		as.Kind = c.Kinds.byDefault()
	}
	if err := c.Scope.allows(as.Session, as.UserID); err != nil {
		return editlock.Owner{}, err
	}
	if err := c.StateKind(as.Kind); err != nil {
		return editlock.Owner{}, err
	}
	if c.realm != "" { // or a digest could stand for what is too long
		if err := as.Validate(); err != nil {
			return editlock.Owner{}, err
		}
	}
	as.Session = c.realm.store(stated.Session)
	return as, nil
}

func (s *Scope) allows(session, user string) error {
	if !matchAny(s.Sessions, session) {
		return forbidden("owner.session", "is none that this key may act for")
	}
	return s.allowsUser(user)
}

func (s *Scope) allowsUser(user string) error {
	if user != "" && !matchAny(s.Users, user) {
		return forbidden("owner.user_id", "is none that this key may act for")
	}
	return nil
}

// Confirm refuses an owner that ActAs of a back end would not return.
func (c *Caller) Confirm(as editlock.Owner) error {
	session, ok := c.realm.state(as.Session)
	switch kind := c.StateKind(as.Kind); {
	case kind != nil:
		return kind
	case !ok:
		return forbidden("owner.session", "is none that this key may act for")
	case c.realm != "" && strings.HasPrefix(session, digest):
		return c.Scope.allowsUser(as.UserID)
	}
	return c.Scope.allows(session, as.UserID)
}

// Covers reports whether a back end may act for a stored session. Which one a
// digest stands for is not known, so that takes a scope of all.
func (c *Caller) Covers(session string) bool {
	if stated, ok := c.realm.state(session); ok && c.realm != "" && strings.HasPrefix(stated, digest) {
		return slices.Contains(c.Scope.Sessions, "*")
	}
	return c.Confirm(editlock.Owner{Session: session, Kind: c.Kinds.byDefault()}) == nil
}

// Pattern is a text, or the beginning of texts and a *.
type Pattern string

// Match compares byte for byte.
func (p Pattern) Match(text string) bool {
	if front, ok := strings.CutSuffix(string(p), "*"); ok {
		return strings.HasPrefix(text, front)
	}
	return text == string(p)
}

func matchAny(patterns []Pattern, text string) bool {
	for _, p := range patterns {
		if p.Match(text) {
			return true
		}
	}
	return false
}

// Authenticator finds out who sent a request. Its errors are *Error, or
// editlock.ErrUnavailable if what it needs to know can't be had now.
type Authenticator interface {
	Authenticate(r *http.Request) (*Caller, error)
}

// Error is the refusal of a request without credentials, or with wrong ones.
type Error struct {
	Problem   string // for the caller to read; no secrets
	Presented bool   // there were credentials
}

func (e *Error) Error() string { return e.Problem }

// Is makes errors.Is(err, editlock.ErrUnauthenticated) true.
func (e *Error) Is(target error) bool { return target == editlock.ErrUnauthenticated }

func refused(problem string) error { return &Error{Problem: problem, Presented: true} }

// ForbiddenError is the refusal of something a known caller asked for.
type ForbiddenError struct {
	Field   string // the argument at fault, if it is one
	Problem string
}

func (e *ForbiddenError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + " " + e.Problem
}

// Is makes errors.Is(err, editlock.ErrForbidden) true.
func (e *ForbiddenError) Is(target error) bool { return target == editlock.ErrForbidden }

func forbidden(field, problem string) error { return &ForbiddenError{Field: field, Problem: problem} }

type callerKey struct{}

// WithCaller returns a context that carries a caller.
func WithCaller(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller that a context carries, nil if none.
func CallerFrom(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}
