package entry

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
)

// Languages are what pages speak; the first is for readers of any other language.
var Languages = []string{"en", "ru"}

// Spoken reports whether pages speak a language.
func Spoken(lang string) bool { return slices.Contains(Languages, lang) }

// LoadWords returns the texts of a language by key, of words/LANG.json. They are
// built in, so that a file that can't be read panics.
func LoadWords(files fs.FS, lang string) map[string]string {
	name := "words/" + lang + ".json"
	data, err := fs.ReadFile(files, name)
	var w map[string]string
	if err == nil {
		err = json.Unmarshal(data, &w)
	}
	if err != nil {
		panic(fmt.Sprintf("entry: %s: %v", name, err))
	}
	return w
}
