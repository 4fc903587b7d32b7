package auth

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// By TLS a neighbour, such as another host of the domain, plants no cookie:
// browsers take __Host- from this very host only.
func TestLogin_CookiesAreBoundToTheHost(t *testing.T) {
	for public, secure := range map[string]bool{"https://locks.example.org": true, "http://localhost:7117": false} {
		l, err := NewLogin(LoginOptions{Issuer: "https://id.example.org", ClientID: "c", PublicURL: public})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{l.sessionCookie(), l.beginCookie(random())} {
			w := httptest.NewRecorder()
			l.setCookie(w, name, "x", time.Hour)
			got := w.Header().Get("Set-Cookie")
			for _, want := range []string{"editlock_login", "; Path=/;", "; HttpOnly", "; SameSite=Lax"} {
				if !strings.Contains(got, want) {
					t.Errorf("%s: no %s in %q", public, want, got)
				}
			}
			if strings.Contains(got, "Domain=") || strings.HasPrefix(got, "__Host-") != secure || strings.Contains(got, "; Secure") != secure {
				t.Errorf("%s: %q", public, got)
			}
		}
	}
}
