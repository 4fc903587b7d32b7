package config

import (
	"reflect"
	"strings"
	"testing"
)

// A setting that names a file says whom the file is for, so that doctor looks
// at it.
func TestFiles_AreAllKnown(t *testing.T) {
	paths := map[string]bool{}
	for _, s := range new(Settings).all() {
		paths[s.key] = s.path
	}
	var walk func(reflect.Type)
	walk = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct {
			return
		}
		for i := range of.NumField() {
			f := of.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
			_, known := fileKinds[f.Tag.Get("file")]
			if named := strings.HasSuffix(name, "_file") || paths[name] && of == reflect.TypeFor[Settings](); named != known {
				t.Errorf("%s of %s: its tag file is %q", name, of, f.Tag.Get("file"))
			}
			if f.IsExported() {
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
}
