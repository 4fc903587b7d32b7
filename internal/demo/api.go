package demo

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
)

// tokenHeader carries, with a text to save, the token of the lock it was
// written under.
const tokenHeader = "Editlock-Token"

const maxBody = 64 << 10

// changed is the code of a refusal that is the demo's own: the text was
// written on top of a version that is no longer the newest.
const changed wire.Code = "changed"

var errChanged = &wire.Problem{
	Type: "urn:editlock:problem:" + string(changed), Code: changed, Status: http.StatusConflict,
	Title: "The document was changed", Detail: "somebody saved a newer version since this text was begun",
}

var errNoDocument = wire.NewProblem(wire.NotFound, "there is no such document")

// readDocument answers with the newest revision.
func (h *handler) readDocument(w http.ResponseWriter, r *http.Request) {
	doc := h.office.find(r.PathValue("id"))
	if doc == nil {
		refuse(w, errNoDocument)
		return
	}
	answer(w, http.StatusOK, "application/json", doc.read(languageOf(r)))
}

// saveDocument stores a text if, and only if, its writer still holds the
// document.
func (h *handler) saveDocument(w http.ResponseWriter, r *http.Request) {
	saved, err := h.save(w, r)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, "application/json", saved)
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
	text, token, err := readText(w, r)
	if err != nil {
		return revision{}, err
	}
	return doc.save(languageOf(r), text, token, save{By: p.Name, At: h.office.now()}, func() error {
		// Refreshes the lock if the token is the one in force and this
		// browser holds it, and tells who has it now if not.
		ctx := editlock.WithOwner(r.Context(), p.owner())
		_, err := h.locker.Capture(ctx, doc.lockID(), &editlock.CaptureOptions{If: editlock.IfToken(token)})
		return err
	})
}

// text is the body of a save: the fields, and the version they were written
// on top of.
type text struct {
	Version int               `json:"version"`
	Fields  map[string]string `json:"fields"`
}

func readText(w http.ResponseWriter, r *http.Request) (text, editlock.Token, error) {
	invalid := func(field, problem string) (text, editlock.Token, error) {
		return text{}, 0, &editlock.InvalidError{Field: field, Problem: problem}
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return invalid("Content-Type", "must be application/json")
	}
	token, err := strconv.ParseUint(r.Header.Get(tokenHeader), 10, 53)
	if err != nil || token == 0 {
		return invalid(tokenHeader, "must be the token of the lock that the text was written under")
	}
	var t text
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	body.DisallowUnknownFields()
	if err := body.Decode(&t); err != nil {
		return invalid("body", "is not a text to save: "+err.Error())
	}
	if _, err := body.Token(); !errors.Is(err, io.EOF) {
		return invalid("body", "goes on after the text to save")
	}
	return t, editlock.Token(token), checkFields(t.Fields)
}

// refuse answers as the API would.
func refuse(w http.ResponseWriter, err error) {
	p := wire.FromError(err)
	answer(w, p.Status, wire.ProblemType, p)
}

func answer(w http.ResponseWriter, status int, contentType string, body any) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
