package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/httpapi"
)

// TestMalformedBodies sends what no correct client sends. After each the
// server is as before.
func TestMalformedBodies(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	w.post(t, "/v1/capture", body(ivanov, ""))
	id, long := strings.Repeat("я", 251), strings.Repeat("x", 1001)
	for _, test := range []struct{ name, path, body, field string }{
		{"no body", "capture", ``, "body"},
		{"a body cut short", "capture", `{"mutex":{"id":"42"`, "body"},
		{"trailing garbage", "capture", body(ivanov, "") + "}", "body"},
		{"two bodies", "capture", body(ivanov, "") + body(ivanov, ""), "body"},
		{"not JSON", "capture", `mutex=42`, "body"},
		{"null", "capture", `null`, "body"},
		{"an array", "capture", `[]`, "body"},
		{"a string", "capture", `"42"`, "body"},
		{"deep nesting", "capture", strings.Repeat(`[`, 100_000), "body"},
		{"deep nesting below a field", "capture", `{"mutex":` + strings.Repeat(`{"a":`, 10_000), "mutex.a"},
		{"an empty object", "capture", `{}`, "mutex"},
		{"no owner", "capture", `{"mutex":{"id":"42"}}`, "owner"},
		{"owner null", "capture", `{"mutex":{"id":"42"},"owner":null}`, "owner"},
		{"no session", "capture", body(`{"name":"x"}`, ""), "owner.session"},
		{"an empty session", "capture", body(`{"session":""}`, ""), "owner.session"},
		{"a session too long", "capture", body(`{"session":"`+strings.Repeat("x", 201)+`"}`, ""), "owner.session"},
		{"a control character in a name", "capture", body(`{"session":"s","name":"a\u0007"}`, ""), "owner.name"},
		{"an unknown field", "capture", body(ivanov, `"ttl":300`), "ttl"},
		{"an unknown field of the owner", "capture", body(`{"session":"s","email":"x"}`, ""), "owner.email"},
		{"an unknown field of the mutex", "capture", `{"mutex":{"id":"42","name":"x"},"owner":` + ivanov + `}`, "mutex.name"},
		{"another letter case", "capture", body(ivanov, `"Status_data":"x"`), "Status_data"},
		{"a field twice", "capture", body(ivanov, `"status_data":"x","status_data":"y"`), "status_data"},
		{"a condition twice", "capture", body(ivanov, `"if":{"free":true},"if":{"free":true}`), "if"},
		{"no id", "capture", `{"mutex":{"group":"g"},"owner":` + ivanov + `}`, "mutex.id"},
		{"an empty id", "capture", `{"mutex":{"id":""},"owner":` + ivanov + `}`, "mutex.id"},
		{"a number for an id", "capture", `{"mutex":{"id":42},"owner":` + ivanov + `}`, "mutex.id"},
		{"an id of 502 bytes", "capture", `{"mutex":{"id":"` + id + `"},"owner":` + ivanov + `}`, "mutex.id"},
		{"an id that is not UTF-8", "capture", "{\"mutex\":{\"id\":\"\xff\"},\"owner\":" + ivanov + "}", "mutex.id"},
		{"an id with half a surrogate pair", "capture", `{"mutex":{"id":"\ud800"},"owner":` + ivanov + `}`, "mutex.id"},
		{"an id with a NUL", "capture", `{"mutex":{"id":"a\u0000b"},"owner":` + ivanov + `}`, "mutex.id"},
		{"a string for the mutex", "capture", `{"mutex":"demo/document/42","owner":` + ivanov + `}`, "mutex"},
		{"mutex and mutexes", "capture", body(ivanov, `"mutexes":[{"id":"1"}]`), "mutexes"},
		{"no mutexes", "capture", `{"mutexes":[],"owner":` + ivanov + `}`, "mutexes"},
		{"1001 mutexes", "capture", `{"mutexes":[` + strings.Repeat(`{"id":"1"},`, 1000) + `{"id":"2"}],"owner":` + ivanov + `}`, "mutexes"},
		{"a mutex twice", "capture", `{"mutexes":[{"id":"1"},{"id":"1"}],"owner":` + ivanov + `}`, "mutexes[1]"},
		{"a null among mutexes", "capture", `{"mutexes":[{"id":"1"},null],"owner":` + ivanov + `}`, "mutexes[1].id"},
		{"a wait for several", "capture", `{"mutexes":[{"id":"1"}],"wait":"1s","owner":` + ivanov + `}`, "wait"},
		{"a token as condition for several", "capture", `{"mutexes":[{"id":"1"}],"if":{"token":1},"owner":` + ivanov + `}`, "if"},
		{"two conditions", "capture", body(ivanov, `"if":{"free":true,"token":7}`), "if"},
		{"a condition that is not free", "capture", body(ivanov, `"if":{"free":false}`), "if.free"},
		{"a condition as a string", "capture", body(ivanov, `"if":"free"`), "if"},
		{"free as a string", "capture", body(ivanov, `"if":{"free":"true"}`), "if.free"},
		{"an unknown condition", "capture", body(ivanov, `"if":{"owner":"me"}`), "if.owner"},
		{"token 0", "capture", body(ivanov, `"if":{"token":0}`), "if.token"},
		{"a negative token", "capture", body(ivanov, `"if":{"token":-1}`), "if.token"},
		{"a fraction of a token", "capture", body(ivanov, `"if":{"token":7.5}`), "if.token"},
		{"a token in quotes", "capture", body(ivanov, `"if":{"token":"7"}`), "if.token"},
		{"a token beyond 2^53", "capture", body(ivanov, `"if":{"token":9007199254740993}`), "if.token"},
		{"status data too long in a condition", "capture", body(ivanov, `"if":{"status_data":"`+strings.Repeat("x", 65537)+`"}`), "if.status_data"},
		{"never and idle", "capture", body(ivanov, `"auto_release":{"never":true,"idle":"300s"}`), "auto_release"},
		{"never and max_hold", "capture", body(ivanov, `"auto_release":{"never":true,"max_hold":"8h"}`), "auto_release"},
		{"an idle of 0s", "capture", body(ivanov, `"auto_release":{"idle":"0s"}`), "auto_release.idle"},
		{"an idle of nothing", "capture", body(ivanov, `"auto_release":{"idle":""}`), "auto_release.idle"},
		{"an idle of less than a second", "capture", body(ivanov, `"auto_release":{"idle":"999ms"}`), "auto_release.idle"},
		{"a negative idle", "capture", body(ivanov, `"auto_release":{"idle":"-5s"}`), "auto_release.idle"},
		{"the idle that means never inside", "capture", body(ivanov, `"auto_release":{"idle":"-1ns"}`), "auto_release.idle"},
		{"the idle that means never in the form", "capture", body(ivanov, `"auto_release":{"idle":"-2562047h47m16.854775808s"}`), "auto_release.idle"},
		{"a max_hold of never", "capture", body(ivanov, `"auto_release":{"max_hold":"never"}`), "auto_release.max_hold"},
		{"an idle of never, and max_hold", "capture", body(ivanov, `"auto_release":{"idle":"never","max_hold":"8h"}`), "auto_release"},
		{"an idle of never, in capitals", "capture", body(ivanov, `"auto_release":{"idle":"Never"}`), "auto_release.idle"},
		{"an idle of 31 days", "capture", body(ivanov, `"auto_release":{"idle":"744h"}`), "auto_release.idle"},
		{"an idle beyond 64 bits", "capture", body(ivanov, `"auto_release":{"idle":"99999999999999h"}`), "auto_release.idle"},
		{"an idle in numbers", "capture", body(ivanov, `"auto_release":{"idle":300}`), "auto_release.idle"},
		{"an idle without unit", "capture", body(ivanov, `"auto_release":{"idle":"300"}`), "auto_release.idle"},
		{"a max_hold of 0s", "capture", body(ivanov, `"auto_release":{"max_hold":"0s"}`), "auto_release.max_hold"},
		{"auto_release as a string", "capture", body(ivanov, `"auto_release":"never"`), "auto_release"},
		{"a wait of days", "capture", body(petrova, `"wait":"24h"`), "wait"},
		{"a negative wait", "capture", body(petrova, `"wait":"-1s"`), "wait"},
		{"a wait with a token", "capture", body(ivanov, `"wait":"1s","if":{"token":7}`), "wait"},
		{"a message without wait", "capture", body(petrova, `"message":"Please!"`), "message"},
		{"a message too long", "capture", body(petrova, `"wait":"1s","message":"`+long+`"`), "message"},
		{"grant_after of 0s", "capture", body(ivanov, `"grant_after":"0s"`), "grant_after"},
		{"grant_after of 2 days", "capture", body(ivanov, `"grant_after":"48h"`), "grant_after"},
		{"status data too long", "capture", body(ivanov, `"status_data":"`+strings.Repeat("x", 65537)+`"`), "status_data"},
		{"status data with a NUL", "capture", body(ivanov, `"status_data":"\u0000"`), "status_data"},
		{"no items", "refresh", `{}`, "items"},
		{"an empty array of items", "refresh", `{"items":[]}`, "items"},
		{"1001 items", "refresh", `{"items":[` + strings.Repeat(`{"mutex":{"id":"1"},"token":1},`, 1000) + `{"mutex":{"id":"1"},"token":1}]}`, "items"},
		{"items as an object", "refresh", `{"items":{}}`, "items"},
		{"an item without mutex", "refresh", `{"items":[{"token":1}]}`, "items[0].mutex"},
		{"a second item of the wrong type", "refresh", `{"items":[{"mutex":{"id":"1"},"token":1},7]}`, "items[1]"},
		{"an item's token of the wrong type", "refresh", `{"items":[{"mutex":{"id":"1"},"token":true}]}`, "items[0].token"},
		{"an item's idle of 0s", "refresh", `{"items":[{"mutex":{"id":"1"},"token":1,"auto_release":{"idle":"0s"}}]}`, "items[0].auto_release.idle"},
		{"a beat of a nameless owner", "refresh", `{"owner":{"session":""},"items":[{"mutex":{"id":"1"},"token":1}]}`, "owner.session"},
		{"a request of no mutex", "request", `{}`, "mutex"},
		{"a request of an empty session", "request", body(`{"session":""}`, ""), "owner.session"},
		{"a request with a condition", "request", body(ivanov, `"if":{}`), "if"},
		{"a release of nothing", "release", `{"owner":` + ivanov + `}`, "mutex"},
		{"a release by nobody", "release", `{"mutex":{"id":"42"}}`, "owner"},
		{"a release of what is free", "release", body(ivanov, `"if":{"free":true}`), "if.free"},
		{"a release of several with a condition", "release", `{"mutexes":[{"id":"1"}],"if":{"token":1},"owner":` + ivanov + `}`, "if"},
		{"a takeover without reason", "takeover", body(petrova, `"seen_token":7`), "reason"},
		{"a takeover with an empty reason", "takeover", body(petrova, `"seen_token":7,"reason":""`), "reason"},
		{"a takeover with a long reason", "takeover", body(petrova, `"seen_token":7,"reason":"`+long+`"`), "reason"},
		{"a takeover without token", "takeover", body(petrova, `"reason":"x"`), "seen_token"},
		{"a takeover with a wait", "takeover", body(petrova, `"seen_token":7,"reason":"x","wait":"1s"`), "wait"},
		{"a forced release without reason", "force-release", body(petrova, `"seen_token":7`), "reason"},
		{"a forced release without token", "force-release", body(petrova, `"reason":"x"`), "seen_token"},
		{"a release of no session", "release-session", `{}`, "session"},
		{"a release of many sessions", "release-session", `{"session":["a","b"]}`, "session"},
		{"a hand-over of nothing", "hand-over", `{"owner":` + ivanov + `}`, "mutex"},
		{"a hand-over by nobody", "hand-over", `{"mutex":{"id":"42"}}`, "owner"},
		{"a decline of nobody", "decline", body(ivanov, ""), "waiter"},
		{"a decline with a long message", "decline", body(ivanov, `"waiter":"x","message":"`+long+`"`), "message"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.post(t, "/v1/"+test.path, test.body).want(t, wire.Invalid, test.field)
		})
	}
	if got := read[wire.HistoryAnswer](t, w.get(t, "/v1/history")).Entries; len(got) != 1 {
		t.Errorf("%d entries of history, want only the capture before", len(got))
	}
	if w.log.Len() > 0 {
		t.Errorf("the log says %s", w.log)
	}
}

func TestMalformedRequests(t *testing.T) {
	w := start(t, httpapi.Options{MaxBody: 4096}, nil)
	valid := body(ivanov, "")
	json := []string{"Content-Type", "application/json"}
	big := body(ivanov, `"status_data":"`+strings.Repeat("x", 5000)+`"`)
	for _, test := range []struct {
		name, method, path, body string
		header                   []string
		code                     wire.Code
		field                    string
	}{
		{"GET of a verb", "GET", "/v1/capture", "", nil, wire.MethodNotAllowed, ""},
		{"PUT of a verb", "PUT", "/v1/release", valid, json, wire.MethodNotAllowed, ""},
		{"POST of a list", "POST", "/v1/mutexes", "{}", json, wire.MethodNotAllowed, ""},
		{"HEAD of a stream, which would not end", "HEAD", "/v1/events", "", nil, wire.MethodNotAllowed, ""},
		{"OPTIONS", "OPTIONS", "/v1/capture", "", nil, wire.MethodNotAllowed, ""},
		{"a method nobody knows", "BREW", "/v1/capture", "", nil, wire.MethodNotAllowed, ""},
		{"an unknown address", "GET", "/v1/mutex", "", nil, wire.NotFound, ""},
		{"an unknown verb", "POST", "/v1/lock", valid, json, wire.NotFound, ""},
		{"a slash too many", "POST", "/v1/capture/", valid, json, wire.NotFound, ""},
		{"an address with dots", "POST", "/v1/../v1/capture", valid, json, wire.NotFound, ""},
		{"a query on a verb", "POST", "/v1/capture?wait=1s", valid, json, wire.Invalid, "query"},
		{"no content type", "POST", "/v1/capture", valid, nil, wire.UnsupportedMediaType, ""},
		{"a form", "POST", "/v1/capture", "mutex=42", []string{"Content-Type", "application/x-www-form-urlencoded"}, wire.UnsupportedMediaType, ""},
		{"text, but for release", "POST", "/v1/capture", valid, []string{"Content-Type", "text/plain"}, wire.UnsupportedMediaType, ""},
		{"another charset", "POST", "/v1/capture", valid, []string{"Content-Type", "application/json; charset=windows-1251"}, wire.UnsupportedMediaType, ""},
		{"a broken content type", "POST", "/v1/capture", valid, []string{"Content-Type", "application/json; ="}, wire.UnsupportedMediaType, ""},
		{"a compressed body", "POST", "/v1/capture", valid, append(json, "Content-Encoding", "gzip"), wire.UnsupportedMediaType, ""},
		{"a body too large", "POST", "/v1/capture", big, json, wire.TooLarge, "body"},
		{"two keys", "POST", "/v1/capture", valid, append(json, "Idempotency-Key", "a", "Idempotency-Key", "b"), wire.Invalid, "Idempotency-Key"},
		{"an empty key", "POST", "/v1/capture", valid, append(json, "Idempotency-Key", ""), wire.Invalid, "Idempotency-Key"},
		{"a key too long", "POST", "/v1/capture", valid, append(json, "Idempotency-Key", strings.Repeat("k", 201)), wire.Invalid, "Idempotency-Key"},
		{"a key that is not UTF-8", "POST", "/v1/capture", valid, append(json, "Idempotency-Key", "\xff"), wire.Invalid, "Idempotency-Key"},
		{"a limit that is no number", "GET", "/v1/mutexes?limit=ten", "", nil, wire.Invalid, "limit"},
		{"a limit below zero", "GET", "/v1/mutexes?limit=-1", "", nil, wire.Invalid, "limit"},
		{"a limit too high", "GET", "/v1/mutexes?limit=1001", "", nil, wire.Invalid, "limit"},
		{"a limit beyond 64 bits", "GET", "/v1/mutexes?limit=99999999999999999999", "", nil, wire.Invalid, "limit"},
		{"a parameter twice", "GET", "/v1/mutexes?limit=1&limit=x", "", nil, wire.Invalid, "limit"},
		{"a group twice", "GET", "/v1/mutexes?group=a&group=b", "", nil, wire.Invalid, "group"},
		{"an unknown parameter", "GET", "/v1/mutexes?owner=me", "", nil, wire.Invalid, "owner"},
		{"a broken query", "GET", "/v1/mutexes?group=%zz", "", nil, wire.Invalid, "query"},
		{"a semicolon in a query", "GET", "/v1/mutexes?group=a;mode=b", "", nil, wire.Invalid, "query"},
		{"a group that is not UTF-8", "GET", "/v1/mutexes?group=%ff", "", nil, wire.Invalid, "group"},
		{"a text with a control character", "GET", "/v1/mutexes?text=%00", "", nil, wire.Invalid, "text"},
		{"a made-up cursor", "GET", "/v1/mutexes?cursor=***", "", nil, wire.Invalid, "cursor"},
		{"a made-up cursor of history", "GET", "/v1/history?cursor=x", "", nil, wire.Invalid, "cursor"},
		{"a cursor of history below zero", "GET", "/v1/history?cursor=-1", "", nil, wire.Invalid, "cursor"},
		{"an unknown kind", "GET", "/v1/history?kind=exploded", "", nil, wire.Invalid, "kind"},
		{"a gap, which is no history", "GET", "/v1/history?kind=gap", "", nil, wire.Invalid, "kind"},
		{"a time that is none", "GET", "/v1/history?from=yesterday", "", nil, wire.Invalid, "from"},
		{"a time twice", "GET", "/v1/history?to=2025-11-22T12:04:00Z&to=x", "", nil, wire.Invalid, "to"},
		{"an id too long", "GET", "/v1/history?id=" + strings.Repeat("x", 501), "", nil, wire.Invalid, "id"},
		{"a resume from no number", "GET", "/v1/events?after=x", "", nil, wire.Invalid, "after"},
		{"a resume from below zero", "GET", "/v1/events?after=-1", "", nil, wire.Invalid, "after"},
		{"a resume from the future", "GET", "/v1/events?after=999999", "", nil, wire.Invalid, "after"},
		{"a Last-Event-ID of no number", "GET", "/v1/events", "", []string{"Last-Event-ID", "x"}, wire.Invalid, "Last-Event-ID"},
		{"an unknown filter of events", "GET", "/v1/events?user=x", "", nil, wire.Invalid, "user"},
		{"an id too long in events", "GET", "/v1/events?id=" + strings.Repeat("x", 501), "", nil, wire.Invalid, "id"},
		{"a session too long in events", "GET", "/v1/events?session=" + strings.Repeat("x", 201), "", nil, wire.Invalid, "session"},
		{"a parameter of health", "GET", "/healthz?verbose=1", "", nil, wire.Invalid, "verbose"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := w.send(t, test.method, test.path, test.body, test.header...)
			if test.method == "HEAD" {
				if got.status != http.StatusMethodNotAllowed {
					t.Errorf("status %d", got.status)
				}
				return
			}
			got.want(t, test.code, test.field)
			if allow := got.header.Get("Allow"); (test.code == wire.MethodNotAllowed) != (allow != "") {
				t.Errorf("Allow is %q", allow)
			}
		})
	}
	if w.log.Len() > 0 {
		t.Errorf("the log says %s", w.log)
	}
}

func TestLegalExtremes(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	worst := strings.Repeat(`\u0001`, 64<<10)
	got := read[wire.CaptureAnswer](t, w.post(t, "/v1/capture", body(ivanov, `"status_data":"`+worst+`"`)))
	if got.Mutex.StatusData != strings.Repeat("\x01", 64<<10) {
		t.Errorf("64 KiB of escaped status data came back as %d bytes", len(got.Mutex.StatusData))
	}
	var ids []string
	for i := range 1000 {
		ids = append(ids, fmt.Sprintf(`{"group":"demo","mode":"document","id":"%d"}`, i+1000))
	}
	all := read[wire.CaptureAllAnswer](t, w.post(t, "/v1/capture", `{"mutexes":[`+strings.Join(ids, ",")+`],"owner":`+ivanov+`}`))
	if len(all.Mutexes) != 1000 {
		t.Errorf("captured %d of 1000", len(all.Mutexes))
	}
}

// raw opens a connection and writes to it as it is.
func (w *world) raw(t *testing.T, text string) (net.Conn, *bufio.Reader) {
	t.Helper()
	u, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

func TestBodiesThatDoNotArrive(t *testing.T) {
	w := start(t, httpapi.Options{BodyTimeout: 50 * time.Millisecond}, nil)
	head := "POST /v1/capture HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for _, test := range []struct{ name, text string }{
		{"a body that stalls", head + "Content-Length: 100\r\n\r\n{"},
		{"a body that never begins", head + "Content-Length: 100\r\n\r\n"},
		{"chunks that stall", head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, answer := w.raw(t, test.text)
			res, err := http.ReadResponse(answer, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusBadRequest || !res.Close {
				t.Errorf("status %s, close %v", res.Status, res.Close)
			}
		})
	}
	t.Run("a broken chunk", func(t *testing.T) {
		_, answer := w.raw(t, head+"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
		res, err := http.ReadResponse(answer, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("status %s", res.Status)
		}
	})
	t.Run("a client that goes away within the body", func(t *testing.T) {
		conn, _ := w.raw(t, head+"Content-Length: 100\r\n\r\n{")
		_ = conn.Close()
		w.get(t, "/healthz")
	})
	t.Run("a wait outlasts the time for its body", func(t *testing.T) {
		w.post(t, "/v1/capture", body(ivanov, ""))
		began := time.Now()
		w.post(t, "/v1/capture", body(petrova, `"wait":"200ms"`)).want(t, wire.Busy, "")
		if waited := time.Since(began); waited < 200*time.Millisecond {
			t.Errorf("ended after %v", waited)
		}
	})
	if w.log.Len() > 0 {
		t.Errorf("the log says %s", w.log)
	}
}

// failing is a Locker whose reads go wrong.
type failing struct {
	editlock.Locker
	err error
}

func (f failing) Request(context.Context, editlock.ID) (editlock.State, editlock.Mutex, error) {
	if f.err == nil {
		panic("boom")
	}
	return 0, editlock.Mutex{}, f.err
}

func TestFailures(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		code wire.Code
	}{
		{"a store out of reach", fmt.Errorf("%w: dial tcp: password=hunter2", editlock.ErrUnavailable), wire.Unavailable},
		{"a store that is too slow", fmt.Errorf("hunter2: %w", context.DeadlineExceeded), wire.Unavailable},
		{"an error nobody foresaw", errors.New("hunter2"), wire.Internal},
		{"a panic", nil, wire.Internal},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := start(t, httpapi.Options{}, func(l editlock.Locker) editlock.Locker { return failing{l, test.err} })
			for _, send := range []func() reply{
				func() reply { return w.post(t, "/v1/request", `{"mutex":`+doc+`}`) },
				func() reply { return w.get(t, "/readyz") },
			} {
				got := send()
				got.want(t, test.code, "")
				if strings.Contains(got.body, "hunter2") {
					t.Errorf("the answer gives away %s", got.body)
				}
				if retry := got.header.Get("Retry-After"); (test.code == wire.Unavailable) != (retry != "") {
					t.Errorf("Retry-After is %q", retry)
				}
			}
			if w.log.Len() == 0 {
				t.Error("the log says nothing")
			}
			if got := w.get(t, "/healthz"); got.status != http.StatusOK {
				t.Errorf("/healthz answers %d", got.status)
			}
		})
	}
	t.Run("a refusal by permission", func(t *testing.T) {
		err := fmt.Errorf("%w: only supervisors take over", editlock.ErrForbidden)
		w := start(t, httpapi.Options{}, func(l editlock.Locker) editlock.Locker { return forbidding{l, err} })
		p := w.post(t, "/v1/takeover", body(petrova, `"seen_token":7,"reason":"x"`)).want(t, wire.Forbidden, "")
		if !strings.Contains(p.Detail, "only supervisors") {
			t.Errorf("detail is %q", p.Detail)
		}
	})
}

type forbidding struct {
	editlock.Locker
	err error
}

func (f forbidding) Takeover(context.Context, editlock.ID, editlock.Token, string, *editlock.CaptureOptions) (editlock.Mutex, error) {
	return editlock.Mutex{}, f.err
}

// A client needs no sentence to know what is wrong.
func TestInvalid_HasACodeAndArguments(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	for _, test := range []struct {
		name, path string
		want       editlock.InvalidError
	}{
		{"of the library", "/v1/mutexes?group=" + strings.Repeat("g", 201), editlock.InvalidError{
			Field: "group", Problem: "is 201 bytes long; at most 200 are allowed", Code: "too_long", Args: []string{"201", "200"},
		}},
		{"of the server", "/v1/mutexes?limit=%22", editlock.InvalidError{
			Field: "limit", Problem: `must be a whole number, not "\""`, Code: "not_a_number", Args: []string{`"`},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := w.get(t, test.path).want(t, wire.Invalid, test.want.Field)
			if diff := cmp.Diff(error(&test.want), p.Err()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
