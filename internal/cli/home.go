package cli

import (
	_ "embed"
	"html/template"
	"net/http"

	"golang.org/x/text/language"

	"editlock/internal/words"
)

//go:embed home.html
var homeHTML string

var homePage = template.Must(template.New("home").Parse(homeHTML))

// home is the page at / of a server without a demo.
func home(w http.ResponseWriter, r *http.Request) {
	prefs, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	head.Set("Vary", "Accept-Language")
	_ = homePage.Execute(w, words.For(prefs...))
}
