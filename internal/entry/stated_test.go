package entry_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/editlock/editlock/internal/entry"
)

func TestStatedCookies_KeepTheSessionWhenTheNameChanges(t *testing.T) {
	cookies := entry.StatedCookies{Session: "s", Name: "n"}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	if s, ok := cookies.Of(r); ok {
		t.Errorf("without cookies it states %+v", s)
	}
	first, ok := cookies.Named(r, "  Olga \n Petrova ")
	if !ok || first.Name != "Olga Petrova" || first.Session == "" {
		t.Fatalf("it states %+v, %v", first, ok)
	}
	cookies.Set(first, func(name, value string) { r.AddCookie(&http.Cookie{Name: name, Value: value}) })
	if got, ok := cookies.Of(r); !ok || got != first {
		t.Errorf("it states %+v, %v after %+v", got, ok, first)
	}
	if next, ok := cookies.Named(r, "Иван"); !ok || next != (entry.Stated{Session: first.Session, Name: "Иван"}) {
		t.Errorf("with another name it states %+v, %v", next, ok)
	}
	for name, want := range map[string]bool{" \t": false, strings.Repeat("ж", 60): true, strings.Repeat("ж", 61): false} {
		if _, ok := cookies.Named(r, name); ok != want {
			t.Errorf("the name %q is accepted: %v", name, ok)
		}
	}
}

func TestStatedCookies_StateNothingByANameThatIsNone(t *testing.T) {
	for _, value := range []string{"", "%%%", "Olga Petrova"} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.AddCookie(&http.Cookie{Name: "s", Value: "abc"})
		r.AddCookie(&http.Cookie{Name: "n", Value: value})
		if s, ok := (entry.StatedCookies{Session: "s", Name: "n"}).Of(r); ok {
			t.Errorf("%q states %+v", value, s)
		}
	}
}
