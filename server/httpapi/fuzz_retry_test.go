package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

// FuzzIdempotencyKey is of the keys of captures: one that is refused captures
// nothing; under one that is taken, the second time is the first, and
// another's is their own.
func FuzzIdempotencyKey(f *testing.F) {
	for _, seed := range []string{"a", "", " ", "\x00", "ключ", strings.Repeat("k", 255), strings.Repeat("k", 256), "\xff", "a,b", "\"q\"", "a:b/c 1"} {
		f.Add(seed, seed+"2")
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, key, others string) {
		m := editlock.NewManager(memory.New(nil), nil)
		defer func() { _ = m.Close() }()
		h := httpapi.New(m, nil)
		capture := func(owner string, keys ...string) (token uint64, p wire.Problem) {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/capture", strings.NewReader(body(owner, "")))
			r.Header["Content-Type"], r.Header["Idempotency-Key"] = []string{"application/json"}, keys
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			answered(t, w, key)
			var got wire.CaptureAnswer
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatal(err)
			}
			if w.Code != 200 {
				return 0, p
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Mutex == nil || got.Mutex.Token == 0 {
				t.Fatalf("%s, %v", w.Body, err)
			}
			return got.Mutex.Token, p
		}
		held := func() int {
			page, err := m.List(t.Context(), editlock.Query{})
			if err != nil {
				t.Fatal(err)
			}
			return len(page.Mutexes)
		}
		if token, p := capture(ivanov, key, others); token != 0 || p.Field != "Idempotency-Key" || held() != 0 {
			t.Fatalf("two keys: %+v, held %d", p, held())
		}
		first, p := capture(ivanov, key)
		if first == 0 {
			if p.Code != wire.Invalid || p.Field != "Idempotency-Key" || held() != 0 {
				t.Fatalf("%q is refused with %+v, held %d", key, p, held())
			}
			return
		}
		if second, p := capture(ivanov, key); second != first {
			t.Fatalf("%q captures %d, and again %d, %+v", key, first, second, p)
		}
		if token, p := capture(petrova, key); token != 0 || p.Code != wire.Busy {
			t.Fatalf("%q lets another capture %d, %+v", key, token, p)
		}
		if history, err := m.History(t.Context(), editlock.HistoryQuery{}); err != nil || len(history.Entries) != 1 {
			t.Fatalf("%q: %+v, %v", key, history, err)
		}
	})
}

// FuzzLastEventID is of where streams of events resume: behind the event of
// that number, or nowhere.
func FuzzLastEventID(f *testing.F) {
	for _, seed := range []string{"1", "2", "0", "3", "4", "-1", "+1", "01", "9007199254740992", "18446744073709551615", "1 ", "٣", "1\x00", "0x1", "1_0"} {
		f.Add(seed, "")
		f.Add("", seed)
		f.Add(seed, "1")
	}
	m := editlock.NewManager(memory.New(nil), nil)
	f.Cleanup(func() { _ = m.Close() })
	h := httpapi.New(m, nil)
	const events = 3
	for i := range events {
		if _, err := m.Capture(editlock.WithOwner(context.Background(), editlock.Owner{Session: "s"}), editlock.ID{ID: strconv.Itoa(i)}, nil); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, last, after string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, "GET", "/v1/events", nil)
		q := r.URL.Query()
		q.Set("after", after)
		r.URL.RawQuery = q.Encode()
		r.Header["Last-Event-Id"] = []string{last}
		w := httptest.NewRecorder()
		h.ServeHTTP(&hangsUp{w, cancel}, r)

		field, text := "Last-Event-ID", last
		if last == "" {
			field, text = "after", after
		}
		from, err := strconv.ParseUint(text, 10, 53)
		if err == nil && from > events {
			field = "after" // its number is what is wrong
		}
		if text != "" && (err != nil || from > events) {
			var p wire.Problem
			if json.Unmarshal(w.Body.Bytes(), &p) != nil || p.Code != wire.Invalid || p.Field != field {
				t.Fatalf("%s %q is answered with %d %s", field, text, w.Code, w.Body)
			}
			return
		}
		if w.Code != 200 {
			t.Fatalf("%s %q is answered with %d %s", field, text, w.Code, w.Body)
		}
		for line := range bytes.Lines(w.Body.Bytes()) {
			id, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("id: "))
			if n, err := strconv.ParseUint(string(id), 10, 64); ok && (err != nil || text == "" && n != events || text != "" && n < from) {
				t.Fatalf("behind %s %q comes %q", field, text, id)
			}
		}
	})
}
