package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxSessions bounds the memory of logins.
	maxSessions = 100_000
	// maxBeginning is the longest beginning of a login, in bytes before it is
	// sealed: browsers drop cookies above 4096.
	maxBeginning = 2 << 10
	// maxBegun is how many bytes the cookies of a browser's logins under way
	// may have when one more begins. Any site can send a browser to the login,
	// again and again, and a server refuses heads that grow too large.
	maxBegun = 8 << 10
)

// session is one login.
type session struct {
	caller  *Caller
	idToken string // names the session to the provider, at logout
	ended   chan struct{}
}

// sessions keeps logins by the hash of what the cookie holds: memory alone
// lets nobody in.
type sessions struct {
	mu   sync.Mutex
	byID map[[32]byte]*session
}

func newSessions() *sessions { return &sessions{byID: map[[32]byte]*session{}} }

// begin keeps a session under a new ID. When there are too many, those that
// ended go; if none has, the one that ends first.
func (s *sessions) begin(one *session) (id string) {
	id = random()
	one.ended = make(chan struct{})
	one.caller.Ended = one.ended
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.byID) >= maxSessions {
		s.makeRoom()
	}
	s.byID[sha256.Sum256([]byte(id))] = one
	return id
}

func (s *sessions) makeRoom() {
	now := time.Now()
	var first [32]byte
	var ends time.Time
	for id, one := range s.byID {
		if now.After(one.caller.Expires) {
			s.drop(id)
		} else if ends.IsZero() || one.caller.Expires.Before(ends) {
			first, ends = id, one.caller.Expires
		}
	}
	if len(s.byID) >= maxSessions {
		s.drop(first)
	}
}

// drop ends a session, if there is one. The caller holds mu.
func (s *sessions) drop(key [32]byte) {
	if one := s.byID[key]; one != nil {
		delete(s.byID, key)
		close(one.ended)
	}
}

// get returns the session of an ID, nil if there is none, or none any more.
func (s *sessions) get(id string) *session {
	if id == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.byID[sha256.Sum256([]byte(id))]
	if one != nil && time.Now().After(one.caller.Expires) {
		s.drop(sha256.Sum256([]byte(id)))
		return nil
	}
	return one
}

// end ends the session of an ID and returns it.
func (s *sessions) end(id string) *session {
	one := s.get(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(sha256.Sum256([]byte(id)))
	return one
}

// The prefix __Host- binds a cookie to this host and TLS, so that no neighbour
// can plant one. It asks for the path /, also where a proxy serves this server
// below a path of its own: a narrower one would keep out no page of the same
// origin. The suffix tells several servers of one host apart.
func (l *Login) cookieName(name string) string {
	if l.secure {
		return "__Host-" + name + l.suffix
	}
	return name + l.suffix
}

// cookieSuffix is empty for a server that has its host for itself.
func cookieSuffix(below string) string {
	if below == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(below))
	return "-" + hex.EncodeToString(sum[:4])
}

func (l *Login) sessionCookie() string { return l.cookieName("editlock_login") }

// beginCookie is one for each login under way: several pages of a browser may
// ask for one at once.
func (l *Login) beginCookie(state string) string {
	return l.beginPrefix() + state[:8]
}

func (l *Login) beginPrefix() string { return l.cookieName("editlock_login") + "_" }

// dropBegun has a browser forget the oldest of too many logins under way.
func (l *Login) dropBegun(w http.ResponseWriter, r *http.Request) {
	size := 0
	for _, c := range slices.Backward(r.Cookies()) { // the newest is the last
		if !strings.HasPrefix(c.Name, l.beginPrefix()) {
			continue
		}
		if size += len(c.Name) + len(c.Value); size > maxBegun {
			l.setCookie(w, c.Name, "", -1)
		}
	}
}

func (l *Login) sessionID(r *http.Request) string {
	c, err := r.Cookie(l.sessionCookie())
	if err != nil {
		return ""
	}
	return c.Value
}

func (l *Login) setCookie(w http.ResponseWriter, name, value string, lasts time.Duration) {
	maxAge := int(lasts / time.Second)
	if lasts < 0 {
		maxAge = -1 // away with it
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: l.secure, SameSite: http.SameSiteLaxMode,
	})
}

// random is 130 random bits as text.
func random() string { return rand.Text() }

// sealer encrypts what a browser keeps for this process only.
type sealer struct{ aead cipher.AEAD }

// oneForm lets no two texts stand for the same bytes.
var oneForm = base64.RawURLEncoding.Strict()

func newSealer() *sealer {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	block, _ := aes.NewCipher(key[:])
	aead, _ := cipher.NewGCMWithRandomNonce(block) // nor do these, with such a key
	return &sealer{aead}
}

func (s *sealer) seal(data []byte) string {
	return oneForm.EncodeToString(s.aead.Seal(nil, nil, data, nil))
}

func (s *sealer) open(text string) ([]byte, error) {
	data, err := oneForm.DecodeString(text)
	if err != nil {
		return nil, errors.New("not sealed here")
	}
	return s.aead.Open(nil, nil, data, nil)
}
