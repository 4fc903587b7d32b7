package locktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
)

// exchange is a request of a scenario, ready to be sent.
type exchange struct {
	method, url, key string
	body             []byte
	check            bool // answers edit/check: whether the state lets one edit
	silent           bool // answers nothing but success or the error
}

// answer is what came back.
type answer struct {
	status int
	text   string
	body   any
	err    error
}

// prepare turns a call into the exchange that it stands for.
func (r *replay) prepare(t *testing.T, s step) exchange {
	t.Helper()
	with := make(map[string]any)
	for name, value := range s.With {
		with[name] = r.fill(t, value)
	}
	if s.As != nil {
		with["owner"] = r.fill(t, s.As)
	}
	x := exchange{method: http.MethodPost, url: r.server.URL + "/v1/" + s.Call}
	if s.Key != "" {
		x.key = fmt.Sprint(r.fill(t, s.Key))
	}
	switch s.Call {
	case "mutexes", "history":
		x.method = http.MethodGet
		query := make(url.Values)
		for name, value := range with {
			query.Set(name, fmt.Sprint(value))
		}
		x.url += "?" + query.Encode()
		return x
	case "edit/check", "edit/block", "edit/refresh", "edit/release":
		x.url, with = r.editLock(s.Call, with)
		x.check, x.silent = s.Call == "edit/check", s.Call != "edit/check"
	}
	body, err := json.Marshal(with)
	if err != nil {
		t.Fatalf("%s: %v", s.Call, err)
	}
	x.body = body
	return x
}

// editLock is what an EditLock does, in plain calls.
func (r *replay) editLock(call string, with map[string]any) (url string, body map[string]any) {
	body = map[string]any{
		"owner": with["owner"],
		"mutex": map[string]any{"group": with["group"], "mode": with["mode"], "id": with["object"]},
	}
	ifMine := map[string]any{"status_data": with["request"]}
	verb := ""
	switch call {
	case "edit/check":
		verb = "request"
	case "edit/block":
		verb, body["status_data"], body["if"] = "capture", with["request"], map[string]any{"free": true}
	case "edit/refresh":
		verb, body["status_data"], body["if"] = "capture", with["request"], ifMine
	case "edit/release":
		verb, body["if"] = "release", ifMine
	}
	return r.server.URL + "/v1/" + verb, body
}

func (x exchange) send(ctx context.Context) answer {
	req, err := http.NewRequestWithContext(ctx, x.method, x.url, bytes.NewReader(x.body))
	if err != nil {
		return answer{err: err}
	}
	if x.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if x.key != "" {
		req.Header.Set("Idempotency-Key", x.key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{err: err}
	}
	got := answer{status: resp.StatusCode, text: string(text)}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&got.body); err != nil {
		got.err = fmt.Errorf("status %d: %w in %q", got.status, err, text)
		return got
	}
	if o, ok := got.body.(map[string]any); ok && x.check && got.status == http.StatusOK {
		got.body = map[string]any{"free": o["state"] != "CAPTURED_BY_OTHER"}
	} else if ok && x.silent && got.status == http.StatusOK {
		got.body = map[string]any{}
	}
	return got
}
