package demo

import (
	"crypto/rand"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/avatar"
	"github.com/editlock/editlock/internal/entry"
)

const (
	sessionCookie  = "editlock_demo_browser"
	nameCookie     = "editlock_demo_person"
	languageCookie = "editlock_demo_lang"

	maxName    = 60 // characters
	yearInSecs = 365 * 24 * 60 * 60
)

// person is who a browser says it is. Session names the browser, so its tabs
// are one holder; User names the human, who may come from two browsers.
type person struct {
	Session string
	User    string
	Name    string
}

func newPerson(session, name string) person {
	return person{Session: session, User: "demo:" + strings.ToLower(name), Name: name}
}

func (p person) owner() editlock.Owner {
	return editlock.Owner{Session: p.Session, UserID: p.User, Name: p.Name}
}

// Badge is the round badge that stands for the person.
func (p person) Badge() template.HTML { return avatar.Badge(p.Name) }

// personOf reads the cookies; false: this browser has not said who it is.
func personOf(r *http.Request) (person, bool) {
	session, err := r.Cookie(sessionCookie)
	if err != nil {
		return person{}, false
	}
	name, err := r.Cookie(nameCookie)
	if err != nil {
		return person{}, false
	}
	text, err := base64.RawURLEncoding.DecodeString(name.Value)
	if err != nil {
		return person{}, false
	}
	p := newPerson(session.Value, string(text))
	return p, p.Name != "" && p.owner().Validate() == nil
}

// setPerson remembers a name. The session stays the browser's own.
func (h *handler) setPerson(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	name := strings.Join(strings.Fields(r.PostFormValue("name")), " ")
	session := rand.Text()
	if c, err := r.Cookie(sessionCookie); err == nil && c.Value != "" {
		session = c.Value
	}
	p := newPerson(session, name)
	if name == "" || utf8.RuneCountInString(name) > maxName || p.owner().Validate() != nil {
		h.welcome(w, r, http.StatusUnprocessableEntity, r.PostFormValue("next"), true)
		return
	}
	setCookie(w, sessionCookie, p.Session)
	setCookie(w, nameCookie, base64.RawURLEncoding.EncodeToString([]byte(p.Name)))
	entry.Redirect(w, r, h.localPath(r.PostFormValue("next")))
}

// localPath lets a form lead to a page of the demo only.
func (h *handler) localPath(next string) string {
	if id, ok := strings.CutPrefix(next, "/demo/documents/"); ok && h.office.find(id) != nil {
		return next
	}
	return "/demo/"
}

// setCookie gives no path: a browser takes the one up to the last slash of the
// address that it asked, which only it knows behind a proxy. So cookies are set
// by /demo/ and /demo/person only.
func setCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, MaxAge: yearInSecs,
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
