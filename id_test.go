package editlock_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/editlock/editlock"
)

func TestID_String(t *testing.T) {
	for _, tt := range []struct {
		name string
		id   editlock.ID
		want string
	}{
		{"all three parts", editlock.ID{Group: "demo", Mode: "document", ID: "42"}, "demo/document/42"},
		{"without a group", editlock.ID{Mode: "document", ID: "42"}, "/document/42"},
		{"without group and mode", editlock.ID{ID: "42"}, "//42"},
		{"a slash and a percent sign", editlock.ID{ID: "a/b%c"}, "//a%2Fb%25c"},
		{"blanks of all kinds", editlock.ID{ID: "a b\u00a0c\u2003d"}, "//a%20b%C2%A0c%E2%80%83d"},
		{"letters of other scripts", editlock.ID{Group: "Бухгалтерия", Mode: "счёт", ID: "文書"}, "Бухгалтерия/счёт/文書"},
		{"what can't be seen", editlock.ID{ID: "a\u200db"}, "//a%E2%80%8Db"},
		{"a plus sign is itself", editlock.ID{ID: "a+b"}, "//a+b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.id.String(); got != tt.want {
				t.Errorf("String() = %q, want %q", got, tt.want)
			}
			if back, err := editlock.ParseID(tt.want); back != tt.id || err != nil {
				t.Errorf("ParseID(%q) = %+v, %v; want %+v", tt.want, back, err, tt.id)
			}
		})
	}
}

func TestParseID(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		want editlock.ID
	}{
		{"an id", "42", editlock.ID{ID: "42"}},
		{"a mode and an id", "document/42", editlock.ID{Mode: "document", ID: "42"}},
		{"all three", "demo/document/42", editlock.ID{Group: "demo", Mode: "document", ID: "42"}},
		{"an empty mode", "demo//42", editlock.ID{Group: "demo", ID: "42"}},
		{"an empty mode, shortened", "/42", editlock.ID{ID: "42"}},
		{"encoded more than needed", "%64emo/%D0%B4/%34", editlock.ID{Group: "demo", Mode: "д", ID: "4"}},
		{"lower case digits", "a%2fb", editlock.ID{ID: "a/b"}},
		{"a blank as it is", "a b", editlock.ID{ID: "a b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := editlock.ParseID(tt.text); got != tt.want || err != nil {
				t.Errorf("ParseID(%q) = %+v, %v; want %+v", tt.text, got, err, tt.want)
			}
		})
	}
}

func TestParseID_Invalid(t *testing.T) {
	for _, tt := range []struct{ name, text, field string }{
		{"nothing", "", "mutex.id"},
		{"four parts", "a/b/c/d", "id"},
		{"a lone percent sign", "100%", "id"},
		{"a percent sign before other letters", "a%zz", "id"},
		{"an empty id", "demo/document/", "mutex.id"},
		{"only slashes", "//", "mutex.id"},
		{"an encoded NUL", "a%00", "mutex.id"},
		{"an encoded line break", "a%0Ab/1", "mutex.mode"},
		{"encoded bytes that are no UTF-8", "a%FF/b/1", "mutex.group"},
		{"bytes that are no UTF-8", "a\xff", "mutex.id"},
		{"a group too long", strings.Repeat("g", editlock.MaxGroup+1) + "/m/1", "mutex.group"},
		{"a mode too long", strings.Repeat("m", editlock.MaxMode+1) + "/1", "mutex.mode"},
		{"an id too long", strings.Repeat("i", editlock.MaxID+1), "mutex.id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := editlock.ParseID(tt.text)
			var bad *editlock.InvalidError
			if !errors.As(err, &bad) || bad.Field != tt.field {
				t.Errorf("ParseID(%q): error %v, want one that names %s", tt.text, err, tt.field)
			}
		})
	}
}

func TestID_Validate_AtTheLimit(t *testing.T) {
	id := editlock.ID{
		Group: strings.Repeat("я", editlock.MaxGroup/2), Mode: strings.Repeat("m", editlock.MaxMode), ID: strings.Repeat("文", 166) + "xx",
	}
	if len(id.ID) != editlock.MaxID {
		t.Fatalf("the id has %d bytes, want %d", len(id.ID), editlock.MaxID)
	}
	if err := id.Validate(); err != nil {
		t.Errorf("Validate: %v", err)
	}
}

// anyPart generates valid parts of IDs, fond of the awkward.
func anyPart(limit int) *rapid.Generator[string] {
	char := rapid.OneOf(
		rapid.SampledFrom([]rune("/%+ .~aZ0я\u00a0\u200d\u2028\ufffd😀")),
		rapid.Rune().Filter(func(r rune) bool { return utf8.ValidRune(r) && !unicode.IsControl(r) }),
	)
	return rapid.StringOfN(char, 0, -1, limit)
}

func anyID() *rapid.Generator[editlock.ID] {
	return rapid.Custom(func(t *rapid.T) editlock.ID {
		return editlock.ID{
			Group: anyPart(editlock.MaxGroup).Draw(t, "group"),
			Mode:  anyPart(editlock.MaxMode).Draw(t, "mode"),
			ID:    anyPart(editlock.MaxID).Filter(func(s string) bool { return s != "" }).Draw(t, "id"),
		}
	})
}

func TestParseID_ReadsWhatStringWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := anyID().Draw(t, "id")
		text := id.String()
		if got, err := editlock.ParseID(text); got != id || err != nil {
			t.Fatalf("ParseID(%q) = %+v, %v; want %+v", text, got, err, id)
		}
		if strings.Count(text, "/") != 2 || strings.ContainsFunc(text, unicode.IsSpace) {
			t.Fatalf("%q is not three parts in one word", text)
		}
	})
}

func FuzzParseID(f *testing.F) {
	for _, seed := range []string{
		"42", "document/42", "demo/document/42", "//42", "/", "", "a/b/c/d", "100%", "a%2Fb", "a%00", "%FF", "а б", "%e2%80%8d", "\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := editlock.ParseID(text)
		if err != nil {
			if !errors.Is(err, editlock.ErrInvalid) {
				t.Fatalf("ParseID(%q): %v is not ErrInvalid", text, err)
			}
			return
		}
		if err := id.Validate(); err != nil {
			t.Fatalf("ParseID(%q) = %+v, which is invalid: %v", text, id, err)
		}
		canonical := id.String()
		if again, err := editlock.ParseID(canonical); again != id || err != nil {
			t.Fatalf("ParseID(%q) = %+v, but its canonical form %q is %+v, %v", text, id, canonical, again, err)
		}
	})
}
