package locktest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/editlock/editlock"
)

// testHistory checks what is recorded, and how it is found.
func testHistory(t *testing.T, h Harness) {
	t.Run("Entries", func(t *testing.T) { historyEntries(t, h) })
	t.Run("Filters", func(t *testing.T) { historyFilters(t, h) })
	t.Run("Trees", func(t *testing.T) { historyTrees(t, h) })
	t.Run("nothing happened: an empty page", func(t *testing.T) {
		s := h.Open(t)
		page, err := s.Locker.History(as(t, smith), editlock.HistoryQuery{})
		if err != nil || len(page.Entries) != 0 || page.Next != "" {
			t.Errorf("History = %+v, %v", page, err)
		}
	})
	t.Run("refreshes, refusals and questions are not history", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{StatusData: "x"})
		if _, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token}); err != nil {
			t.Fatalf("Refresh: %v", err)
		}
		if _, err := refresh(as(t, ivanovAgain), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token}); err != nil {
			t.Fatalf("Refresh after a new login: %v", err)
		}
		_, _ = s.Locker.Capture(as(t, petrova), doc, nil)
		_, _ = s.Locker.Release(as(t, petrova), doc, editlock.Condition{})
		_, _ = s.Locker.Takeover(as(t, petrova), doc, m.Token+1, why, nil)
		_ = s.Locker.ForceRelease(as(t, petrova), doc, m.Token+1, why)
		standing(t, s.Locker, doc)
		list(t, s.Locker, editlock.Query{})
		if diff := cmp.Diff([]editlock.EventKind{editlock.KindCaptured}, kinds(history(t, s.Locker, editlock.HistoryQuery{}))); diff != "" {
			t.Errorf("history (-want +got):\n%s", diff)
		}
	})
}

// wantHistory compares the whole history of a mutex, oldest first, but for
// the numbers and times of its entries, which must rise.
func wantHistory(t *testing.T, l editlock.Locker, id editlock.ID, want []editlock.Event) {
	t.Helper()
	got := history(t, l, editlock.HistoryQuery{ID: &id})
	for i := range len(got) / 2 {
		got[i], got[len(got)-1-i] = got[len(got)-1-i], got[i]
	}
	for i, e := range got {
		if e.ID != id || e.Seq == 0 || e.At.IsZero() {
			t.Errorf("entry %d is %+v", i, e)
		}
		if i > 0 && (e.Seq <= got[i-1].Seq || e.At.Before(got[i-1].At)) {
			t.Errorf("entry %d (number %d, at %v) stands behind number %d, at %v", i, e.Seq, e.At, got[i-1].Seq, got[i-1].At)
		}
	}
	for i := range want {
		want[i].Sharing = editlock.Exclusive
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(editlock.Event{}, "Seq", "At", "ID")); diff != "" {
		t.Errorf("history of %v (-want +got):\n%s", id, diff)
	}
}

func historyEntries(t *testing.T, h Harness) {
	t.Run("captured and released", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		release(as(t, ivanov), t, s.Locker, doc)
		wantHistory(t, s.Locker, doc, []editlock.Event{
			{Kind: editlock.KindCaptured, Owner: ivanov, Actor: ivanov, Token: m.Token},
			{Kind: editlock.KindReleased, Owner: ivanov, Actor: ivanov, Token: m.Token},
		})
		if got := history(t, s.Locker, editlock.HistoryQuery{}); !got[1].At.Equal(m.CapturedAt) {
			t.Errorf("captured at %v by the history, %v by the mutex", got[1].At, m.CapturedAt)
		}
	})
	t.Run("expired, at the time it did", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)})
		s.lapse(t, m)
		s.pass(time.Minute)
		theirs := capture(as(t, petrova), t, s.Locker, doc, nil)
		wantHistory(t, s.Locker, doc, []editlock.Event{
			{Kind: editlock.KindCaptured, Owner: ivanov, Actor: ivanov, Token: m.Token},
			{Kind: editlock.KindExpired, Owner: ivanov, Actor: ivanov, Token: m.Token},
			{Kind: editlock.KindCaptured, Owner: petrova, Actor: petrova, Token: theirs.Token},
		})
		if got := history(t, s.Locker, editlock.HistoryQuery{}); !got[1].At.Equal(m.ExpiresAt) {
			t.Errorf("expired at %v by the history, %v by the mutex", got[1].At, m.ExpiresAt)
		}
	})
	t.Run("taken over, with the reason", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		theirs, err := s.Locker.Takeover(as(t, petrova), doc, m.Token, why, nil)
		if err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		wantHistory(t, s.Locker, doc, []editlock.Event{
			{Kind: editlock.KindCaptured, Owner: ivanov, Actor: ivanov, Token: m.Token},
			{Kind: editlock.KindTakenOver, Owner: petrova, Actor: petrova, Other: ivanov, Token: theirs.Token, Reason: why},
		})
	})
	t.Run("released by force, with the reason", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		if err := s.Locker.ForceRelease(as(t, smith), doc, m.Token, why); err != nil {
			t.Fatalf("ForceRelease: %v", err)
		}
		wantHistory(t, s.Locker, doc, []editlock.Event{
			{Kind: editlock.KindCaptured, Owner: ivanov, Actor: ivanov, Token: m.Token},
			{Kind: editlock.KindForceReleased, Owner: ivanov, Actor: smith, Token: m.Token, Reason: why},
		})
	})
	t.Run("waiting and handed over", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, &editlock.CaptureOptions{Message: "please"})
		if passed, err := s.Locker.HandOver(as(t, ivanov), doc); !passed || err != nil {
			t.Fatalf("HandOver = %v, %v", passed, err)
		}
		theirs := w.granted(t)
		wantHistory(t, s.Locker, doc, []editlock.Event{
			{Kind: editlock.KindCaptured, Owner: ivanov, Actor: ivanov, Token: m.Token},
			{Kind: editlock.KindWaiting, Owner: ivanov, Actor: petrova, Token: m.Token, Reason: "please"},
			{Kind: editlock.KindHandedOver, Owner: ivanov, Actor: ivanov, Other: petrova, Token: m.Token},
			{Kind: editlock.KindCaptured, Owner: petrova, Actor: petrova, Token: theirs.Token},
		})
	})
	t.Run("declined, with the answer", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, nil)
		if declined, err := s.Locker.Decline(as(t, ivanov), doc, standing(t, s.Locker, doc).Waiters[0].ID, "no"); !declined || err != nil {
			t.Fatalf("Decline = %v, %v", declined, err)
		}
		w.end(t)
		wantHistory(t, s.Locker, doc, []editlock.Event{
			{Kind: editlock.KindCaptured, Owner: ivanov, Actor: ivanov, Token: m.Token},
			{Kind: editlock.KindWaiting, Owner: ivanov, Actor: petrova, Token: m.Token},
			{Kind: editlock.KindDeclined, Owner: ivanov, Actor: ivanov, Other: petrova, Token: m.Token, Reason: "no"},
		})
	})
	t.Run("passed by a release", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, nil)
		release(as(t, ivanov), t, s.Locker, doc)
		theirs := w.granted(t)
		wantHistory(t, s.Locker, doc, []editlock.Event{
			{Kind: editlock.KindCaptured, Owner: ivanov, Actor: ivanov, Token: m.Token},
			{Kind: editlock.KindWaiting, Owner: ivanov, Actor: petrova, Token: m.Token},
			{Kind: editlock.KindReleased, Owner: ivanov, Actor: ivanov, Token: m.Token},
			{Kind: editlock.KindCaptured, Owner: petrova, Actor: petrova, Token: theirs.Token},
		})
	})
	t.Run("of several captured together, one each", func(t *testing.T) {
		s := h.Open(t)
		ids := rows(3)
		if _, err := s.Locker.CaptureAll(as(t, ivanov), ids, nil); err != nil {
			t.Fatalf("CaptureAll: %v", err)
		}
		if _, err := s.Locker.ReleaseAll(as(t, ivanov), ids); err != nil {
			t.Fatalf("ReleaseAll: %v", err)
		}
		for _, id := range ids {
			if got := kinds(history(t, s.Locker, editlock.HistoryQuery{ID: &id})); len(got) != 2 {
				t.Errorf("history of %v is %v", id, got)
			}
		}
	})
}

func historyFilters(t *testing.T, h Harness) {
	s := h.Open(t)
	// Each of three mutexes is captured and released by two people, with an
	// hour between if the clock allows it.
	ids := []editlock.ID{{Group: "a", Mode: "doc", ID: "1"}, {Group: "a", Mode: "row", ID: "1"}, {Group: "ab", Mode: "doc", ID: "1"}}
	for _, id := range ids {
		for _, o := range []editlock.Owner{ivanov, petrova} {
			capture(as(t, o), t, s.Locker, id, nil)
			s.pass(time.Minute)
			release(as(t, o), t, s.Locker, id)
			s.pass(time.Hour)
		}
	}
	acquired := capture(as(t, ivanov), t, s.Locker, ids[0], nil)
	if _, err := s.Locker.Takeover(as(t, smith), ids[0], acquired.Token, why, nil); err != nil {
		t.Fatalf("Takeover: %v", err)
	}
	all := history(t, s.Locker, editlock.HistoryQuery{})
	if len(all) != 14 {
		t.Fatalf("history has %d entries (%v), want 14", len(all), kinds(all))
	}
	for i := 1; i < len(all); i++ {
		if all[i].Seq >= all[i-1].Seq {
			t.Fatalf("entry %d stands behind %d: not newest first", all[i].Seq, all[i-1].Seq)
		}
	}

	has := func(keep func(editlock.Event) bool) []editlock.Event {
		var some []editlock.Event
		for _, e := range all {
			if keep(e) {
				some = append(some, e)
			}
		}
		return some
	}
	from, to := all[10].At, all[4].At
	for _, tt := range []struct {
		name  string
		query editlock.HistoryQuery
		want  []editlock.Event
	}{
		{"everything", editlock.HistoryQuery{}, all},
		{"a mutex", editlock.HistoryQuery{ID: &ids[1]}, has(func(e editlock.Event) bool { return e.ID == ids[1] })},
		{"a group, not those that begin like it", editlock.HistoryQuery{Group: "a"}, has(func(e editlock.Event) bool { return e.ID.Group == "a" })},
		{"a mode in all groups", editlock.HistoryQuery{Mode: "doc"}, has(func(e editlock.Event) bool { return e.ID.Mode == "doc" })},
		{"a group and a mode", editlock.HistoryQuery{Group: "a", Mode: "doc"}, has(func(e editlock.Event) bool { return e.ID == ids[0] })},
		{"a user as owner, actor or other side", editlock.HistoryQuery{UserID: ivanov.UserID}, has(func(e editlock.Event) bool {
			return e.Owner == ivanov || e.Actor == ivanov || e.Other == ivanov
		})},
		{"a kind", editlock.HistoryQuery{Kinds: []editlock.EventKind{editlock.KindReleased}}, has(func(e editlock.Event) bool { return e.Kind == editlock.KindReleased })},
		{"kinds", editlock.HistoryQuery{Kinds: []editlock.EventKind{editlock.KindReleased, editlock.KindTakenOver}}, has(func(e editlock.Event) bool {
			return e.Kind == editlock.KindReleased || e.Kind == editlock.KindTakenOver
		})},
		{"a kind that never happened", editlock.HistoryQuery{Kinds: []editlock.EventKind{editlock.KindExpired}}, nil},
		{"from a time on, that time included", editlock.HistoryQuery{From: from}, has(func(e editlock.Event) bool { return !e.At.Before(from) })},
		{"up to a time, that time excluded", editlock.HistoryQuery{To: to}, has(func(e editlock.Event) bool { return e.At.Before(to) })},
		{"a period", editlock.HistoryQuery{From: from, To: to}, has(func(e editlock.Event) bool { return !e.At.Before(from) && e.At.Before(to) })},
		{"a text in names, in any letter case", editlock.HistoryQuery{Text: "A/DOC/"}, has(func(e editlock.Event) bool { return e.ID == ids[0] })},
		{"a text of an owner, actor or other side", editlock.HistoryQuery{Text: strings.ToUpper(ivanov.Name)}, has(func(e editlock.Event) bool {
			return e.Owner == ivanov || e.Actor == ivanov || e.Other == ivanov
		})},
		{"a text in a reason", editlock.HistoryQuery{Text: all[0].Reason}, has(func(e editlock.Event) bool { return e.Reason == all[0].Reason })},
		{"a text that stands nowhere", editlock.HistoryQuery{Text: "nothing like it"}, nil},
		{"all filters together", editlock.HistoryQuery{
			ID: &ids[0], Group: "a", Mode: "doc", UserID: smith.UserID, Kinds: []editlock.EventKind{editlock.KindTakenOver}, From: from, Text: all[0].Reason,
		}, all[:1]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, history(t, s.Locker, tt.query)); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
		for _, limit := range []int{1, 3, len(all)} {
			t.Run(fmt.Sprintf("%s, by %d", tt.name, limit), func(t *testing.T) {
				q := tt.query
				q.Limit = limit
				page, err := s.Locker.History(as(t, smith), q)
				if err != nil || len(page.Entries) > limit {
					t.Errorf("a page of %d, %v; want %d at most", len(page.Entries), err, limit)
				}
				if diff := cmp.Diff(tt.want, history(t, s.Locker, q)); diff != "" {
					t.Errorf("entries (-want +got):\n%s", diff)
				}
			})
		}
	}
	t.Run("what happens between two pages is not on the second", func(t *testing.T) {
		first, err := s.Locker.History(as(t, smith), editlock.HistoryQuery{Limit: 10})
		if err != nil {
			t.Fatalf("History: %v", err)
		}
		capture(as(t, ivanov), t, s.Locker, editlock.ID{ID: "new"}, nil)
		rest := history(t, s.Locker, editlock.HistoryQuery{Limit: 10, Cursor: first.Next})
		if diff := cmp.Diff(all, append(first.Entries, rest...)); diff != "" {
			t.Errorf("entries (-want +got):\n%s", diff)
		}
	})
}

// historyTrees checks that a tree is a mutex and all that is below it, in the history
// and in events.
func historyTrees(t *testing.T, h Harness) {
	s := h.Open(t)
	noGroup := editlock.ID{Below: true}
	ids := []editlock.ID{
		doc, address,
		{Group: doc.Group, Mode: doc.Mode, ID: doc.ID + "0"},
		lines, allDocs, allGroup,
		{Group: doc.Group, ID: doc.ID},
		{Group: doc.Group, Mode: doc.Mode + "s", ID: doc.ID},
		{Group: doc.Group + "s", Mode: doc.Mode, ID: doc.ID, Part: "address"},
		{Mode: doc.Mode, ID: doc.ID},
		noGroup,
	}
	for _, o := range []editlock.Owner{ivanov, petrova} {
		for _, id := range ids {
			capture(as(t, o), t, s.Locker, id, nil)
			release(as(t, o), t, s.Locker, id)
		}
	}
	all := history(t, s.Locker, editlock.HistoryQuery{})
	for _, tree := range append(ids, editlock.ID{Group: doc.Group, Mode: "none", Below: true}, editlock.ID{Group: doc.Group, Mode: doc.Mode, ID: "none"}) {
		in := func(e editlock.Event) bool { return e.ID == tree || slices.Contains(e.ID.Above(), tree) }
		for _, kind := range [][]editlock.EventKind{nil, {editlock.KindReleased}} {
			want := slices.DeleteFunc(slices.Clone(all), func(e editlock.Event) bool { return !in(e) || kind != nil && e.Kind != kind[0] })
			for _, limit := range []int{0, 1, 3} {
				q := editlock.HistoryQuery{ID: &tree, Tree: true, Kinds: kind, Limit: limit}
				if diff := cmp.Diff(want, history(t, s.Locker, q), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%v %v, by %d (-want +got):\n%s", tree, kind, limit, diff)
				}
			}
		}
	}
	for _, tree := range []editlock.ID{doc, allDocs, allGroup, noGroup} {
		want := history(t, s.Locker, editlock.HistoryQuery{ID: &tree, Tree: true})
		slices.Reverse(want)
		got := watch(t, s.other(), editlock.WatchQuery{ID: &tree, Tree: true, After: beginning()}).take(t, len(want))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events of %v (-history +got):\n%s", tree, diff)
		}
	}
}
