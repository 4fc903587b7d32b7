package httpapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
)

// asked is a call as a test composes it.
type asked struct {
	path   string // a GET where there is no body
	body   map[string]any
	header []string
}

func of(n int) string { return strings.Repeat("x", n) }

// With the largest size that the document has, a call passes; with one more
// byte or item it is refused, counted, and changes nothing.
func TestLimits_OfSizes(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	key := s.key(t, auth.Key{Grants: []auth.Grant{{Rights: []auth.Right{auth.Admin}, Group: "*", Mode: "*"}}})
	me := map[string]any{"session": "sidorova-1"}
	mutex := map[string]any{"group": "docs", "id": "sized"}
	capture := func(name string, value any) asked {
		return asked{path: "/v1/capture", body: map[string]any{"mutex": mutex, "owner": me, name: value}}
	}
	named := func(part string) func(int) asked {
		return func(n int) asked {
			id := map[string]any{"group": "docs", "id": "sized"}
			id[part] = of(n)
			return asked{path: "/v1/capture", body: map[string]any{"mutex": id, "owner": me}}
		}
	}
	owned := func(part string) func(int) asked {
		return func(n int) asked {
			o := map[string]any{"session": "sidorova-1"}
			o[part] = of(n)
			return asked{path: "/v1/capture", body: map[string]any{"mutex": mutex, "owner": o}}
		}
	}
	several := func(n int) []map[string]any {
		all := make([]map[string]any, n)
		for i := range all {
			all[i] = map[string]any{"group": "docs", "id": fmt.Sprint(i)}
		}
		return all
	}
	query := func(path, name string) func(int) asked {
		return func(n int) asked { return asked{path: path + "?" + url.Values{name: {of(n)}}.Encode()} }
	}
	rows := []struct {
		field string
		most  int
		ask   func(n int) asked
		code  string // what the last one gets, where it is not 200
	}{
		{"mutex.group", editlock.MaxGroup, named("group"), ""},
		{"mutex.mode", editlock.MaxMode, named("mode"), ""},
		{"mutex.id", editlock.MaxID, named("id"), ""},
		{"owner.session", editlock.MaxOwnerField, owned("session"), ""},
		{"owner.user_id", editlock.MaxOwnerField, owned("user_id"), ""},
		{"owner.login", editlock.MaxOwnerField, owned("login"), ""},
		{"owner.name", editlock.MaxOwnerField, owned("name"), ""},
		{"owner.host", editlock.MaxOwnerField, owned("host"), ""},
		{"status_data", editlock.MaxStatusData, func(n int) asked { return capture("status_data", of(n)) }, ""},
		{"message", editlock.MaxMessage, func(n int) asked {
			a := capture("message", of(n))
			a.body["wait"] = "1s"
			return a
		}, ""},
		{"Idempotency-Key", 200, func(n int) asked {
			a := capture("status_data", "x")
			a.header = []string{"Idempotency-Key", of(n)}
			return a
		}, ""},
		{"reason", editlock.MaxMessage, func(n int) asked {
			token := s.held(t, "sized", petrov).Token
			return asked{path: "/v1/force-release", body: map[string]any{"mutex": mutex, "owner": me, "seen_token": token, "reason": of(n)}}
		}, ""},
		{"waiter", 200, func(n int) asked {
			return asked{path: "/v1/decline", body: map[string]any{"mutex": mutex, "owner": me, "waiter": of(n)}}
		}, "lost"},
		{"session", editlock.MaxOwnerField, func(n int) asked {
			return asked{path: "/v1/release-session", body: map[string]any{"session": of(n), "owner": me}}
		}, ""},
		{"mutexes", editlock.MaxBatch, func(n int) asked {
			return asked{path: "/v1/capture", body: map[string]any{"mutexes": several(n), "owner": me}}
		}, ""},
		{"items", editlock.MaxBatch, func(n int) asked {
			items := make([]map[string]any, n)
			for i, id := range several(n) {
				items[i] = map[string]any{"mutex": id, "token": 1}
			}
			return asked{path: "/v1/refresh", body: map[string]any{"items": items, "owner": me}}
		}, ""},
		{"limit", editlock.MaxPage, func(n int) asked { return asked{path: fmt.Sprint("/v1/mutexes?limit=", n)} }, ""},
		{"text", 500, query("/v1/mutexes", "text"), ""},
		{"user_id", editlock.MaxOwnerField, query("/v1/history", "user_id"), ""},
		{"session", editlock.MaxOwnerField, query("/v1/mutexes", "session"), ""},
		{"group", editlock.MaxGroup, query("/v1/mutexes", "group"), ""},
		{"mode", editlock.MaxMode, query("/v1/history", "mode"), ""},
		{"kind", 20, func(n int) asked {
			return asked{path: "/v1/history?kind=" + strings.TrimSuffix(strings.Repeat("captured,", n), ",")}
		}, ""},
	}
	for _, row := range rows {
		path, _, _ := strings.Cut(row.ask(0).path, "?")
		t.Run(fmt.Sprintf("%s at %s", row.field, path), func(t *testing.T) {
			if got := s.call(t, key, row.ask(row.most)); problemCode(got) != row.code && !strings.Contains(got.body, `"results"`) {
				t.Errorf("the last one within the limit is refused: %d %.300s", got.status, got.body)
			}
			tooMuch := row.ask(row.most + 1)
			before, counted := s.state(t), s.access.Counters.Invalid()
			got := s.call(t, key, tooMuch)
			if p := got.problem(t); got.status != http.StatusBadRequest || p.Code != "invalid" || p.Field != row.field {
				t.Errorf("got %d of field %q: %.300s", got.status, p.Field, got.body)
			}
			if after := s.state(t); after != before {
				t.Error("it changes what is held")
			}
			if now := s.access.Counters.Invalid(); now != counted+1 {
				t.Errorf("it is counted %d times", now-counted)
			}
		})
		for _, session := range []string{"sidorova-1", petrov.Session, of(editlock.MaxOwnerField)} {
			if got := s.call(t, key, asked{path: "/v1/release-session", body: map[string]any{"session": session}}); got.status != http.StatusOK {
				t.Fatalf("got %d %s", got.status, got.body)
			}
		}
	}
}

func (s *secured) call(t *testing.T, credential string, a asked) reply {
	t.Helper()
	header := append(bearer(credential), a.header...)
	if a.body == nil {
		return s.get(t, a.path, header...)
	}
	data, err := json.Marshal(a.body)
	if err != nil {
		t.Fatal(err)
	}
	return s.post(t, a.path, string(data), header...)
}

func TestLimits_OfBodies(t *testing.T) {
	const most = 512 << 10 // bytes, as docs/security.md says
	s := startSecured(t, policy, access.Limits{})
	token := page(t, "ivanov", "editors")
	body := func(n int) string {
		text := `{"mutex":{"group":"docs","id":"large"}`
		return text + strings.Repeat(" ", n-len(text)-1) + "}"
	}
	for _, how := range []string{"with its length stated", "in pieces"} {
		t.Run(how, func(t *testing.T) {
			send := func(n int) reply {
				if how == "in pieces" {
					return s.sendInPieces(t, "/v1/capture", body(n), bearer(token)...)
				}
				return s.post(t, "/v1/capture", body(n), bearer(token)...)
			}
			if got := send(most); got.status != http.StatusOK {
				t.Fatalf("the largest one is refused: %d %s", got.status, got.body)
			}
			before, counted := s.state(t), s.access.Counters.Limited()["body_size"]
			got := send(most + 1)
			if p := got.problem(t); got.status != http.StatusRequestEntityTooLarge || p.Code != "too_large" || p.Field != "body" {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if s.state(t) != before {
				t.Error("it changes what is held")
			}
			if now := s.access.Counters.Limited()["body_size"]; now != counted+1 {
				t.Errorf("it is counted %d times", now-counted)
			}
			if got := send(most); got.status != http.StatusOK {
				t.Errorf("the next one of a right size: %d %s", got.status, got.body)
			}
		})
	}
}

// sendInPieces posts a body whose length is not stated.
func (s *secured) sendInPieces(t *testing.T, path, body string, header ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(patient(t), "POST", s.url+path, struct{ *strings.Reader }{strings.NewReader(body)})
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = -1
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(data)}
}
