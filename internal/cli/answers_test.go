package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// answered is an answer, read to its end unless it is a stream.
type answered struct {
	status int
	header http.Header
	body   string
}

// call sends a request, and follows no redirect.
func (s *served) call(t *testing.T, method, path, body string, header http.Header) answered {
	t.Helper()
	return s.send(t, method, path, body, int64(len(body)), header)
}

// callInPieces is call with a body whose length is not stated.
func (s *served) callInPieces(t *testing.T, method, path, body string, header http.Header) answered {
	t.Helper()
	return s.send(t, method, path, body, -1, header)
}

func (s *served) send(t *testing.T, method, path, body string, length int64, header http.Header) answered {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = length
	r.Header = header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Host = r.Header.Get("Host") // empty: that of the address
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	} else if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	if to, err := res.Location(); err == nil && to.Host == r.URL.Host { // relative: as a browser takes it
		res.Header.Set("Location", to.RequestURI())
	}
	if res.Header.Get("Content-Type") == "text/event-stream" {
		return answered{res.StatusCode, res.Header, ""}
	}
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{res.StatusCode, res.Header, string(data)}
}

// operate does something as the operator, and reads the answer.
func (d *deployment) operate(t *testing.T, s *served, method, path string, in, out any) {
	t.Helper()
	body := ""
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		body = string(data)
	}
	got := s.call(t, method, path, body, bearerOf(d.operator))
	if got.status != http.StatusOK {
		t.Fatalf("%s %s of the operator: %d %s", method, path, got.status, got.body)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(got.body), out); err != nil {
			t.Fatal(err)
		}
	}
}

func bearerOf(secret string) http.Header {
	return http.Header{"Authorization": {"Bearer " + secret}}
}

func cookieOf(value string) http.Header {
	return http.Header{"Cookie": {loginCookie + "=" + value}}
}

// hold captures a mutex of group docs for an owner, and returns its token.
func (d *deployment) hold(t *testing.T, s *served, id string, o editlock.Owner) uint64 {
	t.Helper()
	return d.holdBy(t, s, id, o, bearerOf(d.operator))
}

// own captures a mutex of group docs for a caller, whose session counts within
// its realm only.
func (d *deployment) own(t *testing.T, id string, c *caller) uint64 {
	t.Helper()
	switch {
	case c.issuer != "":
		return d.holdBy(t, c.at, id, c.owner, bearerOf(d.issuers[c.issuer]))
	case strings.HasPrefix(c.owner.Session, "login:"):
		return d.holdBy(t, c.at, id, c.owner, c.header)
	}
	return d.hold(t, c.at, id, c.owner)
}

func (d *deployment) holdBy(t *testing.T, s *served, id string, o editlock.Owner, header http.Header) uint64 {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"mutex": map[string]string{"group": "docs", "id": id},
		"owner": map[string]string{"session": o.Session, "user_id": o.UserID, "name": o.Name},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Mutex struct{ Token uint64 } }
	answer := s.call(t, "POST", "/v1/capture", string(body), header)
	if answer.status != http.StatusOK || json.Unmarshal([]byte(answer.body), &got) != nil {
		t.Fatalf("a capture for %+v: %d %s", o, answer.status, answer.body)
	}
	return got.Mutex.Token
}

// state is all that a server's store holds, but for the time of looking, and
// the number of the last thing that happened.
func (d *deployment) state(t *testing.T, s *served) string {
	t.Helper()
	var list struct {
		Mutexes []map[string]any
		Next    *string `json:"next_cursor"`
	}
	var past struct{ Entries []struct{ Seq uint64 } }
	d.operate(t, s, "GET", "/v1/mutexes?limit=1000", nil, &list)
	d.operate(t, s, "GET", "/v1/history?limit=1", nil, &past)
	if list.Next != nil {
		t.Fatal("this needs another page")
	}
	for _, m := range list.Mutexes {
		delete(m, "as_of")
		delete(m, "expires_in_s")
	}
	return fmt.Sprint(past.Entries, list.Mutexes)
}
