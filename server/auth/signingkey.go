package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// KeySource knows the keys of an issuer.
type KeySource interface {
	// Find returns the keys that may have signed a token with this kid, which
	// may be empty.
	Find(ctx context.Context, kid string) ([]SigningKey, error)
}

// SigningKey is what signatures are checked with, and by which algorithms.
type SigningKey struct {
	kid        string
	key        any
	algorithms []jose.SignatureAlgorithm
}

var (
	rsaAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512}
	allAlgorithms = append([]jose.SignatureAlgorithm{
		jose.HS256, jose.HS384, jose.HS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	}, rsaAlgorithms...)
)

const (
	minSecret = 32   // bytes
	minRSA    = 2048 // bits
)

// Secret returns a key shared with the issuer, at least 32 bytes, for HS256 to
// HS512. Its holder can sign for anybody.
func Secret(secret []byte) (SigningKey, error) {
	if len(secret) < minSecret {
		return SigningKey{}, fmt.Errorf("the secret has %d bytes; at least %d are needed", len(secret), minSecret)
	}
	k := SigningKey{key: secret, algorithms: []jose.SignatureAlgorithm{jose.HS256}}
	if len(secret) >= 48 {
		k.algorithms = append(k.algorithms, jose.HS384)
	}
	if len(secret) >= 64 {
		k.algorithms = append(k.algorithms, jose.HS512)
	}
	return k, nil
}

// PublicKey returns an RSA, EC or Ed25519 key, with the algorithms that go with
// its type.
func PublicKey(key any) (SigningKey, error) {
	k := SigningKey{key: key}
	switch key := key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSA {
			return k, fmt.Errorf("the RSA key has %d bits; at least %d are needed", key.N.BitLen(), minRSA)
		}
		k.algorithms = rsaAlgorithms
	case *ecdsa.PublicKey:
		alg, ok := map[string]jose.SignatureAlgorithm{"P-256": jose.ES256, "P-384": jose.ES384, "P-521": jose.ES512}[key.Curve.Params().Name]
		if !ok {
			return k, fmt.Errorf("the curve %s is not taken; P-256, P-384 and P-521 are", key.Curve.Params().Name)
		}
		k.algorithms = []jose.SignatureAlgorithm{alg}
	case ed25519.PublicKey:
		k.algorithms = []jose.SignatureAlgorithm{jose.EdDSA}
	default:
		return k, fmt.Errorf("a key of type %T is not taken; RSA, EC and Ed25519 are", key)
	}
	return k, nil
}

// PublicKeyPEM reads a PUBLIC KEY or a CERTIFICATE in PEM.
func PublicKeyPEM(data []byte) (SigningKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return SigningKey{}, errors.New("there is no PEM block in it")
	}
	switch block.Type {
	case "PUBLIC KEY":
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return SigningKey{}, err
		}
		return PublicKey(key)
	case "CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return SigningKey{}, err
		}
		return PublicKey(cert.PublicKey)
	}
	return SigningKey{}, fmt.Errorf("it holds a %s; a PUBLIC KEY or a CERTIFICATE is needed", block.Type)
}

// takes reports whether a signature by alg may be checked with the key.
func (k *SigningKey) takes(alg jose.SignatureAlgorithm) bool {
	return slices.Contains(k.algorithms, alg)
}

// FixedKeys are keys that never change. None has a kid, so a token's counts
// for nothing.
type FixedKeys []SigningKey

// Find implements KeySource.
func (f FixedKeys) Find(context.Context, string) ([]SigningKey, error) { return f, nil }
