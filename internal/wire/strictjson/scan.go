package strictjson

import (
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a string, from its opening quote on. What it returns is valid
// until the next call.
func (d *decoder) text() ([]byte, error) {
	d.pos++
	start := d.pos
	for d.pos < len(d.data) {
		switch c := d.data[d.pos]; {
		case c == '"':
			d.pos++
			return d.data[start : d.pos-1], nil
		case c == '\\':
			return d.escapedText(append([]byte(nil), d.data[start:d.pos]...))
		case c < ' ':
			return nil, d.syntax("a control character within a string")
		case c < utf8.RuneSelf:
			d.pos++
		default:
			if err := d.rune(); err != nil {
				return nil, err
			}
		}
	}
	return nil, d.syntax("a string without end")
}

// rune steps over one character that is not ASCII.
func (d *decoder) rune() error {
	r, n := utf8.DecodeRune(d.data[d.pos:])
	if r == utf8.RuneError && n == 1 {
		return &Error{Problem: fmt.Sprintf("is not valid UTF-8 at byte %d", d.pos)}
	}
	d.pos += n
	return nil
}

// escapedText goes on with a string that has escapes.
func (d *decoder) escapedText(out []byte) ([]byte, error) {
	for d.pos < len(d.data) {
		switch c := d.data[d.pos]; {
		case c == '"':
			d.pos++
			return out, nil
		case c == '\\':
			var err error
			if out, err = d.escape(out); err != nil {
				return nil, err
			}
		case c < ' ':
			return nil, d.syntax("a control character within a string")
		default:
			start := d.pos
			if c < utf8.RuneSelf {
				d.pos++
			} else if err := d.rune(); err != nil {
				return nil, err
			}
			out = append(out, d.data[start:d.pos]...)
		}
	}
	return nil, d.syntax("a string without end")
}

func (d *decoder) escape(out []byte) ([]byte, error) {
	if d.pos+1 >= len(d.data) {
		return nil, d.syntax("a string without end")
	}
	plain := byte(0)
	switch c := d.data[d.pos+1]; c {
	case '"', '\\', '/':
		plain = c
	case 'b':
		plain = '\b'
	case 'f':
		plain = '\f'
	case 'n':
		plain = '\n'
	case 'r':
		plain = '\r'
	case 't':
		plain = '\t'
	case 'u':
		r, err := d.unicode()
		return utf8.AppendRune(out, r), err
	default:
		return nil, d.syntax("an unknown escape in a string")
	}
	d.pos += 2
	return append(out, plain), nil
}

// unicode reads \uXXXX, or two of them that are one character.
func (d *decoder) unicode() (rune, error) {
	r, ok := d.hex4()
	if !ok {
		return 0, d.syntax("an escape without four hexadecimal digits")
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if second, ok := d.hex4(); ok {
		if both := utf16.DecodeRune(r, second); both != utf8.RuneError {
			return both, nil
		}
	}
	return 0, &Error{Problem: "has half of a surrogate pair, which is no character"}
}

func (d *decoder) hex4() (rune, bool) {
	if len(d.data)-d.pos < 6 || d.data[d.pos] != '\\' || d.data[d.pos+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(d.data[d.pos+2:d.pos+6]), 16, 32)
	if err != nil {
		return 0, false
	}
	d.pos += 6
	return rune(n), true
}

// number reads the text of a number.
func (d *decoder) number() ([]byte, error) {
	start := d.pos
	d.accept('-')
	if !d.accept('0') && !d.digits() {
		return nil, d.syntax("a number without digits")
	}
	if d.accept('.') && !d.digits() {
		return nil, d.syntax("a number without digits")
	}
	if d.accept('e') || d.accept('E') {
		if !d.accept('+') {
			d.accept('-')
		}
		if !d.digits() {
			return nil, d.syntax("a number without digits")
		}
	}
	return d.data[start:d.pos], nil
}

func (d *decoder) accept(c byte) bool {
	if d.pos < len(d.data) && d.data[d.pos] == c {
		d.pos++
		return true
	}
	return false
}

func (d *decoder) digits() bool {
	start := d.pos
	for d.pos < len(d.data) && '0' <= d.data[d.pos] && d.data[d.pos] <= '9' {
		d.pos++
	}
	return d.pos > start
}

// numeric reads a number unless there is a null or something else.
func (d *decoder) numeric(want string) ([]byte, error) {
	if null, err := d.null(); null {
		return nil, err
	}
	if c := d.next(); c != '-' && (c < '0' || c > '9') {
		return nil, d.mismatch(want)
	}
	return d.number()
}

func decodeInt(d *decoder, v reflect.Value) error {
	text, err := d.numeric("a whole number")
	if text == nil {
		return err
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return &Error{Problem: "must be a whole number, not " + shorten(text)}
	}
	v.SetInt(n)
	return nil
}

// maxExact is the largest whole number that all JSON libraries read exactly.
const maxExact = 1<<53 - 1

func decodeUint(d *decoder, v reflect.Value) error {
	text, err := d.numeric("a whole number")
	if text == nil {
		return err
	}
	n, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil || n > maxExact {
		return &Error{Problem: fmt.Sprintf("must be a whole number from 0 to %d, not %s", uint64(maxExact), shorten(text))}
	}
	v.SetUint(n)
	return nil
}

func decodeFloat(d *decoder, v reflect.Value) error {
	text, err := d.numeric("a number")
	if text == nil {
		return err
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return &Error{Problem: "must be a number that fits 64 bits, not " + shorten(text)}
	}
	v.SetFloat(f)
	return nil
}

func shorten(text []byte) string {
	if len(text) > 40 {
		return string(text[:40]) + "…"
	}
	return string(text)
}

// skip steps over a value of any kind.
func (d *decoder) skip(depth int) error {
	if depth > maxDepth {
		return d.syntax("it nests too deep")
	}
	switch c := d.next(); {
	case c == '{':
		return d.items('}', func() error {
			if _, err := d.key(); err != nil {
				return err
			}
			return d.skip(depth + 1)
		})
	case c == '[':
		return d.items(']', func() error { return d.skip(depth + 1) })
	case c == '"':
		_, err := d.text()
		return err
	case c == 't':
		return d.word("true")
	case c == 'f':
		return d.word("false")
	case c == 'n':
		return d.word("null")
	case c == '-', '0' <= c && c <= '9':
		_, err := d.number()
		return err
	case d.pos >= len(d.data):
		return d.syntax("it ends too early")
	}
	return d.syntax("an unexpected character")
}
