package demo

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/guard"
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
// language, so that each reader finds it in their own.
type seed struct {
	ID     string                       `json:"id"`
	Kind   string                       `json:"kind"`
	Number string                       `json:"number"`
	Fields map[string]map[string]string `json:"fields"` // by language
}

// revision is a document as somebody saved it.
type revision struct {
	Version int               `json:"version"`
	Fields  map[string]string `json:"fields"`
	Saves   []save            `json:"saves"`
	// Parts are the versions in which the sections were last saved; absent for a form in
	// one piece.
	Parts map[string]int `json:"parts,omitempty"`
}

// seen returns the version of a part, or with no part that of the whole.
func (r *revision) seen(part string) int {
	if part == "" {
		return r.Version
	}
	return r.Parts[part]
}

type save struct {
	Version int       `json:"version"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

// document guards one record with what is left of the locks once the text
// arrives: their tokens.
type document struct {
	seed

	mu    sync.Mutex
	saved *revision                 // nil: nobody has saved it yet
	fence map[string]editlock.Token // by section
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
		o.documents = append(o.documents, &document{seed: s, fence: make(map[string]editlock.Token)})
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
	if d.saved != nil {
		return revision{
			Version: d.saved.Version, Fields: maps.Clone(d.saved.Fields),
			Saves: slices.Clone(d.saved.Saves), Parts: maps.Clone(d.saved.Parts),
		}
	}
	r := revision{Version: 1, Fields: maps.Clone(d.seed.Fields[lang]), Saves: []save{}}
	for _, s := range d.form() {
		if s.Part != "" {
			if r.Parts == nil {
				r.Parts = make(map[string]int)
			}
			r.Parts[s.Part] = r.Version
		}
	}
	return r
}

// save stores the held sections of a text, all of them or none. While nobody else can
// save, it calls allowed, which returns an error unless the writer holds the locks. It also
// refuses a token below the one that last saved a section, so that the owner of a lock that
// was lost between the two steps can't overwrite the next holder's text.
func (d *document) save(lang string, t text, held []guard.Held, s save, allowed func() error) (revision, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := allowed(); err != nil {
		return revision{}, err
	}
	now := d.newest(lang)
	s.Version, s.At = now.Version+1, s.At.UTC()
	fence := maps.Clone(d.fence)
	for _, h := range held {
		if seen, current := t.seen(h.ID.Part), now.seen(h.ID.Part); seen != current {
			return revision{}, &guard.ChangedError{ID: h.ID, Seen: strconv.Itoa(seen), Current: strconv.Itoa(current)}
		}
		for _, section := range d.covered(h.ID.Part) {
			if h.Token < d.fence[section.Part] {
				return revision{}, &editlock.LostError{ID: h.ID}
			}
			fence[section.Part] = h.Token
			if section.Part != "" {
				now.Parts[section.Part] = s.Version
			}
		}
	}
	maps.Copy(now.Fields, t.Fields)
	saves := append(now.Saves, s)
	now.Version, now.Saves = s.Version, saves[max(0, len(saves)-maxSaves):]
	d.saved, d.fence = &now, fence
	return d.newest(lang), nil
}
