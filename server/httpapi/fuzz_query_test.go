package httpapi_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

// answered checks that an answer is a 200 or a well-formed problem of the
// caller's making.
func answered(t *testing.T, w *httptest.ResponseRecorder, to string) {
	t.Helper()
	if w.Code == http.StatusOK {
		return
	}
	var p wire.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || w.Code >= 500 {
		t.Fatalf("%q is answered with %d %s", to, w.Code, w.Body)
	}
	if p.Code == wire.Invalid && p.Field == "" {
		t.Fatalf("%q is invalid, but what of it: %s", to, w.Body)
	}
}

// FuzzQuery is of what stands in an address: filters, times, limits, cursors.
func FuzzQuery(f *testing.F) {
	m := editlock.NewManager(memory.New(nil), nil)
	f.Cleanup(func() { _ = m.Close() })
	h := httpapi.New(m, nil)
	for _, id := range []string{"1", "2", "3"} {
		ctx := editlock.WithOwner(context.Background(), editlock.Owner{Session: "s" + id})
		if _, err := m.Capture(ctx, editlock.ID{Group: "docs", ID: id}, nil); err != nil {
			f.Fatal(err)
		}
	}
	for path, at := range map[uint8]string{0: "/v1/mutexes?limit=1", 1: "/v1/history?limit=1"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", at, nil))
		var page struct {
			Next string `json:"next_cursor"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || page.Next == "" {
			f.Fatalf("%s: %s", at, w.Body)
		}
		f.Add(path, "limit=1&cursor="+page.Next)
	}
	for _, seed := range []string{
		"", "group=docs&mode=&limit=1", "limit=-1", "limit=99999999999999999999", "cursor=%00", "cursor=AAAA", "text=%ff", "a=1;b=2", "%zz",
		"group=docs&id=1&kind=CAPTURE,RELEASE&from=2025-11-22T12:04:00Z&to=9999-12-31T23:59:59Z", "from=0000-01-01T00:00:00Z", "after=18446744073709551615",
		"user_id=a&user_id=b", "session=x&after=1",
	} {
		for path := range uint8(3) {
			f.Add(path, seed)
		}
	}
	paths := []string{"/v1/mutexes", "/v1/history", "/v1/events"}
	f.Fuzz(func(t *testing.T, path uint8, query string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, "GET", paths[int(path)%len(paths)], nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		if path%3 == 2 {
			h.ServeHTTP(&hangsUp{w, cancel}, r)
		} else {
			h.ServeHTTP(w, r)
		}
		answered(t, w, query)
	})
}

// hangsUp is a listener who has heard enough with the first piece.
type hangsUp struct {
	*httptest.ResponseRecorder
	cancel context.CancelFunc
}

func (h *hangsUp) Write(b []byte) (int, error) {
	h.cancel()
	return h.ResponseRecorder.Write(b)
}

// FuzzHeaders is of the headers that the API reads.
func FuzzHeaders(f *testing.F) {
	secret, err := auth.Secret(pageSecret)
	if err != nil {
		f.Fatal(err)
	}
	token, err := auth.Mint(pageSecret, auth.PageToken{Issuer: pageIssuer, Audience: audience, Lifetime: 24 * time.Hour, Owner: editlock.Owner{UserID: "ivanov"}, Groups: []string{"editors"}})
	if err != nil {
		f.Fatal(err)
	}
	m := editlock.NewManager(memory.New(nil), nil)
	f.Cleanup(func() { _ = m.Close() })
	log := slog.New(slog.DiscardHandler)
	api := httpapi.New(m, &httpapi.Options{
		Authenticator: &auth.Chain{Tokens: auth.NewTokens(&auth.Issuer{Name: pageIssuer, Audience: audience, Keys: auth.FixedKeys{secret}})},
		Access:        access.New(policy, access.Limits{}, log), Logger: log,
	})
	h := httpapi.Front(api, &httpapi.FrontOptions{Origins: []string{"https://app.example"}})
	for _, seed := range []string{
		"", "\x00", "ключ", strings.Repeat("k", 300), "Bearer ", "Bearer a.b.c", "Basic Og==", "Bearer elk_aaaaaaaaaa_00", "18446744073709551616", "-1",
		"application/json; charset=utf-8; charset=x", `text/plain;charset="`, "198.51.100.9, ,::1", "https://app.example", "null",
	} {
		for name := range uint8(8) {
			f.Add(name, seed)
		}
	}
	names := []string{
		"Authorization", "Idempotency-Key", "Last-Event-ID", "Content-Type", "Content-Encoding", "X-Request-Id", "Origin", "Cookie",
	}
	f.Fuzz(func(t *testing.T, name uint8, value string) {
		header := names[int(name)%len(names)]
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, "POST", "/v1/capture", strings.NewReader(`{"mutex":{"group":"docs","id":"1"}}`))
		if header == "Last-Event-ID" {
			r = httptest.NewRequestWithContext(ctx, "GET", "/v1/events", nil)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(header, value)
		w := httptest.NewRecorder()
		if header == "Last-Event-ID" {
			h.ServeHTTP(&hangsUp{w, cancel}, r)
		} else {
			h.ServeHTTP(w, r)
		}
		answered(t, w, header+": "+value)
		if strings.ContainsAny(w.Header().Get("X-Request-Id"), " \r\n\"") {
			t.Fatalf("X-Request-Id %q", w.Header().Get("X-Request-Id"))
		}
	})
}

func FuzzOtherBodies(f *testing.F) {
	m := editlock.NewManager(memory.New(nil), nil)
	f.Cleanup(func() { _ = m.Close() })
	h := httpapi.New(m, nil)
	paths := []string{"request", "force-release", "release-session", "hand-over", "decline"}
	for i := range uint8(5) {
		f.Add(i, `{"mutex":`+doc+`,"owner":`+ivanov+`}`)
		f.Add(i, `{"mutex":`+doc+`,"owner":`+ivanov+`,"seen_token":1,"reason":"left early"}`)
		f.Add(i, `{"session":"s","owner":`+ivanov+`}`)
		f.Add(i, `{"mutex":`+doc+`,"owner":`+ivanov+`,"waiter":"w","message":"no"}`)
	}
	f.Fuzz(func(t *testing.T, path uint8, data string) {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/"+paths[int(path)%len(paths)], strings.NewReader(data))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		answered(t, w, data)
	})
}
