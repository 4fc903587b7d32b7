package auth

import (
	"strings"
	"testing"

	"github.com/editlock/editlock"
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

// What a caller is shown it may name: sessions of logins and certificates are
// everybody's, and nobody states one that looks the same.
func TestStored_FindsLoginsAndCertificates(t *testing.T) {
	shop := &Caller{Scope: &Scope{Sessions: []Pattern{"*"}, Users: []Pattern{"*"}}, realm: realmOf("shop")}
	for session, madeHere := range map[string]bool{
		loginSession + random():                              true,
		certificateSession + strings.Repeat("0a", 16):        true,
		loginSession + "x":                                   false,
		loginSession + strings.ToLower(random()):             false,
		loginSession + random() + "x":                        false,
		certificateSession + strings.Repeat("0A", 16):        false,
		"my" + loginSession + random():                       false,
		certificateSession + strings.Repeat("0a", 16) + "\n": false,
	} {
		if got := shop.Stored(session); (got == session) != madeHere {
			t.Errorf("%q is stored as %q", session, got)
		}
		if shown := shop.Shown(shop.Stored(session)); shown != session {
			t.Errorf("%q is shown as %q", session, shown)
		}
		if _, err := shop.ActAs(&editlock.Owner{Session: session}); (err != nil) != (madeHere || strings.HasSuffix(session, "\n")) {
			t.Errorf("%q stated by a back end: %v", session, err)
		}
		_, err := settle(&Caller{Owner: editlock.Owner{UserID: "u"}}, JWT, realmOf("shop"), session)
		if (err != nil) != (madeHere || strings.HasSuffix(session, "\n")) {
			t.Errorf("%q in a token: %v", session, err)
		}
	}
}
