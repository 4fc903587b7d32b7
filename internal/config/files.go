package config

import (
	"reflect"
	"strings"

	"github.com/editlock/editlock/internal/storeurl"
)

// FileKind is whom a file of a server is for.
type FileKind int

// The kinds.
const (
	// PublicFile may be read by everybody, and changed by nobody else: it says
	// whom the server believes.
	PublicFile FileKind = iota
	// GuardedFile is for few, though a person who reads it becomes nobody else: hashes
	// of keys, or a database.
	GuardedFile
	// SecretFile holds secrets, by which its reader becomes somebody else.
	SecretFile
)

// NamedFile is one that a server reads.
type NamedFile struct {
	Setting string // that names it, such as issuer.secret_file
	Path    string
	Kind    FileKind
}

// fileKinds are the tags of settings that name a file.
var fileKinds = map[string]FileKind{"public": PublicFile, "guarded": GuardedFile, "secret": SecretFile}

// Files are all that the configuration names, and itself. What names one has
// the tag file, with its kind.
func (c *Config) Files() []NamedFile {
	var out []NamedFile
	var walk func(v reflect.Value, at string)
	walk = func(v reflect.Value, at string) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem(), at)
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i), at)
			}
		case reflect.Struct:
			for i := range v.NumField() {
				f := v.Type().Field(i)
				if !f.IsExported() {
					continue
				}
				name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
				setting := strings.TrimPrefix(at+"."+name, ".")
				kind, ok := fileKinds[f.Tag.Get("file")]
				switch {
				case ok && v.Field(i).String() == "":
				case ok:
					path := v.Field(i).String()
					if at != "" { // else it was read so that it begins at the right folder
						path = c.path(path)
					}
					out = append(out, NamedFile{setting, path, kind})
				case f.Anonymous:
					walk(v.Field(i), at)
				default:
					walk(v.Field(i), setting)
				}
			}
		default: // names no file
		}
	}
	walk(reflect.ValueOf(c), "")
	if c.file != "" {
		kind := PublicFile
		if c.Source("store").Kind == File && storeurl.HasSecret(c.Store) {
			kind = SecretFile
		}
		out = append(out, NamedFile{"config", c.file, kind})
	}
	secrets, public := storeurl.Files(c.Store)
	for _, path := range secrets {
		out = append(out, NamedFile{"store", path, SecretFile})
	}
	for _, path := range public {
		out = append(out, NamedFile{"store", path, PublicFile})
	}
	return out
}
