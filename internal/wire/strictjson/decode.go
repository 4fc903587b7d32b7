package strictjson

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
)

// Unmarshal reads data, which must be one JSON object and nothing else, into
// the struct that v points to. Errors are *Error.
func Unmarshal(data []byte, v any) error {
	return unmarshal(&decoder{data: data}, v)
}

// UnmarshalKnown is Unmarshal but for names it does not know: it skips them,
// so that an older client understands a newer server.
func UnmarshalKnown(data []byte, v any) error {
	return unmarshal(&decoder{data: data, skipUnknown: true}, v)
}

func unmarshal(d *decoder, v any) error {
	target := reflect.ValueOf(v).Elem()
	if c := d.next(); c == 'n' {
		return d.mismatch("an object")
	}
	if err := codecOf(target.Type()).decode(d, target); err != nil {
		return err
	}
	if d.next(); d.pos < len(d.data) {
		return d.syntax("something follows the end of the value")
	}
	return nil
}

// maxDepth bounds how deep a value may nest that is skipped.
const maxDepth = 100

type decoder struct {
	data        []byte
	pos         int
	skipUnknown bool
}

// next skips white space and returns the byte there, 0 at the end.
func (d *decoder) next() byte {
	for ; d.pos < len(d.data); d.pos++ {
		switch c := d.data[d.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (d *decoder) syntax(problem string) error {
	return &syntaxError{fmt.Sprintf("is not valid JSON: %s at byte %d", problem, d.pos)}
}

// syntaxError has no path: where the document is broken, its structure is a
// guess.
type syntaxError struct{ problem string }

func (e *syntaxError) Error() string { return e.problem }

// mismatch says that a value of another kind was expected here.
func (d *decoder) mismatch(want string) error {
	got := ""
	switch c := d.next(); {
	case c == '{':
		got = "an object"
	case c == '[':
		got = "an array"
	case c == '"':
		got = "a string"
	case c == 't', c == 'f':
		got = "a boolean"
	case c == 'n':
		got = "null"
	case c == '-', '0' <= c && c <= '9':
		got = "a number"
	case d.pos >= len(d.data):
		return d.syntax("it ends too early")
	default:
		return d.syntax("an unexpected character")
	}
	if err := d.skip(0); err != nil {
		return err // broken rather than of the wrong kind
	}
	return &Error{Problem: "must be " + want + ", not " + got}
}

// null consumes a null, if there is one.
func (d *decoder) null() (bool, error) {
	if d.next() != 'n' {
		return false, nil
	}
	return true, d.word("null")
}

func (d *decoder) word(w string) error {
	if len(d.data)-d.pos < len(w) || string(d.data[d.pos:d.pos+len(w)]) != w {
		return d.syntax("an unexpected character")
	}
	d.pos += len(w)
	return nil
}

// items walks the elements of an array or object, from its opening bracket to
// its end, calling each at the start of every element.
func (d *decoder) items(end byte, each func() error) error {
	d.pos++
	if d.next() == end {
		d.pos++
		return nil
	}
	for {
		if err := each(); err != nil {
			return err
		}
		switch d.next() {
		case ',':
			d.pos++
		case end:
			d.pos++
			return nil
		case 0:
			if d.pos >= len(d.data) {
				return d.syntax("it ends too early")
			}
			fallthrough
		default:
			return d.syntax("an unexpected character")
		}
	}
}

// key reads a member's name and the colon behind it.
func (d *decoder) key() ([]byte, error) {
	if d.next() != '"' {
		if d.pos >= len(d.data) {
			return nil, d.syntax("it ends too early")
		}
		return nil, d.syntax("a name in double quotes is missing")
	}
	key, err := d.text()
	if err != nil {
		return nil, err
	}
	if d.next() != ':' {
		return nil, d.syntax("a colon is missing")
	}
	d.pos++
	return key, nil
}

func (s *structShape) decode(d *decoder, v reflect.Value) error {
	if null, err := d.null(); null {
		return err
	}
	if d.next() != '{' {
		return d.mismatch("an object")
	}
	var seen uint64
	at := 0
	return d.items('}', func() error {
		key, err := d.key()
		if err != nil {
			return err
		}
		// Members mostly come in the order of the fields.
		for range s.fields {
			f := &s.fields[at]
			if string(key) != f.name {
				at = (at + 1) % len(s.fields)
				continue
			}
			if seen&(1<<at) != 0 {
				return &Error{Path: f.name, Problem: "is given twice"}
			}
			seen |= 1 << at
			if err := f.codec.decode(d, v.Field(f.index)); err != nil {
				return in(f.name, err)
			}
			return nil
		}
		if d.skipUnknown {
			return d.skip(0)
		}
		name := string(key)
		if len(name) > 100 {
			name = strconv.Quote(name[:100]) + "…"
		}
		return &Error{Path: name, Problem: "is not known here; known are " + s.known}
	})
}

func pointerCodec(t reflect.Type) *codec {
	elem := codecOf(t.Elem())
	return &codec{
		decode: func(d *decoder, v reflect.Value) error {
			if null, err := d.null(); null {
				return err
			}
			p := reflect.New(t.Elem())
			v.Set(p)
			return elem.decode(d, p.Elem())
		},
		encode: func(dst []byte, v reflect.Value) ([]byte, error) {
			if v.IsNil() {
				return append(dst, "null"...), nil
			}
			return elem.encode(dst, v.Elem())
		},
	}
}

func sliceCodec(t reflect.Type) *codec {
	elem := codecOf(t.Elem())
	return &codec{
		decode: func(d *decoder, v reflect.Value) error {
			if null, err := d.null(); null {
				return err
			}
			if d.next() != '[' {
				return d.mismatch("an array")
			}
			n := 0
			v.Set(reflect.MakeSlice(t, 0, 0))
			return d.items(']', func() error {
				v.Grow(1)
				v.SetLen(n + 1)
				v.Index(n).SetZero()
				if err := elem.decode(d, v.Index(n)); err != nil {
					return inItem(n, err)
				}
				n++
				return nil
			})
		},
		encode: func(dst []byte, v reflect.Value) ([]byte, error) {
			dst = append(dst, '[')
			for i := range v.Len() {
				if i > 0 {
					dst = append(dst, ',')
				}
				var err error
				if dst, err = elem.encode(dst, v.Index(i)); err != nil {
					return dst, inItem(i, err)
				}
			}
			return append(dst, ']'), nil
		},
	}
}

func decodeText(d *decoder, v reflect.Value) error {
	if null, err := d.null(); null {
		return err
	}
	if d.next() != '"' {
		return d.mismatch("a string")
	}
	text, err := d.text()
	if err != nil {
		return err
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(text); err != nil {
		return &Error{Problem: err.Error()}
	}
	return nil
}

func decodeRaw(d *decoder, v reflect.Value) error {
	if null, err := d.null(); null {
		return err
	}
	start := d.pos
	if err := d.skip(0); err != nil {
		return err
	}
	return v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(d.data[start:d.pos])
}

func decodeString(d *decoder, v reflect.Value) error {
	if null, err := d.null(); null {
		return err
	}
	if d.next() != '"' {
		return d.mismatch("a string")
	}
	text, err := d.text()
	if err == nil {
		v.SetString(string(text))
	}
	return err
}

func decodeBool(d *decoder, v reflect.Value) error {
	if null, err := d.null(); null {
		return err
	}
	switch d.next() {
	case 't':
		v.SetBool(true)
		return d.word("true")
	case 'f':
		v.SetBool(false)
		return d.word("false")
	}
	return d.mismatch("true or false")
}
