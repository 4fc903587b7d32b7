package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/editlock/editlock/internal/fault"
	"github.com/editlock/editlock/server/access"
)

// Load puts together what a file, the environment (in the form of os.Environ)
// and flags say; flags are values by key. The file may be empty: then the
// environment may name one. What is not known is an error, which names the
// file, the line and what is spelled like it.
func Load(file string, env []string, flags map[string]string) (*Config, error) {
	c := &Config{
		Settings: Settings{Store: DefaultStore, Listen: DefaultListen},
		Limits:   access.DefaultLimits(), History: History{Duration(DefaultMaxAge), DefaultMaxEntries}, sources: make(map[string]Source),
	}
	variables, err := c.variables(env)
	if err != nil {
		return nil, err
	}
	if c.file = file; file == "" {
		c.file = variables[FileVariable]
	}
	if err := c.read(); err != nil {
		return nil, err
	}
	for _, s := range c.all() {
		if value := variables[Variable(s.key)]; value != "" {
			if err := s.set(value); err != nil {
				return nil, fmt.Errorf("%s: %w", Variable(s.key), err)
			}
			c.sources[s.key] = Source{Environment, Variable(s.key)}
		}
		if value, given := flags[s.key]; given && (value != "" || s.key != "store") {
			if err := s.set(value); err != nil {
				return nil, fmt.Errorf("--%s: %w", Flag(s.key), err)
			}
			c.sources[s.key] = Source{FlagGiven, "--" + Flag(s.key)}
		}
	}
	if err := c.check(); err != nil {
		if c.file != "" {
			err = fmt.Errorf("%s: %w", c.file, err)
		}
		return nil, err
	}
	return c, nil
}

// variables returns those of the environment that are for a server; of several
// with one name the last counts.
func (c *Config) variables(env []string) (map[string]string, error) {
	known := []string{FileVariable}
	for _, s := range c.all() {
		known = append(known, Variable(s.key))
	}
	out := make(map[string]string)
	for _, setting := range env {
		name, value, _ := strings.Cut(setting, "=")
		found := false
		for _, k := range known {
			found = found || k == name
		}
		switch {
		case found:
			out[name] = value
		case strings.HasPrefix(name, variables) && value != "":
			return nil, unknownVariable(name, known)
		}
	}
	return out, nil
}

// read reads the file.
func (c *Config) read() error {
	if c.file == "" {
		return nil
	}
	data, err := readFile(c.file)
	if err != nil {
		return err
	}
	if err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(c); err != nil {
		return c.explain(err)
	}
	var given map[string]any
	if err := toml.Unmarshal(data, &given); err != nil {
		return c.explain(err)
	}
	if err := exact(reflect.TypeFor[Config](), given, ""); err != nil {
		return fmt.Errorf("%s: %w", c.file, err)
	}
	for _, s := range c.all() {
		if _, ok := given[s.key]; !ok {
			continue
		}
		c.sources[s.key] = Source{File, c.file}
		if s.path && *s.text != "" {
			*s.text = c.path(*s.text)
		}
		if path, ok := strings.CutPrefix(c.Store, "sqlite:"); ok && s.key == "store" && isPath(path) {
			c.Store = "sqlite:" + c.path(path)
		}
	}
	for _, table := range []string{"limits", "history"} {
		keys, _ := given[table].(map[string]any)
		for key := range keys {
			c.sources[table+"."+key] = Source{File, c.file}
		}
	}
	return nil
}

// maxFile is how large a configuration may be.
const maxFile = 1 << 20

// readFile reads a file of text, and nothing that may never end. The mark that
// some editors of Windows put before UTF-8 is not a part of it.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: %w", name, fault.New("no_such_file", "there is no such file; check the path"))
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: %w", name, fault.New("not_a_file", "is no regular file"))
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s: %w", name, fault.New("too_long", "is %d bytes long; at most %d are allowed", info.Size(), maxFile))
	}
	data, err := os.ReadFile(name)
	return bytes.TrimPrefix(data, []byte("\ufeff")), err
}

// isPath tells whether what follows sqlite: is a path that may begin at a
// folder; what connect refuses is left to it.
func isPath(rest string) bool {
	return rest != "" && !strings.HasPrefix(rest, "//") && !strings.HasPrefix(rest, "file:") && rest != ":memory:"
}

// exact refuses what the decoder lets pass: names in other letters (Keys for
// keys, perhaps beside it), and numbers for durations, which it takes for
// nanoseconds.
func exact(t reflect.Type, given any, at string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch value := given.(type) {
	case []any:
		for _, one := range value {
			if t.Kind() != reflect.Slice {
				break
			}
			if err := exact(t.Elem(), one, at); err != nil {
				return err
			}
		}
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return nil // names of the reader's own
		}
		known := names(t, nil)
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if !slices.Contains(known, key) {
				return unknownKey(at+key, strings.ToLower(key), known)
			}
			if err := exact(fieldOf(t, key), value[key], at+key+"."); err != nil {
				return err
			}
		}
	case int64:
		if t == reflect.TypeFor[Duration]() {
			return fmt.Errorf("%s: %w", strings.TrimSuffix(at, "."),
				fault.New("setting_not_a_duration", "must be a duration such as 30s or 8h, not %d", value))
		}
	}
	return nil
}

// fieldOf is the type of a table's key.
func fieldOf(t reflect.Type, key string) reflect.Type {
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("toml"), ","); name == key {
			return f.Type
		}
	}
	return t
}

// explain tells where in the file something is wrong.
func (c *Config) explain(err error) error {
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch {
	case errors.As(err, &unknown) && len(unknown.Errors) > 0:
		first := unknown.Errors[0]
		row, _ := first.Position()
		key := first.Key()
		return c.atLine(row, unknownKey(strings.Join(key, "."), key[len(key)-1], names(reflect.TypeFor[Config](), key[:len(key)-1])))
	case errors.As(err, &wrong):
		row, _ := wrong.Position()
		return c.atLine(row, err)
	}
	return fmt.Errorf("%s: %w", c.file, err)
}

func (c *Config) atLine(row int, err error) error {
	return fault.New("at_line", "%s: line %d: %w", c.file, row, err)
}

// names are the keys that a table of the file may have.
func names(t reflect.Type, table []string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var out []string
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		switch {
		case name == "":
		case len(table) == 0:
			out = append(out, name)
		case name == table[0]:
			return names(f.Type, table[1:])
		}
	}
	return out
}
