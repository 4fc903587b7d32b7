package auth

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/entry"
)

// FuzzSealed is of what a browser says was sealed here: nothing else opens,
// and what does is what was sealed.
func FuzzSealed(f *testing.F) {
	s := newSealer()
	f.Add([]byte("state"), 3, byte('A'))
	f.Add([]byte{}, 0, byte('\n'))
	f.Add([]byte("0"), -1, byte('='))
	f.Fuzz(func(t *testing.T, data []byte, at int, other byte) {
		text := s.seal(data)
		if got, err := s.open(text); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%q is opened as %q, %v", data, got, err)
		}
		at = (at%len(text) + len(text)) % len(text)
		changed := text[:at] + string(other) + text[at+1:]
		if _, err := s.open(changed); err == nil && changed != text {
			t.Fatalf("%q opens as %q does", changed, text)
		}
		if _, err := s.open(text[:at]); err == nil {
			t.Fatalf("the first %d characters of %q open", at, text)
		}
		if _, err := s.open(string(data)); err == nil {
			t.Fatalf("%q opens", data)
		}
	})
}

// FuzzCallback is of what comes back from the provider's page, with any
// cookies: no login that was not begun here goes on.
func FuzzCallback(f *testing.F) {
	l, err := NewLogin(LoginOptions{Issuer: "https://id.example", PublicURL: "http://127.0.0.1:1", ClientID: "editlock"})
	if err != nil {
		f.Fatal(err)
	}
	sealed := func(b beginning) (state, cookies string) {
		data, err := json.Marshal(b)
		if err != nil {
			f.Fatal(err)
		}
		return b.State, l.beginCookie(b.State) + "=" + l.seal.seal(data)
	}
	soon := time.Now().Add(24 * time.Hour)
	good, cookies := sealed(beginning{State: random(), Until: soon})
	_, late := sealed(beginning{State: good, Until: time.Now().Add(-time.Hour)})
	_, others := sealed(beginning{State: good[:8] + random()[8:], Until: soon})
	for _, cookie := range []string{cookies, late, others, "", "=", l.sessionCookie() + "=x", l.beginCookie(good) + "=" + strings.Repeat("A", 100)} {
		for _, state := range []string{good, "", strings.Repeat("\xff", len(good)), strings.Repeat(";", len(good))} {
			f.Add(url.Values{"state": {state}}.Encode(), cookie)
		}
	}
	f.Fuzz(func(t *testing.T, query, cookie string) {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/auth/callback", nil)
		r.URL.RawQuery = query
		r.Header["Cookie"] = []string{cookie}
		w := httptest.NewRecorder()
		b, err := l.begun(w, r)
		if err != nil {
			if b != nil {
				t.Fatalf("%+v and %v", b, err)
			}
			return
		}
		if state := r.URL.Query().Get("state"); b.State != state || !time.Now().Before(b.Until) {
			t.Fatalf("%q goes on with %+v", state, b)
		}
		if c, err := r.Cookie(l.beginCookie(b.State)); err != nil || l.seal.seal(nil) == c.Value || l.caller(r) != nil {
			t.Fatalf("goes on with the cookies %q", cookie)
		}
	})
}

// FuzzLocalPath is of where to go after a login: nowhere but here, as browsers
// read addresses.
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{
		"/", "/ui/lock?id=1", "//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example", "javascript:alert(1)",
		"/%5cevil.example", "/./\\x", "/.//evil.example", "\\/x", " //x", "/\x00/x", "/a//b", "/..//evil.example",
	} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "locks.example", Path: "/auth/callback"}
	f.Fuzz(func(t *testing.T, text string) {
		to := entry.Local(text)
		if to != text && to != "/" {
			t.Fatalf("%q becomes %q", text, to)
		}
		if entry.Local(to) != to {
			t.Fatalf("%q becomes %q", to, entry.Local(to))
		}
		// Browsers drop tabs and line ends, take \ for /, and trim what is no more than a space.
		browser := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(strings.TrimFunc(to, func(c rune) bool { return c <= ' ' }))
		if !strings.HasPrefix(browser, "/") || strings.HasPrefix(browser, "//") {
			t.Fatalf("%q leads away", to)
		}
		there, err := base.Parse(to)
		if err != nil || there.Host != base.Host || there.Scheme != base.Scheme {
			t.Fatalf("%q leads to %v, %v", to, there, err)
		}
		w := httptest.NewRecorder()
		http.Redirect(w, httptest.NewRequestWithContext(t.Context(), "GET", "/auth/callback", nil), to, http.StatusSeeOther)
		if at := w.Header().Get("Location"); !strings.HasPrefix(at, "/") || strings.HasPrefix(at, "//") || strings.HasPrefix(at, "/\\") {
			t.Fatalf("%q is sent as %q", to, at)
		}
		back, err := url.Parse(LoginPath(text))
		if err != nil || back.Path != "/auth/login" || back.Query().Get("back") != to {
			t.Fatalf("%q comes back as %q", to, back)
		}
	})
}

// FuzzChangeKeys is of keys files that are changed: what is read is written
// and read again as it was, and a file that is refused stays as it is.
func FuzzChangeKeys(f *testing.F) {
	for _, seed := range []string{
		`{"keys":[{"id":"a","name":"shop","sha256":"00","created":"2025-11-22T12:04:00Z","expires":"2025-11-22T12:04:00.5+03:00","grants":[{"rights":["read"],"group":"docs","mode":"*"}],"scope":{"sessions":["*"]}}]}`,
		`{"keys":null}`, `{"keys":[]}`, `{"keys":[{"id":"a"},{"id":"a"}]}`, `{"keys":[{"id":"a"}]}{"keys":[]}`, `{"keys":[{"id":"a","rank":1}],"keys":[{"id":"b"}]}`, `null`, ``,
		`{"keys":[{"id":"a"}]} x`, `{"Keys":[{"ID":"a"}]}`,
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "keys.json")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		before, err := ReadKeys(path)
		changed := ChangeKeys(path, func(keys []Key) ([]Key, error) { return keys, nil })
		if (err == nil) != (changed == nil) {
			t.Fatalf("read: %v, changed: %v", err, changed)
		}
		if err != nil {
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, data) {
				t.Fatalf("%q became %q, %v", data, now, err)
			}
			return
		}
		ids := make(map[string]bool)
		for _, k := range before {
			if ids[k.ID] {
				t.Fatalf("two keys have the ID %q", k.ID)
			}
			ids[k.ID] = true
		}
		after, err := ReadKeys(path)
		if err != nil || !reflect.DeepEqual(asText(t, before), asText(t, after)) {
			t.Fatalf("%+v was written and read as %+v, %v", before, after, err)
		}
		rest := json.NewDecoder(bytes.NewReader(data))
		var one, more any
		if rest.Decode(&one) == nil && rest.Decode(&more) == nil {
			t.Fatalf("%v stands behind the keys and is not read", more)
		}
	})
}

func asText(t *testing.T, keys []Key) string {
	t.Helper()
	text, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(text), "null", "[]", 1)
}
