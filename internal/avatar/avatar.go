// Package avatar is the round badge of a person: initials on a colour of their
// own, the same on all pages. [Files] has its style sheet, and a script that makes
// badges of names that a page learns later.
package avatar

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"strings"
	"unicode"

	"github.com/editlock/editlock/internal/bidi"
)

//go:embed files
var files embed.FS

// Files are avatar.css and avatar.js.
func Files() fs.FS {
	sub, err := fs.Sub(files, "files")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}

// Badge is the badge of a name. The name is to stand beside it: a badge is no text.
func Badge(name string) template.HTML {
	return template.HTML(fmt.Sprintf(`<span class="badge %s" data-initials="%s" aria-hidden="true"></span>`, //nolint:gosec // escaped
		Class(name), template.HTMLEscapeString(Initials(name))))
}

// Initials are those of the first two words of a name.
func Initials(name string) string {
	var b strings.Builder
	for i, word := range strings.Fields(bidi.Plain(name)) {
		if i == 2 {
			break
		}
		letters := []rune(word)
		first := letters[0]
		for _, r := range letters {
			if unicode.IsLetter(r) || unicode.IsNumber(r) {
				first = r
				break
			}
		}
		b.WriteRune(unicode.ToUpper(first))
	}
	return b.String()
}

// Colours are step degrees apart on the wheel.
const (
	wheel = 360
	step  = 10
)

// Class is the class of the style sheet that sets a name's colour, as --hue. Letter
// case makes no difference. The <edit-lock> element spreads names in the same way.
func Class(name string) string {
	hue := 7
	for _, r := range strings.ToLower(name) {
		hue = (hue*31 + int(r)) % wheel
	}
	return fmt.Sprintf("hue-%d", (hue+step/2)/step*step%wheel)
}
