package cli_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/editlock/editlock"
)

// Whatever a browser was given before its reader logged in, the login is the reader's
// own, and nobody else's.
func TestLogins_TakeNothingThatWasPlanted(t *testing.T) {
	d := deploy(t)
	s := d.servers[0]
	mayUse := func(cookie string) int {
		return s.call(t, "POST", "/v1/capture", `{"mutex":{"group":"docs","id":"any"}}`, cookieOf(cookie)).status
	}
	plant := func(cookies ...*http.Cookie) http.CookieJar {
		jar, _ := cookiejar.New(nil)
		at, _ := url.Parse(s.url)
		jar.SetCookies(at, cookies)
		return jar
	}
	t.Run("no login of another", func(t *testing.T) {
		planted := d.logIn(t, s, clerksLogin)
		if got := mayUse(planted); got != http.StatusForbidden {
			t.Fatalf("the clerk gets %d", got)
		}
		own := d.logInWith(t, s, chiefsLogin, plant(&http.Cookie{Name: loginCookie, Value: planted, Path: "/"}))
		if own == planted {
			t.Error("the login goes by the planted cookie")
		}
		if got := mayUse(planted); got != http.StatusUnauthorized {
			t.Errorf("who planted it gets %d", got)
		}
		if got := mayUse(own); got != http.StatusOK {
			t.Errorf("who logged in gets %d", got)
		}
	})
	t.Run("no cookie that never was", func(t *testing.T) {
		const planted = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		own := d.logInWith(t, s, chiefsLogin, plant(&http.Cookie{Name: loginCookie, Value: planted, Path: "/"}))
		if got := mayUse(planted); own == planted || got != http.StatusUnauthorized {
			t.Errorf("who planted it gets %d", got)
		}
	})
	t.Run("no name of the manager's, and no session", func(t *testing.T) {
		victim := editlock.Owner{Session: "petrov-1", UserID: "petrov", Name: "Petrov"}
		token := d.hold(t, s, "theirs", victim)
		before := d.state(t, s)
		clerk := cookieOf(d.logIn(t, s, clerksLogin))
		clerk["Cookie"][0] += "; editlock_session=petrov-1; editlock_name=UGV0cm92"
		for _, path := range []string{"/ui/act?do=release", "/ui/confirm?do=release"} {
			s.call(t, "POST", path, fmt.Sprintf("lock=docs//theirs+%d&reason=so", token), clerk)
		}
		if got := s.call(t, "POST", "/v1/release", `{"mutex":{"group":"docs","id":"theirs"}}`, clerk); got.status != http.StatusForbidden {
			t.Errorf("got %d %s", got.status, got.body)
		}
		if after := d.state(t, s); after != before {
			t.Errorf("it changes what is held\nbefore: %s\nafter:  %s", before, after)
		}
	})
	t.Run("nothing that another server sealed", func(t *testing.T) {
		begun := d.servers[1].call(t, "GET", "/auth/login", "", nil)
		to, err := url.Parse(begun.header.Get("Location"))
		if err != nil || to.Query().Get("state") == "" {
			t.Fatalf("the login begins with %d, %q", begun.status, begun.header.Get("Location"))
		}
		cookie, _, _ := strings.Cut(begun.header.Get("Set-Cookie"), ";")
		back := "/auth/callback?code=x&state=" + to.Query().Get("state")
		const notHere = "begun in another browser"
		if got := s.call(t, "GET", back, "", http.Header{"Cookie": {cookie}}); got.status != http.StatusForbidden || !strings.Contains(got.body, notHere) {
			t.Errorf("got %d %s", got.status, got.body)
		}
		// Where it was sealed it is taken: only the code is wrong.
		if got := d.servers[1].call(t, "GET", back, "", http.Header{"Cookie": {cookie}}); got.status != http.StatusForbidden || strings.Contains(got.body, notHere) {
			t.Errorf("the other server: %d %s", got.status, got.body)
		}
	})
}

// The session that everybody sees of a login is no way in.
func TestLogins_ShowNoSessionThatProvesAnything(t *testing.T) {
	d := deploy(t)
	s := d.servers[0]
	cookie := d.logIn(t, s, chiefsLogin)
	seen := d.whoIs(t, s, cookie).Session
	if !strings.HasPrefix(seen, "login:") || strings.Contains(seen, cookie) {
		t.Fatalf("the session is %q", seen)
	}
	// Another login is another session, and none that a cookie chose.
	jar, _ := cookiejar.New(nil)
	at, _ := url.Parse(s.url)
	jar.SetCookies(at, []*http.Cookie{{Name: loginCookie, Value: "CHOSEN", Path: "/"}})
	for _, other := range []string{d.logIn(t, s, chiefsLogin), d.logInWith(t, s, chiefsLogin, jar)} {
		if session := d.whoIs(t, s, other).Session; session == seen || len(session) < len(seen) || strings.Contains(session, "CHOSEN") {
			t.Errorf("another login has the session %q beside %q", session, seen)
		}
	}
	for _, guess := range []string{seen, strings.TrimPrefix(seen, "login:")} {
		for name, header := range map[string]http.Header{"cookie": cookieOf(guess), "bearer": bearerOf(guess)} {
			if got := s.call(t, "GET", "/v1/mutexes", "", header); got.status != http.StatusUnauthorized {
				t.Errorf("%s as %s: %d %s", guess, name, got.status, got.body)
			}
		}
	}
}
