package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/editlock/editlock"
)

// issuer publishes keys, which change and fail as a test says.
type issuer struct {
	*httptest.Server
	asked atomic.Int64

	mu   sync.Mutex
	keys []jose.JSONWebKey
	down bool
}

func startIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.asked.Add(1)
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: i.keys})
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) publish(down bool, keys ...jose.JSONWebKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down, i.keys = down, nil
	for _, k := range keys {
		i.keys = append(i.keys, k.Public())
	}
}

func newKey(t *testing.T, kid string) jose.JSONWebKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: kid, Use: "sig", Algorithm: "ES256"}
}

func sign(t *testing.T, alg jose.SignatureAlgorithm, k jose.JSONWebKey) string {
	t.Helper()
	return signed(t, alg, k, nil)
}

// signed is a token for user u with more claims, or others.
func signed(t *testing.T, alg jose.SignatureAlgorithm, k jose.JSONWebKey, more map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: k}, nil)
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{"iss": "i", "aud": "a", "sub": "u", "sid": "s", "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(claims, more)
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// clock is a time that a test moves.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func TestJWKS(t *testing.T) {
	setUp := func(t *testing.T) (*issuer, *clock, func(token string) error) {
		i, c := startIssuer(t), &clock{}
		c.advance(time.Hour)
		tokens := NewTokens(&Issuer{Name: "i", Audience: "a", Keys: &JWKS{
			URL: i.URL, KeepFor: time.Hour, Log: slog.New(slog.DiscardHandler), now: c.now,
		}})
		return i, c, func(token string) error {
			_, err := tokens.authenticate(context.Background(), token)
			return err
		}
	}
	old, next := newKey(t, "old"), newKey(t, "next")

	t.Run("a published key counts, and is fetched once", func(t *testing.T) {
		i, _, check := setUp(t)
		i.publish(false, old)
		for range 5 {
			if err := check(sign(t, jose.ES256, old)); err != nil {
				t.Fatal(err)
			}
		}
		if n := i.asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
	t.Run("a new key counts at its first token", func(t *testing.T) {
		i, c, check := setUp(t)
		i.publish(false, old)
		if err := check(sign(t, jose.ES256, old)); err != nil {
			t.Fatal(err)
		}
		i.publish(false, old, next)
		c.advance(jwksPause + 1)
		if err := check(sign(t, jose.ES256, next)); err != nil {
			t.Errorf("the new key: %v", err)
		}
		if err := check(sign(t, jose.ES256, old)); err != nil {
			t.Errorf("the old key: %v", err)
		}
	})
	t.Run("a key taken away is refused after the next fetch", func(t *testing.T) {
		i, c, check := setUp(t)
		i.publish(false, old)
		if err := check(sign(t, jose.ES256, old)); err != nil {
			t.Fatal(err)
		}
		i.publish(false, next)
		c.advance(jwksFresh + 1)
		await(t, func() bool { return errors.Is(check(sign(t, jose.ES256, old)), editlock.ErrUnauthenticated) })
	})
	t.Run("unknown kids don't make it ask all the time", func(t *testing.T) {
		i, _, check := setUp(t)
		i.publish(false, old)
		for range 20 {
			if err := check(sign(t, jose.ES256, next)); !errors.Is(err, editlock.ErrUnauthenticated) {
				t.Fatalf("got %v", err)
			}
		}
		if n := i.asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
	t.Run("an outage leaves the keys in force for a time, and no longer", func(t *testing.T) {
		i, c, check := setUp(t)
		i.publish(false, old)
		if err := check(sign(t, jose.ES256, old)); err != nil {
			t.Fatal(err)
		}
		i.publish(true)
		c.advance(time.Hour - time.Second)
		if err := check(sign(t, jose.ES256, old)); err != nil {
			t.Errorf("within the time: %v", err)
		}
		await(t, func() bool { return i.asked.Load() == 2 }) // in the background
		c.advance(jwksPause + time.Second)
		if err := check(sign(t, jose.ES256, old)); !errors.Is(err, editlock.ErrUnavailable) {
			t.Errorf("after the time: got %v, want unavailable", err)
		}
		i.publish(false, old)
		c.advance(jwksPause + 1)
		if err := check(sign(t, jose.ES256, old)); err != nil {
			t.Errorf("when it is back: %v", err)
		}
	})
	t.Run("an outage from the beginning is unavailable, not a refusal", func(t *testing.T) {
		i, _, check := setUp(t)
		i.publish(true)
		if err := check(sign(t, jose.ES256, old)); !errors.Is(err, editlock.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("keys that encrypt, secrets and unknown kinds are left out", func(t *testing.T) {
		i, _, check := setUp(t)
		encrypts := old
		encrypts.Use = "enc"
		secret := jose.JSONWebKey{Key: make([]byte, 32), KeyID: "secret", Use: "sig", Algorithm: "HS256"}
		i.publish(false, encrypts, next)
		i.mu.Lock()
		i.keys = append(i.keys, secret)
		i.mu.Unlock()
		for name, token := range map[string]string{"enc": sign(t, jose.ES256, old), "oct": sign(t, jose.HS256, secret)} {
			if err := check(token); !errors.Is(err, editlock.ErrUnauthenticated) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
	t.Run("Ed25519 signs too", func(t *testing.T) {
		i, _, check := setUp(t)
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		k := jose.JSONWebKey{Key: private, KeyID: "ed"}
		i.publish(false, k)
		if err := check(sign(t, jose.EdDSA, k)); err != nil {
			t.Error(err)
		}
	})
}

func await(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited too long")
		}
	}
}
