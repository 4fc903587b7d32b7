package cli

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/config"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/store/memory"
)

// lines are what a logger has written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// The manager shows each reader what they may see, although all are shown from
// one reading of the store.
func TestManager_ShowsWhatItsReaderMaySee(t *testing.T) {
	dir := t.TempDir()
	secret := strings.Repeat("s", 32)
	for name, text := range map[string]string{"secret": secret, "editlock.toml": `
[[issuer]]
name = "app"
audience = "editlock"
secret_file = "secret"
[[rule]]
groups = ["docs"]
rights = ["read", "use"]
group = "docs"
mode = "*"
[[rule]]
groups = ["bills"]
rights = ["read", "use", "history"]
group = "bills"
mode = "*"
[[link]]
group = "doc*"
mode = ""
url = "https://docs.example/{group}?id={id}"
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var audit lines
	log := slog.New(slog.NewTextHandler(&audit, nil))
	conf, err := config.Load(filepath.Join(dir, "editlock.toml"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	sec, err := openSecurity(conf, log)
	if err != nil {
		t.Fatal(err)
	}
	locks := editlock.NewManager(memory.New(nil), nil)
	defer func() { _ = locks.Close() }()
	for _, group := range []string{"docs", "bills"} {
		ctx := editlock.WithOwner(t.Context(), editlock.Owner{Session: "holder-of-" + group, UserID: "holder-of-" + group, Name: "Holder of " + group})
		if _, err := locks.Capture(ctx, editlock.ID{Group: group, ID: "secret-of-" + group}, nil); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(sec.manager(sec.api(locks, log), locks, false, log))
	defer server.Close()
	get := func(path string, groups ...string) (int, string) {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", server.URL+path, nil)
		if groups != nil {
			token, err := auth.Mint([]byte(secret), auth.PageToken{
				Issuer: "app", Audience: "editlock", Owner: editlock.Owner{UserID: "reader"}, Groups: groups,
			})
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	for _, test := range []struct {
		path         string
		groups       []string
		status       int
		docs, others bool // shows what is of the group docs, of bills
	}{
		{"/", nil, 401, false, false},
		{"/", []string{"docs"}, 200, true, false},
		{"/", []string{"bills"}, 200, false, true},
		{"/", []string{"docs", "bills"}, 200, true, true},
		{"/", []string{"none"}, 200, false, false},
		{"/ui/lock?id=docs%2F%2Fsecret-of-docs", []string{"docs"}, 200, true, false},
		{"/ui/lock?id=docs%2F%2Fsecret-of-docs", []string{"bills"}, 403, false, false},
		{"/ui/history", []string{"docs"}, 403, false, false},
		{"/ui/history", []string{"bills"}, 200, false, true},
		{"/ui/person?who=u:holder-of-bills", []string{"bills"}, 200, false, true},
		{"/?sort=-who&page=2", []string{"docs"}, 200, true, false},
		{"/ui/history.csv", nil, 401, false, false},
		{"/ui/history.csv", []string{"docs"}, 403, false, false},
		{"/ui/history.csv?group=docs", []string{"docs", "bills"}, 200, false, false},
		{"/ui/history.csv", []string{"docs", "bills"}, 200, false, true},
		{"/ui/history.json?q=holder", []string{"bills"}, 200, false, true},
	} {
		t.Run(test.path+" for "+strings.Join(test.groups, ","), func(t *testing.T) {
			status, body := get(test.path, test.groups...)
			docs, others := strings.Contains(body, "Holder of docs"), strings.Contains(body, "Holder of bills")
			if status != test.status || docs != test.docs || others != test.others {
				t.Errorf("got %d, docs %t, bills %t", status, docs, others)
			}
		})
	}
	if _, body := get("/", "docs", "bills"); strings.Count(body, `href="https://`) != 1 || !strings.Contains(body, `href="https://docs.example/docs?id=secret-of-docs"`) {
		t.Error("the list does not lead to the records of locks that have a link, and no others'")
	}
	before := audit.count("decision=forbidden")
	for _, path := range []string{"/ui/lock?id=docs%2F%2Fsecret-of-docs", "/ui/person?who=u:holder-of-docs"} {
		if status, body := get(path, "docs"); status != 200 || !strings.Contains(body, "You are not allowed to see the history") {
			t.Errorf("%s without the right to the history: %d", path, status)
		}
	}
	if n := audit.count("decision=forbidden") - before; n != 0 {
		t.Errorf("pages that are kept current write %d refusals to the audit log", n)
	}
}
