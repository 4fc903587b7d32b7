package demo

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/avatar"
	"github.com/editlock/editlock/internal/entry"
)

const (
	languageCookie = "editlock_demo_lang"
	yearInSecs     = 365 * 24 * 60 * 60
)

var cookies = entry.StatedCookies{Session: "editlock_demo_browser", Name: "editlock_demo_person"}

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
	said, ok := cookies.Of(r)
	p := newPerson(said.Session, said.Name)
	return p, ok && p.owner().Validate() == nil
}

// setPerson remembers a name. The session stays the browser's own.
func (h *handler) setPerson(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	said, ok := cookies.Named(r, r.PostFormValue("name"))
	if !ok || newPerson(said.Session, said.Name).owner().Validate() != nil {
		h.welcome(w, r, http.StatusUnprocessableEntity, r.PostFormValue("next"), true)
		return
	}
	cookies.Set(said, func(name, value string) { setCookie(w, name, value) })
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
