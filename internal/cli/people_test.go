package cli_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/storage"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/auth"
)

// people are the provider's.
type people struct{ storage.UserStore }

func (p people) GetUserByID(id string) *storage.User {
	if id != chiefsLogin && id != clerksLogin && id != lookalike {
		return nil
	}
	return &storage.User{ID: id, Username: id, Password: everyPassword, FirstName: id, LastName: "Person"}
}

func (p people) GetUserByUsername(name string) *storage.User { return p.GetUserByID(name) }

// logIn logs somebody in with the provider, and returns their cookie.
func (d *deployment) logIn(t *testing.T, s *served, user string) string {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	return d.logInWith(t, s, user, jar)
}

var formID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// logInWith logs in with a browser that may have cookies already.
func (d *deployment) logInWith(t *testing.T, s *served, user string, jar http.CookieJar) string {
	t.Helper()
	cookie := ""
	browser := &http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == s.at && r.Response != nil { // a jar forgets what expires
			for _, c := range r.Response.Cookies() {
				if c.Name == loginCookie {
					cookie = c.Value
				}
			}
		}
		return nil
	}}
	res, err := browser.Get(s.url + auth.LoginPath("/healthz"))
	if err != nil {
		t.Fatal(err)
	}
	form, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	id := formID.FindSubmatch(form)
	if err != nil || id == nil {
		t.Fatalf("the provider shows no form: %v %s", err, form)
	}
	res, err = browser.PostForm(d.provider.URL+"/login/username", url.Values{
		"id": {string(id[1])}, "username": {user}, "password": {everyPassword},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.Request.URL.Host != s.at || res.StatusCode != http.StatusOK || cookie == "" {
		t.Fatalf("the login ends with %s at %s, cookie %q", res.Status, res.Request.URL, cookie)
	}
	return cookie
}

// whoIs is the owner that a login is.
func (d *deployment) whoIs(t *testing.T, s *served, cookie string) editlock.Owner {
	t.Helper()
	got := s.call(t, "POST", "/v1/capture", `{"mutex":{"group":"docs","id":"who"}}`, cookieOf(cookie))
	var answer struct {
		Mutex struct{ Owner map[string]string }
	}
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.status != http.StatusOK {
		t.Fatalf("%v: %d %s", err, got.status, got.body)
	}
	o := editlock.Owner{Session: answer.Mutex.Owner["session"], UserID: answer.Mutex.Owner["user_id"]}
	d.operate(t, s, "POST", "/v1/release-session", map[string]string{"session": o.Session}, nil)
	return o
}

// A session that a list shows can be asked for, also a login's by a back end.
func TestSessions_OfLoginsAreFoundAsTheyAreShown(t *testing.T) {
	d, keys := deployWithKeys(t)
	s := d.servers[0]
	if got := s.call(t, "POST", "/v1/capture", `{"mutex":{"group":"docs","id":"theirs"}}`, cookieOf(d.logIn(t, s, chiefsLogin))); got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	back := bearerOf(keys["with"])
	held := func(query string) []struct{ Owner struct{ Session string } } {
		t.Helper()
		var list struct {
			Mutexes []struct{ Owner struct{ Session string } }
		}
		got := s.call(t, "GET", "/v1/mutexes?"+query, "", back)
		if err := json.Unmarshal([]byte(got.body), &list); err != nil || got.status != http.StatusOK {
			t.Fatalf("%v: %d %s", err, got.status, got.body)
		}
		return list.Mutexes
	}
	all := held("group=docs")
	if len(all) != 1 || !strings.HasPrefix(all[0].Owner.Session, "login:") {
		t.Fatalf("shown: %+v", all)
	}
	shown := all[0].Owner.Session
	if got := held("session=" + url.QueryEscape(shown)); len(got) != 1 {
		t.Errorf("the filter by %s finds %+v", shown, got)
	}
	if got := held("session=login:other"); len(got) != 0 {
		t.Errorf("the filter by another session finds %+v", got)
	}
	if got := s.call(t, "POST", "/v1/release-session", `{"session":"`+shown+`"}`, back); got.status != http.StatusOK || len(held("group=docs")) != 0 {
		t.Errorf("%d %s", got.status, got.body)
	}
}
