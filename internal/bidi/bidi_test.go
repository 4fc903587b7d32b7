package bidi_test

import (
	"testing"

	"github.com/editlock/editlock/internal/bidi"
)

func TestIsolate(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a text from left to right stays as it is", "Иванов, I. (2)", "Иванов, I. (2)"},
		{"no text stays none", "", ""},
		{"Hebrew is isolated", "דוד", "\u2068דוד\u2069"},
		{"Arabic among Latin is isolated with it", "Ali علي 7", "\u2068Ali علي 7\u2069"},
		{"digits of Arabic are isolated", "٤٢", "\u2068٤٢\u2069"},
		{"a mark alone is isolated", "a\u200f", "\u2068a\u200f\u2069"},
		{"an override is written out", "a\u202eb", "a[U+202E]b"},
		{"an isolate that ends the one around it is written out", "ד\u2069\u202e", "\u2068ד[U+2069][U+202E]\u2069"},
		{"a paragraph that ends the isolation of the first one is written out", "ד\u2029b", "\u2068ד[U+2029]b\u2069"},
		{"a line is written out", "a\u2028b", "a[U+2028]b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := bidi.Isolate(tt.text); got != tt.want {
				t.Errorf("Isolate(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}
