package httpapi_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/server/httpapi"
)

const (
	pageIssuer = "shop"
	rsaIssuer  = "https://id.example"
	audience   = "editlock"
)

var pageSecret = []byte("0123456789abcdef0123456789abcdef")

// secured is a world whose callers must be known.
type secured struct {
	*world
	access *access.Control
	keys   string // the keys file
	rsa    *rsa.PrivateKey
	audit  *lines
}

// policy: editors use docs, chiefs do everything there, others work in another
// group, and everybody else may nothing.
var policy = access.Policy{
	Rules: []access.Rule{
		{Groups: []string{"editors"}, Grant: auth.Grant{Rights: []auth.Right{auth.Read, auth.Use}, Group: "docs", Mode: "*"}},
		{Groups: []string{"chiefs"}, Grant: auth.Grant{
			Rights: []auth.Right{auth.Read, auth.Use, auth.Takeover, auth.ForceRelease, auth.History}, Group: "docs", Mode: "*",
		}},
		{Groups: []string{"others"}, Grant: auth.Grant{
			Rights: []auth.Right{auth.Read, auth.Use, auth.Takeover, auth.ForceRelease, auth.History}, Group: "other", Mode: "*",
		}},
		{Users: []string{"root"}, Grant: auth.Grant{Rights: []auth.Right{auth.Admin}, Group: "*", Mode: "*"}},
	},
}

func startSecured(t *testing.T, p access.Policy, l access.Limits) *secured {
	t.Helper()
	s := &secured{keys: filepath.Join(t.TempDir(), "keys.json"), audit: new(lines)}
	if err := auth.ChangeKeys(s.keys, func(all []auth.Key) ([]auth.Key, error) { return all, nil }); err != nil {
		t.Fatal(err)
	}
	keys, err := auth.OpenKeys(s.keys, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if s.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	secret, err := auth.Secret(pageSecret)
	if err != nil {
		t.Fatal(err)
	}
	public, err := auth.PublicKey(&s.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	chain := &auth.Chain{Keys: keys, Tokens: auth.NewTokens(
		&auth.Issuer{Name: pageIssuer, Audience: audience, Keys: auth.FixedKeys{secret}},
		&auth.Issuer{Name: rsaIssuer, Audience: audience, UserPrefix: "id:", Keys: auth.FixedKeys{public}},
	)}
	s.access = access.New(p, l, slog.New(slog.NewTextHandler(s.audit, nil)))
	s.world = start(t, httpapi.Options{Authenticator: chain, Access: s.access}, nil)
	return s
}

// page signs a token for a user who is in groups; the session is their name's.
func page(t *testing.T, user string, groups ...string) string {
	t.Helper()
	return pageFor(t, auth.PageToken{Owner: editlock.Owner{Session: user + "-1", UserID: user, Name: user}, Groups: groups})
}

func pageFor(t *testing.T, p auth.PageToken) string {
	t.Helper()
	p.Issuer, p.Audience = or(p.Issuer, pageIssuer), or(p.Audience, audience)
	token, err := auth.Mint(pageSecret, p)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// signed signs any claims by any key.
func signed(t *testing.T, alg jose.SignatureAlgorithm, key any, head map[jose.HeaderKey]any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, &jose.SignerOptions{ExtraHeaders: head})
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// claims are a good token's of an editor, changed as told; nil takes one away.
func claims(issuer string, change map[string]any) map[string]any {
	all := map[string]any{
		"iss": issuer, "aud": audience, "sub": "ivanov", "sid": "ivanov-1", "groups": []string{"chiefs"},
		"exp": time.Now().Add(time.Minute).Unix(),
	}
	for name, v := range change {
		if all[name] = v; v == nil {
			delete(all, name)
		}
	}
	return all
}

// key makes an API key and returns it.
func (s *secured) key(t *testing.T, k auth.Key) string {
	t.Helper()
	if k.Scope.Sessions == nil {
		k.Scope = auth.Scope{Sessions: []auth.Pattern{"*"}, Users: []auth.Pattern{"*"}}
	}
	k, secret := auth.NewKey(k)
	err := auth.ChangeKeys(s.keys, func(all []auth.Key) ([]auth.Key, error) { return append(all, k), nil })
	if err != nil {
		t.Fatal(err)
	}
	s.awaitKey(t, secret, k.Revoked == nil && k.Expires == nil)
	return secret
}

// awaitKey waits until the server has read the file's newest state.
func (s *secured) awaitKey(t *testing.T, secret string, valid bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		p := s.get(t, "/v1/mutexes", "Authorization", "Bearer "+secret)
		known := p.status != 401 || p.problem(t).Detail != "the API key is not known"
		if (p.status != 401) == valid && known {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the key is not as expected: %d %s", p.status, p.body)
		}
	}
}

func bearer(token string) []string {
	if token == "" {
		return nil
	}
	return []string{"Authorization", "Bearer " + token}
}

// held captures a mutex of group docs for an owner, past all checks.
func (s *secured) held(t *testing.T, id string, o editlock.Owner) editlock.Mutex {
	t.Helper()
	m, err := s.locker.Capture(editlock.WithOwner(context.Background(), o), editlock.ID{Group: "docs", ID: id}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (s *secured) holder(t *testing.T, id string) editlock.Owner {
	t.Helper()
	_, m, err := s.locker.Request(editlock.WithoutOwner(context.Background()), editlock.ID{Group: "docs", ID: id})
	if err != nil {
		t.Fatal(err)
	}
	if _, stated, ok := strings.Cut(strings.TrimPrefix(m.Owner.Session, "~"), "~"); ok && m.Owner.Session[0] == '~' {
		m.Owner.Session = stated // without its realm
	}
	return m.Owner
}

var petrov = editlock.Owner{Session: "petrov-1", UserID: "petrov", Name: "Petrov"}

// endpoints are all there are, each with a body that a chief gets a 200 for.
var endpoints = []struct {
	method, path string
	right        auth.Right // empty: for everybody
	changes      bool       // what is held, if it is allowed
	body         func(t *testing.T, s *secured, id, owner string) string
}{
	{"POST", "/v1/capture", auth.Use, true, func(_ *testing.T, _ *secured, id, owner string) string {
		return fmt.Sprintf(`{"mutex":{"group":"docs","id":%q}%s}`, id, owner)
	}},
	{"POST", "/v1/refresh", auth.Use, false, func(t *testing.T, s *secured, id, owner string) string {
		m := s.held(t, id, petrov)
		return fmt.Sprintf(`{"items":[{"mutex":{"group":"docs","id":%q},"token":%d}]%s}`, id, m.Token, owner)
	}},
	{"POST", "/v1/request", auth.Read, false, func(_ *testing.T, _ *secured, id, owner string) string {
		return fmt.Sprintf(`{"mutex":{"group":"docs","id":%q}%s}`, id, owner)
	}},
	{"POST", "/v1/release", auth.Use, true, nil},
	{"POST", "/v1/takeover", auth.Takeover, true, func(t *testing.T, s *secured, id, owner string) string {
		m := s.held(t, id, petrov)
		return fmt.Sprintf(`{"mutex":{"group":"docs","id":%q},"seen_token":%d,"reason":"on leave"%s}`, id, m.Token, owner)
	}},
	{"POST", "/v1/force-release", auth.ForceRelease, true, func(t *testing.T, s *secured, id, owner string) string {
		m := s.held(t, id, petrov)
		return fmt.Sprintf(`{"mutex":{"group":"docs","id":%q},"seen_token":%d,"reason":"on leave"%s}`, id, m.Token, owner)
	}},
	{"POST", "/v1/release-session", auth.ForceRelease, true, func(t *testing.T, s *secured, id, owner string) string {
		s.held(t, id, editlock.Owner{Session: "gone-" + id, UserID: "petrov"})
		return fmt.Sprintf(`{"session":%q%s}`, "gone-"+id, owner)
	}},
	{"POST", "/v1/hand-over", auth.Use, false, nil},
	{"POST", "/v1/decline", auth.Use, false, nil},
	{"POST", "/v1/presence", auth.Read, false, func(_ *testing.T, _ *secured, id, owner string) string {
		return fmt.Sprintf(`{"page":"p","looks":[{"mutex":{"group":"docs","id":%q}}]%s}`, id, owner)
	}},
	{"POST", "/v1/presence-query", auth.Read, false, func(_ *testing.T, _ *secured, id, owner string) string {
		return fmt.Sprintf(`{"mutexes":[{"group":"docs","id":%q}]%s}`, id, owner)
	}},
	{"GET", "/v1/mutexes?group=docs", auth.Read, false, nil},
	{"GET", "/v1/history?group=docs", auth.History, false, nil},
	{"GET", "/v1/events", auth.Read, false, nil},
	{"GET", "/healthz", "", false, nil},
	{"GET", "/readyz", "", false, nil},
	{"GET", "/openapi.json", "", false, nil},
	{"GET", "/docs", "", false, nil},
}

// problemCode is the code of an answer; of a refresh, of its one result.
func problemCode(r reply) string {
	var p struct {
		Code    string
		Results []struct{ Code string }
	}
	_ = json.Unmarshal([]byte(r.body), &p)
	if len(p.Results) == 1 {
		return p.Results[0].Code
	}
	return p.Code
}
