package demo_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/examples/demo"
	"github.com/editlock/editlock/guard"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/store/memory"
)

var contract = editlock.ID{Group: "demo", Mode: "contract", ID: "2417"}

// desk is a demo and the locks behind it.
type desk struct {
	url    string
	locker editlock.Locker
}

var savedAt = time.Date(2026, 1, 15, 12, 4, 0, 0, time.UTC)

func open(t *testing.T) desk {
	t.Helper()
	return openWith(t, &demo.Options{Now: func() time.Time { return savedAt }})
}

func openWith(t *testing.T, o *demo.Options) desk {
	t.Helper()
	m := editlock.NewManager(memory.New(nil), nil)
	srv := httptest.NewServer(demo.New(m, o))
	t.Cleanup(func() {
		srv.Close()
		_ = m.Close()
	})
	return desk{srv.URL, m}
}

// browser is one person at the desk.
type browser struct {
	t     *testing.T
	desk  desk
	http  *http.Client
	owner editlock.Owner
}

func (d desk) browser(t *testing.T, name string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, desk: d, http: &http.Client{Jar: jar}}
	if name == "" {
		return b
	}
	page := b.enter(name, "").body
	b.owner = editlock.Owner{
		Session: between(t, page, `data-session="`, `"`), UserID: between(t, page, `data-user="`, `"`), Name: name,
	}
	return b
}

func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, from)
	found, _, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("no %q in %.300s", from, text)
	}
	return found
}

// reply is what a browser ends up with, after redirects.
type reply struct {
	status int
	header http.Header
	url    *url.URL
	body   string
}

func (b *browser) do(method, path, body string, header ...string) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.desk.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	r, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply{r.StatusCode, r.Header, r.Request.URL, string(text)}
}

func (b *browser) get(path string, header ...string) reply {
	b.t.Helper()
	return b.do("GET", path, "", header...)
}

// enter says who is there, as the form does.
func (b *browser) enter(name, next string, header ...string) reply {
	b.t.Helper()
	form := url.Values{"name": {name}, "next": {next}}.Encode()
	return b.do("POST", "/demo/person", form, append(header, "Content-Type", "application/x-www-form-urlencoded")...)
}

// capture takes the document's lock as a page would through the API.
func (b *browser) capture() editlock.Token {
	b.t.Helper()
	m, err := b.desk.locker.Capture(editlock.WithOwner(b.t.Context(), b.owner), contract, &editlock.CaptureOptions{If: editlock.IfFree()})
	if err != nil {
		b.t.Fatal(err)
	}
	return m.Token
}

type revision struct {
	Version int               `json:"version"`
	Fields  map[string]string `json:"fields"`
	Saves   []save            `json:"saves"`
}

type save struct {
	Version int       `json:"version"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

const documentPath = "/demo/api/documents/contract-2417"

func (b *browser) read() revision {
	b.t.Helper()
	body := b.get(documentPath).body
	var rev revision
	if err := json.Unmarshal([]byte(body), &rev); err != nil {
		b.t.Fatalf("%v in %s", err, body)
	}
	return rev
}

func (b *browser) post(token, contentType, body string) reply {
	b.t.Helper()
	header := []string{"Content-Type", contentType}
	if token != "" {
		header = append(header, "Editlock-Token", token)
	}
	return b.do("POST", documentPath, body, header...)
}

func (b *browser) save(token editlock.Token, rev revision) (status int, problem wire.Problem) {
	b.t.Helper()
	body, err := json.Marshal(map[string]any{"version": rev.Version, "fields": rev.Fields})
	if err != nil {
		b.t.Fatal(err)
	}
	r := b.post(strconv.FormatUint(uint64(token), 10), "application/json", string(body))
	if r.status != http.StatusOK {
		problem = r.problem(b.t)
	}
	return r.status, problem
}

func (r reply) problem(t *testing.T) (p wire.Problem) {
	t.Helper()
	if kind := r.header.Get("Content-Type"); kind != wire.ProblemType {
		t.Errorf("a refusal comes as %s", kind)
	}
	if err := json.Unmarshal([]byte(r.body), &p); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return p
}

func TestSave(t *testing.T) {
	t.Run("by the holder makes a new version", func(t *testing.T) {
		b := open(t).browser(t, "Иванов <И. И.>")
		token, text := b.capture(), b.read()
		text.Fields["note"] = "first line\nsecond <b>line</b>"
		if status, p := b.save(token, text); status != http.StatusOK {
			t.Fatalf("refused: %d %+v", status, p)
		}
		want := revision{Version: 2, Fields: text.Fields, Saves: []save{{2, "Иванов <И. И.>", savedAt}}}
		if diff := cmp.Diff(want, b.read()); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("is refused, and changes nothing", func(t *testing.T) {
		d := open(t)
		ivanov, petrova := d.browser(t, "Ivanov"), d.browser(t, "Petrova")
		before := ivanov.read()
		text := ivanov.read()
		text.Fields["note"] = "too late"
		refused := func(t *testing.T, who *browser, token editlock.Token, code wire.Code) wire.Problem {
			t.Helper()
			status, p := who.save(token, text)
			want := http.StatusConflict
			if code == guard.Changed {
				want = http.StatusPreconditionFailed
			}
			if status != want || p.Code != code {
				t.Errorf("got %d %+v, want %d %s", status, p, want, code)
			}
			if diff := cmp.Diff(before, who.read()); diff != "" {
				t.Errorf("the document changed: %s", diff)
			}
			return p
		}

		t.Run("while nobody holds it", func(t *testing.T) { refused(t, ivanov, 1, wire.Lost) })
		token := ivanov.capture()
		t.Run("with another's token", func(t *testing.T) {
			if p := refused(t, petrova, token, wire.Lost); p.Holder == nil || p.Holder.Owner.Name != "Ivanov" {
				t.Errorf("does not name the holder: %+v", p)
			}
		})
		t.Run("with a token not in force", func(t *testing.T) { refused(t, ivanov, token+1, wire.Lost) })
		t.Run("after a takeover, and says who, when and why", func(t *testing.T) {
			m, err := d.locker.Takeover(editlock.WithOwner(t.Context(), petrova.owner), contract, token, "left early", nil)
			if err != nil {
				t.Fatal(err)
			}
			p := refused(t, ivanov, token, wire.Lost)
			if p.How != "taken_over" || p.Reason != "left early" || p.By == nil || p.By.Name != "Petrova" || p.At == nil {
				t.Errorf("got %+v", p)
			}
			token = m.Token
		})
		t.Run("on top of an old version", func(t *testing.T) {
			if status, p := petrova.save(token, before); status != http.StatusOK {
				t.Fatalf("refused: %d %+v", status, p)
			}
			before = petrova.read()
			refused(t, petrova, token, guard.Changed)
		})
	})

	t.Run("is refused where the lock was lost between check and write", func(t *testing.T) {
		m := editlock.NewManager(memory.New(nil), nil)
		t.Cleanup(func() { _ = m.Close() })
		srv := httptest.NewServer(demo.New(believer{m}, nil))
		t.Cleanup(srv.Close)
		d := desk{srv.URL, m}
		b := d.browser(t, "Ivanov")
		text := b.read()
		if status, p := b.save(7, text); status != http.StatusOK {
			t.Fatalf("refused: %d %+v", status, p)
		}
		text = b.read()
		if status, p := b.save(6, text); status != http.StatusConflict || p.Code != wire.Lost {
			t.Errorf("got %d %+v", status, p)
		}
	})

	t.Run("says so when the locks can't be reached", func(t *testing.T) {
		d := open(t)
		b := d.browser(t, "Ivanov")
		text := b.read()
		_ = d.locker.Close()
		if status, p := b.save(1, text); status != http.StatusServiceUnavailable || p.Code != wire.Unavailable {
			t.Errorf("got %d %+v", status, p)
		}
	})
}

// believer is a Locker that finds every token in force.
type believer struct{ editlock.Locker }

func (believer) Capture(context.Context, editlock.ID, *editlock.CaptureOptions) (editlock.Mutex, error) {
	return editlock.Mutex{}, nil
}

func TestSave_BadInput(t *testing.T) {
	b := open(t).browser(t, "Ivanov")
	token := strconv.FormatUint(uint64(b.capture()), 10)
	before := b.read()
	body := func(change func(fields map[string]string)) string {
		rev := b.read()
		change(rev.Fields)
		out, err := json.Marshal(map[string]any{"version": rev.Version, "fields": rev.Fields})
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	set := func(name, value string) string {
		return body(func(f map[string]string) { f[name] = value })
	}
	good := body(func(map[string]string) {})
	const jsonType = "application/json"
	for name, c := range map[string]struct{ token, contentType, body, field string }{
		"no token":                 {"", jsonType, good, "Editlock-Token"},
		"a token of zero":          {"0", jsonType, good, "Editlock-Token"},
		"a token that is none":     {"7x", jsonType, good, "Editlock-Token"},
		"another content type":     {token, "text/plain", good, "Content-Type"},
		"a body that is none":      {token, jsonType, "{", "body"},
		"a body cut short":         {token, jsonType, good[:len(good)/2], "body"},
		"a body that goes on":      {token, jsonType, good + "{}", "body"},
		"an unknown member":        {token, jsonType, `{"version":1,"fields":{},"x":1}`, "body"},
		"a body too large":         {token, jsonType, set("note", strings.Repeat("x", 70<<10)), "body"},
		"no fields":                {token, jsonType, `{"version":1}`, "fields.title"},
		"a field missing":          {token, jsonType, body(func(f map[string]string) { delete(f, "due") }), "fields.due"},
		"an unknown field":         {token, jsonType, set("colour", "red"), "fields.colour"},
		"a field too long":         {token, jsonType, set("title", strings.Repeat("я", 121)), "fields.title"},
		"a control character":      {token, jsonType, set("party", "a\x00b"), "fields.party"},
		"two lines in a line":      {token, jsonType, set("party", "a\nb"), "fields.party"},
		"a choice that is none":    {token, jsonType, set("status", "signed"), "fields.status"},
		"a date that is no date":   {token, jsonType, set("due", "2026-02-30"), "fields.due"},
		"a field of another type":  {token, jsonType, `{"version":1,"fields":{"title":7}}`, "body"},
		"a version that is no one": {token, jsonType, `{"version":"1","fields":{}}`, "body"},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.post(c.token, c.contentType, c.body)
			if p := r.problem(t); r.status != http.StatusBadRequest || p.Code != wire.Invalid || p.Field != c.field {
				t.Errorf("got %d %+v, want 400 with field %s", r.status, p, c.field)
			}
		})
	}
	if diff := cmp.Diff(before, b.read()); diff != "" {
		t.Errorf("the document changed: %s", diff)
	}
}
