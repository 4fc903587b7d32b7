package avatar

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

func TestInitials_AreThoseOfTheFirstTwoWords(t *testing.T) {
	for name, want := range map[string]string{
		"Anna Petrova": "AP", "анна петрова": "АП", "Kim": "K", "  Li   de Chen ": "LD", "": "", "  ": "", "cron-1": "C", "«Ромашка» (склад)": "РС",
		"4711": "4", "*** x": "*X", "\u202eAnna": "A", "שרה לוי": "של",
	} {
		if got := Initials(name); got != want {
			t.Errorf("of %q they are %q, want %q", name, got, want)
		}
	}
}

func TestBadge_IsMarkupOfOursOnly(t *testing.T) {
	const want = `<span class="badge hue-100" data-initials="&lt;&#34;" aria-hidden="true"></span>`
	if got := string(Badge(`< "`)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestClass_HasAColourInTheStyleSheetWhateverTheName(t *testing.T) {
	css, err := fs.ReadFile(Files(), "avatar.css")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for n := range 10_000 {
		seen[Class(fmt.Sprint("Анна Person ", n))] = true
	}
	if len(seen) != wheel/step {
		t.Errorf("names have %d colours, want %d", len(seen), wheel/step)
	}
	for class := range seen {
		if !strings.Contains(string(css), "."+class+" { --hue: "+strings.TrimPrefix(class, "hue-")+"; }") {
			t.Errorf("no rule for %s", class)
		}
	}
	if Class("ANNA Petrova") != Class("anna petrova") {
		t.Error("letter case makes a difference")
	}
}
