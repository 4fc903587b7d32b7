package webui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/presence"
)

func TestLock_ShowsWhoLooks(t *testing.T) {
	board := presence.New(presence.Bounds{}, nil)
	look := func(name string, s presence.State) {
		o := editlock.Owner{Session: "s-" + name, UserID: name, Name: name}
		board.Beat(presence.Visitor{Owner: o}, "p", []presence.Look{{ID: editlock.ID{Group: "crm", Mode: "contract", ID: "1"}, State: s}})
	}
	look("Anna", presence.Unsaved)
	look("Boris", presence.Idle)
	look("Petrova", presence.Looking)
	v := visit(t, office(), "Petrova")
	v.manager = New(office(), &Options{Presence: board})
	_, body := v.do("/ui/lock?id=crm/contract/1")
	for _, want := range []string{"Looking <span class=\"number\">3</span>", "<bdi>Anna</bdi>", "has unsaved edits", "away", "<span class=\"you\">"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for i := range 30 {
		look(fmt.Sprint("p", i), presence.Looking)
	}
	if _, body = v.do("/ui/lock?id=crm/contract/1"); !strings.Contains(body, "and 13 more") {
		t.Error("those beyond the first 20 are not counted")
	}
	if _, body = v.do("/ui/lock?id=crm/contract/2"); strings.Contains(body, "Looking") {
		t.Error("another lock has them too")
	}
}
