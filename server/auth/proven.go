package auth

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	// maxProven is how many tokens' proofs are kept, and provenSize the longest
	// token, in bytes, whose proof is.
	maxProven  = 4096
	provenSize = 4 << 10
)

// proof is that one of an issuer's keys has signed a token: of its signature
// and what it says, not that it counts at present.
type proof struct {
	issuer *Issuer
	kid    string
	alg    jose.SignatureAlgorithm
	key    any
	claims *verified // never changed
}

// counts reports whether the key that signed still is one of the issuer's. An
// error says that its keys can't be had now.
func (p *proof) counts(ctx context.Context) (bool, error) {
	keys, err := p.issuer.Keys.Find(ctx, p.kid)
	if err != nil {
		return false, err
	}
	for _, k := range keys {
		if k.takes(p.alg) && sameKey(k.key, p.key) {
			return true, nil
		}
	}
	return false, nil
}

func sameKey(a, b any) bool {
	if secret, ok := a.([]byte); ok {
		other, ok := b.([]byte)
		return ok && bytes.Equal(secret, other)
	}
	public, ok := a.(interface {
		Equal(other crypto.PublicKey) bool
	})
	return ok && public.Equal(b)
}

// proofs are the tokens whose signatures were found good, by their SHA-256. A
// page sends the same one with each call, and so does a caller who calls too often: they
// are refused without the cost of checking it again. Nobody without good tokens
// can fill it.
type proofs = lru.Cache[[sha256.Size]byte, *proof]

func newProofs() *proofs {
	all, _ := lru.New[[sha256.Size]byte, *proof](maxProven) // fails for sizes below 1 only
	return all
}

// prove returns what a token says once its issuer's signature was found good,
// now or before, with a key that counts now.
func (t *Tokens) prove(ctx context.Context, raw string) (*Issuer, *verified, error) {
	sum := sha256.Sum256([]byte(raw))
	if p, ok := t.proofs.Get(sum); ok {
		switch counts, err := p.counts(ctx); {
		case err != nil:
			return nil, nil, err // to ask for the keys again would take as long again
		case counts:
			return p.issuer, p.claims, nil
		}
		t.proofs.Remove(sum)
	}
	tok, err := jwt.ParseSigned(raw, allAlgorithms)
	if err != nil || len(tok.Headers) != 1 {
		return nil, nil, refused("the token is not a JWT signed by an algorithm that is taken here")
	}
	var said jwt.Claims
	if err := tok.UnsafeClaimsWithoutVerification(&said); err != nil {
		return nil, nil, refused("the token's claims can't be read")
	}
	iss := t.issuers[said.Issuer] // only to choose the keys that must have signed it
	if iss == nil {
		return nil, nil, refused("the token's issuer is not known here")
	}
	p, err := iss.verify(ctx, tok)
	if err != nil {
		return nil, nil, err
	}
	if len(raw) <= provenSize {
		t.proofs.Add(sum, p)
	}
	return iss, p.claims, nil
}
