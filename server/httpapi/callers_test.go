package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/server/httpapi"
)

// lines is a log that a test may read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// The table of endpoints is that of the document, which is served, and of what
// the server answers.
func TestEndpoints_AreThoseOfTheOpenAPIDocument(t *testing.T) {
	var rows, documented []string
	for _, e := range endpoints {
		path, _, _ := strings.Cut(e.path, "?")
		rows = append(rows, e.method+" "+path)
	}
	for path, methods := range loadSpec(t).Paths {
		for method := range methods {
			documented = append(documented, strings.ToUpper(method)+" "+path)
		}
	}
	documented = append(documented, "GET /docs", "GET /openapi.json") // the document itself
	served := httpapi.Routes()
	for _, list := range [][]string{rows, documented, served} {
		slices.Sort(list)
	}
	if diff := cmp.Diff(documented, rows); diff != "" {
		t.Errorf("operations of the document, and rows here (-document +rows):\n%s", diff)
	}
	if diff := cmp.Diff(served, rows); diff != "" {
		t.Errorf("what is served, and rows here (-served +rows):\n%s", diff)
	}
}

// What each kind of caller gets at each endpoint.
func TestEndpoints_OfEachKindOfCaller(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	all := []auth.Right{auth.Read, auth.Use, auth.Takeover, auth.ForceRelease, auth.History}
	past := time.Now().Add(-time.Hour)
	const (
		unknown = "unauthenticated"
		no      = "forbidden"
		yes     = ""
	)
	backend := `,"owner":{"session":"sidorova-1","user_id":"sidorova"}`
	for _, caller := range []struct {
		name, credential, owner string
		want                    func(right auth.Right) string
	}{
		{"none", "", "", always(unknown)},
		{"wrong key", "elk_aaaaaaaaaa_" + strings.Repeat("00", 32), backend, always(unknown)},
		{"revoked key", s.key(t, auth.Key{Revoked: &past, Grants: grants("docs", all...)}), backend, always(unknown)},
		{"expired key", s.key(t, auth.Key{Expires: &past, Grants: grants("docs", all...)}), backend, always(unknown)},
		{"key without permission", s.key(t, auth.Key{}), backend, always(no)},
		{"key of another group", s.key(t, auth.Key{Grants: grants("other", all...)}), backend, always(no)},
		{"key with read only", s.key(t, auth.Key{Grants: grants("docs", auth.Read)}), backend, only(auth.Read)},
		{"key with permission", s.key(t, auth.Key{Grants: grants("docs", all...)}), backend, always(yes)},
		{"expired token", signed(t, jose.HS256, pageSecret, nil, claims(pageIssuer, map[string]any{"exp": past.Unix()})), "", always(unknown)},
		{"token that never ends", signed(t, jose.HS256, pageSecret, nil, claims(pageIssuer, map[string]any{"exp": nil})), "", always(unknown)},
		{"token of the future", signed(t, jose.HS256, pageSecret, nil, claims(pageIssuer, map[string]any{"nbf": time.Now().Add(time.Hour).Unix()})), "", always(unknown)},
		{"token for another audience", signed(t, jose.HS256, pageSecret, nil, claims(pageIssuer, map[string]any{"aud": "mail"})), "", always(unknown)},
		{"token of an unknown issuer", signed(t, jose.HS256, pageSecret, nil, claims("stranger", nil)), "", always(unknown)},
		{"token without a user", signed(t, jose.HS256, pageSecret, nil, claims(pageIssuer, map[string]any{"sub": nil})), "", always(unknown)},
		{"token without a session", signed(t, jose.HS256, pageSecret, nil, claims(pageIssuer, map[string]any{"sid": nil})), "", always(unknown)},
		{"token with a grant that makes no sense", signed(t, jose.HS256, pageSecret, nil, claims(pageIssuer, map[string]any{"editlock": map[string]any{"grants": []any{map[string]any{"rights": []string{"everything"}}}}})), "", always(unknown)},
		{"token without permission", page(t, "nobody"), "", always(no)},
		{"token of another group", page(t, "stranger", "others"), "", always(no)},
		{"editor", page(t, "editor", "editors"), "", only(auth.Read, auth.Use)},
		{"chief", page(t, "chief", "chiefs"), "", always(yes)},
		{"token with its own grant", pageFor(t, auth.PageToken{Owner: editlock.Owner{UserID: "guest"}, Grants: grants("docs", all...)}), "", always(yes)},
		{"admin by user", page(t, "root"), "", always(yes)},
		{"user of another issuer by the admin's name", signed(t, jose.RS256, s.rsa, nil, claims(rsaIssuer, map[string]any{"sub": "root", "groups": nil})), "", always(no)},
		{"chief by RS256", signed(t, jose.RS256, s.rsa, nil, claims(rsaIssuer, nil)), "", always(yes)},
	} {
		for i, e := range endpoints {
			t.Run(caller.name+" at "+e.path, func(t *testing.T) {
				id := fmt.Sprintf("%s-%d", strings.ReplaceAll(caller.name, " ", "-"), i)
				want := caller.want(e.right)
				if e.right == "" {
					want = yes
				}
				got, listed, changed := s.ask(t, i, id, caller.credential, caller.owner)
				code := problemCode(got)
				switch {
				case e.path == "/v1/refresh" && want == yes:
					want = "lost" // it is Petrov's
				case want == no && strings.Contains(caller.name, "another group") && e.method == "GET":
					want = yes // with nothing in it
					if strings.Contains(listed, "docs") {
						t.Errorf("it tells of docs: %s", listed)
					}
				case e.path == "/v1/request" && strings.HasPrefix(caller.name, "editor"):
					want = yes
				}
				if status := statusOf(e.path, want); code != want || got.status != status {
					t.Errorf("got %d %q, want %d %q: %s", got.status, code, status, want, got.body)
				}
				if may := e.changes && want == yes; changed && !may || may && !changed {
					t.Errorf("it changes what is held: %v", changed)
				}
				if code == unknown && !strings.HasPrefix(got.header.Get("WWW-Authenticate"), `Bearer realm="editlock"`) {
					t.Errorf("WWW-Authenticate is %q", got.header.Get("WWW-Authenticate"))
				}
			})
		}
	}
}

// statusOf is the status of an answer with a code. What a refresh or presence
// refuses is told of in an answer of its own.
func statusOf(path, code string) int {
	k, known := wire.KindOf(wire.Code(code))
	byItem := path == "/v1/refresh" || strings.HasPrefix(path, "/v1/presence")
	if !known || byItem && code != string(wire.Unauthenticated) {
		return http.StatusOK
	}
	return k.Status
}

// ask calls an endpoint. It returns the answer, what a list has, and whether
// anything is held otherwise than before the call.
func (s *secured) ask(t *testing.T, endpoint int, id, credential, owner string) (got reply, listed string, changed bool) {
	t.Helper()
	e := endpoints[endpoint]
	header, body := bearer(credential), ""
	switch {
	case e.body != nil:
		body = e.body(t, s, id, owner)
	case e.method == "POST": // of what one holds oneself
		as := editlock.Owner{Session: "sidorova-1", UserID: "sidorova"}
		if owner == "" {
			as = s.self(t, credential)
		}
		if as.Session != "" {
			s.held(t, id, as)
		}
		waiter := ""
		if e.path == "/v1/decline" {
			waiter = `,"waiter":"w1"`
		}
		body = fmt.Sprintf(`{"mutex":{"group":"docs","id":%q}%s%s}`, id, waiter, owner)
	}
	before := s.state(t)
	switch {
	case e.method == "POST":
		got = s.post(t, e.path, body, header...)
	case strings.HasPrefix(e.path, "/v1/events"):
		got, listed = s.firstEvent(t, e.path, id, header...)
		changed = got.status != http.StatusOK && s.state(t) != before // a stream is shown something to tell
		return got, listed, changed
	default:
		if got = s.send(t, e.method, e.path, "", header...); strings.HasPrefix(e.path, "/v1/") {
			listed = got.body
		}
	}
	return got, listed, s.state(t) != before
}

// state is all that is held, but for the time of looking, and the number of
// the last thing that happened.
func (s *secured) state(t *testing.T) string {
	t.Helper()
	var all []editlock.Mutex
	for q := (editlock.Query{Limit: editlock.MaxPage}); ; {
		page, err := s.locker.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Mutexes {
			m.AsOf = time.Time{}
			all = append(all, m)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	past, err := s.locker.History(t.Context(), editlock.HistoryQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(past.Entries, all)
}

// self is who a credential's owner is, as the server sees them: nobody, if it
// does not tell.
func (s *secured) self(t *testing.T, token string) editlock.Owner {
	t.Helper()
	var o editlock.Owner
	for _, user := range []string{"editor", "chief", "root", "nobody", "stranger"} {
		if token == "" {
			break
		}
		got := s.post(t, "/v1/request", fmt.Sprintf(`{"mutex":{"group":"docs","id":"self"},"owner":{"session":"%s-1"}}`, user), bearer(token)...)
		if got.status == 200 {
			o = editlock.Owner{Session: user + "-1", UserID: user}
		}
	}
	if o.Session == "" && token != "" {
		got := s.post(t, "/v1/capture", fmt.Sprintf(`{"mutex":{"group":"docs","id":"self %d"}}`, len(token)), bearer(token)...)
		if got.status == 200 {
			o = s.holder(t, fmt.Sprintf("self %d", len(token)))
		}
	}
	return o
}

// firstEvent opens a stream and returns the first event that it shows, or the
// refusal.
func (s *secured) firstEvent(t *testing.T, path, id string, header ...string) (reply, string) {
	t.Helper()
	ctx, cancel := context.WithCancel(patient(t))
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		var b bytes.Buffer
		_, _ = b.ReadFrom(res.Body)
		return reply{res.StatusCode, res.Header, b.String()}, ""
	}
	// One that all may see comes after one in docs.
	s.held(t, id, petrov)
	other := editlock.ID{Group: "other", ID: id}
	if _, err := s.locker.Capture(editlock.WithOwner(ctx, petrov), other, nil); err != nil {
		t.Fatal(err)
	}
	for scan := bufio.NewScanner(res.Body); scan.Scan(); {
		if data, ok := strings.CutPrefix(scan.Text(), "data: "); ok {
			checkEvent(t, event{kind: "any", data: data})
			return reply{200, res.Header, "{}"}, data
		}
	}
	t.Fatal("no event came")
	return reply{}, ""
}

func always(code string) func(auth.Right) string { return func(auth.Right) string { return code } }

// only is forbidden but for some rights.
func only(rights ...auth.Right) func(auth.Right) string {
	return func(r auth.Right) string {
		for _, has := range rights {
			if r == has {
				return ""
			}
		}
		return "forbidden"
	}
}

func grants(group auth.Pattern, rights ...auth.Right) []auth.Grant {
	if len(rights) == 0 {
		return nil
	}
	return []auth.Grant{{Rights: rights, Group: group, Mode: "*"}}
}
