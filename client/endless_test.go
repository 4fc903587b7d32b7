package client_test

import (
	"net/http"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
)

// endless is a body without an end. It counts what was read of it.
type endless struct {
	text string
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.read%len(e.text):])
	e.read += n
	return n, nil
}

func (e *endless) Close() error { return nil }

func TestAWatchReadsNoAnswerWithoutEnd(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct {
		status int
		kind   string
	}{
		"an event": {200, "text/event-stream"}, "a problem": {400, "application/problem+json"}, "somebody else's 404": {404, "text/html"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := &endless{text: "data: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"}
			c, err := client.New("http://server", &client.Options{HTTPClient: &http.Client{Transport: fake(func(*http.Request) (*http.Response, error) {
				res := respond(answer.status, answer.kind, "")
				res.Body = body
				return res, nil
			})}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			for _, err := range c.Watch(t.Context(), editlock.WatchQuery{}) {
				if err == nil || body.read > 1<<20 {
					t.Fatalf("ends with %v after %d bytes", err, body.read)
				}
			}
		})
	}
}
