package demo

import (
	"embed"
	"fmt"
	"net/http"

	"github.com/editlock/editlock/internal/entry"
)

//go:embed words
var wordFiles embed.FS

// words are the texts of one language by key. {name} in a text is filled in
// by the page.
type words map[string]string

func loadWords(lang string) words { return entry.LoadWords(wordFiles, lang) }

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
