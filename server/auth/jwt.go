package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// maxToken bounds what is parsed at all.
const maxToken = 16 << 10

// DefaultLeeway is how much clocks may differ.
const DefaultLeeway = 30 * time.Second

// Issuer is somebody whose tokens count.
type Issuer struct {
	Name     string // iss, compared exactly
	Audience string // must be among aud
	Leeway   time.Duration
	// UserPrefix goes before sub, so that users of two issuers stay apart.
	UserPrefix string
	// OtherPrefixes are those of other issuers, logins and certificates. No user
	// of this issuer may be called as theirs are.
	OtherPrefixes []string
	Claims        Claims
	Kinds         Kinds // of owners that its tokens may be for
	Keys          KeySource
}

// Tokens checks JWTs of any number of issuers. A token must name its issuer
// and this audience, a user (sub), a session (editlock.session, sid or jti)
// and its end (exp).
type Tokens struct {
	issuers map[string]*Issuer
	proofs  *proofs
}

// NewTokens returns what checks the tokens of issuers, whose names differ.
func NewTokens(issuers ...*Issuer) *Tokens {
	t := &Tokens{issuers: make(map[string]*Issuer, len(issuers)), proofs: newProofs()}
	for _, iss := range issuers {
		t.issuers[iss.Name] = iss
	}
	return t
}

// problem is why no token of some issuer can be checked at present, nil if
// nothing is known to be in the way.
func (t *Tokens) problem() error {
	var all error
	for _, iss := range t.issuers {
		if j, ok := iss.Keys.(*JWKS); ok {
			all = errors.Join(all, j.problem())
		}
	}
	return all
}

// authenticate finds the caller of a token.
func (t *Tokens) authenticate(ctx context.Context, raw string) (*Caller, error) {
	if len(raw) > maxToken {
		return nil, refused(fmt.Sprintf("the token is longer than %d bytes", maxToken))
	}
	iss, claims, err := t.prove(ctx, raw)
	if err != nil {
		return nil, err
	}
	return iss.caller(claims)
}

// verified is a token's body, once its signature was found good.
type verified struct {
	jwt.Claims
	all claimSet
}

// verify tries the keys that may have signed a token. The key decides which
// algorithms go with it, never the token.
func (iss *Issuer) verify(ctx context.Context, tok *jwt.JSONWebToken) (*proof, error) {
	head := tok.Headers[0]
	alg := jose.SignatureAlgorithm(head.Algorithm)
	keys, err := iss.Keys.Find(ctx, head.KeyID)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if !k.takes(alg) {
			continue
		}
		v := &verified{}
		if err := tok.Claims(k.key, &v.Claims, &v.all); err == nil {
			return &proof{iss, head.KeyID, alg, k.key, v}, nil
		}
	}
	return nil, refused("the token's signature is not its issuer's")
}

// caller checks what a token says, and makes a caller of it.
func (iss *Issuer) caller(v *verified) (*Caller, error) {
	leeway := iss.Leeway
	if leeway == 0 {
		leeway = DefaultLeeway
	}
	if v.Expiry == nil {
		return nil, refused("the token never expires: exp is missing")
	}
	err := v.ValidateWithLeeway(jwt.Expected{Issuer: iss.Name, AnyAudience: jwt.Audience{iss.Audience}, Time: time.Now()}, leeway)
	switch {
	case errors.Is(err, jwt.ErrExpired):
		return nil, refused("the token has expired")
	case errors.Is(err, jwt.ErrInvalidAudience):
		return nil, refused("the token is for another audience")
	case errors.Is(err, jwt.ErrNotValidYet), errors.Is(err, jwt.ErrIssuedInTheFuture):
		return nil, refused("the token is not valid yet")
	case err != nil:
		return nil, refused("the token's claims are not valid")
	}
	caller, err := iss.Claims.person(iss.Kinds, v.all, iss.UserPrefix, iss.OtherPrefixes)
	if err != nil {
		return nil, err
	}
	session := v.all.session()
	if session == "" {
		return nil, refused("the token names no session: editlock.session, sid and jti are missing")
	}
	caller.Expires = v.Expiry.Time().Add(leeway)
	return settle(caller, JWT, realmOf(iss.Name), session)
}
