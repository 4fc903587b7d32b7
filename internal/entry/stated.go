package entry

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"unicode/utf8"
)

// maxStatedName is in characters.
const maxStatedName = 60

// Stated is who a browser says it is, without proof: a session of its own and the
// name of the person who uses it.
type Stated struct{ Session, Name string }

// StatedCookies are the names of the two cookies that keep a Stated.
type StatedCookies struct{ Session, Name string }

// Of returns what a browser has stated. It is false if a cookie is missing or the
// name can't be read.
func (c StatedCookies) Of(r *http.Request) (Stated, bool) {
	session, err := r.Cookie(c.Session)
	if err != nil {
		return Stated{}, false
	}
	name, err := r.Cookie(c.Name)
	if err != nil {
		return Stated{}, false
	}
	text, err := base64.RawURLEncoding.DecodeString(name.Value)
	return Stated{Session: session.Value, Name: string(text)}, err == nil && len(text) > 0
}

// Named returns what a browser states from now on, with a name from a form. The
// session stays the browser's own. It is false if the name is empty or has more than
// 60 characters.
func (c StatedCookies) Named(r *http.Request, name string) (Stated, bool) {
	s := Stated{Session: rand.Text(), Name: strings.Join(strings.Fields(name), " ")}
	if old, err := r.Cookie(c.Session); err == nil && old.Value != "" {
		s.Session = old.Value
	}
	return s, s.Name != "" && utf8.RuneCountInString(s.Name) <= maxStatedName
}

// Set sets both cookies by a function that sets one.
func (c StatedCookies) Set(s Stated, set func(name, value string)) {
	set(c.Session, s.Session)
	set(c.Name, base64.RawURLEncoding.EncodeToString([]byte(s.Name)))
}
