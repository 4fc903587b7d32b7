package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/server/httpapi"
)

// kinds are all that a stream of entries shows.
var kinds = []editlock.EventKind{
	editlock.KindCaptured, editlock.KindReleased, editlock.KindExpired, editlock.KindTakenOver, editlock.KindForceReleased,
	editlock.KindHandedOver, editlock.KindWaiting, editlock.KindDeclined, editlock.KindGap,
}

// Events of each kind are as the OpenAPI document says: next holds them to its
// schemas.
func TestEvents_OfEachKindAreAsDocumented(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	seen := map[editlock.EventKind]bool{}
	l := w.listen(t, "/v1/events")
	l.begin()
	want := func(kind editlock.EventKind) {
		t.Helper()
		l.want(string(kind))
		seen[kind] = true
	}
	token := func() uint64 {
		return read[wire.CaptureAnswer](t, w.post(t, "/v1/request", `{"mutex":`+doc+`}`)).Mutex.Token
	}
	// waits queues somebody who is answered, and returns the name of their place.
	waits := func(answer chan reply) string {
		go func() { answer <- w.post(t, "/v1/capture", body(petrova, `"wait":"1h","message":"please"`)) }()
		want(editlock.KindWaiting)
		return read[wire.CaptureAnswer](t, w.post(t, "/v1/request", `{"mutex":`+doc+`}`)).Mutex.Waiters[0].ID
	}
	w.post(t, "/v1/capture", body(ivanov, `"status_data":"\u0001\u2028 \" <b>"`))
	want(editlock.KindCaptured)
	answer := make(chan reply, 1)
	place := waits(answer)
	w.post(t, "/v1/decline", body(ivanov, fmt.Sprintf(`"waiter":%q,"message":"нет, \"<b>\""`, place)))
	want(editlock.KindDeclined)
	(<-answer).want(t, wire.Busy, "")
	waits(answer)
	w.post(t, "/v1/hand-over", body(ivanov, ""))
	want(editlock.KindHandedOver)
	want(editlock.KindCaptured) // by who waited
	if got := <-answer; got.status != http.StatusOK {
		t.Fatalf("who waited got %d %s", got.status, got.body)
	}
	w.post(t, "/v1/takeover", body(ivanov, fmt.Sprintf(`"seen_token":%d,"reason":"data: {}, id: 7"`, token())))
	want(editlock.KindTakenOver)
	w.post(t, "/v1/force-release", body(petrova, fmt.Sprintf(`"seen_token":%d,"reason":"so"`, token())))
	want(editlock.KindForceReleased)
	w.post(t, "/v1/capture", body(ivanov, ""))
	want(editlock.KindCaptured)
	w.post(t, "/v1/release", body(ivanov, ""))
	want(editlock.KindReleased)
	w.post(t, "/v1/capture", body(ivanov, `"auto_release":{"idle":"1s"}`))
	want(editlock.KindCaptured)
	w.clock.Advance(time.Minute)
	w.post(t, "/v1/capture", body(petrova, ""))
	want(editlock.KindExpired)
	want(editlock.KindCaptured)

	gap := start(t, httpapi.Options{}, func(l editlock.Locker) editlock.Locker {
		return watching{l, []editlock.Event{{Seq: 90, Kind: editlock.KindGap}}, editlock.ErrUnavailable}
	})
	gap.post(t, "/v1/capture", body(ivanov, ""))
	l = gap.listen(t, "/v1/events?after=0")
	l.begin()
	want(editlock.KindGap)
	if e, ok := l.next(); !ok || e.kind != "problem" {
		t.Errorf("got %+v, %v, want a problem", e, ok)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(kinds)), slices.Sorted(maps.Keys(seen))); diff != "" {
		t.Errorf("kinds (-all +seen):\n%s", diff)
	}
	var entry struct{ Description string }
	if err := json.Unmarshal(loadSpec(t).Components.Schemas["Entry"].Properties["kind"], &entry); err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		if !regexp.MustCompile(`\b` + string(kind) + `\b`).MatchString(entry.Description) {
			t.Errorf("%s is not documented", kind)
		}
	}
}

// sent are the lines that a stream may have.
var sent = regexp.MustCompile(`^(|:|retry: 1000|id: \d+|event: [a-z_]+|data: \{.*\})$`)

// TestEvents_AnswerAsDocumented holds the beginnings of streams, and refusals,
// to the document.
func TestEvents_AnswerAsDocumented(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	w.post(t, "/v1/capture", body(ivanov, ""))
	w.post(t, "/v1/release", body(ivanov, ""))
	page, err := w.locker.History(t.Context(), editlock.HistoryQuery{})
	if err != nil {
		t.Fatal(err)
	}
	latest, first := page.Entries[0].Seq, page.Entries[1].Seq
	number := func(n uint64) string { return fmt.Sprint(n) }

	for _, test := range []struct {
		name, query, header string
		from                uint64
		next                editlock.EventKind // what comes after; empty: nothing yet
	}{
		{"from now on", "", "", latest, ""},
		{"from the beginning", "?after=0", "", 0, editlock.KindCaptured},
		{"from the beginning, by the browser", "", "0", 0, editlock.KindCaptured},
		{"behind an event", "?after=" + number(first), "", first, editlock.KindReleased},
		{"behind an event, by the browser", "", number(first), first, editlock.KindReleased},
		{"the browser's word before the address's", "?after=0", number(first), first, editlock.KindReleased},
		{"behind the latest", "", number(latest), latest, ""},
		{"with zeros before", "", "000" + number(first), first, editlock.KindReleased},
		{"with nothing said", "?after=", "", latest, ""},
		{"of a group that has none", "?group=none&after=0", "", 0, ""},
		{"of one mutex", "?group=demo&mode=document&id=42&after=0", "", 0, editlock.KindCaptured},
		{"of a session", "?session=s-ivanov&after=0", "", 0, editlock.KindCaptured},
	} {
		t.Run("a stream "+test.name, func(t *testing.T) {
			var header []string
			if test.header != "" {
				header = []string{"Last-Event-ID", test.header}
			}
			l := w.listen(t, "/v1/events"+test.query, header...)
			if from := l.begin(); from != number(test.from) {
				t.Errorf("begins at %s, want %d", from, test.from)
			}
			if test.next != "" {
				l.want(string(test.next))
			}
		})
	}
	t.Run("a stream has no other lines than documented ones", func(t *testing.T) {
		l := w.listen(t, "/v1/events?after=0")
		for lines := 0; lines < 10 && l.lines.Scan(); lines++ {
			if line := l.lines.Text(); !sent.MatchString(line) {
				t.Errorf("got the line %q", line)
			}
		}
	})
	for _, test := range []struct{ name, query, header, field string }{
		{"a word", "?after=x", "", "after"},
		{"a number below 0", "?after=-1", "", "after"},
		{"a fraction", "?after=1.5", "", "after"},
		{"a number with a blank", "?after=%201", "", "after"},
		{"one of another base", "?after=0x1", "", "after"},
		{"the future", "?after=" + number(latest+1), "", "after"},
		{"more than a browser can count", "?after=9007199254740992", "", "after"},
		{"more than fits", "?after=18446744073709551616", "", "after"},
		{"a word by the browser", "", "x", "Last-Event-ID"},
		{"a number below 0 by the browser", "", "-1", "Last-Event-ID"},
		{"two numbers by the browser", "", "1,2", "Last-Event-ID"},
		{"more than fits by the browser", "", "18446744073709551616", "Last-Event-ID"},
		{"other digits by the browser", "", "\u0661", "Last-Event-ID"},
		{"the future by the browser", "", number(latest + 1), "after"},
		{"a number twice", "?after=0&after=0", "", "after"},
		{"what is not known", "?since=0", "", "since"},
		{"a group that is too long", "?group=" + of(editlock.MaxGroup+1), "", "group"},
		{"a mode that is too long", "?mode=" + of(editlock.MaxMode+1), "", "mode"},
		{"an id that is too long", "?id=" + of(editlock.MaxID+1), "", "id"},
		{"a session that is too long", "?session=" + of(editlock.MaxOwnerField+1), "", "session"},
		{"a control character", "?group=%01", "", "group"},
		{"what is not UTF-8", "?group=%ff", "", "group"},
		{"a query that is not well formed", "?group=%zz", "", "query"},
	} {
		t.Run("400 of "+test.name, func(t *testing.T) {
			var header []string
			if test.header != "" {
				header = []string{"Last-Event-ID", test.header}
			}
			w.get(t, "/v1/events"+test.query, header...).want(t, wire.Invalid, test.field)
		})
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "HEAD"} {
		t.Run("405 of "+method, func(t *testing.T) {
			got := w.send(t, method, "/v1/events", "")
			if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "GET" {
				t.Errorf("got %d, Allow %q", got.status, got.header.Get("Allow"))
			}
		})
	}
	t.Run("503 while it stops", func(t *testing.T) {
		w.handler.Drain()
		got := w.get(t, "/v1/events")
		got.want(t, wire.Unavailable, "")
		if got.header.Get("Retry-After") == "" {
			t.Error("it does not say when to come back")
		}
	})
}

func TestEvents_RefuseCallersAsDocumented(t *testing.T) {
	s := startSecured(t, policy, access.Limits{Streams: 1})
	t.Run("401", func(t *testing.T) { s.get(t, "/v1/events").want(t, wire.Unauthenticated, "") })
	t.Run("403", func(t *testing.T) {
		s.get(t, "/v1/events", bearer(page(t, "nobody"))...).want(t, wire.Forbidden, "")
	})
	t.Run("403 that is known only once there is history", func(t *testing.T) {
		s.held(t, "any", petrov)
		s.get(t, "/v1/events?after=0", bearer(page(t, "nobody"))...).want(t, wire.Forbidden, "")
	})
	token := page(t, "ivanov", "editors")
	s.listen(t, "/v1/events", bearer(token)...).begin()
	t.Run("429", func(t *testing.T) {
		got := s.get(t, "/v1/events", bearer(token)...)
		got.want(t, wire.Limited, "")
		if got.header.Get("Retry-After") == "" {
			t.Error("it does not say when to come back")
		}
	})
	t.Run("a stream that outlasts its token ends with a documented problem", func(t *testing.T) {
		short := &auth.Caller{
			Name: "user:short", Owner: editlock.Owner{Session: "short-1", UserID: "short"},
			Groups: []string{"editors"}, Expires: time.Now().Add(100 * time.Millisecond),
		}
		w := start(t, httpapi.Options{Authenticator: proved{short}, Access: access.New(policy, access.Limits{}, nil)}, nil)
		l := w.listen(t, "/v1/events")
		l.begin()
		e, ok := l.next()
		var p wire.Problem
		if err := json.Unmarshal([]byte(e.data), &p); err != nil || !ok || e.kind != "problem" || p.Code != wire.Unauthenticated {
			t.Errorf("got %+v, %v, %v", e, ok, err)
		}
	})
}

// proved believes that everybody is one caller.
type proved struct{ caller *auth.Caller }

func (p proved) Authenticate(*http.Request) (*auth.Caller, error) { return p.caller, nil }

func TestEvents_OfOneMutexShowAGapForWhatACallerWhoMayUseItMayNotSee(t *testing.T) {
	s := startSecured(t, access.Policy{Rules: []access.Rule{
		{Groups: []string{"users"}, Grant: auth.Grant{Rights: []auth.Right{auth.Use}, Group: "docs", Mode: "*"}},
		{Groups: []string{"users"}, Grant: auth.Grant{Rights: []auth.Right{auth.Read, auth.Use}, Group: "other", Mode: "*"}},
	}}, access.Limits{})
	token := bearer(page(t, "ivanov", "users"))
	capture := `{"mutex":{"group":"docs","id":"1"}}`
	mine := read[wire.CaptureAnswer](t, s.post(t, "/v1/capture", capture, token...))
	read[wire.ReleaseAnswer](t, s.post(t, "/v1/release", capture, token...))
	if _, err := s.locker.Release(editlock.WithOwner(t.Context(), petrov), s.held(t, "1", petrov).ID, editlock.Condition{}); err != nil {
		t.Fatal(err)
	}
	read[wire.CaptureAnswer](t, s.post(t, "/v1/capture", capture, token...))

	after := fmt.Sprintf("&after=%d", mine.Mutex.Token)
	l := s.listen(t, "/v1/events?group=docs&id=1"+after, token...)
	l.begin()
	l.want("released")
	l.want("gap")
	l.want("captured")
}
