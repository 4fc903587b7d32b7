package config

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/editlock/editlock/internal/storeurl"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/webui"
)

// TOML is the configuration as a file that says the same, with a comment at
// each setting, limit and bound of the history that tells where it comes from; comment puts a source
// into words. Paths are absolute, so that the file can lie anywhere. A password
// in the store's URL is left out.
func (c *Config) TOML(comment func(Source) string) ([]byte, error) {
	var b bytes.Buffer
	line := func(key string, value any, from string) error {
		text, err := toml.Marshal(map[string]any{key: value})
		fmt.Fprintf(&b, "%s # %s\n", bytes.TrimSpace(text), comment(c.Source(from)))
		return err
	}
	shown, err := c.portable()
	if err != nil {
		return nil, err
	}
	for _, s := range shown.all() {
		value := any(s.flag)
		if s.text != nil {
			value = *s.text
		}
		if err := line(s.key, value, s.key); err != nil {
			return nil, err
		}
	}
	for _, table := range []struct {
		name string
		of   any
	}{{"limits", c.Limits}, {"history", c.History}} {
		fmt.Fprintf(&b, "\n[%s]\n", table.name)
		values := reflect.ValueOf(table.of)
		for i := range values.NumField() {
			key := values.Type().Field(i).Tag.Get("toml")
			if err := line(key, values.Field(i).Interface(), table.name+"."+key); err != nil {
				return nil, err
			}
		}
	}
	if c.file == "" {
		return b.Bytes(), nil
	}
	fmt.Fprintf(&b, "\n# %s\n", comment(Source{File, c.file}))
	rest, err := toml.Marshal(struct {
		HTTP         HTTP          `toml:"http"`
		Login        *Login        `toml:"login,omitempty"`
		Certificates Certificates  `toml:"certificates"`
		Presence     Presence      `toml:"presence"`
		Ranks        access.Ranks  `toml:"ranks"`
		Issuers      []Issuer      `toml:"issuer,omitempty"`
		Rules        []access.Rule `toml:"rule,omitempty"`
		Links        []webui.Link  `toml:"link,omitempty"`
		Holders      []Holders     `toml:"limit,omitempty"`
	}{shown.HTTP, shown.Login, shown.Certificates, shown.Presence, shown.Ranks, shown.Issuers, shown.Rules, shown.Links, shown.Holders})
	b.Write(rest)
	return b.Bytes(), err
}

// portable is a copy whose paths hold wherever it is read, without secrets.
func (c *Config) portable() (*Config, error) {
	out := *c
	var err error
	absolute := func(name string) string {
		if name == "" || err != nil {
			return name
		}
		name, err = filepath.Abs(name)
		return name
	}
	out.Store = storeurl.Redact(c.Store)
	if path, ok := strings.CutPrefix(out.Store, "sqlite:"); ok && isPath(path) {
		out.Store = "sqlite:" + absolute(path)
	}
	for _, s := range out.all() {
		if s.path {
			*s.text = absolute(*s.text)
		}
	}
	out.Issuers = append([]Issuer(nil), c.Issuers...)
	for i := range out.Issuers {
		for _, name := range []*string{&out.Issuers[i].SecretFile, &out.Issuers[i].PublicKeyFile} {
			if *name != "" {
				*name = absolute(c.path(*name))
			}
		}
	}
	if c.Login != nil {
		login := *c.Login
		if login.SecretFile != "" {
			login.SecretFile = absolute(c.path(login.SecretFile))
		}
		out.Login = &login
	}
	return &out, err
}
