package guard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
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

// Every client sends the tokens of parts as testdata/guard/parts.json says; the Django
// guard is held to the same file.
func TestParseHeld(t *testing.T) {
	var contract struct {
		Header string
		Read   []struct {
			Text string
			Held [][2]any
		}
		Refused []string
		Most    int
	}
	data, err := os.ReadFile("../testdata/guard/parts.json")
	if err != nil {
		t.Fatal(err)
	}
	form := json.NewDecoder(bytes.NewReader(data))
	form.UseNumber()
	if err := form.Decode(&contract); err != nil {
		t.Fatal(err)
	}
	for _, tt := range contract.Read {
		var want []guard.Held
		for _, one := range tt.Held {
			part, _ := one[0].(string)
			token, err := strconv.ParseUint(fmt.Sprint(one[1]), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, guard.Held{ID: partOf(report, part), Token: editlock.Token(token)})
		}
		if got, err := guard.ParseHeld(report, tt.Text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v, want %v", tt.Text, got, err, want)
		}
	}
	var many []string
	for i := range contract.Most + 1 {
		many = append(many, fmt.Sprintf("a%d=7", i))
	}
	if got, err := guard.ParseHeld(report, strings.Join(many[1:], ",")); err != nil || len(got) != contract.Most {
		t.Errorf("%d parts: %v", len(got), err)
	}
	long := strings.Repeat("a", editlock.MaxPart+1) + "=7"
	for _, text := range append(contract.Refused, strings.Join(many, ","), long) {
		if got, err := guard.ParseHeld(report, text); !errors.Is(err, editlock.ErrInvalid) {
			t.Errorf("%.40q: %v, %v, want ErrInvalid", text, got, err)
		}
	}
	if contract.Header != guard.Header {
		t.Errorf("the header is %q", contract.Header)
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
