// Package bidi keeps a text that somebody wrote from changing the order in
// which the text around it is read.
package bidi

import (
	"fmt"
	"strings"

	"golang.org/x/text/unicode/bidi"
)

// The isolates of Unicode's UAX 9: the first has the direction of the text
// that follows it, up to the second.
const (
	fsi = "\u2068"
	pdi = "\u2069"
)

// Shown returns a text with its explicit directional formatting characters, and its
// separators of lines and paragraphs, written out, such as [U+202E]. Names and reasons have none; IDs, status data
// and what older versions stored may, and a U+2069 or U+2029 in them would end the
// isolation that follows from markup.
func Shown(text string) string {
	if !strings.ContainsFunc(text, formats) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if formats(r) {
			fmt.Fprintf(&b, "[%U]", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Plain returns a text without its explicit directional formatting characters.
func Plain(text string) string {
	return strings.Map(func(r rune) rune {
		if formats(r) {
			return -1
		}
		return r
	}, text)
}

// Isolate returns what Shown does, for a place without markup: between
// isolates if any of it is written from right to left.
func Isolate(text string) string {
	text = Shown(text)
	if !strings.ContainsFunc(text, rightToLeft) {
		return text
	}
	return fsi + text + pdi
}

func formats(r rune) bool {
	return '\u2028' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

func rightToLeft(r rune) bool {
	p, _ := bidi.LookupRune(r)
	switch p.Class() {
	case bidi.R, bidi.AL, bidi.AN:
		return true
	default:
		return false
	}
}
