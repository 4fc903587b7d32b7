package auth

import (
	"fmt"
	"html"
	"net/http"
	"strings"
)

// russian are the texts of the login's pages in the other language.
var russian = map[string]string{
	textProvider: "Сервер входа недоступен. Попробуйте позже.",
	textFailed:   "Войти не удалось; причина — в журнале сервера.",
	textBegin:    "Этот вход начат не в этом браузере или занял слишком много времени.",
	textOut:      "Вы вышли.",
	textOutHere:  "Здесь вы вышли. Выйдите и на сервере входа:",
	textOn:       "Дальше",
}

const (
	textProvider = "The login provider can't be reached. Try again later."
	textFailed   = "The login failed; the server's log says why."
	textBegin    = "This login was not begun in this browser, or took too long."
	textOut      = "You are logged out."
	textOutHere  = "You are logged out here. Log out at the provider, too:"
	textOn       = "Go on"
)

// page tells one thing, with a way on, in the language that the reader names
// first.
func page(w http.ResponseWriter, r *http.Request, status int, text, link string) {
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Vary", "Accept-Language")
	w.WriteHeader(status)
	lang, on := "en", textOn
	wanted := strings.ToLower(r.Header.Get("Accept-Language"))
	if ru, en := strings.Index(wanted, "ru"), strings.Index(wanted, "en"); ru >= 0 && (en < 0 || ru < en) {
		lang, text, on = "ru", russian[text], russian[textOn]
	}
	way := ""
	if link != "" {
		way = fmt.Sprintf(`<p><a href="%s">%s</a>`, html.EscapeString(link), html.EscapeString(on))
	}
	_, _ = fmt.Fprintf(w, "<!doctype html><html lang=%s><meta charset=utf-8><title>editlock</title><p>%s%s", lang, html.EscapeString(text), way)
}
