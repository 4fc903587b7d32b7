package demo

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/editlock/editlock"
)

// Group is the group of all the demo's mutexes. The mode is the kind of the document,
// and the id its number.
const Group = "demo"

// DocumentPath is the page of a document, with the mode and the id of its mutex in
// the place of {mode} and {id}.
const DocumentPath = "/demo/documents/{mode}-{id}"

// maxSaves is how many saves of a document are remembered.
const maxSaves = 50

//go:embed seed/documents.json
var seedJSON []byte

// seed is a document as it stands before the first save: told in every
// language, so that each reader finds it in his own.
type seed struct {
	ID     string                       `json:"id"`
	Kind   string                       `json:"kind"`
	Number string                       `json:"number"`
	Fields map[string]map[string]string `json:"fields"` // by language
}

// field is one input of the form.
type field struct {
	Name    string
	Input   string // text, date, select or area
	Max     int    // characters
	Choices []string
}

var fields = []field{
	{Name: "title", Input: "text", Max: 120},
	{Name: "party", Input: "text", Max: 120},
	{Name: "status", Input: "select", Choices: []string{"draft", "review", "approved"}},
	{Name: "amount", Input: "text", Max: 40},
	{Name: "due", Input: "date", Max: 10},
	{Name: "note", Input: "area", Max: 4000},
}

// revision is a document as somebody saved it.
type revision struct {
	Version int               `json:"version"`
	Fields  map[string]string `json:"fields"`
	Saves   []save            `json:"saves"`
}

type save struct {
	Version int       `json:"version"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

// document guards one record with what is left of the lock once the text
// arrives: its token.
type document struct {
	seed

	mu    sync.Mutex
	saved *revision // nil: nobody has saved it yet
	fence editlock.Token
}

// office keeps the documents in memory, in the order of the list.
type office struct {
	now       func() time.Time
	documents []*document
}

func newOffice(now func() time.Time) *office {
	if now == nil {
		now = time.Now
	}
	var seeds []seed
	if err := json.Unmarshal(seedJSON, &seeds); err != nil {
		panic(fmt.Sprintf("demo: seed/documents.json: %v", err)) // it is built in
	}
	o := &office{now: now}
	for _, s := range seeds {
		o.documents = append(o.documents, &document{seed: s})
	}
	return o
}

// find returns nil if there is no such document.
func (o *office) find(id string) *document {
	for _, d := range o.documents {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// lockID names the document's mutex.
func (d *document) lockID() editlock.ID {
	return editlock.ID{Group: Group, Mode: d.Kind, ID: d.Number}
}

// read returns the newest revision.
func (d *document) read(lang string) revision {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.newest(lang)
}

func (d *document) newest(lang string) revision {
	if d.saved == nil {
		return revision{Version: 1, Fields: d.seed.Fields[lang], Saves: []save{}}
	}
	return revision{Version: d.saved.Version, Fields: maps.Clone(d.saved.Fields), Saves: slices.Clone(d.saved.Saves)}
}

// save stores a text. allowed is asked, while nobody else can save, whether
// its writer holds the lock; besides, a token below one that has saved already
// is refused whatever allowed says, so that a lock lost between the two steps
// can't overwrite its successor's text.
func (d *document) save(lang string, t text, token editlock.Token, s save, allowed func() error) (revision, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := allowed(); err != nil {
		return revision{}, err
	}
	now := d.newest(lang)
	switch {
	case token < d.fence:
		return revision{}, &editlock.LostError{ID: d.lockID()}
	case t.Version != now.Version:
		return revision{}, errChanged
	}
	s.Version, s.At = now.Version+1, s.At.UTC()
	saves := append(now.Saves, s)
	d.saved = &revision{Version: s.Version, Fields: t.Fields, Saves: saves[max(0, len(saves)-maxSaves):]}
	d.fence = token
	return d.newest(lang), nil
}

// checkFields holds a text to the form: every field, no other, none too long.
func checkFields(text map[string]string) error {
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
			return fieldError(name, "is not a field of the form")
		}
	}
	return nil
}

func fieldError(name, format string, args ...any) error {
	return &editlock.InvalidError{Field: "fields." + name, Problem: fmt.Sprintf(format, args...)}
}
