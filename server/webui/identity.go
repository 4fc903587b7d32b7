package webui

import (
	"net/http"
	"strings"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/entry"
)

const (
	languageCookie = entry.LanguageCookie
	yearInSecs     = 365 * 24 * 60 * 60
)

var cookies = entry.StatedCookies{Session: "editlock_session", Name: "editlock_name"}

// stated identifies people by what they say of themselves. Who has said a name
// may do everything: there is nothing to check it by.
func stated(r *http.Request) Identity {
	said, ok := cookies.Of(r)
	i := statedAs(said.Session, said.Name)
	if !ok || i.Owner.Validate() != nil {
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
	back := localPath(r.PostForm.Get("back"))
	said, ok := cookies.Named(r, r.PostForm.Get("name"))
	if !ok || statedAs(said.Session, said.Name).Owner.Validate() != nil {
		h.render(w, r, page{Name: "me", Title: "me.title", Status: http.StatusUnprocessableEntity},
			nameView{Name: said.Name, Back: back, Wrong: true})
		return
	}
	cookies.Set(said, func(name, value string) { setCookie(w, r, name, value, yearInSecs) })
	entry.Redirect(w, r, back)
}

func setCookie(w http.ResponseWriter, r *http.Request, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
}
