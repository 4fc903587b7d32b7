package strictjson_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/internal/wire/strictjson"
)

type inner struct {
	Name string  `json:"name"`
	Next *inner2 `json:"next"`
}

type inner2 struct {
	Token uint64 `json:"token"`
}

type doc struct {
	Text  string     `json:"text"`
	Note  *string    `json:"note,omitzero"`
	Inner *inner     `json:"inner"`
	Items []inner2   `json:"items"`
	Yes   bool       `json:"yes"`
	Count int        `json:"count"`
	Ratio float64    `json:"ratio"`
	At    *time.Time `json:"at"`
	Raw   rawText    `json:"raw"`
}

// rawText reads and writes its JSON itself.
type rawText struct{ json string }

func (r rawText) MarshalJSON() ([]byte, error) {
	if r.json == "" {
		return []byte("null"), nil
	}
	return []byte(r.json), nil
}

func (r *rawText) UnmarshalJSON(data []byte) error {
	if string(data) != "null" {
		r.json = string(data)
	}
	return nil
}

func TestUnmarshal_RefusesWithThePlace(t *testing.T) {
	for _, test := range []struct{ name, data, want string }{
		{"nothing at all", ``, "is not valid JSON: it ends too early at byte 0"},
		{"white space only", " \n", "is not valid JSON: it ends too early at byte 2"},
		{"null", `null`, "must be an object, not null"},
		{"an array", `[]`, "must be an object, not an array"},
		{"a number", `7`, "must be an object, not a number"},
		{"a body cut short in a name", `{"te`, "is not valid JSON: it ends too early at byte 4"},
		{"a body cut short after a value", `{"text":"a"`, "is not valid JSON: it ends too early at byte 11"},
		{"a body cut short after a colon", `{"text":`, "is not valid JSON: it ends too early at byte 8"},
		{"a body cut short in an escape", `{"text":"\`, "is not valid JSON: it ends too early at byte 9"},
		{"trailing garbage", `{"text":"a"} x`, "is not valid JSON: invalid character 'x' after top-level value at byte 13"},
		{"two documents", `{}{}`, "is not valid JSON: invalid character '{' after top-level value at byte 2"},
		{"a trailing comma", `{"text":"a",}`, "is not valid JSON: invalid character ',' at start of value at byte 11"},
		{"a missing colon", `{"text" "a"}`, "is not valid JSON: invalid character '\"' after object name (expecting ':') at byte 8"},
		{"a missing comma", `{"text":"a" "yes":true}`, "is not valid JSON: invalid character '\"' after object value (expecting ',' or '}') at byte 12"},
		{"single quotes", `{'text':'a'}`, "is not valid JSON: invalid character '\\'' at start of value at byte 1"},
		{"a byte order mark", "\xef\xbb\xbf{}", "is not valid JSON: invalid character '\\ufeff' at start of value at byte 0"},
		{"an unknown name", `{"txt":"a"}`, "txt is not known here; known are text, note, inner, items, yes, count, ratio, at, raw"},
		{"another letter case", `{"Text":"a"}`, "Text is not known here; known are text, note, inner, items, yes, count, ratio, at, raw"},
		{"a name of a level below", `{"inner":{"next":{"tokens":7}}}`, "inner.next.tokens is not known here; known are token"},
		{"a name given twice", `{"text":"a","text":"b"}`, "text is given twice"},
		{"a name given twice below", `{"items":[{"token":1},{"token":1,"token":2}]}`, "items[1].token is given twice"},
		{"a number for a string", `{"text":7}`, "text must be a string, not a number"},
		{"an object for a string", `{"text":{"a":1}}`, "text must be a string, not an object"},
		{"a broken object for a string", `{"text":{"a":}}`, "is not valid JSON: invalid character '}' at start of value at byte 13"},
		{"a string for a number", `{"items":[{"token":"7"}]}`, "items[0].token must be a whole number, not a string"},
		{"a string for an object", `{"inner":"x"}`, "inner must be an object, not a string"},
		{"an object for an array", `{"items":{}}`, "items must be an array, not an object"},
		{"a number for a boolean", `{"yes":1}`, "yes must be true or false, not a number"},
		{"a fraction for a token", `{"items":[{"token":1.5}]}`, "items[0].token must be a whole number from 0 to 9007199254740991, not 1.5"},
		{"an exponent for a token", `{"items":[{"token":1e3}]}`, "items[0].token must be a whole number from 0 to 9007199254740991, not 1e3"},
		{"a negative token", `{"items":[{"token":-1}]}`, "items[0].token must be a whole number from 0 to 9007199254740991, not -1"},
		{"a token too large to be exact", `{"items":[{"token":9007199254740992}]}`, "items[0].token must be a whole number from 0 to 9007199254740991, not 9007199254740992"},
		{"a number of a million digits", `{"count":` + strings.Repeat("9", 1e6) + `}`, "count must be a whole number, not " + strings.Repeat("9", 40) + "…"},
		{"a ratio too large", `{"ratio":1e999}`, "ratio must be a number that fits 64 bits, not 1e999"},
		{"a leading zero", `{"count":01}`, "is not valid JSON: invalid character '1' after object value (expecting ',' or '}') at byte 10"},
		{"a bare minus", `{"count":-}`, "is not valid JSON: invalid character '}' in number (expecting digit) at byte 10"},
		{"a bare point", `{"ratio":1.}`, "is not valid JSON: invalid character '}' in number (expecting digit) at byte 11"},
		{"NaN", `{"ratio":NaN}`, "is not valid JSON: invalid character 'N' at start of value at byte 9"},
		{"a misspelt word", `{"yes":tru}`, "is not valid JSON: invalid character '}' in literal true (expecting 'e') at byte 10"},
		{"invalid UTF-8", "{\"text\":\"a\xff\"}", "text is not valid UTF-8"},
		{"an overlong encoding", "{\"text\":\"\xc0\xaf\"}", "text is not valid UTF-8"},
		{"an encoded surrogate", "{\"text\":\"\xed\xa0\x80\"}", "text is not valid UTF-8"},
		{"invalid UTF-8 after an escape", "{\"text\":\"\\n\xff\"}", "text is not valid UTF-8"},
		{"a lone surrogate", `{"inner":{"name":"\ud800"}}`, "inner.name has half of a surrogate pair, which is no character"},
		{"a surrogate with the wrong half", `{"inner":{"name":"\ud800\u0041"}}`, "inner.name has half of a surrogate pair, which is no character"},
		{"a second half alone", `{"inner":{"name":"\udc00"}}`, "inner.name has half of a surrogate pair, which is no character"},
		{"an unknown escape", `{"text":"\x41"}`, "is not valid JSON: invalid escape sequence `\\x` in string at byte 9"},
		{"a short escape", `{"text":"\u12"}`, "is not valid JSON: invalid escape sequence `\\u12\"}` in string at byte 9"},
		{"a sign in an escape", `{"text":"\u+123"}`, "is not valid JSON: invalid escape sequence `\\u+123` in string at byte 9"},
		{"a raw newline in a string", "{\"text\":\"a\nb\"}", "is not valid JSON: invalid character '\\n' in string (expecting non-control character) at byte 10"},
		{"deep nesting", `{"text":` + strings.Repeat(`[`, 1e5), "is not valid JSON: exceeded max depth at byte 10007"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := strictjson.Unmarshal([]byte(test.data), new(doc))
			if err == nil {
				t.Fatalf("accepted")
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnmarshal_ReadsWhatIsAllowed(t *testing.T) {
	note := "n"
	at := time.Date(2025, 11, 22, 12, 4, 0, 5000, time.UTC)
	for _, test := range []struct {
		name, data string
		want       doc
	}{
		{"an empty object", `{}`, doc{}},
		{"white space everywhere", " { \"text\" :\t\"a\" ,\r\n \"yes\" : true } \n", doc{Text: "a", Yes: true}},
		{"nulls", `{"text":null,"note":null,"inner":null,"items":null,"yes":null,"count":null,"ratio":null,"at":null,"raw":null}`, doc{}},
		{"all escapes", `{"text":"\"\\\/\b\f\n\r\t\u0416\ud83d\ude00"}`, doc{Text: "\"\\/\b\f\n\r\tЖ😀"}},
		{"other scripts", `{"text":"Иванов 編集"}`, doc{Text: "Иванов 編集"}},
		{"an escaped name", `{"\u0074ext":"a"}`, doc{Text: "a"}},
		{"fields in any order", `{"count":-3,"ratio":-1.5e-1,"text":"b","yes":false}`, doc{Count: -3, Ratio: -.15, Text: "b"}},
		{"an empty array, which is not an absent one", `{"items":[]}`, doc{Items: []inner2{}}},
		{"a null item", `{"items":[null,{"token":9007199254740991}]}`, doc{Items: []inner2{{}, {1<<53 - 1}}}},
		{
			"everything", `{"text":"a","note":"n","inner":{"name":"i","next":{"token":7}},"at":"2025-11-22T12:04:00.000005Z","raw":{"any":[1]}}`,
			doc{Text: "a", Note: &note, Inner: &inner{"i", &inner2{7}}, At: &at, Raw: rawText{`{"any":[1]}`}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got doc
			if err := strictjson.Unmarshal([]byte(test.data), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(rawText{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnmarshalKnown_SkipsOtherNames(t *testing.T) {
	data := `{"new":{"a":[1,-2.5e+3,"x",true,false,null,{}]},"text":"a","newer":"\ud83d\ude00"}`
	var got doc
	if err := strictjson.UnmarshalKnown([]byte(data), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(doc{Text: "a"}, got, cmp.AllowUnexported(rawText{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAppend(t *testing.T) {
	t.Run("writes what encoding/json reads", func(t *testing.T) {
		note, at := "n\x01\u2028<&>", time.Date(2025, 11, 22, 12, 4, 0, 5000, time.UTC)
		want := doc{
			Text: "\"\\\n\r\t\x7fИванов", Note: &note, Inner: &inner{"i", nil}, Items: []inner2{{1}, {2}},
			Yes: true, Count: -3, Ratio: 299.998, At: &at, Raw: rawText{`[1]`},
		}
		data, err := strictjson.Append(nil, &want)
		if err != nil {
			t.Fatal(err)
		}
		var got doc
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatalf("%v in %s", err, data)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(rawText{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("leaves out what is zero only where the tag says so", func(t *testing.T) {
		data, err := strictjson.Append(nil, &struct {
			A []inner2 `json:"a,omitzero"`
			B []inner2 `json:"b,omitzero"`
			C []inner2 `json:"c"`
			D string   `json:"d,omitzero"`
		}{B: []inner2{}})
		if got, want := string(data), `{"b":[],"c":[]}`; err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	})
	t.Run("refuses text that is not UTF-8", func(t *testing.T) {
		for _, bad := range []doc{{Text: "a\xff"}, {Inner: &inner{Name: "\xed\xa0\x80"}}} {
			if data, err := strictjson.Append(nil, &bad); err == nil || !strings.Contains(err.Error(), "is not valid UTF-8") {
				t.Errorf("got %s, %v", data, err)
			}
		}
	})
}

// FuzzUnmarshal checks that whatever is accepted means the same to
// encoding/json, and survives being written and read again.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"text":"a","items":[{"token":7}],"raw":[1]}`, `{"text":"\ud83d\ude00","ratio":-1.5e-1}`,
		`{"note":"n","inner":{"name":"i","next":{"token":7}},"at":"2025-11-22T12:04:00Z","yes":true}`, `{"text":`, "{\"text\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, std, again doc
		if err := strictjson.Unmarshal(data, &got); err != nil {
			return
		}
		if err := json.Unmarshal(data, &std); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", data, err)
		}
		if diff := cmp.Diff(std, got, cmp.AllowUnexported(rawText{})); diff != "" {
			t.Fatalf("encoding/json reads %q otherwise:\n%s", data, diff)
		}
		if got.At != nil && got.At.Year() > 9999 {
			return
		}
		out, err := strictjson.Append(nil, &got)
		if err != nil {
			t.Fatalf("Append of %+v: %v", got, err)
		}
		if err := strictjson.Unmarshal(out, &again); err != nil {
			t.Fatalf("%q became %q: %v", data, out, err)
		}
	})
}

func BenchmarkUnmarshal(b *testing.B) {
	data := []byte(`{"text":"s-1234567890abcdef","note":"Иванов И. И.","inner":{"name":"10.0.0.17","next":{"token":4711}},"items":[],"yes":true}`)
	for name, unmarshal := range map[string]func([]byte, any) error{"strictjson": strictjson.Unmarshal, "encoding-json": json.Unmarshal} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := unmarshal(data, new(doc)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	note, at := "Иванов И. И.", time.Now().UTC()
	v := &doc{Text: "s-1234567890abcdef", Note: &note, Inner: &inner{"10.0.0.17", &inner2{4711}}, Yes: true, At: &at, Raw: rawText{"7"}}
	b.Run("strictjson", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for b.Loop() {
			buf, _ = strictjson.Append(buf[:0], v)
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = json.Marshal(v)
		}
	})
}

func ExampleUnmarshal() {
	var body struct {
		Items []struct {
			Token uint64 `json:"token"`
		} `json:"items"`
	}
	fmt.Println(strictjson.Unmarshal([]byte(`{"items":[{"token":7},{"token":"8"}]}`), &body))
	// Output: items[1].token must be a whole number, not a string
}
