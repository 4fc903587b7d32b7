package cli_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A login is over when its owner says so, for whoever kept its cookie; other
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
	got := s.call(t, "POST", "/auth/logout", "x=", both(http.Header{"Origin": {s.url}, "Sec-Fetch-Site": {"same-origin"}}, cookieOf(left)))
	if got.status != http.StatusOK || !strings.Contains(got.header.Get("Set-Cookie"), loginCookie+"=;") {
		t.Fatalf("the logout: %d, cookie %q", got.status, got.header.Get("Set-Cookie"))
	}
	if _, err := io.ReadAll(stream); err != nil {
		t.Errorf("the stream of events does not end with the login: %v", err)
	}
	for _, row := range surface {
		t.Run(row.route, func(t *testing.T) {
			thief := caller{header: cookieOf(left), owner: before}
			theirs := d.hold(t, s, "theirs", person("petrov"))
			mine := d.hold(t, s, "mine", before)
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

// follow opens a stream of events, which has five seconds to end.
func (s *served) follow(t *testing.T, header http.Header) io.Reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
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
