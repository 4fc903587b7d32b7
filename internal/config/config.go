// Package config is what a server is told: by flags, by the environment, by a
// file, in this order, and else by defaults. Flags, variables and keys of the
// file have the same names: --tls-cert, EDITLOCK_SERVE_TLS_CERT, tls_cert. What
// has a structure (issuers, rules, limits) stands in the file only.
package config

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/duration"
	"github.com/editlock/editlock/internal/fault"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/server/webui"
)

// Defaults of the settings that have one.
const (
	DefaultStore  = "sqlite:editlock.db"
	DefaultListen = "127.0.0.1:7117"

	// A year, and some gigabytes: enough to answer who edited what, and an end
	// to what is kept of people.
	DefaultMaxAge     = 365 * 24 * time.Hour
	DefaultMaxEntries = 10_000_000
)

// Settings are what flags and variables can say, too.
type Settings struct {
	Store    string `toml:"store"`
	Listen   string `toml:"listen"`
	Demo     bool   `toml:"demo"`
	Keys     string `toml:"keys" file:"guarded"`
	TLSCert  string `toml:"tls_cert" file:"public"`
	TLSKey   string `toml:"tls_key" file:"secret"`
	ClientCA string `toml:"client_ca" file:"public"`
	Metrics  string `toml:"metrics"`
	Pprof    string `toml:"pprof"`
}

// Config is all that a server is told. Make it with Load.
type Config struct {
	Settings
	HTTP         HTTP          `toml:"http"`
	Login        *Login        `toml:"login,omitempty"`
	Certificates Certificates  `toml:"certificates"`
	Limits       access.Limits `toml:"limits"`
	History      History       `toml:"history"`
	Presence     Presence      `toml:"presence"`
	Ranks        access.Ranks  `toml:"ranks"`
	Issuers      []Issuer      `toml:"issuer,omitempty"`
	Rules        []access.Rule `toml:"rule,omitempty"`
	Links        []webui.Link  `toml:"link,omitempty"`
	Holders      []Holders     `toml:"limit,omitempty"`

	file    string            // "": none
	sources map[string]Source // of settings, limits and history; absent: the default
}

// History is how much of it is kept: what is older, or more, is deleted. 0 keeps
// everything.
type History struct {
	MaxAge     Duration `toml:"max_age"`
	MaxEntries int64    `toml:"max_entries"`
}

// Presence says of which records nobody is told who looks at them.
type Presence struct {
	Off []auth.Pattern `toml:"off,omitempty"` // groups
}

// IsOff reports whether nobody is told who looks at a record.
func (p Presence) IsOff(id editlock.ID) bool {
	return slices.ContainsFunc(p.Off, func(group auth.Pattern) bool { return group.Match(id.Group) })
}

// Holders is how many may hold the mutexes of a group and mode at once, whatever
// their captures say.
type Holders struct {
	Group string `toml:"group"`
	Mode  string `toml:"mode"`
	Most  int    `toml:"holders"`
}

// HolderLimits are the limits of all groups and modes that have one.
func (c *Config) HolderLimits() []editlock.HolderLimit {
	limits := make([]editlock.HolderLimit, len(c.Holders))
	for i, h := range c.Holders {
		limits[i] = editlock.HolderLimit{Group: h.Group, Mode: h.Mode, Holders: h.Most}
	}
	return limits
}

// HTTP is about other sites' pages, and proxies.
type HTTP struct {
	Origins []string       `toml:"origins,omitempty"`
	Proxies []netip.Prefix `toml:"trusted_proxies,omitempty"`
}

// Issuer is one whose tokens count.
type Issuer struct {
	Name          string      `toml:"name"`
	Audience      string      `toml:"audience"`
	JWKS          string      `toml:"jwks_url,omitempty"`
	KeepKeys      Duration    `toml:"keep_keys,omitempty"`
	SecretFile    string      `toml:"secret_file,omitempty" file:"secret"`
	PublicKeyFile string      `toml:"public_key_file,omitempty" file:"public"`
	Leeway        Duration    `toml:"leeway,omitempty"`
	UserPrefix    *string     `toml:"user_prefix"`
	Kinds         auth.Kinds  `toml:"kinds,omitempty"`
	Claims        auth.Claims `toml:"claims"`
}

// Login is who logs people in.
type Login struct {
	Issuer     string      `toml:"issuer"`
	ClientID   string      `toml:"client_id"`
	SecretFile string      `toml:"client_secret_file,omitempty" file:"secret"`
	PublicURL  string      `toml:"public_url"`
	Scopes     []string    `toml:"scopes,omitempty"`
	UserPrefix *string     `toml:"user_prefix"`
	Claims     auth.Claims `toml:"claims"`
	Lifetime   Duration    `toml:"lifetime,omitempty"`
}

// Certificates says who the owner of a client certificate is.
type Certificates struct {
	User       string     `toml:"user,omitempty"`
	UserPrefix *string    `toml:"user_prefix"`
	Kinds      auth.Kinds `toml:"kinds,omitempty"`
}

// Duration is written such as "30s".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fault.New("setting_not_a_duration", "must be a duration such as 30s or 8h, not %q", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(duration.Text(time.Duration(d))), nil }

// setting is one of the Settings, by its key.
type setting struct {
	key  string
	text *string
	flag *bool // instead of text
	path bool  // a file's, which begins at the folder of the file that names it
}

func (s *Settings) all() []setting {
	return []setting{
		{key: "store", text: &s.Store},
		{key: "listen", text: &s.Listen},
		{key: "keys", text: &s.Keys, path: true},
		{key: "tls_cert", text: &s.TLSCert, path: true},
		{key: "tls_key", text: &s.TLSKey, path: true},
		{key: "client_ca", text: &s.ClientCA, path: true},
		{key: "metrics", text: &s.Metrics},
		{key: "pprof", text: &s.Pprof},
		{key: "demo", flag: &s.Demo},
	}
}

// Keys are those of the settings, in the order of their importance.
func Keys() []string {
	var keys []string
	for _, s := range new(Settings).all() {
		keys = append(keys, s.key)
	}
	return keys
}

func (s setting) set(value string) error {
	if s.text != nil {
		*s.text = value
		return nil
	}
	b, err := strconv.ParseBool(value)
	if err != nil {
		return fault.New("not_a_bool", "must be true or false, not %q", value)
	}
	*s.flag = b
	return nil
}

// Flag is the name of the flag for a key.
func Flag(key string) string { return strings.ReplaceAll(key, "_", "-") }

// Variable is the name of the environment's variable for a key. The store's
// counts for all commands, not for serve alone.
func Variable(key string) string {
	if key == "store" {
		return "EDITLOCK_STORE"
	}
	return variables + strings.ToUpper(key)
}

// FileVariable names the file, if no flag does.
const FileVariable = variables + "CONFIG"

// variables begin so. Others that do are mistakes.
const variables = "EDITLOCK_SERVE_"

// Kind of where a value comes from.
type Kind int

// The kinds, the stronger one later.
const (
	Default Kind = iota
	File
	Environment
	FlagGiven
)

// Source is where a value comes from: a flag, a variable, a file.
type Source struct {
	Kind Kind
	Name string // as it is written
}

// Source tells where a setting, or a limit as in "limits.event_streams", comes
// from.
func (c *Config) Source(key string) Source { return c.sources[key] }

// SetSource says where a setting came from before it was given to Load.
func (c *Config) SetSource(key string, from Source) { c.sources[key] = from }

// File is the file that was read; empty if none was.
func (c *Config) File() string { return c.file }

// Known reports whether callers are authenticated. Without any of these
// settings the owner that a caller states is believed.
func (c *Config) Known() bool {
	return c.Keys != "" || c.ClientCA != "" || c.Login != nil || len(c.Issuers) > 0
}

// path is that of a file that the configuration file names.
func (c *Config) path(name string) string {
	if filepath.IsAbs(name) || c.file == "" {
		return name
	}
	return filepath.Join(filepath.Dir(c.file), name)
}

// nearest is the name among some that is spelled most like another; empty if
// none is like it.
func nearest(name string, known []string) string {
	best, least := "", 1+len(name)/3
	for _, k := range known {
		if d := distance(name, k); d <= least && (best == "" || d < distance(name, best)) {
			best = k
		}
	}
	return best
}

// distance is how many letters must be added, left out or changed.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// unknownKey is the error for a key that a table does not have. name is the key
// alone, or as it may have been meant.
func unknownKey(key, name string, known []string) error {
	if like := nearest(name, known); like != "" {
		return fault.New("unknown_key_like", "%s is not known here; do you mean %s?", key, like)
	}
	return fault.New("unknown_key", "%s is not known here; known are %s", key, list(known))
}

// unknownVariable is the same for a variable of the environment.
func unknownVariable(name string, known []string) error {
	if like := nearest(name, known); like != "" {
		return fault.New("unknown_variable_like", "the environment has %s, which is not known; do you mean %s?", name, like)
	}
	return fault.New("unknown_variable", "the environment has %s, which is not known; known are %s", name, list(known))
}

func list(names []string) string { return strings.Join(slices.Sorted(slices.Values(names)), ", ") }

// Retention is History for a Manager.
func (c *Config) Retention() editlock.Retention {
	return editlock.Retention{MaxAge: time.Duration(c.History.MaxAge), MaxEntries: c.History.MaxEntries}
}
