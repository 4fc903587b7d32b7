package locktest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

// badCall is a call with one wrong argument, and the field to be named.
type badCall struct {
	name  string
	field string
	call  func(ctx context.Context, l editlock.Locker) error
}

// testInvalid checks that every limit is kept, that the error names the
// field, and that nothing changes.
func testInvalid(t *testing.T, h Harness) {
	s := h.Open(t)
	held := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{StatusData: heldData})
	past := history(t, s.Locker, editlock.HistoryQuery{})
	for _, group := range []struct {
		name string
		bad  []badCall
	}{
		{"ID", badIDs()},
		{"Owner", badOwners()},
		{"Capture", badCaptures()},
		{"CaptureAll", badBatches(func(ctx context.Context, l editlock.Locker, ids []editlock.ID) error {
			_, err := l.CaptureAll(ctx, ids, nil)
			return err
		})},
		{"ReleaseAll", badBatches(func(ctx context.Context, l editlock.Locker, ids []editlock.ID) error {
			_, err := l.ReleaseAll(ctx, ids)
			return err
		})},
		{"Several", badSeveral()},
		{"Refresh", badRefreshes()},
		{"Release", badReleases()},
		{"Takeover", badTakeovers()},
		{"Decline", badDeclines()},
		{"Query", badQueries()},
	} {
		for _, tt := range group.bad {
			t.Run(group.name+"/"+tt.name, func(t *testing.T) {
				wantInvalid(t, tt.call(as(t, ivanov), s.Locker), tt.field)
			})
		}
	}
	t.Run("nothing has changed", func(t *testing.T) {
		wantStanding(t, s.Locker, held)
		wantNames(t, list(t, s.Locker, editlock.Query{}), doc.String())
		if diff := cmp.Diff(past, history(t, s.Locker, editlock.HistoryQuery{})); diff != "" {
			t.Errorf("history changed (-before +after):\n%s", diff)
		}
	})
	t.Run("what just keeps the limits is accepted", func(t *testing.T) { atLimits(t, h) })
}

// badTexts are wrong values of a text field.
func badTexts(limit int) map[string]string {
	return map[string]string{
		"too long":                 strings.Repeat("x", limit+1),
		"too long in bytes":        strings.Repeat("я", limit/2) + "xx",
		"not UTF-8":                "a\xffb",
		"a NUL":                    "a\x00b",
		"a line break":             "a\nb",
		"a control character":      "a\x1bb",
		"a control character (C1)": "a\u0085b",
	}
}

// badIDs tries every wrong ID on every call that takes one.
func badIDs() (all []badCall) {
	calls := map[string]func(ctx context.Context, l editlock.Locker, id editlock.ID) error{
		"Capture": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			_, err := l.Capture(ctx, id, nil)
			return err
		},
		"Request": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			_, _, err := l.Request(ctx, id)
			return err
		},
		"Release": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			_, err := l.Release(ctx, id, editlock.Condition{})
			return err
		},
		"Takeover": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			_, err := l.Takeover(ctx, id, 1, why, nil)
			return err
		},
		"ForceRelease": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			return l.ForceRelease(ctx, id, 1, why)
		},
		"HandOver": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			_, err := l.HandOver(ctx, id)
			return err
		},
		"Decline": func(ctx context.Context, l editlock.Locker, id editlock.ID) error {
			_, err := l.Decline(ctx, id, "w", "")
			return err
		},
	}
	for call, do := range calls {
		add := func(name, field string, id editlock.ID) {
			all = append(all, badCall{call + "/" + name, field, func(ctx context.Context, l editlock.Locker) error {
				return do(ctx, l, id)
			}})
		}
		add("id empty", "mutex.id", editlock.ID{Group: "g", Mode: "m"})
		add("all empty", "mutex.id", editlock.ID{})
		for name, text := range badTexts(editlock.MaxGroup) {
			add("group "+name, "mutex.group", editlock.ID{Group: text, ID: "1"})
			add("mode "+name, "mutex.mode", editlock.ID{Mode: text, ID: "1"})
		}
		for name, text := range badTexts(editlock.MaxID) {
			add("id "+name, "mutex.id", editlock.ID{ID: text})
		}
	}
	return all
}

// badOwners tries every wrong owner on calls that act for one.
func badOwners() (all []badCall) {
	calls := map[string]func(ctx context.Context, l editlock.Locker) error{
		"Capture": func(ctx context.Context, l editlock.Locker) error {
			_, err := l.Capture(ctx, doc, nil)
			return err
		},
		"Release": func(ctx context.Context, l editlock.Locker) error {
			_, err := l.Release(ctx, doc, editlock.Condition{})
			return err
		},
		"Takeover": func(ctx context.Context, l editlock.Locker) error {
			_, err := l.Takeover(ctx, doc, 1, why, nil)
			return err
		},
		"Request": func(ctx context.Context, l editlock.Locker) error {
			_, _, err := l.Request(ctx, doc)
			return err
		},
	}
	for call, do := range calls {
		add := func(name, field string, o editlock.Owner) {
			all = append(all, badCall{call + "/" + name, field, func(ctx context.Context, l editlock.Locker) error {
				return do(editlock.WithOwner(ctx, o), l)
			}})
		}
		add("without a session", "owner.session", editlock.Owner{UserID: "17", Name: "Иванов"})
		if call != "Request" {
			all = append(all, badCall{call + "/by a stranger", "owner.session", func(ctx context.Context, l editlock.Locker) error {
				return do(editlock.WithoutOwner(ctx), l)
			}})
		}
		for name, text := range badTexts(editlock.MaxOwnerField) {
			add("session "+name, "owner.session", editlock.Owner{Session: text})
			add("user ID "+name, "owner.user_id", editlock.Owner{Session: "s", UserID: text})
			add("login "+name, "owner.login", editlock.Owner{Session: "s", Login: text})
			add("name "+name, "owner.name", editlock.Owner{Session: "s", Name: text})
			add("host "+name, "owner.host", editlock.Owner{Session: "s", Host: text})
		}
	}
	return all
}

// atLimits uses every limit to the full.
func atLimits(t *testing.T, h Harness) {
	s := h.Open(t)
	fill := func(n int) string { return strings.Repeat("я", n/2) }
	id := editlock.ID{Group: fill(editlock.MaxGroup), Mode: fill(editlock.MaxMode), ID: fill(editlock.MaxID)}
	o := editlock.Owner{
		Session: fill(editlock.MaxOwnerField), UserID: fill(editlock.MaxOwnerField), Login: fill(editlock.MaxOwnerField),
		Name: fill(editlock.MaxOwnerField), Host: fill(editlock.MaxOwnerField),
	}
	m := capture(as(t, o), t, s.Locker, id, &editlock.CaptureOptions{
		StatusData:  fill(editlock.MaxStatusData),
		AutoRelease: editlock.AutoRelease{Idle: editlock.MaxAutoRelease, MaxHold: editlock.MaxAutoRelease},
		GrantAfter:  24 * time.Hour,
		RequestID:   fill(200),
	})
	if m.ID != id || m.Owner != o || m.StatusData != fill(editlock.MaxStatusData) {
		t.Error("the mutex came back changed")
	}
	wantStanding(t, s.Locker, m)
	if got := list(t, s.Locker, editlock.Query{Group: id.Group, Mode: id.Mode, Session: o.Session, UserID: o.UserID, Text: fill(500), Limit: 1}); len(got) != 1 {
		t.Errorf("listed %d times", len(got))
	}
	theirs, err := s.Locker.Takeover(as(t, petrova), id, m.Token, fill(editlock.MaxMessage), nil)
	if err != nil {
		t.Fatalf("Takeover: %v", err)
	}
	_, err = refresh(as(t, o), t, s.Locker, editlock.RefreshItem{ID: id, Token: m.Token})
	wantTakenOver(t, wantLost(t, err, &theirs), petrova, theirs, fill(editlock.MaxMessage))
	if _, err := s.Locker.ReleaseSession(as(t, o), o.Session); err != nil {
		t.Errorf("ReleaseSession: %v", err)
	}
}
