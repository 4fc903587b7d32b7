package strictjson

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// Append appends the JSON of the struct that v points to. Text that is not
// valid UTF-8 is an *Error with its place: written some other way it would
// name something else.
func Append(dst []byte, v any) ([]byte, error) {
	value := reflect.ValueOf(v).Elem()
	return codecOf(value.Type()).encode(dst, value)
}

func (s *structShape) encode(dst []byte, v reflect.Value) ([]byte, error) {
	start := len(dst)
	for i := range s.fields {
		f := &s.fields[i]
		field := v.Field(f.index)
		if f.omitZero && field.IsZero() {
			continue
		}
		dst = append(dst, f.prefix...)
		var err error
		if dst, err = f.codec.encode(dst, field); err != nil {
			return dst, in(f.name, err)
		}
	}
	if len(dst) == start {
		return append(dst, "{}"...), nil
	}
	dst[start] = '{' // instead of the first comma
	return append(dst, '}'), nil
}

func encodeText(dst []byte, v reflect.Value) ([]byte, error) {
	dst = append(dst, '"')
	dst, err := v.Addr().Interface().(encoding.TextAppender).AppendText(dst)
	if err != nil {
		return dst, &Error{Problem: err.Error()}
	}
	return append(dst, '"'), nil
}

func encodeRaw(dst []byte, v reflect.Value) ([]byte, error) {
	raw, err := v.Addr().Interface().(json.Marshaler).MarshalJSON()
	return append(dst, raw...), err
}

func encodeBool(dst []byte, v reflect.Value) ([]byte, error) {
	return strconv.AppendBool(dst, v.Bool()), nil
}

func encodeInt(dst []byte, v reflect.Value) ([]byte, error) {
	return strconv.AppendInt(dst, v.Int(), 10), nil
}

func encodeUint(dst []byte, v reflect.Value) ([]byte, error) {
	return strconv.AppendUint(dst, v.Uint(), 10), nil
}

func encodeFloat(dst []byte, v reflect.Value) ([]byte, error) {
	return strconv.AppendFloat(dst, v.Float(), 'f', -1, 64), nil
}

func encodeString(dst []byte, v reflect.Value) ([]byte, error) {
	s := v.String()
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				return dst, &Error{Problem: "is not valid UTF-8"}
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			const digits = "0123456789abcdef"
			dst = append(dst, `\u00`...)
			dst = append(dst, digits[c>>4], digits[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"'), nil
}
