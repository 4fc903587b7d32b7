package demo

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"

	"golang.org/x/text/language"
)

//go:embed words
var wordFiles embed.FS

// languages are what the demo speaks; the first is for everybody else.
var languages = []string{"en", "ru"}

var languageMatcher = language.NewMatcher([]language.Tag{language.English, language.Russian})

// words are the texts of one language by key. {name} in a text is filled in
// by the page.
type words map[string]string

func loadWords(lang string) words {
	data, err := wordFiles.ReadFile("words/" + lang + ".json")
	if err != nil {
		panic(fmt.Sprintf("demo: %v", err)) // it is built in
	}
	var w words
	if err := json.Unmarshal(data, &w); err != nil {
		panic(fmt.Sprintf("demo: words/%s.json: %v", lang, err))
	}
	return w
}

// text fails the template, and so every test, on a key that is not there.
func (w words) text(key string) (string, error) {
	t, ok := w[key]
	if !ok {
		return "", fmt.Errorf("demo: no text for %q", key)
	}
	return t, nil
}

// languageOf is the reader's choice, or the best of what his browser accepts.
func languageOf(r *http.Request) string {
	if c, err := r.Cookie(languageCookie); err == nil && spoken(c.Value) {
		return c.Value
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return languages[0]
	}
	_, i, _ := languageMatcher.Match(tags...)
	return languages[i]
}

func spoken(lang string) bool {
	for _, l := range languages {
		if l == lang {
			return true
		}
	}
	return false
}
