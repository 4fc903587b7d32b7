package locktest

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		name, want, got string
		ok              bool
	}{
		{"equal", `{"a":1,"b":["x",null]}`, `{"a":1,"b":["x",null]}`, true},
		{"more members than wanted", `{"a":1}`, `{"a":1,"b":2}`, true},
		{"a member that is missing", `{"a":1,"b":2}`, `{"a":1}`, false},
		{"another value", `{"a":1}`, `{"a":2}`, false},
		{"another value, deep down", `{"a":[{"b":true}]}`, `{"a":[{"b":false}]}`, false},
		{"a number for a text", `"1"`, `1`, false},
		{"an object for a text", `"x"`, `{"x":1}`, false},
		{"a text for an object", `{"x":1}`, `"x"`, false},
		{"too many elements", `[1]`, `[1,2]`, false},
		{"too few elements", `[1,2]`, `[1]`, false},
		{"none, and there is none", `{"a":null}`, `{}`, true},
		{"none, and it is null", `{"a":null}`, `{"a":null}`, true},
		{"none, but there is one", `{"a":null}`, `{"a":false}`, false},
		{"large numbers that differ in the last digit", `9007199254740992`, `9007199254740993`, false},
		{"any", `{"?any":true}`, `0`, true},
		{"any, but there is none", `{"a":{"?any":true}}`, `{}`, false},
		{"above", `{"?above":7}`, `8`, true},
		{"above, but equal", `{"?above":7}`, `7`, false},
		{"above, but no number", `{"?above":7}`, `"8"`, false},
		{"between", `{"?between":[1,2]}`, `2`, true},
		{"between, but less", `{"?between":[1,2]}`, `0.9`, false},
		{"between, but more", `{"?between":[1,2]}`, `2.1`, false},
		{"between, but there is none", `{"a":{"?between":[1,2]}}`, `{}`, false},
		{"seconds", `{"?seconds":300}`, `"300s"`, true},
		{"seconds, but others", `{"?seconds":300}`, `"301s"`, false},
		{"seconds, but no duration", `{"?seconds":300}`, `300`, false},
		{"an unknown rule", `{"?near":1}`, `1`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := match(decode(t, tt.want), decode(t, tt.got)); (err == nil) != tt.ok {
				t.Errorf("match(%s, %s): %v, want a match: %v", tt.want, tt.got, err, tt.ok)
			}
		})
	}
}

func TestAt(t *testing.T) {
	body := decode(t, `{"mutex":{"waiters":[{"id":"w1"}],"none":null}}`)
	if got, err := at(body, "mutex.waiters.0.id"); got != "w1" || err != nil {
		t.Errorf("at = %v, %v; want w1", got, err)
	}
	for _, path := range []string{"", "token", "mutex.token", "mutex.none", "mutex.waiters.1.id", "mutex.waiters.x", "mutex.waiters.0.id.x"} {
		if got, err := at(body, path); err == nil {
			t.Errorf("at %q found %v", path, got)
		}
	}
}

func decode(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}
