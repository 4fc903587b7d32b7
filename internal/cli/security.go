package cli

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/pelletier/go-toml/v2"

	"editlock/access"
	"editlock/auth"
	"editlock/httpapi"
)

// securityFile is the form of what --security names: whose tokens count, how
// people log in, who may do what, and limits.
type securityFile struct {
	Issuers      []issuerForm     `toml:"issuer"`
	Login        *loginForm       `toml:"login"`
	Certificates certificatesForm `toml:"certificates"`
	Rules        []access.Rule    `toml:"rule"`
	Ranks        access.Ranks     `toml:"ranks"`
	Limits       access.Limits    `toml:"limits"`
	HTTP         struct {
		Origins []string       `toml:"origins"`
		Proxies []netip.Prefix `toml:"trusted_proxies"`
	} `toml:"http"`

	dir string // where paths in it begin
}

type issuerForm struct {
	Name          string      `toml:"name"`
	Audience      string      `toml:"audience"`
	JWKS          string      `toml:"jwks_url"`
	KeepKeys      span        `toml:"keep_keys"`
	SecretFile    string      `toml:"secret_file"`
	PublicKeyFile string      `toml:"public_key_file"`
	Leeway        span        `toml:"leeway"`
	UserPrefix    *string     `toml:"user_prefix"`
	Claims        auth.Claims `toml:"claims"`
}

type loginForm struct {
	Issuer     string      `toml:"issuer"`
	ClientID   string      `toml:"client_id"`
	SecretFile string      `toml:"client_secret_file"`
	PublicURL  string      `toml:"public_url"`
	Scopes     []string    `toml:"scopes"`
	UserPrefix *string     `toml:"user_prefix"`
	Claims     auth.Claims `toml:"claims"`
	Lifetime   span        `toml:"lifetime"`
}

type certificatesForm struct {
	User       string  `toml:"user"`
	UserPrefix *string `toml:"user_prefix"`
}

// span is a duration such as "30s".
type span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf("must be a duration such as 30s or 8h, not %q", text)
	}
	*s = span(d)
	return nil
}

// readSecurity reads a security file. Names that are not known are refused: a
// rule with a slip of the pen would not bind.
func readSecurity(path string) (*securityFile, error) {
	s := &securityFile{Limits: access.DefaultLimits(), dir: filepath.Dir(path)}
	if path == "" {
		return s, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(s); err != nil {
		var unknown *toml.StrictMissingError
		var wrong *toml.DecodeError
		switch {
		case errors.As(err, &unknown) && len(unknown.Errors) > 0:
			row, _ := unknown.Errors[0].Position()
			return nil, fmt.Errorf("%s: line %d: %v is not known here", path, row, unknown.Errors[0].Key())
		case errors.As(err, &wrong):
			row, _ := wrong.Position()
			return nil, fmt.Errorf("%s: line %d: %w", path, row, err)
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s *securityFile) check() error {
	for _, origin := range s.HTTP.Origins {
		if err := httpapi.CheckOrigin(origin); err != nil {
			return fmt.Errorf("http.origins: %w", err)
		}
	}
	if err := s.policy().Validate(); err != nil {
		return err
	}
	return s.checkUsers()
}

func (s *securityFile) policy() *access.Policy { return &access.Policy{Rules: s.Rules, Ranks: s.Ranks} }

// checkUsers refuses issuers whose users would be taken for each other's,
// unless the same prefix is written out for both.
func (s *securityFile) checkUsers() error {
	type source struct {
		issuer string
		prefix *string
	}
	var all []source
	for _, i := range s.Issuers {
		for _, other := range all {
			if other.issuer == i.Name {
				return fmt.Errorf("issuer %q is there twice", i.Name)
			}
		}
		all = append(all, source{i.Name, i.UserPrefix})
	}
	if s.Login != nil {
		all = append(all, source{s.Login.Issuer, s.Login.UserPrefix})
	}
	for i, a := range all {
		for _, b := range all[:i] {
			said := a.prefix != nil && b.prefix != nil
			if a.issuer != b.issuer && !said && text(a.prefix) == text(b.prefix) {
				return fmt.Errorf("users of %q and %q would be taken for each other's: give each a user_prefix (or the same to both, if they are the same people)", b.issuer, a.issuer)
			}
		}
	}
	return nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// file reads a file that the security file names.
func (s *securityFile) file(name string) ([]byte, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.dir, name)
	}
	return os.ReadFile(name)
}

// secret is a file's content without the end of its line.
func (s *securityFile) secret(name string) ([]byte, error) {
	data, err := s.file(name)
	return bytes.TrimRight(data, "\r\n"), err
}

// tokens returns what checks JWTs, nil if no issuer is known.
func (s *securityFile) tokens(log *slog.Logger) (*auth.Tokens, error) {
	if len(s.Issuers) == 0 {
		return nil, nil
	}
	var issuers []*auth.Issuer
	for _, form := range s.Issuers {
		if form.Name == "" || form.Audience == "" {
			return nil, fmt.Errorf("issuer %q: name and audience must be given", form.Name)
		}
		keys, err := s.keys(form, log)
		if err != nil {
			return nil, fmt.Errorf("issuer %q: %w", form.Name, err)
		}
		issuers = append(issuers, &auth.Issuer{
			Name: form.Name, Audience: form.Audience, Leeway: time.Duration(form.Leeway), UserPrefix: text(form.UserPrefix),
			Claims: form.Claims, Keys: keys,
		})
	}
	return auth.NewTokens(issuers...), nil
}

func (s *securityFile) keys(form issuerForm, log *slog.Logger) (auth.KeySource, error) {
	given := 0
	for _, name := range []string{form.JWKS, form.SecretFile, form.PublicKeyFile} {
		if name != "" {
			given++
		}
	}
	if given != 1 {
		return nil, errors.New("give one of jwks_url, secret_file and public_key_file")
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
		if data, err = s.secret(form.SecretFile); err == nil {
			key, err = auth.Secret(data)
		}
	} else if data, err = s.file(form.PublicKeyFile); err == nil {
		key, err = auth.PublicKeyPEM(data)
	}
	return auth.FixedKeys{key}, err
}

// login returns what logs people in, nil if nothing does.
func (s *securityFile) login(log *slog.Logger) (*auth.Login, error) {
	f := s.Login
	if f == nil {
		return nil, nil
	}
	secret := []byte(nil)
	if f.SecretFile != "" {
		var err error
		if secret, err = s.secret(f.SecretFile); err != nil {
			return nil, err
		}
	}
	l, err := auth.NewLogin(auth.LoginOptions{
		Issuer: f.Issuer, ClientID: f.ClientID, ClientSecret: string(secret), PublicURL: f.PublicURL, Scopes: f.Scopes,
		UserPrefix: text(f.UserPrefix), Claims: f.Claims, Lifetime: time.Duration(f.Lifetime), Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	return l, nil
}

// certificates returns what makes owners of client certificates.
func (s *securityFile) certificates() (*auth.Certificates, error) {
	user := s.Certificates.User
	if user == "" {
		user = "cn"
	}
	for _, known := range auth.CertificateUsers {
		if user == known {
			// Subjects are not an issuer's users, unless that is written out.
			prefix := "certificate:"
			if s.Certificates.UserPrefix != nil {
				prefix = *s.Certificates.UserPrefix
			}
			return &auth.Certificates{User: user, UserPrefix: prefix}, nil
		}
	}
	return nil, fmt.Errorf("certificates.user: there is no %q; there are %v", user, auth.CertificateUsers)
}
