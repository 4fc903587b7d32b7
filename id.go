package editlock

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/editlock/editlock/store"
)

// Limits of the parts of an ID, in bytes.
const (
	MaxGroup = 200
	MaxMode  = 200
	MaxID    = 500
	MaxPart  = 200
)

// ID names a mutex: an object (ID) of some type (Mode) within a part of the
// system (Group). Group and Mode may be empty, ID may not. All are compared byte
// for byte.
//
// An object may have parts, such as the sections of a form, and Below without an
// ID stands for all objects of a type, or without a Mode of a group. Who holds an
// object, or all of a type, holds what is below it: others hold neither that nor
// what is above.
type ID struct {
	Group string
	Mode  string
	ID    string
	Part  string // of the object; empty: the whole of it
	Below bool   // all that is below, instead of one object
}

// String is the canonical text form, group/mode/id or group/mode/id#part, with
// the characters that would make it ambiguous percent-encoded, which [ParseID]
// reads back. That of all objects of a type is group/mode/, of a group group/,
// which [ParseBelow] reads.
func (id ID) String() string {
	switch {
	case id.Below && id.Mode == "":
		return escape(id.Group) + "/"
	case id.Below:
		return escape(id.Group) + "/" + escape(id.Mode) + "/"
	case id.Part != "":
		return escape(id.Group) + "/" + escape(id.Mode) + "/" + escape(id.ID) + store.PartMark + escape(id.Part)
	}
	return escape(id.Group) + "/" + escape(id.Mode) + "/" + escape(id.ID)
}

// plain is the text form without percent-encoding, which a search looks through.
func (id ID) plain() string {
	switch {
	case id.Below && id.Mode == "":
		return id.Group + "/"
	case id.Part != "":
		return id.Group + "/" + id.Mode + "/" + id.ID + store.PartMark + id.Part
	}
	return id.Group + "/" + id.Mode + "/" + id.ID
}

// Above are the IDs of all that the mutex is below, outermost first.
func (id ID) Above() []ID {
	names := store.Above(id.String())
	above := make([]ID, len(names))
	for i, name := range names {
		above[i] = parseName(name)
	}
	return above
}

// isAbove reports whether a mutex is below this one.
func (id ID) isAbove(other ID) bool {
	switch {
	case id == other:
		return false
	case id.Below:
		return id.Group == other.Group && (id.Mode == "" || id.Mode == other.Mode)
	}
	whole := other
	whole.Part = ""
	return id == whole
}

// ParseID reads the text form of an ID: id, mode/id or group/mode/id, each with
// #part behind it if need be, and percent-encoded where needed.
func ParseID(text string) (ID, error) {
	whole, part, hasPart := strings.Cut(text, store.PartMark)
	names, err := unescape(whole, "id, mode/id or group/mode/id")
	if err != nil {
		return ID{}, err
	}
	names = append(make([]string, 3-len(names)), names...)
	id := ID{Group: names[0], Mode: names[1], ID: names[2]}
	if id.Part, err = url.PathUnescape(part); err != nil {
		return ID{}, errEscape()
	}
	if hasPart && part == "" {
		return ID{}, invalid("mutex.part", "empty_part", "must not be empty behind a #; write %%23 for a # within an id")
	}
	return id, id.Validate()
}

// ParseBelow reads the text form of all that is below a group, or a group and
// mode: group or group/mode, with or without a slash behind it.
func ParseBelow(text string) (ID, error) {
	names, err := unescape(strings.TrimSuffix(text, "/"), "group or group/mode")
	if err != nil {
		return ID{}, err
	}
	if len(names) > 2 || strings.Contains(text, store.PartMark) {
		return ID{}, invalid("below", "below_names_object", "names an object; write group or group/mode, as it stands for all below")
	}
	id := ID{Group: names[0], Below: true}
	if len(names) > 1 {
		id.Mode = names[1]
	}
	return id, id.Validate()
}

// parseName reads the name of a mutex in a store.
func parseName(name string) ID {
	if store.IsNode(name) {
		id, _ := ParseBelow(name)
		return id
	}
	id, _ := ParseID(name)
	return id
}

// unescape splits a text at its slashes.
func unescape(text, form string) ([]string, error) {
	names := strings.Split(text, "/")
	if len(names) > 3 {
		return nil, invalid("id", "too_many_parts", "has %d parts; write %s, and %%2F for a slash within a part", len(names), form)
	}
	for i, name := range names {
		plain, err := url.PathUnescape(name)
		if err != nil {
			return nil, errEscape()
		}
		names[i] = plain
	}
	return names, nil
}

func errEscape() error {
	return invalid("id", "bad_escape", "has a %% that two hexadecimal digits do not follow; write %%25 for a percent sign")
}

// Validate reports the first part that breaks a limit, as *InvalidError.
func (id ID) Validate() error {
	switch {
	case id.Below && id.ID != "":
		return invalid("mutex.id", "given_with_below", "must be absent with below, which stands for all of a group, or of a group and mode")
	case id.Below && id.Part != "":
		return invalid("mutex.part", "given_with_below", "must be absent with below, which stands for all of a group, or of a group and mode")
	case !id.Below && id.ID == "":
		return invalid("mutex.id", "empty", "must not be empty")
	}
	if err := checkText("mutex.group", id.Group, MaxGroup); err != nil {
		return err
	}
	if err := checkText("mutex.mode", id.Mode, MaxMode); err != nil {
		return err
	}
	if err := checkText("mutex.id", id.ID, MaxID); err != nil {
		return err
	}
	return checkText("mutex.part", id.Part, MaxPart)
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
	return r == '/' || r == '%' || r == '#' || unicode.IsSpace(r) || !unicode.IsPrint(r)
}

// checkText holds a field to its limit, to UTF-8 and to visible characters.
func checkText(field, text string, limit int) error {
	if len(text) > limit {
		return invalid(field, "too_long", "is %d bytes long; at most %d are allowed", len(text), limit)
	}
	if !utf8.ValidString(text) {
		return invalid(field, "not_utf8", "is not valid UTF-8")
	}
	if i := strings.IndexFunc(text, unicode.IsControl); i >= 0 {
		return invalid(field, "control_character", "has a control character at byte %d; none is allowed", i)
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
		return invalid(field, "direction_character", "has %s at byte %d, which changes the direction of text; none is allowed", fmt.Sprintf("%U", r), i)
	}
	if text != "" && !strings.ContainsFunc(text, visible) {
		return invalid(field, "blank", "has nothing but blanks; it must have a visible character")
	}
	return nil
}

// turns reports the explicit directional formatting characters of Unicode's
// UAX 9: embeddings, overrides and isolates. With them are the separators of lines and
// paragraphs: a paragraph ends the isolation of its text. The marks (U+061C, U+200E and
// U+200F) only place neutral characters; names in Arabic and Hebrew need them.
func turns(r rune) bool {
	return '\u2028' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

// visible reports whether a character leaves ink of its own. Fillers count as
// letters for Unicode, and the empty Braille cell as a symbol.
func visible(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S, unicode.Co) &&
		!unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && r != '\u2800'
}
