package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
)

// ownedPaths are the calls in whose body an owner may stand.
func ownedPaths(t *testing.T) []string {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct {
					Schema struct {
						Ref string `json:"$ref"`
					}
				}
			}
		}
		Components struct {
			Schemas map[string]struct{ Properties map[string]json.RawMessage }
		}
	}
	if err := json.Unmarshal(serveOnce("/openapi.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	paths := map[string]bool{}
	for path, methods := range doc.Paths {
		for _, op := range methods {
			for _, media := range op.RequestBody.Content {
				name := media.Schema.Ref[strings.LastIndex(media.Schema.Ref, "/")+1:]
				if _, has := doc.Components.Schemas[name].Properties["owner"]; has {
					paths[strings.TrimPrefix(path, "/v1/")] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

func TestOwnerInTheBody_IsTriedWhereverOneMayStand(t *testing.T) {
	if diff := cmp.Diff(ownedPaths(t), slices.Sorted(slices.Values(ownerPaths))); diff != "" {
		t.Errorf("paths (-document +TestOwnerInTheBody):\n%s", diff)
	}
}

// A beacon is what somebody sees on the way, or in a log, and sends again.
func TestBeacons_ReplayedChangeNothing(t *testing.T) {
	ivanov := editlock.Owner{Session: "ivanov-1", UserID: "ivanov", Name: "ivanov"}
	id := editlock.ID{Group: "docs", ID: "page"}
	for _, test := range []struct {
		name string
		by   string // whose credentials go along
		then func(t *testing.T, s *secured, m editlock.Mutex)
		code string // empty: answered with released: false
	}{
		{"by another, while the page holds", "petrov", nil, ""},
		{"by a chief, while the page holds", "boss", nil, ""},
		{"by nobody, while the page holds", "", nil, "unauthenticated"},
		{"twice", "ivanov", func(t *testing.T, s *secured, m editlock.Mutex) {
			if released, err := s.locker.Release(editlock.WithOwner(t.Context(), ivanov), id, editlock.IfToken(m.Token)); err != nil || !released {
				t.Fatalf("the first time: %v, %v", released, err)
			}
		}, ""},
		{"after the hold expired", "ivanov", func(t *testing.T, s *secured, m editlock.Mutex) {
			s.clock.Advance(time.Hour)
			if released, err := s.locker.Release(editlock.WithOwner(t.Context(), ivanov), id, editlock.IfToken(m.Token)); err != nil || released {
				t.Fatalf("by now it is free: %v, %v", released, err) // which goes into history
			}
		}, ""},
		{"after the hold expired and another's began", "ivanov", func(t *testing.T, s *secured, _ editlock.Mutex) {
			s.clock.Advance(time.Hour)
			s.held(t, "page", petrov)
		}, ""},
		{"after the hold expired and the page captured again", "ivanov", func(t *testing.T, s *secured, _ editlock.Mutex) {
			s.clock.Advance(time.Hour)
			s.held(t, "page", ivanov)
		}, ""},
		{"after a takeover", "ivanov", func(t *testing.T, s *secured, m editlock.Mutex) {
			if _, err := s.locker.Takeover(editlock.WithOwner(t.Context(), petrov), id, m.Token, "so", nil); err != nil {
				t.Fatal(err)
			}
		}, ""},
		{"after a forced release", "ivanov", func(t *testing.T, s *secured, m editlock.Mutex) {
			if err := s.locker.ForceRelease(editlock.WithOwner(t.Context(), petrov), id, m.Token, "so"); err != nil {
				t.Fatal(err)
			}
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, grace := range []string{"", `,"grace":"1s"`} {
				s := startSecured(t, policy, access.Limits{})
				m := s.held(t, "page", ivanov)
				beacon := fmt.Sprintf(`{"mutex":{"group":"docs","id":"page"},"if":{"token":%d}%s}`, m.Token, grace)
				if test.then != nil {
					test.then(t, s, m)
				}
				credential := ""
				if test.by != "" {
					credential = page(t, test.by, "chiefs")
				}
				before := s.state(t)
				got := s.send(t, "POST", "/v1/release", beacon, append(bearer(credential), "Content-Type", "text/plain")...)
				if code := problemCode(got); code != test.code || code == "" && !strings.Contains(got.body, `"released":false`) {
					t.Errorf("got %d %s", got.status, got.body)
				}
				if after := s.state(t); after != before {
					t.Errorf("it changes what is held\nbefore: %s\nafter:  %s", before, after)
				}
			}
		})
	}
	t.Run("in the page's name by another is refused", func(t *testing.T) {
		s := startSecured(t, policy, access.Limits{})
		m := s.held(t, "page", ivanov)
		before := s.state(t)
		beacon := fmt.Sprintf(`{"mutex":{"group":"docs","id":"page"},"if":{"token":%d},"owner":{"session":"ivanov-1"}}`, m.Token)
		got := s.send(t, "POST", "/v1/release", beacon, append(bearer(page(t, "petrov", "chiefs")), "Content-Type", "text/plain")...)
		if p := got.problem(t); p.Code != "forbidden" || p.Field != "owner.session" || s.state(t) != before {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
}

// The guard looks who holds it before it lets anybody step in; that the caller
// does by now is no reason to refuse the retry.
func TestStepIn_RetriedBehindTheGuardIsTheSameCall(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	m := s.held(t, "page", petrov)
	chief := append(bearer(page(t, "boss", "chiefs")), "Idempotency-Key", "k")
	send := func(verb string, seen editlock.Token, header ...string) reply {
		t.Helper()
		body := fmt.Sprintf(`{"mutex":{"group":"docs","id":"page"},"seen_token":%d,"reason":"so"}`, seen)
		return s.post(t, "/v1/"+verb, body, header...)
	}
	first, again := send("takeover", m.Token, chief...), send("takeover", m.Token, chief...)
	if first.status != http.StatusOK || again.status != http.StatusOK {
		t.Fatalf("takeovers are answered with %d %s, %d %s", first.status, first.body, again.status, again.body)
	}
	var got, got2 wire.CaptureAnswer
	if err := errors.Join(json.Unmarshal([]byte(first.body), &got), json.Unmarshal([]byte(again.body), &got2)); err != nil || got.Mutex.Token != got2.Mutex.Token {
		t.Errorf("the retry got %s, the first try %s: %v", again.body, first.body, err)
	}
	if other := send("takeover", m.Token, append(bearer(page(t, "boss", "chiefs")), "Idempotency-Key", "k2")...); problemCode(other) != "busy" {
		t.Errorf("another takeover is answered with %d %s", other.status, other.body)
	}
	first, again = send("force-release", editlock.Token(got.Mutex.Token), chief...), send("force-release", editlock.Token(got.Mutex.Token), chief...)
	if first.status != http.StatusOK || again.body != first.body {
		t.Errorf("forced releases are answered with %d %s, %d %s", first.status, first.body, again.status, again.body)
	}
	if other := send("force-release", editlock.Token(got.Mutex.Token), bearer(page(t, "boss", "chiefs"))...); problemCode(other) != "not_held" {
		t.Errorf("another forced release is answered with %d %s", other.status, other.body)
	}
}

// A caller who tries all numbers gets nowhere without being the holder, and, where
// they may take over, without the very number in force.
func TestTokens_AreNothingToGuess(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	for i := range 20 { // so that there are numbers below
		s.held(t, fmt.Sprint(i), petrov)
	}
	m := s.held(t, "guarded", petrov)
	before := s.state(t)
	editor, chief := bearer(page(t, "ivanov", "editors")), bearer(page(t, "boss", "chiefs"))
	key := bearer(s.key(t, auth.Key{Grants: grants("docs", auth.Read, auth.Use, auth.Takeover, auth.ForceRelease, auth.History)}))
	for n := editlock.Token(1); n <= m.Token+20; n++ {
		item := fmt.Sprintf(`{"mutex":{"group":"docs","id":"guarded"},"token":%d}`, n)
		condition := fmt.Sprintf(`{"mutex":{"group":"docs","id":"guarded"},"if":{"token":%d}}`, n)
		seen := fmt.Sprintf(`{"mutex":{"group":"docs","id":"guarded"},"seen_token":%d,"reason":"so"}`, n)
		for _, try := range []struct {
			path, body string
			header     []string
			code       string
		}{
			{"/v1/refresh", `{"items":[` + item + `]}`, editor, "lost"},
			{"/v1/refresh", `{"items":[` + item + `]}`, chief, "lost"},
			{"/v1/refresh", `{"items":[` + item + `]}`, key, "forbidden"}, // by number alone
			{"/v1/refresh", `{"items":[` + item + `],"owner":{"session":"elsewhere"}}`, key, "lost"},
			{"/v1/release", condition, editor, ""}, // released: false
			{"/v1/capture", condition, editor, "lost"},
			{"/v1/takeover", seen, editor, "forbidden"},
			{"/v1/force-release", seen, editor, "forbidden"},
			{"/v1/takeover", seen, chief, "busy"},
			{"/v1/force-release", seen, chief, "busy"},
		} {
			if n == m.Token && try.code == "busy" || n != m.Token && try.code == "forbidden" && strings.Contains(try.body, "seen") {
				continue // the number in force is no guess; that of another is busy before anything else
			}
			got := s.post(t, try.path, try.body, try.header...)
			if code := problemCode(got); code != try.code || code == "" && !strings.Contains(got.body, `"released":false`) {
				t.Fatalf("%s with %d of %d: %d %s", try.path, n, m.Token, got.status, got.body)
			}
		}
	}
	if after := s.state(t); after != before {
		t.Errorf("it changed what is held\nbefore: %s\nafter:  %s", before, after)
	}
}

// What others can see or choose of somebody's session makes nobody that person.
func TestSessions_ChosenByAnotherAreNotTheirs(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	m := s.held(t, "page", petrov)
	token := page(t, "ivanov", "editors")
	refresh := fmt.Sprintf(`{"items":[{"mutex":{"group":"docs","id":"page"},"token":%d}]}`, m.Token)
	for name, header := range map[string][]string{
		"in a cookie of the manager": {"Cookie", "editlock_session=petrov-1; editlock_name=UGV0cm92"},
		"in a cookie of the login":   {"Cookie", "editlock_login=petrov-1"},
		"in headers":                 {"X-Session", "petrov-1", "X-Remote-User", "petrov", "X-Forwarded-User", "petrov", "Sid", "petrov-1"},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.state(t)
			if got := s.post(t, "/v1/refresh", refresh, append(bearer(token), header...)...); problemCode(got) != "lost" {
				t.Errorf("beside another's token: %d %s", got.status, got.body)
			}
			if got := s.post(t, "/v1/refresh", refresh, header...); got.status != http.StatusUnauthorized {
				t.Errorf("alone: %d %s", got.status, got.body)
			}
			if s.state(t) != before {
				t.Error("it changes what is held")
			}
		})
	}
	t.Run("an Idempotency-Key of another's capture is no way to it", func(t *testing.T) {
		body := `{"mutex":{"group":"docs","id":"keyed"}}`
		first := s.post(t, "/v1/capture", body, append(bearer(page(t, "sidorova", "editors")), "Idempotency-Key", "k")...)
		before := s.state(t)
		got := s.post(t, "/v1/capture", body, append(bearer(token), "Idempotency-Key", "k")...)
		if first.status != http.StatusOK || problemCode(got) != "busy" || s.state(t) != before {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
	t.Run("an Idempotency-Key of another's wait is no way to their place", func(t *testing.T) {
		ctx, leave := context.WithCancel(editlock.WithOwner(t.Context(), editlock.Owner{Session: "first-1", UserID: "first"}))
		ended := make(chan error, 1)
		go func() {
			_, err := s.locker.Capture(ctx, m.ID, &editlock.CaptureOptions{Wait: patience, RequestID: "place"})
			ended <- err
		}()
		eventually(t, "the first one in the queue", func() bool { return s.waiting(t, "page") == 1 })
		got := s.post(t, "/v1/capture", `{"mutex":{"group":"docs","id":"page"},"wait":"50ms"}`, append(bearer(token), "Idempotency-Key", "place")...)
		if problemCode(got) != "busy" || s.waiting(t, "page") != 1 {
			t.Errorf("%d wait, and they got %d %s", s.waiting(t, "page"), got.status, got.body)
		}
		if _, err := s.locker.Release(editlock.WithOwner(t.Context(), petrov), m.ID, editlock.Condition{}); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err != nil {
			t.Errorf("the first one got %v", err)
		}
		leave()
	})
}
