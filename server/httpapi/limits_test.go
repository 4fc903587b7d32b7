package httpapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/server/httpapi"
)

func (s *secured) capture(t *testing.T, token, id, more string) reply {
	t.Helper()
	return s.post(t, "/v1/capture", fmt.Sprintf(`{"mutex":{"group":"docs","id":%q}%s}`, id, more), bearer(token)...)
}

// limited checks that an answer tells of a limit, and that it was counted.
func (s *secured) limited(t *testing.T, got reply, name string) {
	t.Helper()
	if got.status != 429 || problemCode(got) != "limited" || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, name) {
		t.Errorf("got %d, Retry-After %q: %s", got.status, got.header.Get("Retry-After"), got.body)
	}
	if s.access.Counters.Limited()[name] == 0 {
		t.Errorf("%s is not counted", name)
	}
}

func TestLimits(t *testing.T) {
	t.Run("mutexes of a session", func(t *testing.T) {
		s := startSecured(t, policy, access.Limits{MutexesPerSession: 3})
		token := page(t, "ivanov", "editors")
		for i := range 3 {
			if got := s.capture(t, token, fmt.Sprint(i), ""); got.status != 200 {
				t.Fatalf("the first ones are refused: %s", got.body)
			}
		}
		s.limited(t, s.capture(t, token, "one more", ""), "mutexes_per_session")
		if got := s.capture(t, token, "1", ""); got.status != 200 {
			t.Errorf("a refresh is refused: %s", got.body)
		}
		if got := s.capture(t, page(t, "petrov", "editors"), "theirs", ""); got.status != 200 {
			t.Errorf("another session is refused: %s", got.body)
		}
		s.post(t, "/v1/release", `{"mutex":{"group":"docs","id":"1"}}`, bearer(token)...)
		if got := s.capture(t, token, "one more", ""); got.status != 200 {
			t.Errorf("after a release: %s", got.body)
		}
		got := s.post(t, "/v1/capture", `{"mutexes":[{"group":"docs","id":"x"},{"group":"docs","id":"y"}]}`, bearer(page(t, "full", "editors"))...)
		if got.status != 200 {
			t.Errorf("two at once: %s", got.body)
		}
		got = s.post(t, "/v1/capture", `{"mutexes":[{"group":"docs","id":"z"},{"group":"docs","id":"zz"}]}`, bearer(page(t, "full", "editors"))...)
		s.limited(t, got, "mutexes_per_session")
	})
	t.Run("mutexes of a user, in all their sessions", func(t *testing.T) {
		s := startSecured(t, policy, access.Limits{MutexesPerUser: 2})
		for i := range 3 {
			token := pageFor(t, auth.PageToken{Owner: editlock.Owner{UserID: "ivanov"}, Groups: []string{"editors"}})
			got := s.capture(t, token, fmt.Sprint(i), "")
			if i < 2 && got.status != 200 {
				t.Fatalf("the first ones are refused: %s", got.body)
			}
			if i == 2 {
				s.limited(t, got, "mutexes_per_user")
			}
		}
	})
	t.Run("many at once stay within the limit", func(t *testing.T) {
		s := startSecured(t, policy, access.Limits{MutexesPerSession: 5})
		token := page(t, "ivanov", "editors")
		done := make(chan int, 30)
		for i := range cap(done) {
			go func() {
				r, _ := http.NewRequestWithContext(context.Background(), "POST", s.url+"/v1/capture", strings.NewReader(fmt.Sprintf(`{"mutex":{"group":"docs","id":"%d"}}`, i)))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", "Bearer "+token)
				res, err := http.DefaultClient.Do(r)
				if err != nil {
					done <- 0
					return
				}
				_ = res.Body.Close()
				done <- res.StatusCode
			}()
		}
		held := 0
		for range cap(done) {
			if <-done == 200 {
				held++
			}
		}
		if held > 5 || held == 0 {
			t.Errorf("%d were captured, 5 are allowed", held)
		}
	})
	t.Run("waiters of a mutex", func(t *testing.T) {
		s := startSecured(t, policy, access.Limits{WaitersPerMutex: 1})
		s.held(t, "busy", petrov)
		ctx, cancel := context.WithCancel(editlock.WithOwner(context.Background(), editlock.Owner{Session: "first"}))
		waited := make(chan error, 1)
		go func() {
			_, err := s.locker.Capture(ctx, editlock.ID{Group: "docs", ID: "busy"}, &editlock.CaptureOptions{Wait: patience})
			waited <- err
		}()
		for {
			_, m, _ := s.locker.Request(editlock.WithoutOwner(ctx), editlock.ID{Group: "docs", ID: "busy"})
			if m.Waiting == 1 {
				break
			}
		}
		s.limited(t, s.capture(t, page(t, "ivanov", "editors"), "busy", `,"wait":"10s"`), "waiters_per_mutex")
		cancel()
		if err := <-waited; err == nil {
			t.Error("the first waiter got it")
		}
	})
	t.Run("requests of a caller", func(t *testing.T) {
		s := startSecured(t, policy, access.Limits{RequestsPerSecond: 2})
		token := page(t, "ivanov", "editors")
		var got reply
		for range 20 {
			if got = s.get(t, "/v1/mutexes", bearer(token)...); got.status != 200 {
				break
			}
		}
		s.limited(t, got, "requests_per_second")
		if got := s.get(t, "/v1/mutexes", bearer(page(t, "petrov", "editors"))...); got.status != 200 {
			t.Errorf("another caller is refused: %s", got.body)
		}
	})
	t.Run("a batch that is too long is refused as one, whatever its caller may do", func(t *testing.T) {
		s := startSecured(t, policy, access.Limits{})
		items := strings.Repeat(`,{"mutex":{"id":"a"},"token":1}`, editlock.MaxBatch+1)[1:]
		got := s.post(t, "/v1/refresh", `{"items":[`+items+`]}`, bearer(page(t, "ivanov", "editors"))...)
		got.want(t, wire.Invalid, "items")
		if n := strings.Count(s.audit.String(), "\n"); n > 1 {
			t.Errorf("the audit log has %d lines of it", n)
		}
	})
	t.Run("items of a batch count one by one, and what exceeds the rate is owed", func(t *testing.T) {
		const many = 40
		list := func(form string) string { // of so many items
			items := make([]string, many)
			for i := range items {
				items[i] = fmt.Sprintf(form, i)
			}
			return strings.Join(items, ",")
		}
		for door, body := range map[string]string{
			"/v1/refresh":         `{"items":[` + list(`{"mutex":{"group":"docs","id":"%d"},"token":1}`) + `]}`,
			"/v1/capture":         `{"mutexes":[` + list(`{"group":"docs","id":"%d"}`) + `]}`,
			"/v1/release":         `{"mutexes":[` + list(`{"group":"docs","id":"%d"}`) + `]}`,
			"/v1/release-session": `{"session":"ivanov-1"}`,
		} {
			t.Run(door, func(t *testing.T) {
				s := startSecured(t, policy, access.Limits{RequestsPerSecond: 2})
				for i := range many {
					s.held(t, fmt.Sprint(i), editlock.Owner{Session: "ivanov-1", UserID: "ivanov"})
				}
				token := bearer(page(t, "ivanov", "editors"))
				if got := s.post(t, door, body, token...); got.status != 200 {
					t.Fatalf("the batch itself: %d %s", got.status, got.body)
				}
				got := s.get(t, "/v1/mutexes", token...)
				s.limited(t, got, "requests_per_second")
				// 40 items less a burst of 4, and one more, at 2 a second.
				if after, _ := strconv.Atoi(got.header.Get("Retry-After")); after < 17 || after > 19 {
					t.Errorf("Retry-After is %d s", after)
				}
				if got := s.get(t, "/v1/mutexes", bearer(page(t, "petrov", "editors"))...); got.status != 200 {
					t.Errorf("another caller is refused: %s", got.body)
				}
			})
		}
	})
	t.Run("requests without credentials", func(t *testing.T) {
		s := startSecured(t, policy, access.Limits{RefusalsPerSecond: 2})
		var got reply
		for range 20 {
			if got = s.get(t, "/v1/mutexes"); got.status != 401 {
				break
			}
		}
		s.limited(t, got, "refusals_per_second")
		if got := s.get(t, "/v1/mutexes", bearer(page(t, "petrov", "editors"))...); got.status != 200 {
			t.Errorf("one with credentials is refused: %s", got.body)
		}
	})
	t.Run("event streams of a caller", func(t *testing.T) {
		s := startSecured(t, policy, access.Limits{Streams: 1})
		token := page(t, "ivanov", "editors")
		ctx, cancel := context.WithCancel(patient(t))
		defer cancel()
		r, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/v1/events", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("the first one: %v", err)
		}
		defer res.Body.Close()
		s.limited(t, s.get(t, "/v1/events", bearer(token)...), "event_streams")
	})
}

func TestRanks(t *testing.T) {
	ranked := policy
	ranked.Ranks = access.Ranks{Groups: map[string]int{"editors": 1, "bosses": 5}, Users: map[string]int{"root": 9}}
	s := startSecured(t, ranked, access.Limits{})
	editor := page(t, "ivanov", "editors", "chiefs")
	boss := page(t, "boss", "bosses", "chiefs")
	takeover := func(token, id string) reply {
		_, m, err := s.locker.Request(editlock.WithoutOwner(t.Context()), editlock.ID{Group: "docs", ID: id})
		if err != nil {
			t.Fatal(err)
		}
		return s.post(t, "/v1/takeover", fmt.Sprintf(`{"mutex":{"group":"docs","id":%q},"seen_token":%d,"reason":"on leave"}`, id, m.Token), bearer(token)...)
	}
	t.Run("an editor does not take over from a boss", func(t *testing.T) {
		s.capture(t, boss, "a", "")
		if got := takeover(editor, "a"); problemCode(got) != "forbidden" || s.holder(t, "a").UserID != "boss" {
			t.Errorf("got %s", got.body)
		}
	})
	t.Run("a boss takes over from an editor, and it stands in the audit log and in history", func(t *testing.T) {
		s.capture(t, editor, "b", "")
		if got := takeover(boss, "b"); got.status != 200 || s.holder(t, "b").UserID != "boss" {
			t.Errorf("got %s", got.body)
		}
		for _, want := range []string{"decision=taken_over", "caller=user:boss", "holder_user=ivanov", `reason="on leave"`} {
			if !strings.Contains(s.audit.String(), want) {
				t.Errorf("the audit log has no %s: %s", want, s.audit)
			}
		}
		if got := s.get(t, "/v1/history?group=docs&id=b", bearer(boss)...); !strings.Contains(got.body, "on leave") {
			t.Errorf("history: %s", got.body)
		}
	})
	t.Run("from equals it is allowed", func(t *testing.T) {
		s.capture(t, page(t, "sidorova", "editors"), "c", "")
		if got := takeover(editor, "c"); got.status != 200 {
			t.Errorf("got %s", got.body)
		}
	})
	t.Run("a holder of unknown rank yields to the highest only", func(t *testing.T) {
		s.held(t, "d", petrov)
		if got := takeover(boss, "d"); problemCode(got) != "forbidden" {
			t.Errorf("a boss: %s", got.body)
		}
		if got := takeover(page(t, "root"), "d"); got.status != 200 {
			t.Errorf("root: %s", got.body)
		}
	})
	t.Run("one's own needs no rank", func(t *testing.T) {
		s.held(t, "e", editlock.Owner{Session: "ivanov-0", UserID: "ivanov"})
		if got := takeover(page(t, "ivanov", "editors"), "e"); got.status != 200 {
			t.Errorf("got %s", got.body)
		}
	})
}

// A rank that a token states is bounded, and a server that has heard of none
// still knows that there are ranks.
func TestRanks_StatedByTokens(t *testing.T) {
	stated := func(user string, rank int) string {
		return pageFor(t, auth.PageToken{Owner: editlock.Owner{Session: user + "-1", UserID: user, Name: user}, Groups: []string{"chiefs"}, Rank: rank})
	}
	for _, test := range []struct {
		name            string
		highest         int
		heard           bool // the server has heard of the holder
		holder, another int
		allowed         bool
	}{
		{"a lower one does not take over", 10, true, 7, 6, false},
		{"an equal one does", 10, true, 7, 7, true},
		{"nor does a lower one from who was not heard of", 10, false, 7, 6, false},
		{"nor an equal one", 10, false, 7, 7, false},
		{"but the highest", 10, false, 7, 10, true},
		{"who states more has the highest", 10, true, 10, 99, true},
		{"none counts where none may be stated", 0, true, 7, 0, true},
		{"nor where the holder was not heard of", 0, false, 7, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			ranked := policy
			ranked.Ranks = access.Ranks{HighestStated: test.highest}
			s := startSecured(t, ranked, access.Limits{})
			holder := editlock.Owner{Session: "boss-1", UserID: "boss"}
			if test.heard {
				s.capture(t, stated("boss", test.holder), "a", "")
			} else {
				s.held(t, "a", holder)
			}
			_, m, err := s.locker.Request(editlock.WithoutOwner(t.Context()), editlock.ID{Group: "docs", ID: "a"})
			if err != nil {
				t.Fatal(err)
			}
			body := fmt.Sprintf(`{"mutex":{"group":"docs","id":"a"},"seen_token":%d,"reason":"on leave"}`, m.Token)
			got := s.post(t, "/v1/takeover", body, bearer(stated("ivanov", test.another))...)
			if allowed := got.status == 200; allowed != test.allowed || !allowed && problemCode(got) != "forbidden" {
				t.Errorf("got %d %s", got.status, got.body)
			}
			warned := strings.Contains(s.audit.String(), "ranks.highest_stated")
			if over := test.heard && test.holder > test.highest || test.allowed && test.another > test.highest; warned != over {
				t.Errorf("warned of a rank that does not count: %v; %s", warned, s.audit)
			}
		})
	}
}

func TestFront(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	serve := func(o *httpapi.FrontOptions, change func(*http.Request)) *httptest.ResponseRecorder {
		server := httptest.NewServer(httpapi.Front(s.handler, o))
		defer server.Close()
		r, _ := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/v1/request", strings.NewReader(`{"mutex":{"group":"docs","id":"x"}}`))
		r.Header.Set("Content-Type", "application/json")
		change(r)
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		out := httptest.NewRecorder()
		out.Code = res.StatusCode
		for name, values := range res.Header {
			out.Header()[name] = values
		}
		return out
	}
	origin := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Origin", text) }
	}
	open := &httpapi.FrontOptions{Open: true}
	for name, test := range map[string]struct {
		o      *httpapi.FrontOptions
		change func(*http.Request)
		want   int
	}{
		"open: this machine":              {open, func(*http.Request) {}, 401},
		"open: localhost":                 {open, func(r *http.Request) { r.Host = "LOCALHOST:1" }, 401},
		"open: a rebound name":            {open, func(r *http.Request) { r.Host = "evil.example" }, 403},
		"open: a name that ends alike":    {open, func(r *http.Request) { r.Host = "notlocalhost" }, 403},
		"open: another site's page":       {open, origin("http://evil.example"), 403},
		"open: another site, new browser": {open, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"open: another site's link": {open, func(r *http.Request) {
			r.Method, r.URL.Path, r.Body, r.ContentLength = http.MethodGet, "/v1/events", http.NoBody, 0
			r.Header = http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}, "Sec-Purpose": {"prefetch"}}
		}, 200}, // a page that opens it again, not the stream
		"known callers: any name": {&httpapi.FrontOptions{}, func(r *http.Request) { r.Host = "locks.example" }, 401},
	} {
		t.Run(name, func(t *testing.T) {
			if got := serve(test.o, test.change); got.Code != test.want {
				t.Errorf("got %d, want %d", got.Code, test.want)
			}
		})
	}
	cors := &httpapi.FrontOptions{Origins: []string{"https://app.example"}}
	t.Run("a configured site may read the answer", func(t *testing.T) {
		if got := serve(cors, origin("https://app.example")).Header(); got.Get("Access-Control-Allow-Origin") != "https://app.example" || got.Get("Access-Control-Allow-Credentials") != "" || got.Get("Vary") != "Origin" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("the log tells once of each other site, and what to set", func(t *testing.T) {
		told := new(lines)
		front := httpapi.Front(s.handler, &httpapi.FrontOptions{
			Origins: []string{"https://app.example"}, Logger: slog.New(slog.NewTextHandler(told, nil)),
		})
		for range 2 {
			for _, origin := range []string{"https://app.example", "https://other.example", "http://example.com", "null", ""} {
				r := httptest.NewRequest(http.MethodGet, "/healthz", nil) // of example.com
				r.Header.Set("Origin", origin)
				front.ServeHTTP(httptest.NewRecorder(), r)
			}
		}
		r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
		r.Header.Set("Origin", "https://behind-a-proxy.example")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		front.ServeHTTP(httptest.NewRecorder(), r)
		if log := told.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "origin=https://other.example") || !strings.Contains(log, "[http]") {
			t.Errorf("the log says:\n%s", log)
		}
	})
	t.Run("others may not", func(t *testing.T) {
		for _, text := range []string{"https://app.example.evil", "http://app.example", "null", "https://APP.example"} {
			if got := serve(cors, origin(text)).Header().Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("%s may: %s", text, got)
			}
		}
	})
	t.Run("preflights are answered", func(t *testing.T) {
		got := serve(cors, func(r *http.Request) {
			r.Method = "OPTIONS"
			r.Header.Set("Origin", "https://app.example")
			r.Header.Set("Access-Control-Request-Method", "POST")
		})
		if got.Code != 204 || !strings.Contains(got.Header().Get("Access-Control-Allow-Headers"), "Authorization") {
			t.Errorf("got %d %v", got.Code, got.Header())
		}
	})
	t.Run("request IDs go through if they are plain, else are made", func(t *testing.T) {
		id := func(text string) func(*http.Request) {
			return func(r *http.Request) { r.Header.Set("X-Request-Id", text) }
		}
		if got := serve(nil, id("req-17")).Header().Get("X-Request-Id"); got != "req-17" {
			t.Errorf("got %q", got)
		}
		if !strings.Contains(s.audit.String(), "request_id=req-17") {
			t.Error("the audit log does not have it")
		}
		if got := serve(nil, id("a b\"c")).Header().Get("X-Request-Id"); got == "" || strings.Contains(got, " ") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("only trusted proxies say where a call comes from", func(t *testing.T) {
		forwarded := func(r *http.Request) { r.Header.Set("X-Forwarded-For", "198.51.100.9, 203.0.113.7") }
		serve(&httpapi.FrontOptions{}, forwarded)
		if strings.Contains(s.audit.String(), "203.0.113.7") {
			t.Error("anybody is believed")
		}
		serve(&httpapi.FrontOptions{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, forwarded)
		if !strings.Contains(s.audit.String(), "address=203.0.113.7") || strings.Contains(s.audit.String(), "198.51.100.9") {
			t.Errorf("the proxy is not believed, or more than it said: %s", s.audit)
		}
	})
}

// ambient authenticates everybody by what a browser adds by itself, as by a
// client certificate.
type ambient struct{ auth.Caller }

func (a ambient) Authenticate(*http.Request) (*auth.Caller, error) { return &a.Caller, nil }

// Each stream that another site's page opens in the name of a reader with a
// certificate would take one of the reader's places.
func TestCertificates_CountForPagesOfTheSameOriginOnlyByEveryMethod(t *testing.T) {
	guard := access.New(policy, access.Limits{Streams: 1}, slog.New(slog.DiscardHandler))
	reader := auth.Caller{
		Name: "certificate:1", Method: auth.Certificate, Ambient: true, Owner: editlock.Owner{Session: "certificate:1", UserID: "root"},
	}
	s := start(t, httpapi.Options{Authenticator: ambient{reader}, Access: guard}, nil)
	for _, e := range endpoints {
		if e.right == "" {
			continue
		}
		for _, header := range [][]string{
			{"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Origin", "https://evil.example"},
			{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"},
		} {
			if got := s.send(t, e.method, e.path, "{}", append([]string{"Content-Type", "application/json"}, header...)...); got.status != http.StatusForbidden {
				t.Errorf("%s %s by %v: %d %.200s", e.method, e.path, header, got.status, got.body)
			}
		}
	}
	ctx, leave := context.WithCancel(patient(t))
	defer leave()
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("the reader's only place is taken: %s", res.Status)
	}
}
