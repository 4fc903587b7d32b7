package cli_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/auth"
)

// kind is what a caller's credentials are worth.
type kind int

const (
	nobody    kind = iota // shows nothing that counts
	refused               // shows something in Authorization that does not count
	powerless             // is known, and has no right
	elsewhere             // has every right in another group of mutexes
	entitled              // has every right here
	backend               // the same, as a key, which is nobody's own
	anybody               // a caller who states a name, on a server that knows nobody
)

// caller is one who calls.
type caller struct {
	name   string
	kind   kind
	header http.Header
	owner  editlock.Owner // who they are; a key's, whom it acts for
	states bool           // they must say so
	issuer string         // of a token
	at     *served
}

func person(user string) editlock.Owner { return editlock.Owner{Session: user + "-1", UserID: user} }

// callers are every kind of them. Keys must be made before the servers run.
func callers(t *testing.T, d *deployment, keys map[string]string) []caller {
	t.Helper()
	hour := func(h int) int64 { return time.Now().Add(time.Duration(h) * time.Hour).Unix() }
	hs := func(user string, change map[string]any) string { return d.token(t, jose.HS256, d.secret, user, change) }
	id := func(user string) string {
		return d.token(t, jose.RS256, d.rsa, user, map[string]any{"iss": idIssuer})
	}
	first, second := d.servers[0], d.servers[1]
	short := d.logIn(t, second, chiefsLogin)
	right := d.logIn(t, first, chiefsLogin)
	all := []caller{
		{name: "nobody", kind: nobody},
		{name: "wrong key", kind: refused, header: bearerOf("elk_aaaaaaaaaa_" + strings.Repeat("00", 32)), states: true},
		{name: "key of another secret", kind: refused, header: bearerOf(keys["with"][:15] + strings.Repeat("00", 32)), states: true},
		{name: "revoked key", kind: refused, header: bearerOf(keys["revoked"]), states: true},
		{name: "expired key", kind: refused, header: bearerOf(keys["expired"]), states: true},
		{name: "expired token", kind: refused, header: bearerOf(hs("chief", map[string]any{"exp": hour(-1)}))},
		{name: "token that never ends", kind: refused, header: bearerOf(hs("chief", map[string]any{"exp": nil}))},
		{name: "token of another audience", kind: refused, header: bearerOf(hs("chief", map[string]any{"aud": "mail"}))},
		{name: "token of an unknown issuer", kind: refused, header: bearerOf(hs("chief", map[string]any{"iss": "stranger"}))},
		{name: "token of one issuer in the other's name", kind: refused, header: bearerOf(hs("chief", map[string]any{"iss": idIssuer}))},
		{name: "token that is not valid yet", kind: refused, header: bearerOf(hs("chief", map[string]any{"nbf": hour(1)}))},
		{name: "token of alg none", kind: refused, header: bearerOf(unsigned(t, "chief"))},
		{name: "token signed by the public key as a secret", kind: refused, header: bearerOf(d.token(t, jose.HS256, d.publicly, "chief", map[string]any{"iss": idIssuer}))},
		{name: "login cookie as a token", kind: refused, header: bearerOf(right)},
		{name: "tampered login", kind: nobody, header: cookieOf(tampered(right))},
		{name: "login of another server", kind: nobody, header: cookieOf(d.logIn(t, second, chiefsLogin))},
		{name: "expired login", kind: nobody, header: cookieOf(short), at: second},
		{name: "wrong token beside a right login", kind: refused, header: both(bearerOf(unsigned(t, "chief")), cookieOf(d.logIn(t, first, chiefsLogin)))},

		{name: "key without permission", kind: powerless, header: bearerOf(keys["without"]), states: true},
		{name: "token without permission", kind: powerless, header: bearerOf(hs("clerk", nil)), owner: person("clerk"), issuer: shopIssuer},
		{name: "token of a user called as another issuer's are", kind: refused, header: bearerOf(hs("id:clerk", nil))},
		{name: "token of a user who looks like the chief", kind: powerless, header: bearerOf(hs(lookalike, nil)), owner: person(lookalike), issuer: shopIssuer},
		{name: "login without permission", kind: powerless, header: cookieOf(d.logIn(t, first, clerksLogin))},
		{name: "login that looks like the chief's", kind: powerless, header: cookieOf(d.logIn(t, first, lookalike))},

		{name: "key of another group", kind: elsewhere, header: bearerOf(keys["elsewhere"]), states: true},
		{name: "token of another group", kind: elsewhere, header: bearerOf(hs("stranger", nil)), owner: person("stranger"), issuer: shopIssuer},

		{name: "key with permission", kind: backend, header: bearerOf(keys["with"]), states: true},
		{name: "token with permission", kind: entitled, header: bearerOf(hs("chief", nil)), owner: person("chief"), issuer: shopIssuer},
		{name: "token of the other issuer with permission", kind: entitled, header: bearerOf(id("chief")), owner: editlock.Owner{Session: "chief-1", UserID: "id:chief"}, issuer: idIssuer},
		{name: "login with permission", kind: entitled, header: cookieOf(right), owner: d.whoIs(t, first, right)},

		{name: "anybody", kind: anybody, header: http.Header{"Cookie": {"editlock_session=sidorova-1; editlock_name=U2lkb3JvdmE"}}, states: true, at: d.open},
	}
	await(t, "the end of a login", func() bool { return second.call(t, "GET", "/v1/mutexes", "", cookieOf(short)).status == 401 })
	for i := range all {
		if c := &all[i]; c.at == nil {
			c.at = first
		}
		if all[i].owner == (editlock.Owner{}) {
			all[i].owner = person("sidorova")
		}
	}
	return all
}

// keysOf makes the keys of callers.
func keysOf(t *testing.T, d *deployment) map[string]string {
	t.Helper()
	past := time.Now().Add(-time.Hour)
	admin := func(group auth.Pattern) []auth.Grant {
		return []auth.Grant{{Rights: []auth.Right{auth.Admin}, Group: group, Mode: "*"}}
	}
	return map[string]string{
		"revoked":   d.key(t, auth.Key{Revoked: &past, Grants: admin("*")}),
		"expired":   d.key(t, auth.Key{Expires: &past, Grants: admin("*")}),
		"without":   d.key(t, auth.Key{}),
		"elsewhere": d.key(t, auth.Key{Grants: admin("other")}),
		"with":      d.key(t, auth.Key{Grants: admin("docs")}),
	}
}

func tampered(text string) string {
	last := byte('A')
	if text[len(text)-1] == last {
		last = 'B'
	}
	return text[:len(text)-1] + string(last)
}

func both(a, b http.Header) http.Header {
	out := a.Clone()
	for name, values := range b {
		out[name] = values
	}
	return out
}
