package demo

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/editlock/editlock/internal/entry"
)

//go:embed words
var wordFiles embed.FS

// languages are what the demo speaks; the first is for everybody else.
var languages = []string{"en", "ru"}

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

// languageOf is what a reader is spoken to in.
func languageOf(r *http.Request) string { return entry.LanguageBy(r, languageCookie).Language() }

func spoken(lang string) bool { return slices.Contains(languages, lang) }
