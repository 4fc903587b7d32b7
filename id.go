package editlock

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of the parts of an ID, in bytes.
const (
	MaxGroup = 200
	MaxMode  = 200
	MaxID    = 500
)

// ID names a mutex: an object (ID) of some type (Mode) within a part of the
// system (Group). Group and Mode may be empty, ID may not. Parts are compared
// byte for byte.
type ID struct {
	Group string
	Mode  string
	ID    string
}

// String is the canonical text form, group/mode/id, with the characters that
// would make it ambiguous percent-encoded. [ParseID] reads it back.
func (id ID) String() string {
	return escape(id.Group) + "/" + escape(id.Mode) + "/" + escape(id.ID)
}

// ParseID reads the text form of an ID: id, mode/id or group/mode/id, each
// part percent-encoded where needed.
func ParseID(text string) (ID, error) {
	parts := strings.Split(text, "/")
	if len(parts) > 3 {
		return ID{}, invalid("id", "has %d parts; write id, mode/id or group/mode/id, and %%2F for a slash within a part", len(parts))
	}
	var full [3]string
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return ID{}, invalid("id", "has a %% that two hexadecimal digits do not follow; write %%25 for a percent sign")
		}
		full[3-len(parts)+i] = plain
	}
	id := ID{full[0], full[1], full[2]}
	return id, id.Validate()
}

// Validate reports the first part that breaks a limit, as *InvalidError.
func (id ID) Validate() error {
	if id.ID == "" {
		return invalid("mutex.id", "must not be empty")
	}
	if err := checkText("mutex.group", id.Group, MaxGroup); err != nil {
		return err
	}
	if err := checkText("mutex.mode", id.Mode, MaxMode); err != nil {
		return err
	}
	return checkText("mutex.id", id.ID, MaxID)
}

// infix is what the canonical forms of all IDs of a mode contain, and no others.
func infix(mode string) string { return "/" + escape(mode) + "/" }

// escape percent-encodes what ParseID treats specially, and blanks, so that a
// name is one word in a shell and a log. Letters of all scripts stay readable.
func escape(part string) string {
	if !strings.ContainsFunc(part, special) {
		return part
	}
	var b strings.Builder
	for _, r := range part {
		if special(r) {
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func special(r rune) bool {
	return r == '/' || r == '%' || unicode.IsSpace(r) || !unicode.IsPrint(r)
}

// checkText holds a field to its limit, to UTF-8 and to visible characters.
func checkText(field, text string, limit int) error {
	if len(text) > limit {
		return invalid(field, "is %d bytes long; at most %d are allowed", len(text), limit)
	}
	if !utf8.ValidString(text) {
		return invalid(field, "is not valid UTF-8")
	}
	if i := strings.IndexFunc(text, unicode.IsControl); i >= 0 {
		return invalid(field, "has a control character at byte %d; none is allowed", i)
	}
	return nil
}

// checkWords holds a text that people read about other people, such as a name
// or a reason, to checkText and to what can be read: one that is not empty has
// something to see, and none turns round the text that it is shown in.
func checkWords(field, text string, limit int) error {
	if err := checkText(field, text, limit); err != nil {
		return err
	}
	if i := strings.IndexFunc(text, turns); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return invalid(field, "has %U at byte %d, which changes the direction of text; none is allowed", r, i)
	}
	if text != "" && !strings.ContainsFunc(text, visible) {
		return invalid(field, "has nothing but blanks; it must have a visible character")
	}
	return nil
}

// turns reports the explicit directional formatting characters of Unicode's
// UAX 9: embeddings, overrides and isolates. The marks (U+061C, U+200E and
// U+200F) only place neutral characters; names in Arabic and Hebrew need them.
func turns(r rune) bool {
	return '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

// visible reports whether a character leaves ink of its own. Fillers count as
// letters for Unicode, and the empty Braille cell as a symbol.
func visible(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S, unicode.Co) &&
		!unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && r != '\u2800'
}
