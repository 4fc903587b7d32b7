package webui

import (
	"embed"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/editlock/editlock/internal/bidi"
	"github.com/editlock/editlock/internal/entry"
)

//go:embed words
var wordFiles embed.FS

// words are the texts of one language by key. {name} in a text is filled in.
type words map[string]string

func loadWords(lang string) words { return entry.LoadWords(wordFiles, lang) }

// text returns a text with its {names} replaced by the values that follow
// them: text("list.of", "total", 7). It fails the template, and so every
// test, on a key that is not there.
func (w words) text(key string, pairs ...any) (string, error) {
	t, ok := w[key]
	if !ok {
		return "", fmt.Errorf("webui: no text for %q", key)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		value := bidi.Isolate(fmt.Sprint(pairs[i+1]))
		if n, ok := pairs[i+1].(int); ok {
			value = w.number(n)
		}
		t = strings.ReplaceAll(t, fmt.Sprintf("{%s}", pairs[i]), value)
	}
	return t, nil
}

// number writes a count with its thousands apart, as the language does.
func (w words) number(n int) string {
	digits := strconv.Itoa(n)
	first := len(digits) % 3
	if first == 0 {
		first = 3
	}
	var b strings.Builder
	b.WriteString(digits[:min(first, len(digits))])
	for i := first; i < len(digits); i += 3 {
		b.WriteString(w["number.thousands"] + digits[i:i+3])
	}
	return b.String()
}

// duration is a length of time in its two largest units.
func (w words) duration(d time.Duration) string {
	units := []struct {
		size time.Duration
		key  string
	}{{24 * time.Hour, "script.d"}, {time.Hour, "script.h"}, {time.Minute, "script.min"}, {time.Second, "script.s"}}
	var parts []string
	for _, u := range units {
		if n := d / u.size; n > 0 && len(parts) < 2 {
			parts = append(parts, strconv.FormatInt(int64(n), 10)+"\u00a0"+w[u.key])
			d -= n * u.size
		} else if len(parts) > 0 {
			break
		}
	}
	return strings.Join(parts, " ")
}

// languageOf is what a reader is spoken to in.
func languageOf(r *http.Request) string { return entry.Language(r).Language() }
