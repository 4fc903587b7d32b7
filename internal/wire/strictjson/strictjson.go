// Package strictjson reads and writes JSON for structs of a known shape.
//
// Unlike encoding/json it refuses what a lock server must not guess at: names
// that are unknown, given twice or written in other letter case, text that is
// not UTF-8, lone surrogates, and anything after the value. An error names the
// place, as in "items[3].token". It is also several times as fast, which the
// benchmarks of this package show.
//
// It knows structs with json tags (name, "omitzero"), pointers, slices,
// strings, booleans, int, uint64 and float64, types that are written as text
// (encoding.TextAppender and encoding.TextUnmarshaler) and types with
// MarshalJSON and UnmarshalJSON of their own. Null leaves any of them as it
// was. Other types make it panic: they are a mistake in the program.
package strictjson

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// Error says what is wrong at one place of a document.
type Error struct {
	Path    string // such as "mutex.id"; empty: the document as a whole
	Problem string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Problem
	}
	return e.Path + " " + e.Problem
}

// in returns err as seen from a level further up.
func in(segment string, err error) error {
	e, ok := err.(*Error) //nolint:errorlint // ours, never wrapped
	switch {
	case !ok:
		return err
	case e.Path == "":
		e.Path = segment
	case e.Path[0] == '[':
		e.Path = segment + e.Path
	default:
		e.Path = segment + "." + e.Path
	}
	return e
}

func inItem(i int, err error) error { return in(fmt.Sprintf("[%d]", i), err) }

// codec is how values of one type are read and written.
type codec struct {
	decode func(d *decoder, v reflect.Value) error
	encode func(dst []byte, v reflect.Value) ([]byte, error)
}

type structField struct {
	name     string
	prefix   string // ,"name": as it is written
	index    int
	omitZero bool
	codec    *codec
}

type structShape struct {
	fields []structField
	known  string // the names, for the error that refuses others
}

var codecs sync.Map // reflect.Type → *codec

func codecOf(t reflect.Type) *codec {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec)
	}
	c, _ := codecs.LoadOrStore(t, newCodec(t))
	return c.(*codec)
}

var (
	textAppender    = reflect.TypeFor[encoding.TextAppender]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
)

func newCodec(t reflect.Type) *codec {
	p := reflect.PointerTo(t)
	switch {
	case t.Kind() == reflect.Pointer:
		return pointerCodec(t)
	case p.Implements(textUnmarshaler) && p.Implements(textAppender):
		return &codec{decodeText, encodeText}
	case p.Implements(jsonUnmarshaler) && p.Implements(jsonMarshaler):
		return &codec{decodeRaw, encodeRaw}
	}
	switch t.Kind() {
	case reflect.String:
		return &codec{decodeString, encodeString}
	case reflect.Bool:
		return &codec{decodeBool, encodeBool}
	case reflect.Int:
		return &codec{decodeInt, encodeInt}
	case reflect.Uint64:
		return &codec{decodeUint, encodeUint}
	case reflect.Float64:
		return &codec{decodeFloat, encodeFloat}
	case reflect.Slice:
		return sliceCodec(t)
	case reflect.Struct:
		s := newShape(t)
		return &codec{s.decode, s.encode}
	default:
		panic(fmt.Sprintf("strictjson: type %s is not supported", t))
	}
}

func newShape(t reflect.Type) *structShape {
	s := new(structShape)
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		tag, ok := f.Tag.Lookup("json")
		if !ok || !f.IsExported() || f.Anonymous {
			panic(fmt.Sprintf("strictjson: field %s.%s has no json tag, is embedded or not exported", t, f.Name))
		}
		name, opts, _ := strings.Cut(tag, ",")
		s.fields = append(s.fields, structField{
			name: name, prefix: `,"` + name + `":`, index: i,
			omitZero: opts == "omitzero", codec: codecOf(f.Type),
		})
		names = append(names, name)
	}
	if len(names) > 64 {
		panic(fmt.Sprintf("strictjson: %s has more than 64 fields", t))
	}
	s.known = strings.Join(names, ", ")
	return s
}
