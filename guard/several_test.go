package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/guard"
	"github.com/editlock/editlock/store/memory"
)

func partOf(id editlock.ID, part string) editlock.ID {
	id.Part = part
	return id
}

// testSeveral saves two parts in one transaction.
func testSeveral(t *testing.T, w *world) {
	address := capture(t, w.locks, "ann", partOf(report, "address"))
	lines := capture(t, w.locks, "ann", partOf(report, "lines"))
	both := []guard.Held{{ID: lines.ID, Token: lines.Token}, {ID: address.ID, Token: address.Token}}
	save := func(text string, held []guard.Held, between func()) error {
		tx, err := w.db.BeginTx(t.Context(), nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if err := w.all(t.Context(), tx, held); err != nil {
			return err
		}
		between()
		if _, err := tx.ExecContext(t.Context(), "UPDATE report SET text = '"+text+"'"); err != nil {
			return err
		}
		return tx.Commit()
	}
	if err := save("both", both, func() {
		// Until the transaction ends nobody takes either part.
		for _, m := range []editlock.Mutex{address, lines} {
			ctx, cancel := context.WithTimeout(editlock.WithOwner(t.Context(), owner("bob")), 200*time.Millisecond)
			_, err := w.locks.Takeover(ctx, m.ID, m.Token, "urgent", nil)
			cancel()
			if err == nil {
				t.Errorf("%v is taken over within the transaction that guards it", m.ID)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.locks.Release(editlock.WithOwner(t.Context(), owner("ann")), lines.ID, editlock.Condition{}); err != nil {
		t.Fatal(err)
	}
	var lost *editlock.LostError
	if err := save("stale", both, func() {}); !errors.As(err, &lost) || lost.ID != lines.ID {
		t.Errorf("with one of two tokens lost: %v, want ErrLost of %v", err, lines.ID)
	}
	if err := save("one", both[1:], func() {}); err != nil {
		t.Errorf("the part that is still held: %v", err)
	}
	if err := save("none", nil, func() {}); !errors.Is(err, editlock.ErrInvalid) {
		t.Errorf("without any token: %v, want ErrInvalid", err)
	}
	if got := w.text(); got != "one" {
		t.Errorf("the text is %q", got)
	}
}

func TestParseHeld(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []guard.Held
		ok   bool
	}{
		{"", nil, true},
		{"7", []guard.Held{{report, 7}}, true},
		{"address=7, lines=9", []guard.Held{{partOf(report, "address"), 7}, {partOf(report, "lines"), 9}}, true},
		{"a%2Cb%3D%25=7", []guard.Held{{partOf(report, "a,b=%"), 7}}, true},
		{"%D0%B0=7", []guard.Held{{partOf(report, "а"), 7}}, true},
		{"=7", nil, false},
		{"a=", nil, false},
		{"a=0", nil, false},
		{"a=-1", nil, false},
		{"a=7,", nil, false},
		{"a=7,a=8", nil, false},
		{"%zz=7", nil, false},
		{"a=9223372036854775808", nil, false},
		{"%00=7", nil, false},
	} {
		got, err := guard.ParseHeld(report, tt.text)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, editlock.ErrInvalid) || !slices.Equal(got, tt.want) {
			t.Errorf("%q: %v, %v, want %v", tt.text, got, err, tt.want)
		}
	}
}

func TestPartsMiddleware(t *testing.T) {
	m := editlock.NewManager(memory.New(nil), nil)
	t.Cleanup(func() { _ = m.Close() })
	for _, part := range []string{"address", "lines"} { // tokens 1 and 2
		if _, err := m.Capture(editlock.WithOwner(t.Context(), owner("ann")), partOf(report, part), nil); err != nil {
			t.Fatal(err)
		}
	}
	var saved []guard.Held
	h := guard.PartsMiddleware(m, func(*http.Request) (editlock.ID, error) { return report, nil })(
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { saved = guard.AllHeld(r.Context()) }))
	for _, tt := range []struct {
		header string
		status int
		parts  int
		lost   string
	}{
		{"", http.StatusPreconditionRequired, 0, ""},
		{"address=1,lines=2", http.StatusOK, 2, ""},
		{"lines=2", http.StatusOK, 1, ""},
		{"address=1,lines=9", http.StatusConflict, 0, "lines"},
		{"1", http.StatusConflict, 0, ""}, // a part's token is not the whole's
		{"address", http.StatusBadRequest, 0, ""},
	} {
		saved = nil
		r := httptest.NewRequest(http.MethodPut, "/", http.NoBody)
		if tt.header != "" {
			r.Header.Set(guard.Header, tt.header)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var p struct {
			Mutex struct{ Part string }
		}
		if w.Code != http.StatusOK {
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatal(err)
			}
		}
		if w.Code != tt.status || len(saved) != tt.parts || p.Mutex.Part != tt.lost {
			t.Errorf("%q: status %d, %d parts, lost %q: %s", tt.header, w.Code, len(saved), p.Mutex.Part, w.Body)
		}
	}
}
