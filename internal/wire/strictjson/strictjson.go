// Package strictjson reads and writes the JSON forms, on Go's coming
// encoding/json/v2 (github.com/go-json-experiment/json until then).
//
// It refuses what a lock server must not guess at: names that are unknown,
// given twice or written in other letter case, text that is not UTF-8, and
// anything after the value. This package adds plain words: an error names the
// place as editlock writes it, "items[3].token", and what is allowed there.
package strictjson

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxNumber is the largest whole number that is exact in JavaScript.
const MaxNumber = 1<<53 - 1

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

var (
	known  = json.WithUnmarshalers(json.UnmarshalFromFunc(exactNumber))
	strict = json.JoinOptions(json.RejectUnknownMembers(true), known)
)

// exactNumber refuses numbers that JavaScript could not tell apart.
func exactNumber(dec *jsontext.Decoder, n *uint64) error {
	if dec.PeekKind() != '0' {
		return errors.ErrUnsupported // a null, or an error
	}
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	parsed, err := strconv.ParseUint(string(v), 10, 64)
	if err != nil || parsed > MaxNumber {
		return fmt.Errorf("must be a whole number from 0 to %d, not %s", uint64(MaxNumber), brief(v))
	}
	*n = parsed
	return nil
}

// Unmarshal reads an object into the struct that v points to. Errors about
// the data are *Error.
func Unmarshal(data []byte, v any) error { return unmarshal(data, v, strict) }

// UnmarshalKnown is Unmarshal for what a newer server may have written: names
// that are unknown are skipped.
func UnmarshalKnown(data []byte, v any) error { return unmarshal(data, v, known) }

func unmarshal(data []byte, v any, opts json.Options) error {
	if what := kindOf(jsontext.Value(bytes.TrimLeft(data, " \t\r\n")).Kind()); what != "" && what != "an object" {
		return &Error{Problem: "must be an object, not " + what}
	}
	if err := json.Unmarshal(data, v, opts); err != nil {
		return explain(err, v)
	}
	return nil
}

// Append appends the JSON of a struct. It fails on text that is not UTF-8.
func Append(dst []byte, v any) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	if err := json.MarshalWrite(buf, v); err != nil {
		return dst, explain(err, v)
	}
	return buf.Bytes(), nil
}

// explain puts an error of the library into plain words.
func explain(err error, v any) error {
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return explainMeaning(semantic, v)
	}
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return &Error{Problem: "is not valid JSON: it ends too early"}
		}
		return &Error{Problem: "is not valid JSON: " + err.Error()}
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return &Error{path(syntax.JSONPointer), "is given twice"}
	case strings.Contains(syntax.Err.Error(), "UTF-8"):
		return &Error{path(syntax.JSONPointer), "is not valid UTF-8"}
	case strings.Contains(syntax.Err.Error(), "surrogate"):
		return &Error{path(syntax.JSONPointer), "has half of a surrogate pair, which is no character"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{Problem: fmt.Sprintf("is not valid JSON: it ends too early at byte %d", syntax.ByteOffset)}
	}
	return &Error{Problem: fmt.Sprintf("is not valid JSON: %v at byte %d", syntax.Err, syntax.ByteOffset)}
}

func explainMeaning(err *json.SemanticError, v any) error {
	e := &Error{Path: path(err.JSONPointer)}
	var inner *Error
	switch {
	case errors.As(err.Err, &inner):
		return &Error{Path: join(e.Path, inner.Path), Problem: inner.Problem}
	case errors.Is(err, json.ErrUnknownName):
		e.Problem = "is not known here"
		if names := namesAt(reflect.TypeOf(v), err.JSONPointer.Parent()); names != "" {
			e.Problem += "; known are " + names
		}
	case err.Err != nil && err.JSONKind == '"' && !isNumber(err.GoType), err.Err != nil && strings.HasPrefix(err.Err.Error(), "must "):
		e.Problem = err.Err.Error() // of a type that reads text, in its own words
	default:
		e.Problem = fmt.Sprintf("must be %s, not %s", wanted(err.GoType), got(err))
	}
	return e
}

func got(err *json.SemanticError) string {
	if err.JSONKind == '0' && isNumber(err.GoType) {
		return brief(err.JSONValue)
	}
	return kindOf(err.JSONKind)
}

func brief(v jsontext.Value) string {
	if len(v) > 40 {
		return string(v[:40]) + "…"
	}
	return string(v)
}

func isNumber(t reflect.Type) bool {
	return t != nil && t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64 && !t.Implements(textMarshaler)
}

var textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()

// wanted says what a Go type reads.
func wanted(t reflect.Type) string {
	if t == nil {
		return "something else"
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch kind := t.Kind(); {
	case t.Implements(textMarshaler), kind == reflect.String:
		return "a string"
	case kind == reflect.Bool:
		return "true or false"
	case kind == reflect.Float64:
		return "a number that fits 64 bits"
	case isNumber(t):
		return "a whole number"
	case kind == reflect.Slice:
		return "an array"
	}
	return "an object"
}

func kindOf(k jsontext.Kind) string {
	switch k {
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	case '[':
		return "an array"
	case '{':
		return "an object"
	default: // not a value
		return ""
	}
}

// path writes a JSON pointer the way editlock names fields.
func path(p jsontext.Pointer) string {
	out := ""
	for token := range p.Tokens() {
		if n, err := strconv.ParseUint(token, 10, 32); err == nil {
			out += fmt.Sprintf("[%d]", n)
		} else {
			out = join(out, token)
		}
	}
	return out
}

func join(path, name string) string {
	if path == "" || name == "" || name[0] == '[' {
		return path + name
	}
	return path + "." + name
}

// namesAt lists the names that an object at a place of a form may have.
func namesAt(t reflect.Type, at jsontext.Pointer) string {
	for token := range at.Tokens() {
		if _, err := strconv.ParseUint(token, 10, 32); err == nil {
			continue // an item of a list: element has seen to it
		}
		field, ok := named(element(t), token)
		if !ok {
			return ""
		}
		t = field.Type
	}
	t = element(t)
	if t == nil || t.Kind() != reflect.Struct {
		return ""
	}
	var names []string
	for i := range t.NumField() {
		names = append(names, nameOf(t.Field(i)))
	}
	return strings.Join(names, ", ")
}

func named(t reflect.Type, name string) (reflect.StructField, bool) {
	if t == nil || t.Kind() != reflect.Struct {
		return reflect.StructField{}, false
	}
	return t.FieldByNameFunc(func(goName string) bool {
		f, _ := t.FieldByName(goName)
		return nameOf(f) == name
	})
}

func nameOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// element is what a pointer or a list holds.
func element(t reflect.Type) reflect.Type {
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) {
		t = t.Elem()
	}
	return t
}
