package auth

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/duration"
)

// DefaultLifetime is how long a page's token is good for.
const DefaultLifetime = 10 * time.Minute

// PageToken is what a web application says of the person in front of one of
// its pages, for the page to prove it to editlock.
type PageToken struct {
	Issuer   string // as the server's configuration names the application
	Audience string
	// Owner is the person, or the agent or job that the token is for alone. UserID
	// is required. Keep the Session for as long as
	// the login lasts, and never let the page choose it: two people with one
	// session are one holder. Empty: a new one is made.
	Owner    editlock.Owner
	Groups   []string
	Grants   []Grant
	Rank     int
	Lifetime time.Duration // 0 means DefaultLifetime
}

// Mint signs a token by HS256 with the secret that the application shares with
// the server, of 32 bytes or more.
func Mint(secret []byte, t PageToken) (string, error) {
	if _, err := Secret(secret); err != nil {
		return "", err
	}
	if t.Owner.Session == "" {
		t.Owner.Session = rand.Text()
	}
	if t.Lifetime == 0 {
		t.Lifetime = DefaultLifetime
	}
	switch {
	case t.Issuer == "" || t.Audience == "":
		return "", errors.New("issuer and audience must be given")
	case t.Owner.UserID == "":
		return "", &editlock.InvalidError{Field: "owner.user_id", Problem: "must not be empty: it is who the token is for", Code: "empty_token_user"}
	case t.Lifetime < 0 || t.Lifetime > 24*time.Hour:
		return "", fmt.Errorf("the lifetime is %s; up to 24h is allowed: a token can't be revoked", duration.Text(t.Lifetime))
	}
	if err := t.Owner.Validate(); err != nil {
		return "", err
	}
	for _, g := range t.Grants {
		if err := g.Validate(); err != nil {
			return "", err
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: secret}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	now := time.Now()
	claims := struct {
		jwt.Claims
		Login    string   `json:"preferred_username,omitempty"`
		Name     string   `json:"name,omitempty"`
		Groups   []string `json:"groups,omitempty"`
		Editlock ownClaim `json:"editlock"`
	}{
		jwt.Claims{
			Issuer: t.Issuer, Audience: jwt.Audience{t.Audience}, Subject: t.Owner.UserID, ID: rand.Text(),
			IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(t.Lifetime)),
		},
		t.Owner.Login, t.Owner.Name, t.Groups,
		ownClaim{Session: t.Owner.Session, Host: t.Owner.Host, Grants: t.Grants, Rank: t.Rank, OnBehalfOf: t.Owner.OnBehalfOf},
	}
	if t.Owner.Kind != editlock.Person {
		claims.Editlock.Kind = &t.Owner.Kind
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}
