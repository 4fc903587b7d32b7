package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/editlock/editlock"
)

// A token whose signature was found good once is refused for all the reasons
// that it would be refused for the first time.
func TestTokens_ANameOfBlanksIsNone(t *testing.T) {
	i, key := startIssuer(t), newKey(t, "k")
	i.publish(false, key)
	tokens := NewTokens(&Issuer{Name: "i", Audience: "a", Keys: &JWKS{URL: i.URL, KeepFor: time.Hour, Log: slog.New(slog.DiscardHandler), now: time.Now}})
	caller, err := tokens.authenticate(t.Context(), signed(t, jose.ES256, key, map[string]any{"name": " ", "preferred_username": "\u00a0"}))
	if err != nil {
		t.Fatal(err)
	}
	if o := caller.Owner; o.Name != "" || o.Login != "" || o.Label() != "u" {
		t.Errorf("the owner is %+v, want one without name and login", o)
	}
}

func TestTokens_SeenBefore(t *testing.T) {
	ctx := t.Context()
	old, next := newKey(t, "old"), newKey(t, "next")
	setUp := func(t *testing.T) (*issuer, *clock, *Tokens) {
		i, c := startIssuer(t), &clock{}
		c.advance(time.Hour)
		i.publish(false, old)
		return i, c, NewTokens(&Issuer{Name: "i", Audience: "a", Leeway: time.Nanosecond, Keys: &JWKS{
			URL: i.URL, KeepFor: time.Hour, Log: slog.New(slog.DiscardHandler), now: c.now,
		}})
	}
	seen := func(t *testing.T, tokens *Tokens, token string) {
		t.Helper()
		for range 2 {
			if _, err := tokens.authenticate(ctx, token); err != nil {
				t.Fatal(err)
			}
		}
		if n := tokens.proofs.Len(); n != 1 {
			t.Fatalf("%d proofs are kept", n)
		}
	}
	refused := func(tokens *Tokens, token string) func() bool {
		return func() bool {
			_, err := tokens.authenticate(ctx, token)
			return errors.Is(err, editlock.ErrUnauthenticated)
		}
	}

	t.Run("is the same caller, who can't change what others get", func(t *testing.T) {
		_, _, tokens := setUp(t)
		token := signed(t, jose.ES256, old, map[string]any{"groups": []string{"b", "a"}})
		first, err := tokens.authenticate(ctx, token)
		if err != nil {
			t.Fatal(err)
		}
		first.Groups[0], first.Name = "admins", "somebody else"
		second, err := tokens.authenticate(ctx, token)
		if err != nil || second.Groups[0] != "a" || second.Name != "user:u" {
			t.Errorf("got %+v, %v", second, err)
		}
	})
	t.Run("is refused once its key was taken away", func(t *testing.T) {
		i, c, tokens := setUp(t)
		token := sign(t, jose.ES256, old)
		seen(t, tokens, token)
		i.publish(false, next)
		c.advance(jwksFresh + 1)
		await(t, refused(tokens, token))
	})
	t.Run("is refused once another key has its kid", func(t *testing.T) {
		i, c, tokens := setUp(t)
		token := sign(t, jose.ES256, old)
		seen(t, tokens, token)
		i.publish(false, newKey(t, "old"))
		c.advance(jwksFresh + 1)
		await(t, refused(tokens, token))
	})
	t.Run("counts on when the same key was fetched again", func(t *testing.T) {
		i, c, tokens := setUp(t)
		token := sign(t, jose.ES256, old)
		seen(t, tokens, token)
		c.advance(jwksFresh + 1)
		seen(t, tokens, token)
		await(t, func() bool { return i.asked.Load() == 2 })
		seen(t, tokens, token)
	})
	t.Run("can't be checked once the keys are too old", func(t *testing.T) {
		i, c, tokens := setUp(t)
		token := sign(t, jose.ES256, old)
		seen(t, tokens, token)
		i.publish(true)
		c.advance(time.Hour + 1)
		await(t, func() bool {
			_, err := tokens.authenticate(ctx, token)
			return errors.Is(err, editlock.ErrUnavailable)
		})
	})
	t.Run("is refused once it has expired", func(t *testing.T) {
		_, _, tokens := setUp(t)
		token := signed(t, jose.ES256, old, map[string]any{"exp": time.Now().Add(2 * time.Second).Unix()})
		seen(t, tokens, token)
		await(t, refused(tokens, token))
	})
	t.Run("does not vouch for another with the same claims", func(t *testing.T) {
		_, _, tokens := setUp(t)
		token := sign(t, jose.ES256, old)
		seen(t, tokens, token)
		body, other := token[:strings.LastIndex(token, ".")], sign(t, jose.ES256, newKey(t, "old"))
		if forged := body + other[strings.LastIndex(other, "."):]; !refused(tokens, forged)() {
			t.Error("a signature of another key counts")
		}
		if !refused(tokens, other)() {
			t.Error("the token of another key counts")
		}
	})
	t.Run("is not kept if it is long", func(t *testing.T) {
		_, _, tokens := setUp(t)
		token := signed(t, jose.ES256, old, map[string]any{"name": "N", "filler": strings.Repeat("a", provenSize)})
		if _, err := tokens.authenticate(context.Background(), token); err != nil || tokens.proofs.Len() != 0 {
			t.Errorf("%v; %d proofs are kept", err, tokens.proofs.Len())
		}
	})
}

// transport answers an issuer's requests without a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A caller learns that the issuer hangs as early as with a token
// that was never seen.
func TestTokens_SeenBeforeWaitsForKeysOnce(t *testing.T) {
	key := newKey(t, "k")
	published, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		hangs := false
		client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			if hangs {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(published))}, nil
		})}
		tokens := NewTokens(&Issuer{Name: "i", Audience: "a", Keys: &JWKS{
			URL: "https://id.example.org/keys", KeepFor: time.Hour, Log: slog.New(slog.DiscardHandler), Client: client,
		}})
		token := signed(t, jose.ES256, key, map[string]any{"exp": time.Now().Add(3 * time.Hour).Unix()})
		if _, err := tokens.authenticate(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		hangs = true
		time.Sleep(time.Hour + time.Second)
		asked := time.Now()
		_, err := tokens.authenticate(t.Context(), token)
		if took := time.Since(asked); took > jwksWithin || !errors.Is(err, editlock.ErrUnavailable) {
			t.Errorf("told after %v: %v", took, err)
		}
	})
}
