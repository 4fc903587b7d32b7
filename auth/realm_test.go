package auth

import (
	"strings"
	"testing"

	"editlock"
)

// Whatever back ends state, no two of them, and no two sessions of one, are one
// holder in a store.
func TestRealm_KeepsSessionsApart(t *testing.T) {
	full := strings.Repeat("s", editlock.MaxOwnerField)
	digestOf := func(r realm, session string) string {
		stored, _ := r.state(r.store(session))
		return stored
	}
	seen := map[string]string{}
	for _, name := range []string{"shop", "till", "Shop", "key:a", ""} {
		r := realmOf(name)
		for _, session := range []string{
			"s", "S", "~", "~s", "login:x", string(realmOf("till")) + "s", full, full[1:], full[len(r):], full[len(r)-1:], digestOf(r, full),
		} {
			c := &Caller{Scope: &Scope{Sessions: []Pattern{"*"}, Users: []Pattern{"*"}}, realm: r}
			as, err := c.ActAs(&editlock.Owner{Session: session})
			if inRealm(session) {
				if err == nil {
					t.Errorf("%q may state what it is shown of others", name)
				}
				continue
			}
			if err != nil || as.Validate() != nil || c.Confirm(as) != nil || !c.Covers(as.Session) || !inRealm(as.Session) {
				t.Fatalf("%q as %q: %+v, %v", name, session, as, err)
			}
			if other, ok := seen[as.Session]; ok {
				t.Errorf("%q of %q is %s", session, name, other)
			}
			seen[as.Session] = session + " of " + name
			if short := len(session)+len(r) <= editlock.MaxOwnerField && session[0] != '~'; (c.Shown(as.Session) == session) != short {
				t.Errorf("%q of %q is shown as %q", session, name, c.Shown(as.Session))
			}
			for _, stranger := range []*Caller{{realm: realmOf("other"), Scope: c.Scope}, {Scope: c.Scope}} {
				if stranger.Covers(as.Session) || stranger.Shown(as.Session) != as.Session || stranger.Held(as.Session, as) {
					t.Errorf("%q of %q is another's too", session, name)
				}
			}
		}
	}
	if _, err := (&Caller{Scope: &Scope{Sessions: []Pattern{"*"}}, realm: realmOf("shop")}).ActAs(&editlock.Owner{Session: full + "s"}); err == nil {
		t.Error("a session that is too long is taken")
	}
}

// A digest says nothing of the session, so it widens no scope.
func TestCovers_DigestsTakeAScopeOfAllSessions(t *testing.T) {
	all := &Caller{Scope: &Scope{Sessions: []Pattern{"*"}}, realm: realmOf("shop")}
	some := &Caller{Scope: &Scope{Sessions: []Pattern{"a:*"}}, realm: all.realm}
	for _, session := range []string{"~b", strings.Repeat("b", editlock.MaxOwnerField)} {
		as, err := all.ActAs(&editlock.Owner{Session: session})
		if err != nil || !all.Covers(as.Session) || some.Covers(as.Session) {
			t.Errorf("%q is %+v, %v: covered by %v and %v", session, as, err, all.Covers(as.Session), some.Covers(as.Session))
		}
	}
}
