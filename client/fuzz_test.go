package client_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
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
		synctest.Test(t, func(t *testing.T) { watchStream(t, stream) }) // whose pauses take no time
	})
}

// watchStream reads a stream, and behind it an answer that ends the watch.
func watchStream(t *testing.T, stream string) {
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
	ended := false
	for e, err := range c.Watch(t.Context(), editlock.WatchQuery{After: &after}) {
		if ended {
			t.Fatalf("goes on behind an error: %q", stream)
		}
		if ended = err != nil; ended {
			continue
		}
		if e.Seq < last {
			t.Fatalf("%d comes after %d: %s", e.Seq, last, strings.ToValidUTF8(stream, "?"))
		}
		last = e.Seq
	}
	if !ended || asked > 2 {
		t.Fatalf("ended: %v, asked %d times: %q", ended, asked, stream)
	}
}

// FuzzResumption cuts a stream of events anywhere, and its events into any
// pieces: those that come are the same, each once.
func FuzzResumption(f *testing.F) {
	f.Add(uint16(0), uint16(300), "\n")
	f.Add(uint16(150), uint16(10), "\r\n")
	f.Add(uint16(1000), uint16(1), "\n:\n")
	const events = 5
	f.Fuzz(func(t *testing.T, cut, again uint16, end string) {
		if end != "\n" && end != "\r\n" && end != "\n:\n" {
			return // other line ends than servers have
		}
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			c, err := client.New("http://server", &client.Options{HTTPClient: &http.Client{Transport: fake(func(r *http.Request) (*http.Response, error) {
				from := 0
				if id := r.Header.Get("Last-Event-ID"); id != "" {
					from, _ = strconv.Atoi(id)
				}
				var b strings.Builder
				for seq := from + 1; seq <= events; seq++ {
					fmt.Fprintf(&b, "id: %d%sevent: CAPTURE%sdata: {\"seq\":%d,\"kind\":\"CAPTURE\",\"at\":\"2025-11-22T12:04:00Z\",\"mutex\":{\"id\":\"1\"},\"token\":1}%s\n", seq, end, end, seq, end)
				}
				text := b.String()
				switch asked++; asked {
				case 1:
					text = text[:min(int(cut), len(text))]
				case 2:
					text = text[:min(int(again), len(text))]
				}
				return respond(200, "text/event-stream", text), nil
			})}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			var after, last uint64
			for e, err := range c.Watch(t.Context(), editlock.WatchQuery{After: &after}) {
				if err != nil || e.Seq != last+1 {
					t.Fatalf("%d comes after %d, %v, cut at %d and %d", e.Seq, last, err, cut, again)
				}
				if last = e.Seq; last == events {
					break
				}
			}
		})
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
		if status < 200 || status > 599 || status/100 == 3 {
			return // no answer that comes so far
		}
		synctest.Test(t, func(t *testing.T) { readAnswer(t, status, body) }) // whose pauses take no time
	})
}

func readAnswer(t *testing.T, status int, body string) {
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
}
