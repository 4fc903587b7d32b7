package demo

import (
	"net/http"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/entry"
)

// assistantDocument is what the assistant edits.
const assistantDocument = "price-list-12"

// sendAssistant lets an agent hold a document on behalf of the reader, who then sees it
// as others do, and may take over. It holds as long as an agent may without a refresh.
// Where somebody else edits, the page says who.
func (h *handler) sendAssistant(w http.ResponseWriter, r *http.Request) {
	p, ok := personOf(r)
	if !ok {
		entry.Redirect(w, r, "/demo/")
		return
	}
	agent := editlock.Owner{
		Session: "assistant of " + p.Session, Name: h.pages[languageOf(r)].words["person.assistant"],
		Kind: editlock.Agent, OnBehalfOf: p.Name,
	}
	doc := h.office.find(assistantDocument)
	_, _ = h.locker.Capture(editlock.WithOwner(r.Context(), agent), doc.lockID(), &editlock.CaptureOptions{If: editlock.IfFree()})
	entry.Redirect(w, r, "/demo/documents/"+assistantDocument)
}
