package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/wire/strictjson"
)

// Credential returns what proves who calls, an API key or a JWT. It is asked
// once, and again when the server refuses what it said. It may be called by
// several goroutines, one at a time; its error ends the call that needed it.
type Credential func(ctx context.Context) (string, error)

// StaticCredential is a Credential that never changes.
func StaticCredential(secret string) Credential {
	return func(context.Context) (string, error) { return secret, nil }
}

// CredentialFile is a Credential that a file holds, with white space around
// it. The file is read whenever the Credential is asked, so a token in it may
// be replaced by a newer one.
func CredentialFile(path string) Credential {
	return func(context.Context) (string, error) {
		data, err := os.ReadFile(path)
		return string(bytes.TrimSpace(data)), err
	}
}

// keyPrefix begins every API key.
const keyPrefix = "elk_"

// NamesOwner reports whether the owner of calls is what a credential's claims
// say, as those of a JWT do. With an API key, each call says whom it is for.
func NamesOwner(credential string) bool { return !strings.HasPrefix(credential, keyPrefix) }

// credential keeps what a Credential said last.
type credential struct {
	source Credential
	turn   chan struct{} // one at a time asks the source

	mu  sync.Mutex
	now string // empty: not asked yet
}

func newCredential(source Credential) *credential {
	return &credential{source: source, turn: make(chan struct{}, 1)}
}

func (c *credential) current() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// get returns the credential; a newer one than old, if there is one.
func (c *credential) get(ctx context.Context, old string) (string, error) {
	if now := c.current(); now != old {
		return now, nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if now := c.current(); now != old { // another asked meanwhile
		return now, nil
	}
	now, err := c.source(ctx)
	if err != nil {
		return "", fmt.Errorf("the credential can't be had: %w", err)
	}
	if err := checkCredential(now); err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
	return now, nil
}

// checkCredential does not tell what it is about: it is a secret.
func checkCredential(secret string) error {
	switch {
	case secret == "":
		return invalid("credential", "empty_credential", "must not be empty: it is an API key or a JWT")
	case strings.ContainsFunc(secret, func(c rune) bool { return c <= ' ' || c > '~' }):
		return invalid("credential", "not_a_credential", "has a character that neither API keys nor JWTs have, such as a space or a line break")
	}
	return nil
}

// authorize makes a request prove who calls; with a newer credential than
// the one that was refused, if there is one.
func (c *Client) authorize(ctx context.Context, refused string) (string, error) {
	if c.credential == nil {
		return "", nil
	}
	return c.credential.get(ctx, refused)
}

func setCredential(req *http.Request, secret string) {
	if secret != "" {
		req.Header["Authorization"] = []string{"Bearer " + secret}
	}
}

// renews reports whether another credential may be taken where one was.
func (c *Client) renews(err error) bool {
	return c.credential != nil && errors.Is(err, editlock.ErrUnauthenticated)
}

// nameless takes the console owner out of a body, if a credential's claims, or
// a certificate, are the owner: the server refuses any other.
func (c *Client) nameless(ctx context.Context, body any, secret string) {
	proved := c.ownerProved || secret != "" && NamesOwner(secret)
	if !proved || editlock.OwnerFrom(ctx) != editlock.ConsoleOwner() {
		return
	}
	switch b := body.(type) {
	case *wire.CaptureRequest:
		b.Owner = nil
	case *wire.RefreshRequest:
		b.Owner = nil
	case *wire.LookRequest:
		b.Owner = nil
	case *wire.ReleaseRequest:
		b.Owner = nil
	case *wire.ReleaseSessionRequest:
		b.Owner = nil
	case *wire.TakeoverRequest:
		b.Owner = nil
	case *wire.ForceReleaseRequest:
		b.Owner = nil
	case *wire.HandOverRequest:
		b.Owner = nil
	case *wire.DeclineRequest:
		b.Owner = nil
	}
}

// SessionOf returns the session that a JWT names, without looking whether it
// is genuine, which is the server's business; empty, if it names none.
func SessionOf(token string) string {
	_, rest, _ := strings.Cut(token, ".")
	body, _, signed := strings.Cut(rest, ".")
	data, err := base64.RawURLEncoding.DecodeString(body)
	if !signed || err != nil {
		return ""
	}
	var claims struct {
		Own struct {
			Session string `json:"session"`
		} `json:"editlock"`
		SID string `json:"sid"`
		JTI string `json:"jti"`
	}
	if strictjson.UnmarshalKnown(data, &claims) != nil {
		return ""
	}
	for _, s := range []string{claims.Own.Session, claims.SID, claims.JTI} {
		if s != "" {
			return s
		}
	}
	return ""
}
