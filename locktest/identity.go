package locktest

import (
	"errors"
	"testing"

	"github.com/editlock/editlock"
)

// lookAlikes are pairs of texts that are easily taken for each other, by
// prefix searches, collations, normalisation and people.
var lookAlikes = []struct{ name, a, b string }{
	{"one begins with the other", "user1", "user12"},
	{"one ends with the other", "user1", "2user1"},
	{"letter case", "user", "User"},
	{"letter case in Cyrillic", "иванов", "Иванов"},
	{"Latin a and Cyrillic а", "anna", "аnna"},
	{"composed and decomposed é", "caf\u00e9", "cafe\u0301"},
	{"composed and decomposed й", "\u0439", "\u0438\u0306"},
	{"a trailing blank", "user", "user "},
	{"a leading blank", "user", " user"},
	{"an inner blank twice", "us er", "us  er"},
	{"a no-break space", "us er", "us\u00a0er"},
	{"a zero-width joiner", "user", "us\u200der"},
	{"leading zeros", "7", "007"},
	{"numbers", "1e3", "1000"},
	{"a ligature", "ﬁle", "file"},
	{"full-width digits", "12", "１２"},
	{"sharp s", "straße", "strasse"},
	{"Turkish i", "i", "ı"},
	{"a wildcard", "user_", "userX"},
	{"a percent sign", "a%2Fb", "a/b"},
	{"a plus sign", "a+b", "a b"},
}

// testIdentity checks that owners and mutexes are told apart byte for byte.
func testIdentity(t *testing.T, h Harness) {
	for _, pair := range lookAlikes {
		t.Run("sessions/"+pair.name, func(t *testing.T) {
			s := h.Open(t)
			for _, o := range [][2]string{{pair.a, pair.b}, {pair.b, pair.a}} {
				one, two := editlock.Owner{Session: o[0]}, editlock.Owner{Session: o[1]}
				m := capture(as(t, one), t, s.Locker, doc, nil)
				_, err := s.Locker.Capture(as(t, two), doc, nil)
				if e := wantBusy(t, err, m); e.Self {
					t.Errorf("session %q is taken for %q", two.Session, one.Session)
				}
				if state, _, _ := s.Locker.Request(as(t, two), doc); state != editlock.CapturedByOther {
					t.Errorf("Request for %q = %v", two.Session, state)
				}
				if _, err := s.Locker.Release(as(t, two), doc, editlock.Condition{}); !errors.Is(err, editlock.ErrBusy) {
					t.Errorf("Release by %q: %v", two.Session, err)
				}
				if ids, err := s.Locker.ReleaseSession(as(t, two), two.Session); len(ids) > 0 || err != nil {
					t.Errorf("ReleaseSession(%q) released %v of %q, %v", two.Session, ids, one.Session, err)
				}
				if page, err := s.Locker.List(as(t, two), editlock.Query{Session: two.Session}); len(page.Mutexes) > 0 || err != nil {
					t.Errorf("List of %q gives what %q holds, %v", two.Session, one.Session, err)
				}
				release(as(t, one), t, s.Locker, doc)
			}
		})
		t.Run("users/"+pair.name, func(t *testing.T) {
			s := h.Open(t)
			one, two := editlock.Owner{Session: "1", UserID: pair.a}, editlock.Owner{Session: "2", UserID: pair.b}
			m := capture(as(t, one), t, s.Locker, doc, nil)
			_, err := refresh(as(t, two), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token})
			wantLost(t, err, &m)
			_, err = s.Locker.Capture(as(t, two), doc, nil)
			if e := wantBusy(t, err, m); e.Self {
				t.Errorf("user %q is taken for %q", two.UserID, one.UserID)
			}
			if page, err := s.Locker.List(as(t, two), editlock.Query{UserID: two.UserID}); len(page.Mutexes) > 0 || err != nil {
				t.Errorf("List of user %q gives what %q holds, %v", two.UserID, one.UserID, err)
			}
		})
		t.Run("mutexes/"+pair.name, func(t *testing.T) {
			s := h.Open(t)
			wantApart(t, s.Locker, []editlock.ID{
				{Group: pair.a, Mode: "m", ID: "i"},
				{Group: pair.b, Mode: "m", ID: "i"},
				{Group: "g", Mode: pair.a, ID: "i"},
				{Group: "g", Mode: pair.b, ID: "i"},
				{Group: "g", Mode: "m", ID: pair.a},
				{Group: "g", Mode: "m", ID: pair.b},
			})
		})
	}
	t.Run("mutexes/a slash in one part is no other part", func(t *testing.T) {
		s := h.Open(t)
		wantApart(t, s.Locker, []editlock.ID{
			{ID: "a"},
			{Mode: "a", ID: "a"},
			{Group: "a", ID: "a"},
			{Group: "a", Mode: "a", ID: "a"},
			{ID: "a/a"},
			{ID: "a/a/a"},
			{Mode: "a/a", ID: "a"},
			{Group: "a/a", ID: "a"},
			{ID: "/a"},
			{ID: "a/"},
			{ID: "%"},
			{ID: "%25"},
			{ID: "%2F"},
			{ID: "/"},
		})
	})
	t.Run("the other fields of an owner don't matter", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		disguised := petrova
		disguised.Session = ivanov.Session
		if state, _, _ := s.Locker.Request(as(t, disguised), doc); state != editlock.CapturedByMe {
			t.Errorf("Request in the same session = %v", state)
		}
		if got := capture(as(t, disguised), t, s.Locker, doc, nil); got.Token != m.Token {
			t.Errorf("captured again with token %d, want a refresh of %d", got.Token, m.Token)
		}
		namesake := ivanov
		namesake.Session, namesake.UserID = "elsewhere", ""
		_, err := s.Locker.Capture(as(t, namesake), doc, nil)
		if e := wantBusy(t, err, standing(t, s.Locker, doc)); e.Self {
			t.Error("a namesake is taken for the holder")
		}
	})
}

// wantApart checks that mutexes can be held by different owners, and that each
// comes back under its own ID.
func wantApart(t *testing.T, l editlock.Locker, ids []editlock.ID) {
	t.Helper()
	held := make(map[editlock.ID]editlock.Mutex)
	for _, id := range ids {
		o := editlock.Owner{Session: "holder of " + id.String()}
		m := capture(as(t, o), t, l, id, nil)
		if m.ID != id || m.Owner != o {
			t.Errorf("capture of %+v by %+v gave %+v of %+v", id, o, m.ID, m.Owner)
		}
		held[id] = m
	}
	for id := range held {
		wantStanding(t, l, held[id])
	}
}
