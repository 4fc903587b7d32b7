package demo

import (
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/internal/entry"
)

var placeholder = regexp.MustCompile(`\{\w+\}`)

func TestWords_SayTheSameInAllLanguages(t *testing.T) {
	en := loadWords(entry.Languages[0])
	for _, lang := range entry.Languages[1:] {
		other := loadWords(lang)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(en)), slices.Sorted(maps.Keys(other))); diff != "" {
			t.Errorf("keys of %s and %s differ: %s", entry.Languages[0], lang, diff)
		}
		for key, text := range en {
			want, got := placeholder.FindAllString(text, -1), placeholder.FindAllString(other[key], -1)
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
				t.Errorf("%s in %s: %s", key, lang, diff)
			}
		}
	}
}

// Keys that scripts put together from parts.
var composed = []string{
	"action.", "ask.", "choice.", "editor.save.", "field.", "history.", "kind.", "owner.", "part.", "person.",
	"state.lost.", "state.mine.", "state.other.",
}

func TestWords_AreThoseThatPagesUse(t *testing.T) {
	var sources strings.Builder
	for _, files := range []fs.FS{assetFiles, templateFiles} {
		err := fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".js") && !strings.HasSuffix(path, ".html") {
				return err
			}
			data, err := fs.ReadFile(files, path)
			sources.Write(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	used, known := sources.String(), loadWords(entry.Languages[0])
	for key := range known {
		if !strings.Contains(used, "'"+key+"'") && !strings.Contains(used, `"`+key+`"`) &&
			!slices.ContainsFunc(composed, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("nothing uses %s", key)
		}
	}
	for _, m := range regexp.MustCompile(`'((?:state|waiters|kept|list|editor|history|ask|action)\.[a-z._]+)'`).FindAllStringSubmatch(used, -1) {
		if _, ok := known[m[1]]; !ok {
			t.Errorf("%s is used and not known", m[1])
		}
	}
}

func TestSeeds_FillTheFormInAllLanguages(t *testing.T) {
	for _, d := range newOffice(nil).documents {
		for _, lang := range entry.Languages {
			if err := checkFields(fieldsOf(d.form()), d.Fields[lang]); err != nil {
				t.Errorf("%s in %s: %v", d.ID, lang, err)
			}
		}
		if err := d.lockID().Validate(); err != nil {
			t.Errorf("%s: %v", d.ID, err)
		}
	}
}
