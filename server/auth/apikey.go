package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"time"
)

// keyPrefix begins every API key, so that tools that look for leaked secrets
// can know one.
const keyPrefix = "elk_"

// Key is what is kept of an API key: everything but the key itself.
type Key struct {
	ID string `json:"id"`
	// Name is of the back end that has the key. Keys and an issuer of one name
	// share their sessions.
	Name string `json:"name"`
	// Hash is the key's SHA-256, in hex. A slow hash is for secrets that can be
	// guessed; 256 random bits can't, at any speed.
	Hash    string     `json:"sha256,omitempty"`
	Created time.Time  `json:"created"`
	Expires *time.Time `json:"expires,omitzero"`
	Revoked *time.Time `json:"revoked,omitzero"`
	Scope   Scope      `json:"scope"`
	Grants  []Grant    `json:"grants"`
	Rank    int        `json:"rank,omitzero"`
	Kinds   Kinds      `json:"kinds,omitempty"`
}

// NewKey makes the rest of a key whose Name, Scope, Grants, Rank, Kinds and
// Expires are given. The secret is what the back end sends; it is told this once only.
func NewKey(k Key) (_ Key, secret string) {
	k.ID = strings.ToLower(rand.Text()[:10])
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	secret = keyPrefix + k.ID + "_" + hex.EncodeToString(random[:])
	k.Hash = hashOf(secret)
	k.Created = time.Now().UTC().Truncate(time.Second)
	return k, secret
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// isKey reports whether a bearer's credential means to be an API key.
func isKey(secret string) bool { return strings.HasPrefix(secret, keyPrefix) }

// keyID is the part of a key that is no secret.
func keyID(secret string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(secret, keyPrefix), "_")
	return id
}

// matches compares in a time that does not depend on where a guess is wrong.
func (k *Key) matches(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(hashOf(secret)), []byte(k.Hash)) == 1
}

func (k *Key) caller() *Caller {
	name := k.Name
	if name == "" {
		name = "key:" + k.ID
	}
	c := &Caller{Name: "key:" + k.ID, Method: APIKey, Scope: &k.Scope, Grants: k.Grants, Rank: k.Rank, Kinds: k.Kinds.OrAll(), realm: realmOf(name)}
	if k.Expires != nil {
		c.Expires = *k.Expires
	}
	return c
}
