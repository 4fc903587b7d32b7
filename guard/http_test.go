package guard_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/guard"
	"github.com/editlock/editlock/store/memory"
)

var report = editlock.ID{Group: "reports", Mode: "edit", ID: "42"}

func owner(session string) editlock.Owner {
	return editlock.Owner{Session: session, UserID: session, Name: session}
}

func TestMiddleware(t *testing.T) {
	m := editlock.NewManager(memory.New(nil), nil)
	t.Cleanup(func() { _ = m.Close() })
	ann, err := m.Capture(editlock.WithOwner(t.Context(), owner("ann")), report, nil)
	if err != nil {
		t.Fatal(err)
	}
	bob, err := m.Takeover(editlock.WithOwner(t.Context(), owner("bob")), report, ann.Token, "urgent", nil)
	if err != nil {
		t.Fatal(err)
	}
	hold := func(id editlock.ID, sharing editlock.Sharing) string {
		t.Helper()
		got, err := m.Capture(editlock.WithOwner(t.Context(), owner("ann")), id, &editlock.CaptureOptions{Sharing: sharing})
		if err != nil {
			t.Fatal(err)
		}
		return strconv.FormatUint(uint64(got.Token), 10)
	}
	reading := hold(editlock.ID{Group: "reports", Mode: "edit", ID: "44"}, editlock.Shared)
	part := hold(editlock.ID{Group: "reports", Mode: "edit", ID: "45", Part: "summary"}, editlock.Exclusive)
	all := hold(editlock.ID{Group: "drafts", Below: true}, editlock.Exclusive)
	written := editlock.Token(0)
	h := guard.Middleware(m, func(r *http.Request) (editlock.ID, error) {
		if r.URL.Path == "/nothing" {
			return editlock.ID{}, &editlock.InvalidError{Field: "path", Problem: "names no report"}
		}
		group := "reports"
		if r.URL.Query().Has("draft") {
			group = "drafts"
		}
		return editlock.ID{Group: group, Mode: "edit", ID: r.URL.Path[1:]}, nil
	})(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		written, _ = guard.Token(r.Context())
	}))
	for _, tt := range []struct {
		name, path, token string
		status            int
		code, holder      string
	}{
		{"refused without the header", "/42", "", 428, "invalid", ""},
		{"refused with what is no number", "/42", "seven", 400, "invalid", ""},
		{"refused with zero", "/42", "0", 400, "invalid", ""},
		{"refused with the token of the holder before, and told who holds it", "/42", strconv.FormatUint(uint64(ann.Token), 10), 409, "lost", "bob"},
		{"refused if nobody holds it", "/43", strconv.FormatUint(uint64(bob.Token), 10), 409, "lost", ""},
		{"refused with that of a shared hold", "/44", reading, 409, "lost", "ann"},
		{"refused with that of a part", "/45", part, 409, "lost", ""},
		{"let through with that of all that is above", "/46?draft", all, 200, "", ""},
		{"refused where the request names no mutex", "/nothing", "1", 400, "invalid", ""},
		{"let through with the token in force", "/42", strconv.FormatUint(uint64(bob.Token), 10), 200, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			written = 0
			r := httptest.NewRequest(http.MethodPut, tt.path, nil)
			if tt.token != "" {
				r.Header.Set(guard.Header, tt.token)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if tt.status == http.StatusOK {
				if strconv.FormatUint(uint64(written), 10) != tt.token {
					t.Errorf("the handler saw token %d, want %s", written, tt.token)
				}
				return
			}
			var p struct {
				Code   string
				Holder *struct{ Owner struct{ Session string } }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatal(err)
			}
			holder := ""
			if p.Holder != nil {
				holder = p.Holder.Owner.Session
			}
			if p.Code != tt.code || holder != tt.holder || written != 0 || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("code %q, holder %q, written %d: %s", p.Code, holder, written, w.Body)
			}
		})
	}
	t.Run("is unavailable while the store is", func(t *testing.T) {
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPut, "/42", nil)
		r.Header.Set(guard.Header, strconv.FormatUint(uint64(bob.Token), 10))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	})
}

func TestCheck_RefusesWhatIsNoToken(t *testing.T) {
	for _, token := range []editlock.Token{0, 1 << 63} {
		if err := guard.SQLite("").Check(t.Context(), nil, report, token); !errors.Is(err, editlock.ErrInvalid) {
			t.Errorf("SQLite, token %d: %v", token, err)
		}
		if err := guard.Postgres("").Check(t.Context(), nil, report, token); !errors.Is(err, editlock.ErrInvalid) {
			t.Errorf("Postgres, token %d: %v", token, err)
		}
	}
	if err := guard.SQLite("").Check(t.Context(), nil, editlock.ID{}, 1); !errors.Is(err, editlock.ErrInvalid) {
		t.Errorf("without an ID: %v", err)
	}
}

// Every client sends the token as testdata/guard/contract.json says; the
// Django guard and the clients are held to the same file.
func TestMiddleware_ReadsWhatEveryClientSends(t *testing.T) {
	var contract struct {
		Header string
		Cases  []struct {
			Name, Token      string
			Saved, Malformed bool
		}
	}
	data, err := os.ReadFile("../testdata/guard/contract.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &contract); err != nil {
		t.Fatal(err)
	}
	m := editlock.NewManager(memory.New(nil), nil)
	t.Cleanup(func() { _ = m.Close() })
	ctx := editlock.WithOwner(t.Context(), owner("ann"))
	stale, err := m.Capture(ctx, report, nil)
	if err != nil {
		t.Fatal(err)
	}
	current, err := m.Takeover(ctx, report, stale.Token, "again", nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{
		"current": strconv.FormatUint(uint64(current.Token), 10), "stale": strconv.FormatUint(uint64(stale.Token), 10),
	}
	for _, tt := range contract.Cases {
		t.Run(tt.Name, func(t *testing.T) {
			saved := false
			save := guard.Middleware(m, func(*http.Request) (editlock.ID, error) { return report, nil })(
				http.HandlerFunc(func(http.ResponseWriter, *http.Request) { saved = true }))
			r := httptest.NewRequest(http.MethodPut, "/42", nil)
			if token, known := tokens[tt.Token]; known {
				tt.Token = token
			}
			r.Header.Set(contract.Header, tt.Token)
			w := httptest.NewRecorder()
			save.ServeHTTP(w, r)
			if saved != tt.Saved || (w.Code == http.StatusBadRequest) != tt.Malformed {
				t.Errorf("saved: %v, want %v; status %d", saved, tt.Saved, w.Code)
			}
		})
	}
}
