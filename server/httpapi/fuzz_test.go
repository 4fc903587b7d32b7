package httpapi_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

// fuzz sends bodies to an address. Whatever they are, the answer is 200, or a
// well-formed problem that blames the body or somebody else's lock.
func fuzz(f *testing.F, path string, seeds ...string) {
	m := editlock.NewManager(memory.New(nil), nil)
	f.Cleanup(func() { _ = m.Close() })
	h := httpapi.New(m, nil)
	for _, seed := range append(seeds, ``, `{}`, `null`, `{"mutex":`, "\xff", `{"mutex":{"id":"\ud800"}}`, body(ivanov, ""), body(petrova, `"x":1`)) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.Contains(string(data), "wait") {
			return // may take its time
		}
		r := httptest.NewRequestWithContext(t.Context(), "POST", path, strings.NewReader(string(data)))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%q is answered with %q", data, w.Body)
		}
		if w.Code == 200 {
			return
		}
		var p wire.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || w.Header().Get("Content-Type") != wire.ProblemType {
			t.Fatalf("%q is answered with %d %s", data, w.Code, w.Body)
		}
		switch p.Code {
		case wire.Invalid:
			if p.Field == "" {
				t.Fatalf("%q is invalid, but what of it: %s", data, w.Body)
			}
		case wire.Busy, wire.Lost, wire.NotHeld, wire.TooLarge:
		default:
			t.Fatalf("%q is answered with %d %s", data, w.Code, w.Body)
		}
	})
}

func FuzzCaptureBody(f *testing.F) {
	fuzz(f, "/v1/capture",
		body(ivanov, `"status_data":"x","auto_release":{"idle":"300s","max_hold":"8h"},"if":{"free":true},"grant_after":"5m"`),
		body(ivanov, `"auto_release":{"never":true},"if":{"token":7}`), body(petrova, `"if":{"status_data":""},"message":"x"`),
		`{"mutexes":[{"id":"1"},{"group":"g","mode":"m","id":"2"}],"owner":`+ivanov+`}`)
}

func FuzzRefreshBody(f *testing.F) {
	fuzz(f, "/v1/refresh",
		`{"items":[{"mutex":`+doc+`,"token":1,"status_data":"x","auto_release":{"idle":"1h"}}]}`,
		`{"owner":`+ivanov+`,"items":[{"mutex":{"id":"1"},"token":9007199254740991},{"mutex":{"id":"2"},"token":0}]}`)
}

func FuzzReleaseBody(f *testing.F) {
	fuzz(f, "/v1/release", body(ivanov, `"if":{"token":7}`), `{"mutexes":[{"id":"1"}],"owner":`+ivanov+`}`)
}

func FuzzTakeoverBody(f *testing.F) {
	fuzz(f, "/v1/takeover", body(petrova, `"seen_token":7,"reason":"left early","status_data":"x","auto_release":{"never":true}`))
}
