package auth

import (
	"net/http"
	"strings"
)

// Chain is the ways to prove who one is that a server knows; a nil one it
// does not. What a request says in Authorization counts alone; else its login,
// else its certificate.
type Chain struct {
	Keys         *KeysFile
	Tokens       *Tokens
	Login        *Login
	Certificates *Certificates
}

// Authenticate implements Authenticator.
func (c *Chain) Authenticate(r *http.Request) (*Caller, error) {
	if values := r.Header["Authorization"]; len(values) > 0 {
		secret, err := bearer(values)
		switch {
		case err != nil:
			return nil, err
		case isKey(secret) && c.Keys != nil:
			return c.Keys.authenticate(secret)
		case isKey(secret):
			return nil, refused("this server takes no API keys")
		case c.Tokens != nil:
			return c.Tokens.authenticate(r.Context(), secret)
		}
		return nil, refused("this server takes no tokens")
	}
	if c.Login != nil {
		if caller := c.Login.caller(r); caller != nil {
			return caller, nil
		}
	}
	if c.Certificates != nil && r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		return c.Certificates.authenticate(r.TLS.VerifiedChains[0][0])
	}
	return nil, &Error{Problem: "credentials are missing: send Authorization: Bearer and an API key or a token"}
}

// Parts are the ways in that others must answer for, by name, each with what
// keeps it from working at present, nil if nothing is known to. It asks nobody.
func (c *Chain) Parts() map[string]error {
	out := map[string]error{}
	if c.Tokens != nil {
		out["tokens"] = c.Tokens.problem()
	}
	if c.Login != nil {
		out["login"] = c.Login.problem()
	}
	return out
}

func bearer(values []string) (string, error) {
	if len(values) > 1 {
		return "", refused("Authorization is given more than once")
	}
	scheme, secret, _ := strings.Cut(values[0], " ")
	if secret = strings.TrimSpace(secret); !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return "", refused("Authorization must be Bearer and an API key or a token")
	}
	return secret, nil
}
