package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/locktest"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

var moment = time.Date(2025, 11, 22, 12, 4, 0, 123456000, time.UTC)

// world is a server on a real port, and what is behind it.
type world struct {
	url     string
	handler *httpapi.Handler
	locker  editlock.Locker
	clock   *locktest.Clock
	log     *bytes.Buffer
}

// start serves a Manager on an empty memory store. wrap may put something
// between the two.
func start(t *testing.T, o httpapi.Options, wrap func(editlock.Locker) editlock.Locker) *world {
	t.Helper()
	w := &world{clock: new(locktest.Clock), log: new(bytes.Buffer)}
	m := editlock.NewManager(memory.New(&memory.Options{Now: w.clock.Now}), nil)
	w.locker = m
	if wrap != nil {
		w.locker = wrap(m)
	}
	o.Logger = slog.New(slog.NewTextHandler(w.log, nil))
	w.handler = httpapi.New(w.locker, &o)
	server := httptest.NewServer(w.handler)
	w.url = server.URL
	t.Cleanup(func() {
		w.handler.Drain()
		server.Close()
		_ = m.Close()
	})
	return w
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// send sends a request as it is. header holds name and value in turn.
func (w *world) send(t *testing.T, method, path, body string, header ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(patient(t), method, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	got := reply{res.StatusCode, res.Header, string(data)}
	checkDocumented(t, method, path, got)
	return got
}

// post sends JSON.
func (w *world) post(t *testing.T, path, body string, header ...string) reply {
	t.Helper()
	return w.send(t, "POST", path, body, append([]string{"Content-Type", "application/json"}, header...)...)
}

func (w *world) get(t *testing.T, path string, header ...string) reply {
	t.Helper()
	return w.send(t, "GET", path, "", header...)
}

// problem reads an answer as a problem, and holds it to the form of one.
func (r reply) problem(t *testing.T) wire.Problem {
	t.Helper()
	var p wire.Problem
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("content type is %q in an answer of status %d: %s", got, r.status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &p); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	kind, ok := wire.KindOf(p.Code)
	if !ok || kind.Status != r.status || p.Status != r.status || p.Title != kind.Title || p.Type != "urn:editlock:problem:"+string(p.Code) || p.Detail == "" {
		t.Errorf("problem is not well formed: status %d, %s", r.status, r.body)
	}
	return p
}

// want checks that a call was refused with a code, for a field if one is
// given.
func (r reply) want(t *testing.T, code wire.Code, field string) wire.Problem {
	t.Helper()
	p := r.problem(t)
	if p.Code != code || p.Field != field {
		t.Errorf("got code %q, field %q (%s), want %q, %q", p.Code, p.Field, p.Detail, code, field)
	}
	return p
}

// read reads an answer that must be of status 200.
func read[T any](t *testing.T, r reply) T {
	t.Helper()
	var out T
	if r.status != http.StatusOK || r.header.Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, %q: %s", r.status, r.header.Get("Content-Type"), r.body)
	}
	d := json.NewDecoder(strings.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return out
}

// spec is the part of the OpenAPI document that tests look at.
type spec struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Ref string `json:"$ref"`
		}
	}
	Components struct {
		Responses map[string]struct{ Description string }
		Schemas   map[string]struct {
			Properties map[string]json.RawMessage
			Required   []string
		}
	}
}

func loadSpec(t *testing.T) spec {
	t.Helper()
	w := httptest.NewRecorder()
	httpapi.New(instant{}, nil).ServeHTTP(w, httptest.NewRequest("GET", "/openapi.json", nil))
	var s spec
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// checkDocumented holds every answer that a test sees to the document.
func checkDocumented(t *testing.T, method, path string, r reply) {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	s := loadSpec(t)
	op, ok := s.Paths[path][strings.ToLower(method)]
	if r.status == http.StatusMethodNotAllowed {
		for _, any := range s.Paths[path] {
			op, ok = any, true
		}
	}
	if !ok {
		return // an address without a description
	}
	status := strconv.Itoa(r.status)
	described, ok := op.Responses[status]
	if !ok {
		t.Errorf("%s %s answers %s, which is not documented", method, path, status)
	} else if method != "HEAD" {
		checkAnswer(t, method, path, status, described.Ref, r)
	}
	if r.status >= 400 && method != "HEAD" {
		var p wire.Problem
		_ = json.Unmarshal([]byte(r.body), &p)
		if about := s.Components.Responses[status].Description; !strings.Contains(about, "`"+string(p.Code)+"`") {
			t.Errorf("%s %s answers code %q, which is not documented for status %s", method, path, p.Code, status)
		}
	}
}

// patience bounds what a test waits for. It says nothing about speed.
const patience = 30 * time.Second

// patient is a context for what must come to an end.
func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits for what no event tells of.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx := patient(t)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// Bodies that many tests share.
const (
	ivanov  = `{"session":"s-ivanov","user_id":"17","login":"ivanov","name":"Иванов И. И.","host":"10.0.0.17"}`
	petrova = `{"session":"s-petrova","user_id":"18","name":"Петрова А. А."}`
	doc     = `{"group":"demo","mode":"document","id":"42"}`
)

// body is an object of a mutex, an owner and more members.
func body(owner, more string) string {
	if more != "" {
		more = "," + more
	}
	return `{"mutex":` + doc + `,"owner":` + owner + more + `}`
}
