package demo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/guard"
	"github.com/editlock/editlock/internal/wire"
)

const agreementPath = "/demo/api/documents/agreement-7"

func agreement(part string) editlock.ID {
	return editlock.ID{Group: "demo", Mode: "agreement", ID: "7", Part: part}
}

// hold captures a part of the agreement; no part is the whole.
func (b *browser) hold(part string) editlock.Token {
	b.t.Helper()
	m, err := b.desk.locker.Capture(editlock.WithOwner(b.t.Context(), b.owner), agreement(part), &editlock.CaptureOptions{If: editlock.IfFree()})
	if err != nil {
		b.t.Fatal(err)
	}
	return m.Token
}

type divided struct {
	Version int               `json:"version,omitempty"`
	Parts   map[string]int    `json:"parts,omitempty"`
	Fields  map[string]string `json:"fields"`
}

func (b *browser) readAgreement() (d divided) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.get(agreementPath).body), &d); err != nil {
		b.t.Fatal(err)
	}
	return d
}

// saveSections saves fields under tokens such as "notes=7".
func (b *browser) saveSections(tokens string, d divided) (int, wire.Problem) {
	b.t.Helper()
	body, err := json.Marshal(d)
	if err != nil {
		b.t.Fatal(err)
	}
	r := b.do("POST", agreementPath, string(body), "Content-Type", "application/json", guard.Header, tokens)
	if r.status == http.StatusOK {
		return r.status, wire.Problem{}
	}
	return r.status, r.problem(b.t)
}

func TestSections_AreSavedBesideEachOther(t *testing.T) {
	d := open(t)
	ann, bob := d.browser(t, "Ann"), d.browser(t, "Bob")
	payment, notes := ann.hold("payment"), bob.hold("notes")
	if status, p := bob.saveSections(fmt.Sprintf("notes=%d", notes), divided{Parts: map[string]int{"notes": 1}, Fields: map[string]string{"note": "of Bob"}}); status != http.StatusOK {
		t.Fatalf("refused: %d %+v", status, p)
	}
	// The document is at another version by now; Ann's section is not.
	status, p := ann.saveSections(fmt.Sprintf("payment=%d", payment), divided{Parts: map[string]int{"payment": 1}, Fields: map[string]string{"amount": "50", "terms": "at once"}})
	if status != http.StatusOK {
		t.Fatalf("refused: %d %+v", status, p)
	}
	now := ann.readAgreement()
	want := map[string]int{"parties": 1, "subject": 1, "delivery": 1, "payment": 3, "notes": 2}
	if diff := cmp.Diff(want, now.Parts); diff != "" || now.Version != 3 {
		t.Errorf("at version %d: %s", now.Version, diff)
	}
	if now.Fields["note"] != "of Bob" || now.Fields["amount"] != "50" || now.Fields["party"] != "Harbour Ltd" {
		t.Errorf("got %v", now.Fields)
	}
}

func TestSections_AreSavedAllOrNone(t *testing.T) {
	d := open(t)
	ann, bob := d.browser(t, "Ann"), d.browser(t, "Bob")
	payment, notes := ann.hold("payment"), ann.hold("notes")
	fields := map[string]string{"amount": "50", "terms": "at once", "note": "of Ann"}
	before := ann.readAgreement()
	refused := func(t *testing.T, tokens string, text divided, status int, code wire.Code, part string) {
		t.Helper()
		got, p := ann.saveSections(tokens, text)
		if got != status || p.Code != code || part != "" && (p.Mutex == nil || p.Mutex.Part != part) {
			t.Errorf("got %d %+v, want %d %s of %q", got, p, status, code, part)
		}
		if diff := cmp.Diff(before, ann.readAgreement()); diff != "" {
			t.Errorf("the document changed: %s", diff)
		}
	}
	both := fmt.Sprintf("payment=%d,notes=%d", payment, notes)
	versions := map[string]int{"payment": 1, "notes": 1}

	t.Run("not with fields of a section that is not held", func(t *testing.T) {
		more := maps.Clone(fields)
		more["party"] = "another"
		refused(t, both, divided{Parts: versions, Fields: more}, http.StatusBadRequest, wire.Invalid, "")
		refused(t, fmt.Sprintf("payment=%d", payment), divided{Parts: versions, Fields: fields}, http.StatusBadRequest, wire.Invalid, "")
	})
	t.Run("not without one of them", func(t *testing.T) {
		refused(t, both, divided{Parts: versions, Fields: map[string]string{"note": "x"}}, http.StatusBadRequest, wire.Invalid, "")
	})
	t.Run("not of another version", func(t *testing.T) {
		refused(t, both, divided{Parts: map[string]int{"payment": 1, "notes": 2}, Fields: fields}, http.StatusPreconditionFailed, guard.Changed, "notes")
		refused(t, both, divided{Fields: fields}, http.StatusPreconditionFailed, guard.Changed, "")
	})
	t.Run("not with a part that there is not", func(t *testing.T) {
		refused(t, fmt.Sprintf("colour=%d", notes), divided{Fields: fields}, http.StatusBadRequest, wire.Invalid, "")
	})
	t.Run("not after one of them was taken over", func(t *testing.T) {
		taken, err := d.locker.Takeover(editlock.WithOwner(t.Context(), bob.owner), agreement("notes"), notes, "urgent", nil)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, both, divided{Parts: versions, Fields: fields}, http.StatusConflict, wire.Lost, "notes")
		// A hold that comes back within the check of it can't write over a successor's text.
		if status, p := bob.saveSections(fmt.Sprintf("notes=%d", taken.Token), divided{Parts: map[string]int{"notes": 1}, Fields: map[string]string{"note": "of Bob"}}); status != http.StatusOK {
			t.Fatalf("refused: %d %+v", status, p)
		}
		before = ann.readAgreement()
		refused(t, both, divided{Parts: versions, Fields: fields}, http.StatusConflict, wire.Lost, "notes")
	})
}

func TestSections_AreHeldTogetherByTheWhole(t *testing.T) {
	d := open(t)
	ann, bob := d.browser(t, "Ann"), d.browser(t, "Bob")
	token := ann.hold("")
	_, err := d.locker.Capture(editlock.WithOwner(t.Context(), bob.owner), agreement("notes"), &editlock.CaptureOptions{If: editlock.IfFree()})
	if !errors.Is(err, editlock.ErrBusy) {
		t.Errorf("a section is not busy: %v", err)
	}
	text := ann.readAgreement()
	text.Parts = nil
	text.Fields["note"] = "of the whole"
	if status, p := ann.saveSections(fmt.Sprint(token), text); status != http.StatusOK {
		t.Fatalf("refused: %d %+v", status, p)
	}
	now := ann.readAgreement()
	if now.Parts["notes"] != 2 || now.Parts["parties"] != 2 || now.Fields["note"] != "of the whole" {
		t.Errorf("got %+v", now)
	}
	if _, err := d.locker.Release(editlock.WithOwner(t.Context(), ann.owner), agreement(""), editlock.Condition{}); err != nil {
		t.Fatal(err)
	}
	// Who began a section before that is told, although the section is theirs.
	notes := bob.hold("notes")
	if status, p := bob.saveSections(fmt.Sprintf("notes=%d", notes), divided{Parts: map[string]int{"notes": 1}, Fields: map[string]string{"note": "of Bob"}}); status != http.StatusPreconditionFailed || p.Code != guard.Changed {
		t.Errorf("got %d %+v", status, p)
	}
}

func TestSections_OnThePage(t *testing.T) {
	b := open(t).browser(t, "Ann")
	page := b.get("/demo/documents/agreement-7").body
	for _, part := range []string{"parties", "subject", "delivery", "payment", "notes"} {
		if !strings.Contains(page, `object="7" object-part="`+part+`" version="1"`) {
			t.Errorf("no section %s", part)
		}
	}
	if whole := b.get("/demo/documents/agreement-7?whole").body; strings.Contains(whole, "object-part") || !strings.Contains(whole, `name="terms"`) || !strings.Contains(whole, `name="note"`) {
		t.Error("the whole is not in one piece")
	}
}
