package httpapi

import (
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"strconv"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/entry"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
)

// Identify finds out who calls, and returns the request with the caller in its
// context (see auth.CallerFrom). Credentials that a browser adds by itself count
// for pages of the same origin only. It counts the call against the caller's rate.
// For handlers beside the API, which answer an error by Refuse.
func (h *Handler) Identify(r *http.Request) (*http.Request, error) {
	caller, err := h.opts.Authenticator.Authenticate(r)
	switch {
	case errors.Is(err, editlock.ErrUnauthenticated):
		return r, h.opts.Access.Refused(r.Context(), clientAddress(r), err)
	case errors.Is(err, editlock.ErrUnavailable):
		return r, wire.NewProblem(wire.Unavailable, err.Error())
	case err != nil:
		return r, err
	}
	if caller.Ambient && !entry.Own(r) {
		err := &auth.ForbiddenError{Problem: entry.ForeignPage}
		h.opts.Access.Refuse(r.Context(), caller, r.URL.Path, err)
		return r, err
	}
	// Only now, so that another site's page can't use up what the caller may ask.
	if err := h.opts.Access.Admit(caller); err != nil {
		return r, err
	}
	return r.WithContext(auth.WithCaller(r.Context(), caller)), nil
}

// Refuse answers with the problem that tells of an error.
func (h *Handler) Refuse(w http.ResponseWriter, r *http.Request, err error) { h.refuse(w, r, err) }

// Refusal is what Refuse answers, for an answer in another form. It counts the
// refusal and adds its headers.
func (h *Handler) Refusal(w http.ResponseWriter, r *http.Request, err error) *wire.Problem {
	p := h.problem(r, err)
	h.count(p)
	h.hint(w, p, err)
	return p
}

// hint adds the headers that say what to do about a problem.
func (h *Handler) hint(w http.ResponseWriter, p *wire.Problem, err error) {
	var (
		limit   *access.LimitError
		unknown *auth.Error
	)
	head := w.Header()
	switch {
	case p.Code == wire.Unavailable:
		head.Set("Retry-After", "1")
	case errors.As(err, &limit):
		head.Set("Retry-After", strconv.Itoa(max(int(math.Ceil(limit.RetryAfter.Seconds())), 1)))
	case errors.As(err, &unknown) && unknown.Presented:
		head.Set("WWW-Authenticate", `Bearer realm="editlock", error="invalid_token"`)
	case p.Code == wire.Unauthenticated:
		head.Set("WWW-Authenticate", `Bearer realm="editlock"`)
	}
}

type addressKey struct{}

// clientAddress is where a request comes from, as far as it can be trusted.
func clientAddress(r *http.Request) string {
	if at, ok := r.Context().Value(addressKey{}).(string); ok {
		return at
	}
	return hostOf(r.RemoteAddr)
}

func withAddress(ctx context.Context, at string) context.Context {
	return context.WithValue(ctx, addressKey{}, at)
}

func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}
