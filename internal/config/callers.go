package config

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/editlock/editlock/internal/fault"
	"github.com/editlock/editlock/server/auth"
)

// Tokens returns what checks JWTs, nil if no issuer is known.
func (c *Config) Tokens(log *slog.Logger) (*auth.Tokens, error) {
	if len(c.Issuers) == 0 {
		return nil, nil
	}
	var issuers []*auth.Issuer
	for _, form := range c.Issuers {
		if form.Name == "" || form.Audience == "" {
			return nil, fmt.Errorf("issuer %q: %w", form.Name, fault.New("issuer_incomplete", "name and audience must be given"))
		}
		keys, err := c.keys(form, log)
		if err != nil {
			return nil, fmt.Errorf("issuer %q: %w", form.Name, err)
		}
		issuers = append(issuers, &auth.Issuer{
			Name: form.Name, Audience: form.Audience, Leeway: time.Duration(form.Leeway), UserPrefix: text(form.UserPrefix),
			OtherPrefixes: c.prefixes(), Claims: form.Claims, Kinds: form.Kinds.OrAll(), Keys: keys,
		})
	}
	return auth.NewTokens(issuers...), nil
}

func (c *Config) keys(form Issuer, log *slog.Logger) (auth.KeySource, error) {
	given := 0
	for _, name := range []string{form.JWKS, form.SecretFile, form.PublicKeyFile} {
		if name != "" {
			given++
		}
	}
	if given != 1 {
		return nil, fault.New("several_keys", "give one of jwks_url, secret_file and public_key_file")
	}
	if form.JWKS != "" {
		if err := auth.CheckURL(form.JWKS); err != nil {
			return nil, fmt.Errorf("jwks_url: %w", err)
		}
		return &auth.JWKS{URL: form.JWKS, KeepFor: time.Duration(form.KeepKeys), Log: log}, nil
	}
	var key auth.SigningKey
	var data []byte
	var err error
	if form.SecretFile != "" {
		if data, err = c.secret(form.SecretFile); err == nil {
			key, err = auth.Secret(data)
		}
	} else if data, err = os.ReadFile(c.path(form.PublicKeyFile)); err == nil {
		key, err = auth.PublicKeyPEM(data)
	}
	return auth.FixedKeys{key}, err
}

// secret is a file's content without the end of its line.
func (c *Config) secret(name string) ([]byte, error) {
	data, err := os.ReadFile(c.path(name))
	return bytes.TrimRight(data, "\r\n"), err
}

// Logins returns what logs people in, nil if nothing does.
func (c *Config) Logins(log *slog.Logger) (*auth.Login, error) {
	f := c.Login
	if f == nil {
		return nil, nil
	}
	secret := []byte(nil)
	if f.SecretFile != "" {
		var err error
		if secret, err = c.secret(f.SecretFile); err != nil {
			return nil, err
		}
	}
	l, err := auth.NewLogin(auth.LoginOptions{
		Issuer: f.Issuer, ClientID: f.ClientID, ClientSecret: string(secret), PublicURL: f.PublicURL, Scopes: f.Scopes,
		UserPrefix: text(f.UserPrefix), OtherPrefixes: c.prefixes(), Claims: f.Claims, Lifetime: time.Duration(f.Lifetime), Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	return l, nil
}

// Owners returns what makes owners of client certificates.
func (c *Config) Owners() (*auth.Certificates, error) {
	user := c.Certificates.User
	if user == "" {
		user = "cn"
	}
	if !slices.Contains(auth.CertificateUsers, user) {
		return nil, fmt.Errorf("certificates.user: %w",
			fault.New("unknown_certificate_user", "there is no %q; there are %v", user, auth.CertificateUsers))
	}
	return &auth.Certificates{
		User: user, UserPrefix: c.certificatePrefix(), OtherPrefixes: c.prefixes(), Kinds: c.Certificates.Kinds.OrAll(),
	}, nil
}

// certificatePrefix tells subjects of certificates from an issuer's users,
// unless another is written out.
func (c *Config) certificatePrefix() string {
	if c.Certificates.UserPrefix != nil {
		return *c.Certificates.UserPrefix
	}
	return "certificate:"
}

// prefixes are those of all users.
func (c *Config) prefixes() []string {
	var all []string
	for _, i := range c.Issuers {
		all = append(all, text(i.UserPrefix))
	}
	if c.Login != nil {
		all = append(all, text(c.Login.UserPrefix))
	}
	if c.ClientCA != "" {
		all = append(all, c.certificatePrefix())
	}
	return all
}
