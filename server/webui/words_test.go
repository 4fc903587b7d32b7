package webui

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

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
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s in %s: %s", key, lang, diff)
			}
		}
	}
}

func TestWords_AreThoseThatPagesUse(t *testing.T) {
	var sources strings.Builder
	add := func(data []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		sources.Write(data)
	}
	for _, files := range []fs.FS{assetFiles, templateFiles} {
		_ = fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
			if err == nil && (strings.HasSuffix(path, ".js") || strings.HasSuffix(path, ".html")) {
				add(fs.ReadFile(files, path))
			}
			return err
		})
	}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") {
			add(os.ReadFile(name))
		}
	}
	used := sources.String()
	// Keys that are put together from parts.
	families := regexp.MustCompile(`^(kind|owner|person\.(person|agent|job)|sort|col|confirm\.(release|takeover)|do|done|outcome\.(release|takeover)|error)\b`)
	for key := range loadWords(entry.Languages[0]) {
		name := strings.TrimPrefix(key, "script.")
		if !families.MatchString(key) && !strings.Contains(used, `"`+name+`"`) && !strings.Contains(used, "'"+name+"'") {
			t.Errorf("nothing uses %s", key)
		}
	}
}

func TestWords_WriteNumbersAndDurations(t *testing.T) {
	en, ru := loadWords("en"), loadWords("ru")
	for n, want := range map[int]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 12345: "12,345", 1234567: "1,234,567"} {
		if got := en.number(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		5 * time.Minute: "5 мин", 90 * time.Second: "1 мин 30 с", 26 * time.Hour: "1 дн. 2 ч", 8*time.Hour + 5*time.Second: "8 ч",
	} {
		if got := strings.ReplaceAll(ru.duration(d), "\u00a0", " "); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
	if _, err := en.text("no.such.text"); err == nil {
		t.Error("an unknown text is not an error")
	}
}
