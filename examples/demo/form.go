package demo

import (
	"fmt"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/editlock/editlock"
)

// field is one input of a form.
type field struct {
	Name    string
	Input   string // text, date, select or area
	Max     int    // characters
	Choices []string
}

// section is a part of a form. One person at a time edits it, while others edit other
// sections. Part is the part of its mutex; a form in one piece is a section without one.
type section struct {
	Part   string
	Fields []field
}

// agreement is the kind whose form has sections.
const agreement = "agreement"

var piece = []section{{Fields: []field{
	{Name: "title", Input: "text", Max: 120},
	{Name: "party", Input: "text", Max: 120},
	{Name: "status", Input: "select", Choices: []string{"draft", "review", "approved"}},
	{Name: "amount", Input: "text", Max: 40},
	{Name: "due", Input: "date", Max: 10},
	{Name: "note", Input: "area", Max: 4000},
}}}

var sections = []section{
	{"parties", []field{{Name: "party", Input: "text", Max: 120}, {Name: "contact", Input: "text", Max: 120}}},
	{"subject", []field{{Name: "title", Input: "text", Max: 120}, {Name: "scope", Input: "area", Max: 4000}}},
	{"delivery", []field{{Name: "address", Input: "text", Max: 120}, {Name: "due", Input: "date", Max: 10}}},
	{"payment", []field{{Name: "amount", Input: "text", Max: 40}, {Name: "terms", Input: "text", Max: 120}}},
	{"notes", []field{{Name: "note", Input: "area", Max: 4000}}},
}

// form returns the sections of the document's form.
func (d *document) form() []section {
	if d.Kind == agreement {
		return sections
	}
	return piece
}

// covered returns the sections that a hold of a part lets its owner save: the part's
// own, or all where the whole document is held. Nil: there is no such part.
func (d *document) covered(part string) []section {
	if part == "" {
		return d.form()
	}
	for i, s := range d.form() {
		if s.Part == part {
			return d.form()[i : i+1]
		}
	}
	return nil
}

// fieldsOf returns the inputs of sections.
func fieldsOf(all []section) []field {
	var fields []field
	for _, s := range all {
		fields = append(fields, s.Fields...)
	}
	return fields
}

// checkFields checks that a text has each of the fields and no other, and that each value
// is valid.
func checkFields(fields []field, text map[string]string) error {
	for _, f := range fields {
		value, ok := text[f.Name]
		switch {
		case !ok:
			return fieldError(f.Name, "is missing")
		case !utf8.ValidString(value):
			return fieldError(f.Name, "is not valid UTF-8")
		case len(f.Choices) > 0 && !slices.Contains(f.Choices, value):
			return fieldError(f.Name, "is %q; one of %q is allowed", value, f.Choices)
		case f.Max > 0 && utf8.RuneCountInString(value) > f.Max:
			return fieldError(f.Name, "is longer than the %d characters allowed", f.Max)
		case slices.ContainsFunc([]rune(value), func(r rune) bool { return unicode.IsControl(r) && !(f.Input == "area" && r == '\n') }):
			return fieldError(f.Name, "has a control character; none is allowed")
		}
		if f.Input == "date" && value != "" {
			if _, err := time.Parse(time.DateOnly, value); err != nil {
				return fieldError(f.Name, "is %q; a date such as 2026-03-31 is allowed", value)
			}
		}
	}
	for name := range text {
		if !slices.ContainsFunc(fields, func(f field) bool { return f.Name == name }) {
			return fieldError(name, "is not a field of what is held")
		}
	}
	return nil
}

func fieldError(name, format string, args ...any) error {
	return &editlock.InvalidError{Field: "fields." + name, Problem: fmt.Sprintf(format, args...)}
}
