package httpapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/httpapi"
)

func TestCapture(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	first := read[wire.CaptureAnswer](t, w.post(t, "/v1/capture", body(ivanov, `"status_data":"tab 1","auto_release":{"idle":"300s","max_hold":"8h"}`)))

	t.Run("answers with the mutex in its documented form", func(t *testing.T) {
		idle, hold, left := wire.Idle(300*time.Second), wire.Duration(8*time.Hour), 300.0
		want := wire.CaptureAnswer{State: "CAPTURED_BY_ME", Mutex: &wire.Mutex{
			Mutex:      wire.ID{Group: "demo", Mode: "document", ID: "42"},
			Owner:      wire.Owner{Session: "s-ivanov", UserID: "17", Login: "ivanov", Name: "Иванов И. И.", Host: "10.0.0.17"},
			StatusData: "tab 1", AutoRelease: wire.AutoRelease{Idle: &idle, MaxHold: &hold}, Token: first.Mutex.Token,
			ExpiresIn: &left, Waiters: []wire.Waiter{}, Sharing: "exclusive",
		}}
		if diff := cmp.Diff(want, first, cmpopts.IgnoreTypes(time.Time{}, &time.Time{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		m := first.Mutex
		if m.Token == 0 || m.CapturedAt.IsZero() || !m.CapturedAt.Equal(m.RefreshedAt) || m.ExpiresAt.Sub(m.RefreshedAt) != 300*time.Second {
			t.Errorf("times or token are odd: %+v", m)
		}
	})
	t.Run("holds forever with an idle of never, as with never", func(t *testing.T) {
		got := read[wire.CaptureAnswer](t, w.post(t, "/v1/capture", `{"mutex":{"id":"never"},"owner":{"session":"s-ivanov"},"auto_release":{"idle":"never"}}`))
		if m := got.Mutex; !m.AutoRelease.Never || m.AutoRelease.Idle != nil || m.ExpiresAt != nil {
			t.Errorf("got %+v", m)
		}
	})
	t.Run("refreshes what the session holds and keeps the token", func(t *testing.T) {
		got := read[wire.CaptureAnswer](t, w.post(t, "/v1/capture", body(ivanov, `"if":{}`)))
		if got.Mutex.Token != first.Mutex.Token || got.Mutex.StatusData != "tab 1" || !got.Mutex.CapturedAt.Equal(first.Mutex.CapturedAt) {
			t.Errorf("got %+v", got.Mutex)
		}
	})
	t.Run("is refused as busy with the holder", func(t *testing.T) {
		p := w.post(t, "/v1/capture", body(petrova, "")).want(t, wire.Busy, "")
		if p.Holder == nil || p.Holder.Owner.Name != "Иванов И. И." || p.Holder.Token != first.Mutex.Token || p.Self {
			t.Errorf("got %+v", p)
		}
	})
	t.Run("tells the holder's own second tab that the same person holds it", func(t *testing.T) {
		if p := w.post(t, "/v1/capture", body(ivanov, `"if":{"free":true}`)).want(t, wire.Busy, ""); !p.Self {
			t.Errorf("got %+v", p)
		}
	})
	t.Run("is refused as lost where the condition does not hold", func(t *testing.T) {
		for _, cond := range []string{`{"status_data":"tab 2"}`, `{"status_data":""}`, fmt.Sprintf(`{"token":%d}`, first.Mutex.Token+1)} {
			p := w.post(t, "/v1/capture", body(petrova, `"if":`+cond)).want(t, wire.Lost, "")
			if p.Mutex == nil || p.Mutex.ID != "42" || p.Holder == nil || p.Holder.Owner.Session != "s-ivanov" {
				t.Errorf("if %s: got %+v", cond, p)
			}
		}
	})
	t.Run("of never expires at null", func(t *testing.T) {
		got := read[wire.CaptureAnswer](t, w.post(t, "/v1/capture", body(ivanov, `"auto_release":{"never":true}`)))
		if got.Mutex.ExpiresAt != nil || got.Mutex.ExpiresIn != nil || !got.Mutex.AutoRelease.Never {
			t.Errorf("got %+v", got.Mutex)
		}
	})
	t.Run("of several is all or none and names all holders", func(t *testing.T) {
		several := `{"mutexes":[{"id":"b"},{"id":"a"}],"owner":` + ivanov + `}`
		got := read[wire.CaptureAllAnswer](t, w.post(t, "/v1/capture", several))
		if len(got.Mutexes) != 2 || got.Mutexes[0].Mutex.ID != "b" || got.Mutexes[1].Mutex.ID != "a" {
			t.Errorf("got %+v", got)
		}
		p := w.post(t, "/v1/capture", `{"mutexes":[{"id":"c"},{"id":"a"},{"id":"b"}],"owner":`+petrova+`}`).want(t, wire.Busy, "")
		if len(p.Holders) != 2 || p.Holder.Mutex.ID != "a" || p.Holders[1].Mutex.ID != "b" {
			t.Errorf("got %+v", p)
		}
		if got := read[wire.CaptureAnswer](t, w.post(t, "/v1/request", `{"mutex":{"id":"c"}}`)); got.State != "FREE" {
			t.Errorf("c is %s after a refused capture of it and others", got.State)
		}
	})
	t.Run("with the same Idempotency-Key is the same capture", func(t *testing.T) {
		once := `{"mutex":{"id":"once"},"owner":` + ivanov + `}`
		a := read[wire.CaptureAnswer](t, w.post(t, "/v1/capture", once, "Idempotency-Key", "k-1"))
		b := read[wire.CaptureAnswer](t, w.post(t, "/v1/capture", once, "Idempotency-Key", "k-1"))
		if a.Mutex.Token != b.Mutex.Token || !a.Mutex.RefreshedAt.Equal(b.Mutex.RefreshedAt) {
			t.Errorf("got %+v, then %+v", a.Mutex, b.Mutex)
		}
		w.post(t, "/v1/release", once)
		w.post(t, "/v1/capture", once, "Idempotency-Key", "k-1").want(t, wire.Lost, "") // not captured again
	})
	t.Run("with an Idempotency-Key that others use too is one's own", func(t *testing.T) {
		for i, key := range []string{"1", strings.Repeat("я", 100)} {
			mine := fmt.Sprintf(`{"mutex":{"id":"mine %d"},"owner":%s}`, i, ivanov)
			read[wire.CaptureAnswer](t, w.post(t, "/v1/capture", mine, "Idempotency-Key", key))
			p := w.post(t, "/v1/capture", strings.Replace(mine, ivanov, petrova, 1), "Idempotency-Key", key).want(t, wire.Busy, "")
			if p.Holder.Owner.Session != "s-ivanov" {
				t.Errorf("busy names %+v", p.Holder)
			}
			other := fmt.Sprintf(`{"mutex":{"id":"another %d"},"owner":%s}`, i, ivanov)
			read[wire.CaptureAnswer](t, w.post(t, "/v1/capture", other, "Idempotency-Key", key))
		}
	})
}

func TestRequest(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	if got := w.post(t, "/v1/request", `{"mutex":`+doc+`}`); got.body != `{"state":"FREE","mutex":null}` {
		t.Errorf("of a free mutex answers %s", got.body)
	}
	w.post(t, "/v1/capture", body(ivanov, ""))
	for _, test := range []struct{ name, body, state string }{
		{"by the holder", body(ivanov, ""), "CAPTURED_BY_ME"},
		{"by another", body(petrova, ""), "CAPTURED_BY_OTHER"},
		{"by a stranger", `{"mutex":` + doc + `}`, "CAPTURED_BY_OTHER"},
		{"by null, who is a stranger", body("null", ""), "CAPTURED_BY_OTHER"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := read[wire.CaptureAnswer](t, w.post(t, "/v1/request", test.body))
			if got.State != test.state || got.Mutex == nil || got.Mutex.Owner.Session != "s-ivanov" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestRefresh(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	held := read[wire.CaptureAnswer](t, w.post(t, "/v1/capture", body(ivanov, ""))).Mutex
	items := fmt.Sprintf(`"items":[{"mutex":{"id":"gone"},"token":1},{"mutex":%s,"token":%d,"status_data":"60%%"}]`, doc, held.Token)

	t.Run("gives a result per item", func(t *testing.T) {
		got := read[wire.RefreshAnswer](t, w.post(t, "/v1/refresh", `{"owner":`+ivanov+`,`+items+`}`))
		if len(got.Results) != 2 {
			t.Fatalf("got %+v", got)
		}
		if p := got.Results[0].Problem; p == nil || p.Code != wire.Lost || p.Holder != nil || p.Mutex.ID != "gone" {
			t.Errorf("got %+v for the lost one", p)
		}
		if m := got.Results[1].Mutex; m == nil || m.Token != held.Token || m.StatusData != "60%" {
			t.Errorf("got %+v for the held one", m)
		}
	})
	t.Run("without an owner goes by the token alone", func(t *testing.T) {
		got := read[wire.RefreshAnswer](t, w.post(t, "/v1/refresh", `{`+items+`}`))
		if m := got.Results[1].Mutex; m == nil || m.Owner.Session != "s-ivanov" {
			t.Errorf("got %+v", got.Results[1].Problem)
		}
	})
	t.Run("by another is lost, with the holder", func(t *testing.T) {
		got := read[wire.RefreshAnswer](t, w.post(t, "/v1/refresh", `{"owner":`+petrova+`,`+items+`}`))
		if p := got.Results[1].Problem; p == nil || p.Code != wire.Lost || p.Holder == nil || p.Holder.Owner.Session != "s-ivanov" {
			t.Errorf("got %+v", p)
		}
	})
	t.Run("after a takeover tells by whom, when and why", func(t *testing.T) {
		w.post(t, "/v1/takeover", body(petrova, fmt.Sprintf(`"seen_token":%d,"reason":"left early"`, held.Token)))
		got := read[wire.RefreshAnswer](t, w.post(t, "/v1/refresh", `{"owner":`+ivanov+`,`+items+`}`))
		p := got.Results[1].Problem
		if p == nil || p.How != "taken_over" || p.By.Session != "s-petrova" || p.Reason != "left early" || p.At == nil || p.Holder.Owner.Session != "s-petrova" {
			t.Errorf("got %+v", p)
		}
	})
}

func TestRelease(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	hold := func(t *testing.T) uint64 {
		return read[wire.CaptureAnswer](t, w.post(t, "/v1/capture", body(ivanov, `"status_data":"tab 1"`))).Mutex.Token
	}
	released := func(t *testing.T, r reply) bool { return read[wire.ReleaseAnswer](t, r).Released }

	t.Run("of a free mutex does nothing", func(t *testing.T) {
		if released(t, w.post(t, "/v1/release", body(ivanov, ""))) {
			t.Error("released")
		}
	})
	t.Run("frees what the session holds", func(t *testing.T) {
		hold(t)
		if !released(t, w.post(t, "/v1/release", body(ivanov, ""))) {
			t.Error("not released")
		}
	})
	t.Run("of another's is busy", func(t *testing.T) {
		hold(t)
		w.post(t, "/v1/release", body(petrova, "")).want(t, wire.Busy, "")
	})
	t.Run("does nothing where the condition does not hold", func(t *testing.T) {
		token := hold(t)
		for _, cond := range []string{`{"status_data":"tab 2"}`, fmt.Sprintf(`{"token":%d}`, token+1)} {
			if released(t, w.post(t, "/v1/release", body(ivanov, `"if":`+cond))) {
				t.Errorf("released if %s", cond)
			}
		}
		if !released(t, w.post(t, "/v1/release", body(ivanov, fmt.Sprintf(`"if":{"token":%d}`, token)))) {
			t.Error("not released by its token")
		}
	})
	t.Run("comes as a beacon", func(t *testing.T) {
		hold(t)
		if !released(t, w.send(t, "POST", "/v1/release", body(ivanov, `"if":{"status_data":"tab 1"}`), "Content-Type", "text/plain;charset=UTF-8")) {
			t.Error("not released")
		}
	})
	t.Run("of several tells which were the session's", func(t *testing.T) {
		hold(t)
		got := read[wire.ReleaseAllAnswer](t, w.post(t, "/v1/release", `{"mutexes":[{"id":"other"},`+doc+`],"owner":`+ivanov+`}`))
		want := wire.ReleaseAllAnswer{Released: true, Mutexes: []wire.ID{{Group: "demo", Mode: "document", ID: "42"}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if r := w.post(t, "/v1/release", `{"mutexes":[`+doc+`],"owner":`+ivanov+`}`); r.body != `{"released":false,"mutexes":[]}` {
			t.Errorf("again: %s", r.body)
		}
	})
	t.Run("of a session frees everything that it holds", func(t *testing.T) {
		hold(t)
		got := read[wire.ReleaseAllAnswer](t, w.post(t, "/v1/release-session", `{"session":"s-ivanov"}`))
		if !got.Released || len(got.Mutexes) != 1 {
			t.Errorf("got %+v", got)
		}
		entry := read[wire.HistoryAnswer](t, w.get(t, "/v1/history?limit=1")).Entries[0]
		if entry.Kind != "released" || entry.Actor.Session != "s-ivanov" {
			t.Errorf("history tells %+v", entry)
		}
	})
}

func TestTakeover(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	token := read[wire.CaptureAnswer](t, w.post(t, "/v1/capture", body(ivanov, ""))).Mutex.Token
	seen := func(token uint64) string { return fmt.Sprintf(`"seen_token":%d,"reason":"left early"`, token) }

	w.post(t, "/v1/takeover", body(petrova, seen(token+1))).want(t, wire.Busy, "")
	got := read[wire.CaptureAnswer](t, w.post(t, "/v1/takeover", body(petrova, seen(token)+`,"status_data":"x","auto_release":{"never":true}`)))
	if got.State != "CAPTURED_BY_ME" || got.Mutex.Token <= token || got.Mutex.StatusData != "x" || !got.Mutex.AutoRelease.Never {
		t.Errorf("got %+v", got)
	}
	w.post(t, "/v1/force-release", body(ivanov, seen(token))).want(t, wire.Busy, "")
	if r := w.post(t, "/v1/force-release", body(ivanov, seen(got.Mutex.Token))); r.body != `{"released":true}` {
		t.Errorf("force-release answers %s", r.body)
	}
	for _, path := range []string{"/v1/takeover", "/v1/force-release"} {
		if p := w.post(t, path, body(ivanov, seen(got.Mutex.Token))).want(t, wire.NotHeld, ""); p.Holder != nil || p.Mutex == nil {
			t.Errorf("%s of a free mutex is answered with %+v", path, p)
		}
	}
}

func TestWait(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	w.post(t, "/v1/capture", body(ivanov, `"grant_after":"1h"`))
	waits := func(t *testing.T, more string) <-chan reply {
		answer := make(chan reply, 1)
		go func() { answer <- w.post(t, "/v1/capture", body(petrova, `"wait":"1m"`+more)) }()
		return answer
	}
	queue := func(t *testing.T, n int) *wire.Mutex {
		var m *wire.Mutex
		eventually(t, "the queue", func() bool {
			m = read[wire.CaptureAnswer](t, w.post(t, "/v1/request", `{"mutex":`+doc+`}`)).Mutex
			return m != nil && m.Waiting == n
		})
		return m
	}
	t.Run("shows in the mutex, and ends when declined", func(t *testing.T) {
		answer := waits(t, `,"message":"Please!"`)
		m := queue(t, 1)
		if len(m.Waiters) != 1 || m.Waiters[0].Owner.Session != "s-petrova" || m.Waiters[0].Message != "Please!" || m.Waiters[0].GrantAt == nil || *m.GrantAfter != wire.Duration(time.Hour) {
			t.Errorf("got %+v", m)
		}
		if r := w.post(t, "/v1/decline", body(ivanov, `"waiter":"`+m.Waiters[0].ID+`","message":"Not now"`)); r.body != `{"declined":true}` {
			t.Errorf("decline answers %s", r.body)
		}
		p := (<-answer).want(t, wire.Busy, "")
		if p.Declined == nil || p.Declined.By.Session != "s-ivanov" || p.Declined.Message != "Not now" || p.Declined.At.IsZero() {
			t.Errorf("got %+v", p)
		}
	})
	t.Run("ends when the holder hands over", func(t *testing.T) {
		if r := w.post(t, "/v1/hand-over", body(ivanov, "")); r.body != `{"handed_over":false}` {
			t.Errorf("to nobody: %s", r.body)
		}
		answer := waits(t, "")
		queue(t, 1)
		if r := w.post(t, "/v1/hand-over", body(ivanov, "")); r.body != `{"handed_over":true}` {
			t.Errorf("hand-over answers %s", r.body)
		}
		if got := read[wire.CaptureAnswer](t, <-answer); got.State != "CAPTURED_BY_ME" || got.Mutex.Owner.Session != "s-petrova" {
			t.Errorf("got %+v", got)
		}
		w.post(t, "/v1/hand-over", body(ivanov, "")).want(t, wire.Lost, "")
		w.post(t, "/v1/decline", body(ivanov, `"waiter":"x"`)).want(t, wire.Lost, "")
	})
	t.Run("is busy at its deadline", func(t *testing.T) {
		w.post(t, "/v1/capture", body(ivanov, `"wait":"20ms"`)).want(t, wire.Busy, "")
	})
}

func TestList(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	if r := w.get(t, "/v1/mutexes"); r.body != `{"mutexes":[],"next_cursor":null}` {
		t.Errorf("empty: %s", r.body)
	}
	for i := range 5 {
		w.post(t, "/v1/capture", fmt.Sprintf(`{"mutex":{"group":"g","mode":"m%d","id":"%d"},"owner":%s}`, i%2, i, []string{ivanov, petrova}[i%2]))
	}
	for _, test := range []struct {
		query string
		want  []string
	}{
		{"", []string{"0", "2", "4", "1", "3"}},
		{"?group=g&mode=m1", []string{"1", "3"}},
		{"?session=s-ivanov", []string{"0", "2", "4"}},
		{"?user_id=18", []string{"1", "3"}},
		{"?text=" + "%D0%BF%D0%95%D0%A2%D0%A0", []string{"1", "3"}}, // пЕТР
		{"?group=&mode=&limit=&cursor=", []string{"0", "2", "4", "1", "3"}},
		{"?group=none", nil},
	} {
		t.Run("by "+test.query, func(t *testing.T) {
			var got []string
			for _, m := range read[wire.ListAnswer](t, w.get(t, "/v1/mutexes"+test.query)).Mutexes {
				got = append(got, m.Mutex.ID)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("in pages", func(t *testing.T) {
		var got []string
		for path := "/v1/mutexes?limit=2"; path != ""; {
			page := read[wire.ListAnswer](t, w.get(t, path))
			for _, m := range page.Mutexes {
				got = append(got, m.Mutex.ID)
			}
			path = ""
			if page.Next != nil {
				path = "/v1/mutexes?limit=2&cursor=" + *page.Next
			}
		}
		if diff := cmp.Diff([]string{"0", "2", "4", "1", "3"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestHistory(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	w.post(t, "/v1/capture", body(ivanov, ""))
	w.post(t, "/v1/release", body(ivanov, ""))
	w.post(t, "/v1/capture", `{"mutex":{"id":"42"},"owner":`+petrova+`}`)
	all := read[wire.HistoryAnswer](t, w.get(t, "/v1/history")).Entries
	at := func(e wire.Entry) string { return e.At.Format(time.RFC3339Nano) }
	for _, test := range []struct{ query, want string }{
		{"", "captured released captured"},
		{"?group=demo", "released captured"},
		{"?group=demo&mode=document&id=42", "released captured"},
		{"?id=42", "captured"},
		{"?user_id=18", "captured"},
		{"?kind=released", "released"},
		{"?kind=released,captured&group=demo", "released captured"},
		{"?kind=released&kind=captured&group=demo", "released captured"},
		{"?from=" + at(all[0]), "captured"},
		{"?to=" + at(all[1]), "captured"},
		{"?limit=2", "captured released"},
	} {
		t.Run("by "+test.query, func(t *testing.T) {
			var got []string
			for _, e := range read[wire.HistoryAnswer](t, w.get(t, "/v1/history"+test.query)).Entries {
				got = append(got, e.Kind)
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	broken := map[string]error{"tokens": errors.New("dial tcp 10.0.0.7: refused"), "login": nil}
	w := start(t, httpapi.Options{Parts: func() map[string]error { return broken }}, nil)
	for path, want := range map[string]wire.StatusAnswer{
		"/healthz": {Status: "ok"},
		"/readyz":  {Status: "ok", Parts: map[string]string{"login": "ok", "server": "ok", "store": "ok", "tokens": "unavailable"}},
	} {
		if diff := cmp.Diff(want, read[wire.StatusAnswer](t, w.get(t, path))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		if r := w.send(t, "HEAD", path, ""); r.status != http.StatusOK || r.body != "" {
			t.Errorf("HEAD %s answers %d %s", path, r.status, r.body)
		}
	}
	w.handler.Drain()
	if r := w.get(t, "/readyz"); r.status != http.StatusServiceUnavailable || !strings.Contains(r.body, "not ready: server;") {
		t.Errorf("while it stops, /readyz answers %d %s", r.status, r.body)
	}
}
