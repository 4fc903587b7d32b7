package demo

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/guard"
	"github.com/editlock/editlock/internal/wire"
)

const maxBody = 64 << 10

var errNoDocument = wire.NewProblem(wire.NotFound, "there is no such document")

// readDocument answers with the newest revision.
func (h *handler) readDocument(w http.ResponseWriter, r *http.Request) {
	doc := h.office.find(r.PathValue("id"))
	if doc == nil {
		guard.Refuse(w, errNoDocument)
		return
	}
	answer(w, doc.read(languageOf(r)))
}

// saveDocument stores a text if, and only if, its writer still holds the
// document.
func (h *handler) saveDocument(w http.ResponseWriter, r *http.Request) {
	saved, err := h.save(w, r)
	if err != nil {
		guard.Refuse(w, err)
		return
	}
	answer(w, saved)
}

func (h *handler) save(w http.ResponseWriter, r *http.Request) (revision, error) {
	doc := h.office.find(r.PathValue("id"))
	if doc == nil {
		return revision{}, errNoDocument
	}
	p, ok := personOf(r)
	if !ok {
		return revision{}, wire.NewProblem(wire.Unauthenticated, "say who you are first, at /demo/")
	}
	text, err := readText(w, r)
	if err != nil {
		return revision{}, err
	}
	held, err := guard.ParseHeld(doc.lockID(), r.Header.Get(guard.Header))
	if err == nil {
		err = doc.check(held, text)
	}
	if err != nil {
		return revision{}, err
	}
	return doc.save(languageOf(r), text, held, save{By: p.Name, At: h.office.now()}, func() error {
		// Refreshes each lock if the token is the one in force and this
		// browser holds it, and tells who has it now if not.
		ctx := editlock.WithOwner(r.Context(), p.owner())
		for _, one := range held {
			if _, err := h.locker.Capture(ctx, one.ID, &editlock.CaptureOptions{If: editlock.IfToken(one.Token)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// text is the body of a save: the fields of what is held, and the versions they were
// written on top of: that of the document, or those of its sections.
type text struct {
	Version int               `json:"version"`
	Parts   map[string]int    `json:"parts"`
	Fields  map[string]string `json:"fields"`
}

func (t *text) seen(part string) int {
	if part == "" {
		return t.Version
	}
	return t.Parts[part]
}

func readText(w http.ResponseWriter, r *http.Request) (t text, err error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return t, &editlock.InvalidError{Field: "Content-Type", Problem: "must be application/json"}
	}
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	body.DisallowUnknownFields()
	if err := body.Decode(&t); err != nil {
		return t, &editlock.InvalidError{Field: "body", Problem: "is not a text to save: " + err.Error()}
	}
	if _, err := body.Token(); !errors.Is(err, io.EOF) {
		return t, &editlock.InvalidError{Field: "body", Problem: "goes on after the text to save"}
	}
	return t, nil
}

// check checks that a text has the fields of what its writer claims to hold.
func (d *document) check(held []guard.Held, t text) error {
	if len(held) == 0 {
		return &editlock.InvalidError{Field: guard.Header, Problem: "must be the token of the lock that the text was written under"}
	}
	var all []section
	for _, h := range held {
		covered := d.covered(h.ID.Part)
		if covered == nil {
			return &editlock.InvalidError{Field: guard.Header, Problem: "names a part that the document does not have: " + strconv.Quote(h.ID.Part)}
		}
		all = append(all, covered...)
	}
	return checkFields(fieldsOf(all), t.Fields)
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(body)
}
