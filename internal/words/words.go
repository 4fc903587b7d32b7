// Package words says what editlock has to say in the reader's language.
//
// All texts stand in the catalogue files (text_*.go), each in all languages
// side by side. A text with arguments is a format of package fmt; where the order of its
// arguments differs between languages it numbers them, as in %[2]s.
package words

import (
	"fmt"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// text is one text in all languages.
type text struct{ en, ru string }

// forms is a text that depends on a number, its first argument, by the plural
// forms of the languages.
type forms struct{ en, ru map[plural.Form]string }

var languages = []language.Tag{language.English, language.Russian}

var matcher = language.NewMatcher(languages)

// Printer speaks one language. It is safe for concurrent use.
type Printer struct {
	tag language.Tag
}

// English speaks English, the language where nothing else is asked for.
var English = &Printer{language.English}

// Russian speaks Russian.
var Russian = &Printer{language.Russian}

// For returns the Printer that suits the reader's languages best, the
// preferred one first.
func For(prefs ...language.Tag) *Printer {
	if _, i, confidence := matcher.Match(prefs...); confidence != language.No && languages[i] == language.Russian {
		return Russian
	}
	return English
}

// Locale returns the Printer for the locale that POSIX's variables name: the
// first of LC_ALL, LC_MESSAGES and LANG that is not empty.
func Locale(getenv func(string) string) *Printer {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		locale := getenv(name)
		if locale == "" {
			continue
		}
		locale, _, _ = strings.Cut(locale, ".") // the character set
		locale, _, _ = strings.Cut(locale, "@")
		tag, err := language.Parse(locale)
		if err != nil { // C, POSIX, or nothing known
			return English
		}
		return For(tag)
	}
	return English
}

// Language is the language's tag, for the lang attribute of a page.
func (p *Printer) Language() string { return p.tag.String() }

// Text returns the text of a key with its arguments filled in. A key that is
// not in the catalogue stands for itself.
func (p *Printer) Text(key string, args ...any) string {
	t, ok := catalogue[key]
	if !ok {
		return key
	}
	format := t.en
	if p.tag == language.Russian {
		format = t.ru
	}
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// Count returns the text of a key in the plural form of n, which is the first
// argument of its format.
func (p *Printer) Count(key string, n int, args ...any) string {
	f, ok := counted[key]
	if !ok {
		return key
	}
	byForm := f.en
	if p.tag == language.Russian {
		byForm = f.ru
	}
	format, ok := byForm[plural.Cardinal.MatchPlural(p.tag, n, 0, 0, 0, 0)]
	if !ok {
		format = byForm[plural.Other]
	}
	return fmt.Sprintf(format, append([]any{n}, args...)...)
}
