package webui

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/editlock/editlock/internal/entry"
)

// contentPolicy lets a page load and call nothing but its own server, run no
// script written into it, be framed by nobody, and turn no text into markup.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// secure puts every answer under the same rules, and refuses what other sites'
// pages make a browser send; links on them to its pages work. anybody: readers
// prove nothing, so that foreign names are refused.
func (h *handler) secure(next http.Handler, anybody bool) http.Handler {
	inner := entry.OwnPagesOr(next, func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, http.StatusForbidden, "error.cross_origin")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", contentPolicy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		if anybody && !hostAllowed(r) {
			h.fail(w, r, http.StatusMisdirectedRequest, "error.host")
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// hostAllowed refuses a foreign name on a loopback address. A page of
// another site can make its own name mean 127.0.0.1 and would then be of the
// same origin as this server (DNS rebinding); the name gives it away.
func hostAllowed(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return true // not from a network
	}
	at, err := netip.ParseAddrPort(local.String())
	if err != nil || !at.Addr().Unmap().IsLoopback() {
		return true
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(host, "]"), "["), ".")
	if strings.EqualFold(host, "localhost") || len(host) > len(".localhost") && strings.EqualFold(host[len(host)-len(".localhost"):], ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
