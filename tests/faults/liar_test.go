package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
)

// lie is what a server may answer instead of the truth: nil tells the truth.
// forward asks the true server.
type lie func(r *http.Request, body map[string]any, forward func() *httptest.ResponseRecorder) *httptest.ResponseRecorder

// answer is a JSON answer of a server.
func answer(v any) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
	return w
}

var lies = []struct {
	name string
	lie  lie
}{
	{"the truth", func(*http.Request, map[string]any, func() *httptest.ResponseRecorder) *httptest.ResponseRecorder {
		return nil
	}},
	{"says captured where another holds", func(r *http.Request, body map[string]any, forward func() *httptest.ResponseRecorder) *httptest.ResponseRecorder {
		if r.URL.Path != "/v1/capture" || body["mutex"] == nil {
			return nil
		}
		w := forward()
		var problem map[string]any
		_ = json.Unmarshal(w.Body.Bytes(), &problem)
		held, ok := problem["holder"].(map[string]any)
		if !ok || problem["code"] != "busy" {
			return w
		}
		held["owner"] = body["owner"]
		return answer(map[string]any{"state": "CAPTURED_BY_ME", "mutex": held})
	}},
	{"says released and does nothing", func(r *http.Request, _ map[string]any, _ func() *httptest.ResponseRecorder) *httptest.ResponseRecorder {
		if r.URL.Path != "/v1/release" {
			return nil
		}
		return answer(map[string]any{"released": true})
	}},
	{"says that nothing was released, and releases", func(r *http.Request, _ map[string]any, forward func() *httptest.ResponseRecorder) *httptest.ResponseRecorder {
		if r.URL.Path != "/v1/release" {
			return nil
		}
		if w := forward(); !strings.Contains(w.Body.String(), "true") {
			return w
		}
		return answer(map[string]any{"released": false})
	}},
	{"says free where somebody holds", func(r *http.Request, _ map[string]any, _ func() *httptest.ResponseRecorder) *httptest.ResponseRecorder {
		if r.URL.Path != "/v1/request" {
			return nil
		}
		return answer(map[string]any{"state": "FREE", "mutex": nil})
	}},
	{"refreshes and forgets the status data", func(r *http.Request, body map[string]any, forward func() *httptest.ResponseRecorder) *httptest.ResponseRecorder {
		items, ok := body["items"].([]any)
		if r.URL.Path != "/v1/refresh" || !ok {
			return nil
		}
		said := items[0].(map[string]any)["status_data"]
		if said == nil || said == "" {
			return nil
		}
		delete(items[0].(map[string]any), "status_data")
		w := forward()
		var out map[string]any
		_ = json.Unmarshal(w.Body.Bytes(), &out)
		if results, ok := out["results"].([]any); ok {
			if m, ok := results[0].(map[string]any); ok && m["status_data"] != nil {
				m["status_data"] = said
			}
		}
		return answer(out)
	}},
	{"captures and gives the mutex back at once", func(r *http.Request, body map[string]any, forward func() *httptest.ResponseRecorder) *httptest.ResponseRecorder {
		if r.URL.Path != "/v1/capture" || body["mutex"] == nil {
			return nil
		}
		w := forward()
		if w.Code == http.StatusOK {
			r.URL.Path = "/v1/release"
			maps.DeleteFunc(body, func(k string, _ any) bool { return k != "mutex" && k != "owner" })
			forward()
		}
		return w
	}},
}

// TestLiesAreFound proves that the judgement can fail: of servers that lie now
// and then, in an otherwise calm history.
func TestLiesAreFound(t *testing.T) {
	for _, l := range lies {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, "sqlite:"+t.TempDir()+"/locks.db", false)
			to, err := url.Parse(s.url)
			if err != nil {
				t.Fatal(err)
			}
			honest := httputil.NewSingleHostReverseProxy(to)
			var told atomic.Int64
			liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				said := tell(r, honest, l.lie)
				if said == nil {
					honest.ServeHTTP(w, r)
					return
				}
				told.Add(1)
				for k, v := range said.Header() {
					w.Header()[k] = v
				}
				w.Header().Del("Content-Length")
				w.WriteHeader(said.Code)
				_, _ = w.Write(said.Body.Bytes())
			}))
			t.Cleanup(liar.Close)
			through, direct := open(t, liar.URL), open(t, s.url)
			h := newHistory("lies", 12, 600, 5*time.Millisecond, through)
			h.run(t.Context(), 12)
			// A lie that nobody heard of, or that no later call came upon, can't be found.
			// Each round has mutexes of its own: a long history has no verdict in time.
			all := h.ids
			for round := 0; l.name != lies[0].name && told.Load() < 12 && round < 20; round++ {
				h.ids = ids(h.group, fmt.Sprint("more", round), 6)
				all = append(all, h.ids...)
				h.left.Store(300)
				h.run(t.Context(), 12)
			}
			h.ids = all
			h.look(t.Context(), direct)
			// The answers alone must betray it: history may be a lie itself.
			if l.name != lies[0].name {
				if linearizable(h.calls) == nil {
					t.Errorf("the answers do not betray it, in %d of them", told.Load())
				}
				return
			}
			r, err := read(t.Context(), direct, h.group)
			if err != nil {
				t.Fatal(err)
			}
			if err := judge(h.calls, r); err != nil {
				t.Error(err)
			}
		})
	}
}

// tell is what the liar says, one time in five.
func tell(r *http.Request, honest http.Handler, l lie) *httptest.ResponseRecorder {
	if r.Method != http.MethodPost || rand.IntN(5) > 0 {
		return nil
	}
	var body map[string]any
	data, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(data, &body)
	put := func(data []byte) {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	}
	forward := func() *httptest.ResponseRecorder {
		data, _ := json.Marshal(body)
		put(data)
		w := httptest.NewRecorder()
		honest.ServeHTTP(w, r)
		return w
	}
	put(data)
	return l(r, body, forward)
}

// TestForgedHistoriesAreFound proves that the judgement of the log can fail.
func TestForgedHistoriesAreFound(t *testing.T) {
	s := startServer(t, "sqlite:"+t.TempDir()+"/locks.db", false)
	c, err := client.New(s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := newHistory("forged", 12, 300, 5*time.Millisecond, c)
	h.run(t.Context(), 8)
	truth, err := read(t.Context(), c, h.group)
	if err != nil {
		t.Fatal(err)
	}
	find := func(r records, kinds ...editlock.EventKind) int {
		return slices.IndexFunc(r.entries, func(e editlock.Event) bool { return slices.Contains(kinds, e.Kind) })
	}
	for _, test := range []struct {
		name  string
		forge func(r *records)
	}{
		{"a capture is missing", func(r *records) {
			i := find(*r, editlock.KindCaptured)
			r.entries = slices.Delete(r.entries, i, i+1)
		}},
		{"a release is missing", func(r *records) {
			i := find(*r, editlock.KindReleased, editlock.KindForceReleased)
			r.entries = slices.Delete(r.entries, i, i+1)
		}},
		{"an entry is there twice", func(r *records) {
			i := find(*r, editlock.KindCaptured)
			r.entries = slices.Insert(r.entries, i, r.entries[i])
		}},
		{"the last comes first", func(r *records) {
			last := len(r.entries) - 1
			r.entries[0].Seq, r.entries[last].Seq = r.entries[last].Seq, r.entries[0].Seq
			r.entries[0], r.entries[last] = r.entries[last], r.entries[0]
		}},
		{"a token does not rise", func(r *records) {
			i := find(*r, editlock.KindCaptured)
			r.entries[i].Token = 0
		}},
		{"what is held is not listed", func(r *records) {
			for id := range r.held {
				delete(r.held, id)
				return
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			forged := records{slices.Clone(truth.entries), maps.Clone(truth.held)}
			test.forge(&forged)
			if judge(h.calls, forged) == nil {
				t.Error("not found")
			}
		})
	}
	if err := judge(h.calls, truth); err != nil {
		t.Errorf("the truth is not believed: %v", err)
	}
}
