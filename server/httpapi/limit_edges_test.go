package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
)

// edge is a limit that is reached. last is the last call it lets pass, next the
// one too many, and room makes room for it.
type edge struct {
	last, next func() reply
	room       func()
	again      func() reply // the one too many again; nil: next
	passes     int          // the status of what passes; 0: 200
}

// The last call within each limit passes; the next one is refused, counted and
// changes nothing; and passes once there is room.
func TestLimits_AtTheirEdges(t *testing.T) {
	editor := func(t *testing.T) string { return page(t, "ivanov", "editors") }
	for _, test := range []struct {
		name   string // as in the configuration
		how    string
		limits access.Limits
		reach  func(t *testing.T, s *secured) edge
	}{
		{"mutexes_per_session", "one by one", access.Limits{MutexesPerSession: 3}, func(t *testing.T, s *secured) edge {
			token := editor(t)
			for i := range 2 {
				s.capture(t, token, fmt.Sprint(i), "")
			}
			return edge{
				last: func() reply { return s.capture(t, token, "2", "") },
				next: func() reply { return s.capture(t, token, "3", "") },
				room: func() { s.release(t, token, "1") },
			}
		}},
		{"mutexes_per_session", "several at once", access.Limits{MutexesPerSession: 3}, func(t *testing.T, s *secured) edge {
			token := editor(t)
			s.capture(t, token, "held", "")
			return edge{
				last: func() reply { return s.captureAll(t, token, "a", "b") },
				next: func() reply { return s.captureAll(t, token, "c", "d") },
				room: func() { s.release(t, token, "a"); s.release(t, token, "b") },
			}
		}},
		{"mutexes_per_session", "by takeover", access.Limits{MutexesPerSession: 1}, func(t *testing.T, s *secured) edge {
			token := page(t, "boss", "chiefs")
			takeover := func(id string) func() reply {
				m := s.held(t, id, petrov)
				return func() reply {
					return s.post(t, "/v1/takeover", fmt.Sprintf(`{"mutex":{"group":"docs","id":%q},"seen_token":%d,"reason":"so"}`, id, m.Token), bearer(token)...)
				}
			}
			return edge{last: takeover("a"), next: takeover("b"), room: func() { s.release(t, token, "a") }}
		}},
		{"mutexes_per_user", "in all their sessions", access.Limits{MutexesPerUser: 2}, func(t *testing.T, s *secured) edge {
			session := func(n int) string {
				return pageFor(t, auth.PageToken{Owner: editlock.Owner{Session: fmt.Sprint(n), UserID: "ivanov"}, Groups: []string{"editors"}})
			}
			s.capture(t, session(0), "0", "")
			return edge{
				last: func() reply { return s.capture(t, session(1), "1", "") },
				next: func() reply { return s.capture(t, session(2), "2", "") },
				room: func() { s.release(t, session(0), "0") },
			}
		}},
		{"waiters_per_mutex", "", access.Limits{WaitersPerMutex: 1}, func(t *testing.T, s *secured) edge {
			s.held(t, "busy", petrov)
			ctx, leave := context.WithCancel(t.Context())
			ended := make(chan struct{})
			token := page(t, "sidorova", "editors")
			return edge{
				last: func() reply { // it does not end: that it waits is that it passed
					go func() {
						defer close(ended)
						s.waitFor(ctx, token, "busy")
					}()
					eventually(t, "the first one in the queue", func() bool { return s.waiting(t, "busy") == 1 })
					return reply{status: 200}
				},
				next: func() reply { return s.capture(t, editor(t), "busy", `,"wait":"20ms"`) },
				room: func() {
					leave()
					<-ended
					eventually(t, "an empty queue", func() bool { return s.waiting(t, "busy") == 0 })
				},
				// Refused, but the caller may wait.
				passes: 409,
			}
		}},
		{"requests_per_second", "", access.Limits{RequestsPerSecond: 3}, func(t *testing.T, s *secured) edge {
			return s.bursts(t, editor(t), 6)
		}},
		{"backend_requests_per_second", "", access.Limits{BackendRequestsPerSecond: 3}, func(t *testing.T, s *secured) edge {
			return s.bursts(t, s.newKey(t), 6)
		}},
		{"refusals_per_second", "", access.Limits{RefusalsPerSecond: 3}, func(t *testing.T, s *secured) edge {
			e := s.bursts(t, "", 6)
			e.passes = 401
			return e
		}},
		{"event_streams", "", access.Limits{Streams: 1}, func(t *testing.T, s *secured) edge { return s.streams(t, editor(t)) }},
		{"backend_event_streams", "", access.Limits{BackendStreams: 1}, func(t *testing.T, s *secured) edge { return s.streams(t, s.newKey(t)) }},
		{"looks", "", access.Limits{Looks: 2}, func(t *testing.T, s *secured) edge { return s.looks(t, editor(t)) }},
		{"backend_looks", "", access.Limits{BackendLooks: 2}, func(t *testing.T, s *secured) edge { return s.looks(t, s.newKey(t)) }},
	} {
		t.Run(strings.TrimSpace(test.name+" "+test.how), func(t *testing.T) {
			s := startSecured(t, policy, test.limits)
			e := test.reach(t, s)
			if e.passes == 0 {
				e.passes = http.StatusOK
			}
			if e.again == nil {
				e.again = e.next
			}
			if got := e.last(); got.status != http.StatusOK && got.status != e.passes {
				t.Fatalf("the last one within the limit is refused: %d %s", got.status, got.body)
			}
			before, counted := s.state(t), s.access.Counters.Limited()[test.name]
			if counted != 0 {
				t.Errorf("what passes is counted %d times as refused", counted)
			}
			s.limited(t, e.next(), test.name)
			if after := s.state(t); after != before {
				t.Errorf("the one too many changes what is held\nbefore: %s\nafter:  %s", before, after)
			}
			if now := s.access.Counters.Limited()[test.name]; now != 1 {
				t.Errorf("one refusal is counted %d times", now)
			}
			e.room()
			eventually(t, "the limit to let another pass", func() bool { return e.again().status == e.passes })
		})
	}
}

func (s *secured) release(t *testing.T, token, id string) {
	t.Helper()
	got := s.post(t, "/v1/release", fmt.Sprintf(`{"mutex":{"group":"docs","id":%q}}`, id), bearer(token)...)
	if !strings.Contains(got.body, `"released":true`) {
		t.Fatalf("%s is not released: %d %s", id, got.status, got.body)
	}
}

func (s *secured) captureAll(t *testing.T, token, a, b string) reply {
	t.Helper()
	return s.post(t, "/v1/capture", fmt.Sprintf(`{"mutexes":[{"group":"docs","id":%q},{"group":"docs","id":%q}]}`, a, b), bearer(token)...)
}

func (s *secured) waiting(t *testing.T, id string) int {
	t.Helper()
	_, m, err := s.locker.Request(editlock.WithoutOwner(t.Context()), editlock.ID{Group: "docs", ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return m.Waiting
}

// waitFor waits for a mutex until ctx ends, and returns the status, 0 if none
// came.
func (s *secured) waitFor(ctx context.Context, token, id string) int {
	r, err := http.NewRequestWithContext(ctx, "POST", s.url+"/v1/capture", strings.NewReader(fmt.Sprintf(`{"mutex":{"group":"docs","id":%q},"wait":"1h"}`, id)))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// newKey makes a key that has not been used yet.
func (s *secured) newKey(t *testing.T) string {
	t.Helper()
	k, secret := auth.NewKey(auth.Key{
		Grants: grants("docs", auth.Read), Scope: auth.Scope{Sessions: []auth.Pattern{"*"}, Users: []auth.Pattern{"*"}},
	})
	if err := auth.ChangeKeys(s.keys, func(all []auth.Key) ([]auth.Key, error) { return append(all, k), nil }); err != nil {
		t.Fatal(err)
	}
	return secret
}

// bursts are calls at once, as many as may be.
func (s *secured) bursts(t *testing.T, credential string, many int) edge {
	list := func() reply { return s.get(t, "/v1/mutexes", bearer(credential)...) }
	return edge{
		last: func() (got reply) {
			for range many {
				if got = list(); got.status == http.StatusTooManyRequests {
					break
				}
			}
			return got
		},
		next: func() (got reply) { // a slow machine earns some more meanwhile
			for range 10 * many {
				if got = list(); got.status == http.StatusTooManyRequests {
					break
				}
			}
			return got
		},
		room:  func() {}, // a call is earned in a third of a second
		again: list,
	}
}

func (s *secured) streams(t *testing.T, credential string) edge {
	open := func() (reply, func()) {
		ctx, end := context.WithCancel(patient(t))
		r, err := http.NewRequestWithContext(ctx, "GET", s.url+"/v1/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+credential)
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		closes := func() { end(); _ = res.Body.Close() }
		t.Cleanup(closes)
		got := reply{status: res.StatusCode, header: res.Header}
		if got.status != http.StatusOK {
			data, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			got.body = string(data)
		}
		return got, closes
	}
	var first func()
	return edge{
		last: func() (got reply) { got, first = open(); return got },
		next: func() reply { got, _ := open(); return got },
		room: func() { first() },
	}
}

// Who holds a mutex does not wait for it, however many others do.
func TestLimits_OfWaitersAreNotTheHolders(t *testing.T) {
	s := startSecured(t, policy, access.Limits{WaitersPerMutex: 1})
	token := page(t, "ivanov", "editors")
	s.capture(t, token, "mine", "")
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan int)
	other := page(t, "petrov", "editors")
	go func() { ended <- s.waitFor(ctx, other, "mine") }()
	eventually(t, "somebody in the queue", func() bool { return s.waiting(t, "mine") == 1 })
	if got := s.capture(t, token, "mine", `,"wait":"1s"`); got.status != http.StatusOK {
		t.Errorf("the holder is refused: %d %s", got.status, got.body)
	}
	leave()
	<-ended
}

// looks is of a caller who looks at a third record. A look beyond the limit is
// refused by itself, in an answer of status 200; as a test is told, it is the call's.
func (s *secured) looks(t *testing.T, credential string) edge {
	t.Helper()
	owner := ""
	if strings.HasPrefix(credential, "elk_") {
		owner = `,"owner":{"session":"sidorova-1","user_id":"sidorova"}`
	}
	page := func(name string, ids ...string) reply {
		looks := make([]string, len(ids))
		for i, id := range ids {
			looks[i] = fmt.Sprintf(`{"mutex":{"group":"docs","id":%q}}`, id)
		}
		got := s.post(t, "/v1/presence", fmt.Sprintf(`{"page":%q,"looks":[%s]%s}`, name, strings.Join(looks, ","), owner), bearer(credential)...)
		if problemCode(got) == "limited" {
			got.status = http.StatusTooManyRequests
			got.header.Set("Retry-After", "10")
		}
		return got
	}
	page("one", "a")
	return edge{
		last: func() reply { return page("two", "b") },
		next: func() reply { return page("three", "c") },
		room: func() { page("one") },
	}
}

// What a page holds and what it shows are one batch: it may exceed the burst.
func TestLimits_APageThatShowsManyRecordsRefreshesItsLocks(t *testing.T) {
	s := startSecured(t, policy, access.Limits{RequestsPerSecond: 10})
	token := page(t, "ivanov", "editors")
	var items, looks []string
	for i := range 3 {
		got := s.capture(t, token, fmt.Sprint(i), "")
		items = append(items, fmt.Sprintf(`{"mutex":{"group":"docs","id":"%d"},"token":%d}`, i, loose[wire.CaptureAnswer](t, got).Mutex.Token))
	}
	for i := range 400 {
		looks = append(looks, fmt.Sprintf(`{"mutex":{"group":"docs","id":"look %d"}}`, i))
	}
	body := fmt.Sprintf(`{"items":[%s],"presence":{"page":"p","looks":[%s]}}`, strings.Join(items, ","), strings.Join(looks, ","))
	got := s.post(t, "/v1/refresh", body, bearer(token)...)
	if got.status != 200 {
		t.Fatalf("got %d: %s", got.status, got.body)
	}
	for _, res := range loose[wire.RefreshAnswer](t, got).Results {
		if res.Problem != nil {
			t.Errorf("a lock is not refreshed: %+v", res.Problem)
		}
	}
	s.limited(t, s.post(t, "/v1/refresh", body, bearer(token)...), "requests_per_second") // it is owed
}

// Of more holders than an answer names, each can be released by force, and taken
// over from.
func TestGuard_EndsAnyOfManyHolds(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	var tokens []uint64
	for i := range 30 {
		got := s.capture(t, page(t, fmt.Sprint("reader", i), "editors"), "many", `,"sharing":"shared"`)
		tokens = append(tokens, loose[wire.CaptureAnswer](t, got).Mutex.Token)
	}
	chief := bearer(page(t, "chief", "chiefs"))
	body := func(n int) string {
		return fmt.Sprintf(`{"mutex":{"group":"docs","id":"many"},"seen_token":%d,"reason":"urgent"}`, tokens[n])
	}
	if got := s.post(t, "/v1/force-release", body(29), chief...); got.status != 200 {
		t.Errorf("force-release: %d: %s", got.status, got.body)
	}
	if got := s.post(t, "/v1/takeover", body(25), chief...); got.status != 200 {
		t.Errorf("takeover: %d: %s", got.status, got.body)
	}
	if got := s.post(t, "/v1/takeover", body(29), chief...); got.status != 409 || problemCode(got) != "busy" {
		t.Errorf("takeover of what ended: %d: %s", got.status, got.body)
	}
}

// A long page costs its readers more than a short one: the server, and others.
func TestLimits_LongPagesAreOwed(t *testing.T) {
	s := startSecured(t, policy, access.Limits{RequestsPerSecond: 1}) // and two at once
	var ids []string
	for i := range 600 {
		ids = append(ids, fmt.Sprintf(`{"group":"docs","id":"%d"}`, i))
	}
	got := s.post(t, "/v1/capture", `{"mutexes":[`+strings.Join(ids, ",")+`]}`, bearer(page(t, "ivanov", "editors"))...)
	if got.status != 200 {
		t.Fatal(got.body)
	}
	for _, list := range []string{"/v1/mutexes", "/v1/history"} {
		ask := func(who, limit string) reply {
			return s.get(t, list+"?limit="+limit, bearer(page(t, who+list, "chiefs"))...)
		}
		for _, who := range []string{"short ", "short ", "long "} {
			if got := ask(who, map[string]string{"short ": "100", "long ": "600"}[who]); got.status != 200 {
				t.Fatalf("%s, %s: %d", list, who, got.status)
			}
		}
		s.limited(t, ask("long ", "1"), "requests_per_second")
	}
}
