package cli_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/auth"
)

// A login is over when its owner says so, for those who kept its cookie, too; other
// logins of the same person go on.
func TestLogout_EndsOneLoginEverywhere(t *testing.T) {
	d := deploy(t)
	s := d.servers[0]
	left, kept := d.logIn(t, s, chiefsLogin), d.logIn(t, s, chiefsLogin)
	before := d.whoIs(t, s, kept)
	mayUse := func(cookie string) int {
		return s.call(t, "POST", "/v1/request", `{"mutex":{"group":"docs","id":"any"}}`, cookieOf(cookie)).status
	}

	for name, header := range map[string]http.Header{
		"a form of another site":       {"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}},
		"a form of another port":       {"Origin": {d.servers[1].url}, "Sec-Fetch-Site": {"same-site"}},
		"an old browser's form":        {"Origin": {"https://evil.example"}},
		"a frame without an origin":    {"Origin": {"null"}},
		"another site's, by no origin": {"Sec-Fetch-Site": {"cross-site"}},
	} {
		got := s.call(t, "POST", "/auth/logout", "x=", both(header, cookieOf(left)))
		if got.status != http.StatusForbidden || got.header.Get("Set-Cookie") != "" || mayUse(left) != http.StatusOK {
			t.Errorf("%s: %d, cookie %q, and the login gets %d", name, got.status, got.header.Get("Set-Cookie"), mayUse(left))
		}
	}
	if got := s.call(t, "GET", "/auth/logout", "", cookieOf(left)); got.status != http.StatusMethodNotAllowed || mayUse(left) != http.StatusOK {
		t.Errorf("a link to it: %d, and the login gets %d", got.status, mayUse(left))
	}

	stream := s.follow(t, cookieOf(left))
	waiter := d.wait(t, s, cookieOf(left), "")
	got := s.call(t, "POST", "/auth/logout", "x=", both(http.Header{"Origin": {s.url}, "Sec-Fetch-Site": {"same-origin"}}, cookieOf(left)))
	if got.status != http.StatusOK || !strings.Contains(got.header.Get("Set-Cookie"), loginCookie+"=;") {
		t.Fatalf("the logout: %d, cookie %q", got.status, got.header.Get("Set-Cookie"))
	}
	if _, err := io.ReadAll(stream); err != nil {
		t.Errorf("the stream of events does not end with the login: %v", err)
	}
	if got := <-waiter; got.status != http.StatusUnauthorized || !strings.Contains(got.body, "the login ended") {
		t.Errorf("who waited with the login gets %d %s", got.status, got.body)
	}
	d.clear(t, s)
	for _, row := range surface {
		t.Run(row.route, func(t *testing.T) {
			thief := caller{header: cookieOf(left), owner: before}
			theirs := d.hold(t, s, "theirs", person("petrov"))
			mine := d.hold(t, s, "mine", editlock.Owner{Session: "before", UserID: before.UserID})
			method, path, body := thief.ask(row.route, row.send, row.body, mine, theirs)
			held := d.state(t, s)
			if said := d.tell(s.call(t, method, path, body, thief.header)); said != row.want[nobody] {
				t.Errorf("got %s, want %s", said, row.want[nobody])
			}
			if d.state(t, s) != held {
				t.Error("it changes what is held")
			}
			d.clear(t, s)
		})
	}
	if mayUse(kept) != http.StatusOK {
		t.Errorf("the other login gets %d", mayUse(kept))
	}
	if after := d.whoIs(t, s, kept); after != before {
		t.Errorf("the other login was %+v and is %+v", before, after)
	}
}

// A key that is revoked, or has other rights, is refused; what was begun with
// it ends too, though nobody calls.
func TestKeys_EndWhatLasts(t *testing.T) {
	d := deploy(t)
	s := d.servers[0]
	grants := []auth.Grant{
		{Rights: []auth.Right{auth.Use, auth.Read}, Group: "docs", Mode: "*"},
		{Rights: []auth.Right{auth.Use}, Group: "other", Mode: "*"},
	}
	other := d.key(t, auth.Key{Grants: grants})
	for name, change := range map[string]func(k auth.Key, now time.Time) []auth.Key{
		"revoked": func(k auth.Key, now time.Time) []auth.Key { k.Revoked = &now; return []auth.Key{k} },
		"changed": func(k auth.Key, _ time.Time) []auth.Key { k.Grants = k.Grants[:1]; return []auth.Key{k} },
		"removed": func(auth.Key, time.Time) []auth.Key { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			key := d.key(t, auth.Key{Name: name, Grants: grants})
			ends, goesOn := s.follow(t, bearerOf(key)), bufio.NewReader(s.follow(t, bearerOf(other)))
			waiter := d.wait(t, s, bearerOf(key), `,"owner":{"session":"ivanov-1"}`)
			err := auth.ChangeKeys(filepath.Join(d.folder, "keys.json"), func(all []auth.Key) ([]auth.Key, error) {
				i := slices.IndexFunc(all, func(k auth.Key) bool { return k.Name == name })
				return slices.Replace(all, i, i+1, change(all[i], time.Now())...), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(ends); err != nil {
				t.Errorf("the stream of events does not end: %v", err)
			}
			if got := <-waiter; got.status != http.StatusUnauthorized || !strings.Contains(got.body, "the API key was revoked or changed") {
				t.Errorf("who waited with the key gets %d %s", got.status, got.body)
			}
			if n := d.waiting(t, s); n != 0 {
				t.Errorf("%d wait still", n)
			}
			d.clear(t, s)
			for line := ""; !strings.Contains(line, string(editlock.KindReleased)); {
				if line, err = goesOn.ReadString('\n'); err != nil {
					t.Fatalf("the other key's stream: %v", err)
				}
			}
		})
	}
}

// wait has a caller wait for what another holds; the answer comes later.
func (d *deployment) wait(t *testing.T, s *served, header http.Header, rest string) <-chan answered {
	t.Helper()
	d.hold(t, s, "awaited", person("petrov"))
	answer := make(chan answered, 1)
	go func() {
		defer close(answer)
		answer <- s.call(t, "POST", "/v1/capture", `{"mutex":{"group":"docs","id":"awaited"},"wait":"1m"`+rest+`}`, header)
	}()
	await(t, "the waiter", func() bool { return d.waiting(t, s) == 1 })
	return answer
}

// waiting is how many wait for what wait has them wait for.
func (d *deployment) waiting(t *testing.T, s *served) int {
	t.Helper()
	var list struct{ Mutexes []struct{ Waiting int } }
	d.operate(t, s, "GET", "/v1/mutexes?group=docs", nil, &list)
	n := 0
	for _, m := range list.Mutexes {
		n += m.Waiting
	}
	return n
}

// follow opens a stream of events, which has ten seconds to end.
func (s *served) follow(t *testing.T, header http.Header) io.Reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the stream: %v, %v", res, err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res.Body
}
