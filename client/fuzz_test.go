package client_test

import (
	"net/http"
	"strings"
	"testing"

	"editlock"
	"editlock/client"
)

// FuzzEvents is of streams of events: what a server, or what stands in its
// place, may send. The watch ends, and gives events in their order only.
func FuzzEvents(f *testing.F) {
	for _, seed := range []string{
		"", ":\n\n", "retry: 1000\nid: 4\n\n", "id: x\n\n", "event: problem\ndata: {}\n\n", "event: problem\ndata: " + unavailableProblem + "\n\n",
		"id: 5\nevent: CAPTURE\ndata: {\"seq\":5,\"kind\":\"CAPTURE\",\"at\":\"2025-11-22T12:04:00Z\",\"mutex\":{\"group\":\"\",\"mode\":\"\",\"id\":\"1\"},\"token\":1}\n\n",
		"id: 5\nevent: gap\ndata: {\"seq\":5}\n\n", "data\n\n", "id: 18446744073709551615\n\n", "event: CAPTURE\ndata: {\ndata: }\n\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stream string) {
		asked := 0
		c, err := client.New("http://server", &client.Options{HTTPClient: &http.Client{Transport: fake(func(*http.Request) (*http.Response, error) {
			if asked++; asked > 1 {
				return respond(400, "application/problem+json", `{"code":"invalid","status":400,"title":"x","detail":"enough","field":"after"}`), nil
			}
			return respond(200, "text/event-stream", stream), nil
		})}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		var after, last uint64
		for e, err := range c.Watch(t.Context(), editlock.WatchQuery{After: &after}) {
			if err != nil {
				return
			}
			if e.Seq < last {
				t.Fatalf("%d comes after %d: %s", e.Seq, last, strings.ToValidUTF8(stream, "?"))
			}
			last = e.Seq
		}
	})
}

// FuzzAnswers is of the bodies of answers.
func FuzzAnswers(f *testing.F) {
	f.Add(200, `{"mutex":{"group":"","mode":"","id":"1","token":1},"state":"CAPTURED"}`)
	f.Add(200, `{"state":"FREE","mutex":null}`)
	f.Add(409, `{"code":"busy","status":409,"title":"x","detail":"y"}`)
	f.Add(429, `{"code":"limited","status":429}`)
	f.Add(200, `[`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 || status/100 == 3 || status >= 500 || status == 429 {
			return // those are repeated, which takes time
		}
		kind := "application/json"
		if status != 200 {
			kind = "application/problem+json"
		}
		c, err := client.New("http://server", &client.Options{HTTPClient: &http.Client{Transport: fake(func(*http.Request) (*http.Response, error) {
			return respond(status, kind, body), nil
		})}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_, m, err := c.Request(t.Context(), editlock.ID{ID: "1"})
		if err == nil && m.Token != 0 && m.ID.ID == "" {
			t.Fatalf("the token %d of no mutex: %q", m.Token, body)
		}
		if status != 200 && err == nil {
			t.Fatalf("%d %q is no error", status, body)
		}
	})
}
