package client_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
)

// TestStrangers talks to servers that are not editlock, or are broken.
func TestStrangers(t *testing.T) {
	const json, problem = "application/json", "application/problem+json"
	for _, test := range []struct {
		name, contentType, body string
		status                  int
		want                    string
	}{
		{"a web page", "text/html", "<html>", 200, `content of type "text/html"`},
		{"no content type", "", "", 200, `content of type ""`},
		{"nothing", json, "", 200, "JSON that makes no sense"},
		{"half of an answer", json, `{"state":"CAPT`, 200, "JSON that makes no sense"},
		{"other JSON", json, `{"hello":"world"}`, 200, "is it an editlock server?"},
		{"an array", json, `[]`, 200, "JSON that makes no sense"},
		{"a state nobody knows", json, `{"state":"BROKEN","mutex":null}`, 200, "is it an editlock server?"},
		{"a holder that is missing", json, `{"state":"CAPTURED_BY_ME","mutex":null}`, 200, "without a mutex"},
		{"a mutex of nothing", json, `{"state":"CAPTURED_BY_ME","mutex":{}}`, 200, "without a mutex"},
		{"a time that is none", json, `{"state":"CAPTURED_BY_ME","mutex":{"token":1,"captured_at":"now"}}`, 200, "JSON that makes no sense"},
		{"an auto release that says two things", json, `{"state":"CAPTURED_BY_ME","mutex":{"token":1,"auto_release":{"never":true,"idle":"5s"}}}`, 200, "makes no sense"},
		{"text that is not UTF-8", json, "{\"state\":\"\xff\"}", 200, "not valid UTF-8"},
		{"not found", "text/plain", "404 page not found", 404, "status 404 Not Found; is it an editlock server?"},
		{"an error without code", problem, `{"title":"no"}`, 400, "status 400 Bad Request"},
		{"an error of another product", json, `{"error":"no"}`, 400, "status 400 Bad Request"},
		{"an error cut short", problem, `{"code":"bu`, 409, "status 409 Conflict"},
		{"a code of a later version", problem, `{"code":"teapot","detail":"I am a teapot"}`, 418, "I am a teapot"},
		{"no such call", problem, `{"code":"not_found","detail":"there is nothing at \"/v1/request\""}`, 404, "there is nothing at"},
		{"an inner failure", problem, `{"code":"internal","detail":"the server failed"}`, 500, "the server failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests++
				w.Header()["Content-Type"] = []string{test.contentType}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			defer server.Close()
			_, _, err := dial(t, server.URL).Request(t.Context(), doc)
			if !errors.Is(err, editlock.ErrUnavailable) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q in it", err, test.want)
			}
			if requests != 1 {
				t.Errorf("it took %d requests", requests)
			}
		})
	}
	t.Run("that redirect", func(t *testing.T) {
		server := httptest.NewServer(http.RedirectHandler("https://elsewhere/", http.StatusMovedPermanently))
		defer server.Close()
		_, err := dial(t, server.URL).Capture(t.Context(), doc, nil)
		if !errors.Is(err, editlock.ErrUnavailable) || !strings.Contains(err.Error(), `a redirect to "https://elsewhere/"`) {
			t.Errorf("Capture: %v", err)
		}
	})
	t.Run("that give a refresh too few results", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", json)
			_, _ = w.Write([]byte(`{"results":[]}`))
		}))
		defer server.Close()
		_, err := dial(t, server.URL).Refresh(t.Context(), []editlock.RefreshItem{{ID: doc, Token: 1}})
		if !errors.Is(err, editlock.ErrUnavailable) {
			t.Errorf("Refresh: %v", err)
		}
	})
	t.Run("that stream something else", func(t *testing.T) {
		for _, stream := range []string{"id: x\n\n", "id: 1\ndata: {\n\n", "event: problem\ndata: x\n\n"} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = w.Write([]byte(stream))
			}))
			defer server.Close()
			for e, err := range dial(t, server.URL).Watch(t.Context(), editlock.WatchQuery{}) {
				if !errors.Is(err, editlock.ErrUnavailable) || !strings.Contains(err.Error(), "is it an editlock server?") {
					t.Errorf("%q gives %+v, %v", stream, e, err)
				}
			}
		}
	})
}

func TestNew_RefusesOtherURLs(t *testing.T) {
	for _, test := range []struct{ name, url, want string }{
		{"nothing", "", `must begin with http:// or https://, not ""`},
		{"another scheme", "ftp://h", `not "ftp"`},
		{"no scheme", "127.0.0.1:7117", "is not a URL"},
		{"no slashes", "http:h", "names no host"},
		{"no host", "http:///v1", "names no host"},
		{"a port alone", "http://:7117", "names no host"},
		{"a user", "http://u@h", "user or password"},
		{"a query", "http://h?", "must end after the path"},
		{"a fragment", "http://h#x", "must end after the path"},
		{"a control character", "http://h\x00", "is not a URL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := client.New(test.url, nil)
			var bad *editlock.InvalidError
			if !errors.As(err, &bad) || bad.Field != "url" || !strings.Contains(bad.Problem, test.want) {
				t.Errorf("error is %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestArguments_ThatCanNotBeSentAreInvalid(t *testing.T) {
	w := newWorld(t)
	ctx := as(t, ivanov)
	long := strings.Repeat("x", 65<<10)
	for _, test := range []struct {
		name, field string
		do          func() error
	}{
		{"an id that is not UTF-8", "mutex.id", func() error {
			_, err := w.Capture(ctx, editlock.ID{ID: "\xff"}, nil)
			return err
		}},
		{"an owner that is not UTF-8", "owner.name", func() error {
			_, err := w.Capture(editlock.WithOwner(ctx, editlock.Owner{Session: "s", Name: "\xff"}), doc, nil)
			return err
		}},
		{"one of several ids", "mutexes[1].group", func() error {
			_, err := w.CaptureAll(ctx, []editlock.ID{doc, {Group: "\xff", ID: "1"}}, nil)
			return err
		}},
		{"a request ID of two lines", "request_id", func() error {
			_, err := w.Capture(ctx, doc, &editlock.CaptureOptions{RequestID: "a\r\nX-Evil: b"})
			return err
		}},
		{"a request ID too long", "request_id", func() error {
			_, err := w.Capture(ctx, doc, &editlock.CaptureOptions{RequestID: long[:201]})
			return err
		}},
		{"a stranger", "owner.session", func() error {
			_, err := w.Capture(editlock.WithoutOwner(ctx), doc, nil)
			return err
		}},
		{"an id of history that is not UTF-8", "mutex.id", func() error {
			_, err := w.History(ctx, editlock.HistoryQuery{ID: &editlock.ID{ID: "\xff"}})
			return err
		}},
		{"a filter that is not UTF-8", "text", func() error {
			_, err := w.List(ctx, editlock.Query{Text: "\xff"})
			return err
		}},
		{"more than a server takes", "body", func() error {
			_, err := w.CaptureAll(ctx, []editlock.ID{{ID: "1"}}, &editlock.CaptureOptions{StatusData: strings.Repeat(long, 9)})
			return err
		}},
		{"a takeover that waits", "if", func() error {
			_, err := w.Takeover(ctx, doc, 7, "x", &editlock.CaptureOptions{Wait: 1})
			return err
		}},
		{"a takeover with a message", "message", func() error {
			_, err := w.Takeover(ctx, doc, 7, "x", &editlock.CaptureOptions{Message: "x"})
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.do()
			var bad *editlock.InvalidError
			if !errors.As(err, &bad) || bad.Field != test.field || bad.Problem == "" {
				t.Errorf("error is %v, want one of %s", err, test.field)
			}
		})
	}
	page, err := w.manager.History(t.Context(), editlock.HistoryQuery{})
	if err != nil || len(page.Entries) != 0 {
		t.Errorf("history is %+v, %v", page.Entries, err)
	}
}
