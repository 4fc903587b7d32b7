package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"

	"github.com/editlock/editlock"
)

// realm is what vouches for a session: an issuer, or the back end that has an
// API key. A session counts within its realm only. Stores know it as
// ~REALM~SESSION, which nobody can state: whatever a caller states becomes a
// session of its own realm. The zero realm is of sessions that editlock makes
// itself, for logins and certificates, and of callers without credentials.
type realm string

const (
	loginSession       = "login:"
	certificateSession = "certificate:"

	realmBytes = 12
	realmSize  = len("~~") + realmBytes*4/3
	// digest begins what stands for a session that would be too long for a
	// store with its realm before it.
	digest = "~"
)

// realmOf is the realm of a name. An issuer and the API keys of the same name
// are one application, and share its sessions.
func realmOf(name string) realm {
	sum := sha256.Sum256([]byte("editlock realm\x00" + name))
	return realm("~" + base64.RawURLEncoding.EncodeToString(sum[:realmBytes]) + "~")
}

// inRealm reports whether a session has the form of one of a realm.
func inRealm(session string) bool {
	if len(session) < realmSize || session[0] != '~' || session[realmSize-1] != '~' {
		return false
	}
	_, err := base64.RawURLEncoding.DecodeString(session[1 : realmSize-1])
	return err == nil
}

// store is a session of the realm as stores know it.
func (r realm) store(session string) string {
	if r == "" || session == "" {
		return session
	}
	if len(r)+len(session) > editlock.MaxOwnerField || strings.HasPrefix(session, digest) {
		sum := sha256.Sum256([]byte(session))
		session = digest + base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return string(r) + session
}

// state is the inverse of store, but for digests. It is false for sessions of
// other realms.
func (r realm) state(stored string) (session string, ok bool) {
	if r == "" {
		return stored, !inRealm(stored)
	}
	session, ok = strings.CutPrefix(stored, string(r))
	return session, ok && session != ""
}

// ofLogin and ofCertificate are the forms of sessions in the zero realm. All
// callers are shown them as they are, so nobody else's may look like that.
var (
	ofLogin       = regexp.MustCompile("^" + loginSession + "[A-Z2-7]{26}$")
	ofCertificate = regexp.MustCompile("^" + certificateSession + "[0-9a-f]{32}$")
)

// madeHere reports whether a session has the form of a login's or a certificate's.
func madeHere(session string) bool {
	return ofLogin.MatchString(session) || ofCertificate.MatchString(session)
}

// Stored returns a session that the caller names as stores know it: one of its
// own realm, unless it is as the caller is shown those of others.
func (c *Caller) Stored(session string) string {
	if inRealm(session) || madeHere(session) || len(session) > editlock.MaxOwnerField { // too long: refused as it is
		return session
	}
	return c.realm.store(session)
}

// Shown returns a stored session as the caller is shown it: one of its own
// realm as it was stated, others as they are stored.
func (c *Caller) Shown(stored string) string {
	if stored == c.Owner.Session && c.session != "" {
		return c.session
	}
	if session, ok := c.realm.state(stored); ok && !strings.HasPrefix(session, digest) {
		return session
	}
	return stored
}

// Former returns the session that stores knew one of the caller's by before
// there were realms; false if it is none of the caller's.
func (c *Caller) Former(stored string) (session string, ok bool) {
	if c.realm == "" {
		return "", false
	}
	session = c.Shown(stored)
	return session, session != stored
}

// Held reports whether the owner of a hold is the caller acting as stored, by
// the session from before there were realms. All that such a hold tells of its
// credentials is the user: it must be the same. One without a user was a back
// end's. There were no agents then.
func (c *Caller) Held(stored string, owner editlock.Owner) bool {
	session, ok := c.Former(stored)
	switch {
	case !ok || owner.Session != session || owner.Kind != editlock.Person, strings.HasPrefix(session, loginSession), strings.HasPrefix(session, certificateSession):
		return false
	case c.Scope == nil:
		return owner.UserID != "" && owner.UserID == c.Owner.UserID
	}
	return matchAny(c.Scope.Sessions, session) && (owner.UserID == "" || matchAny(c.Scope.Users, owner.UserID))
}
