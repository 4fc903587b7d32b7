package webui

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/entry"
)

const (
	sessionCookie  = "editlock_session"
	nameCookie     = "editlock_name"
	languageCookie = entry.LanguageCookie

	maxName    = 60 // characters
	yearInSecs = 365 * 24 * 60 * 60
)

// stated identifies people by what they say of themselves. Who has said a name
// may do everything: there is nothing to check it by.
func stated(r *http.Request) Identity {
	session, err := r.Cookie(sessionCookie)
	if err != nil {
		return Identity{}
	}
	name, err := r.Cookie(nameCookie)
	if err != nil {
		return Identity{}
	}
	text, err := base64.RawURLEncoding.DecodeString(name.Value)
	if err != nil {
		return Identity{}
	}
	i := statedAs(session.Value, string(text))
	if i.Owner.Name == "" || i.Owner.Validate() != nil {
		return Identity{}
	}
	return i
}

func statedAs(session, name string) Identity {
	return Identity{
		Owner: editlock.Owner{
			Session: "manager:" + session, UserID: "manager:" + strings.ToLower(name), Name: name, Host: "manager",
		},
		MayRelease: true, MayTakeOver: true, Stated: true,
	}
}

// sameName is all there is to tell one's own locks by, without logins.
func (i Identity) sameName(o editlock.Owner) bool {
	name := i.Owner.Name
	return strings.EqualFold(name, o.Name) || strings.EqualFold(name, o.Login) || strings.EqualFold(name, o.UserID)
}

type nameView struct {
	Name  string
	Back  string
	Wrong bool
}

func (h *handler) askName(w http.ResponseWriter, r *http.Request) {
	if h.switchedLanguage(w, r) {
		return
	}
	h.render(w, r, page{Name: "me", Title: "me.title"}, nameView{
		Name: h.identify(r).Owner.Name, Back: localPath(r.URL.Query().Get("back")),
	})
}

// setName remembers a name. The session stays the browser's own.
func (h *handler) setName(w http.ResponseWriter, r *http.Request) {
	if !h.readForm(w, r) {
		return
	}
	name, back := strings.Join(strings.Fields(r.PostForm.Get("name")), " "), localPath(r.PostForm.Get("back"))
	session := rand.Text()
	if c, err := r.Cookie(sessionCookie); err == nil && c.Value != "" {
		session = c.Value
	}
	if name == "" || utf8.RuneCountInString(name) > maxName || statedAs(session, name).Owner.Validate() != nil {
		h.render(w, r, page{Name: "me", Title: "me.title", Status: http.StatusUnprocessableEntity},
			nameView{Name: name, Back: back, Wrong: true})
		return
	}
	setCookie(w, r, sessionCookie, session, yearInSecs)
	setCookie(w, r, nameCookie, base64.RawURLEncoding.EncodeToString([]byte(name)), yearInSecs)
	entry.Redirect(w, r, back)
}

func setCookie(w http.ResponseWriter, r *http.Request, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
}
