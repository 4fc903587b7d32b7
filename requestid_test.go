package editlock_test

import (
	"errors"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store/memory"
)

// Two sessions that happen to use one request ID are told of their own
// captures only.
func TestManager_KeepsRequestIDsOfTwoSessionsApart(t *testing.T) {
	m := editlock.NewManager(memory.New(nil), nil)
	defer func() { _ = m.Close() }()
	ann := editlock.WithOwner(t.Context(), editlock.Owner{Session: "ann"})
	bob := editlock.WithOwner(t.Context(), editlock.Owner{Session: "bob"})
	id, opts := editlock.ID{ID: "1"}, &editlock.CaptureOptions{RequestID: "1", If: editlock.IfFree()}

	first, err := m.Capture(ann, id, opts)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := m.Capture(ann, id, opts); err != nil || again.Token != first.Token {
		t.Errorf("the retry got token %d, %v; want %d", again.Token, err, first.Token)
	}
	if got, err := m.Capture(bob, id, opts); !errors.Is(err, editlock.ErrBusy) {
		t.Errorf("another session got %+v, %v", got, err)
	}
	if _, err := m.Capture(ann, editlock.ID{ID: "2"}, opts); err != nil {
		t.Errorf("the same ID on another mutex: %v", err)
	}
}
