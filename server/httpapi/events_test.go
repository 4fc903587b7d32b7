package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/httpapi"
)

// listener is an open stream of events.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
}

type event struct {
	id, kind string
	data     string
}

func (w *world) listen(t *testing.T, path string, header ...string) *listener {
	t.Helper()
	r, err := http.NewRequestWithContext(patient(t), "GET", w.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s answers %s, %s", path, res.Status, res.Header.Get("Content-Type"))
	}
	return &listener{t, bufio.NewScanner(res.Body)}
}

// next is the next block of the stream; false at its end.
func (l *listener) next() (e event, ok bool) {
	l.t.Helper()
	for l.lines.Scan() {
		name, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.kind = value
		case "data":
			e.data = value
		case "":
			checkEvent(l.t, e)
			return e, true
		}
	}
	return e, false
}

// want takes the next block, which must be an event of a kind.
func (l *listener) want(kind string) (event, wire.Entry) {
	l.t.Helper()
	e, ok := l.next()
	if !ok || e.kind != kind {
		l.t.Fatalf("got %+v, %v, want an event of kind %s", e, ok, kind)
	}
	var entry wire.Entry
	if err := json.Unmarshal([]byte(e.data), &entry); err != nil {
		l.t.Fatalf("%v in %s", err, e.data)
	}
	if e.id != fmt.Sprint(entry.Seq) || entry.Kind != kind {
		l.t.Errorf("id %s and kind %s do not agree with %s", e.id, kind, e.data)
	}
	return e, entry
}

// begin takes the block that only says where to resume.
func (l *listener) begin() (id string) {
	l.t.Helper()
	e, ok := l.next()
	if !ok || e.id == "" || e.kind != "" || e.data != "" {
		l.t.Fatalf("got %+v, %v, want a bare id", e, ok)
	}
	return e.id
}

func TestEvents(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	w.post(t, "/v1/capture", body(petrova, ""))
	w.post(t, "/v1/release", body(petrova, ""))

	all := w.listen(t, "/v1/events")
	from := all.begin()
	w.post(t, "/v1/capture", body(ivanov, ""))
	first, entry := all.want("captured")
	if entry.Mutex.ID != "42" || entry.Owner.Name != "Иванов И. И." || entry.Actor.Session != "s-ivanov" || entry.Other != nil || entry.Token == 0 {
		t.Errorf("got %+v", entry)
	}
	w.post(t, "/v1/release", body(ivanov, ""))
	all.want("released")

	t.Run("resume behind an event", func(t *testing.T) {
		for _, l := range []*listener{
			w.listen(t, "/v1/events?after="+first.id),
			w.listen(t, "/v1/events", "Last-Event-ID", first.id),
			w.listen(t, "/v1/events?after="+from, "Last-Event-ID", first.id), // as a browser reconnects
		} {
			l.begin()
			l.want("released")
		}
	})
	t.Run("resume from where the stream began", func(t *testing.T) {
		l := w.listen(t, "/v1/events", "Last-Event-ID", from)
		l.begin()
		l.want("captured")
	})
	t.Run("are filtered", func(t *testing.T) {
		streams := map[string]*listener{}
		for _, filter := range []string{"group=demo", "mode=document", "group=demo&mode=document&id=42", "session=s-ivanov"} {
			streams[filter] = w.listen(t, "/v1/events?"+filter)
			streams[filter].begin()
		}
		w.post(t, "/v1/capture", `{"mutex":{"group":"demo2","mode":"d","id":"42"},"owner":`+petrova+`}`)
		w.post(t, "/v1/capture", body(ivanov, ""))
		for filter, l := range streams {
			if _, e := l.want("captured"); e.Owner.Session != "s-ivanov" {
				t.Errorf("%s lets %+v through", filter, e)
			}
		}
	})
	t.Run("of a taken lock tell who lost it and why", func(t *testing.T) {
		l := w.listen(t, "/v1/events?id=42&group=demo&mode=document")
		l.begin()
		token := read[wire.CaptureAnswer](t, w.post(t, "/v1/request", `{"mutex":`+doc+`}`)).Mutex.Token
		w.post(t, "/v1/takeover", body(petrova, fmt.Sprintf(`"seen_token":%d,"reason":"left early"`, token)))
		if _, e := l.want("taken_over"); e.Other.Session != "s-ivanov" || e.Actor.Session != "s-petrova" || e.Reason != "left early" {
			t.Errorf("got %+v", e)
		}
	})
}

func TestEvents_OfAnEmptyHistory(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	w.get(t, "/v1/events?after=7").want(t, wire.Invalid, "after")
	l := w.listen(t, "/v1/events")
	if from := l.begin(); from != "0" {
		t.Errorf("begins at %s", from)
	}
	w.post(t, "/v1/capture", body(ivanov, ""))
	l.want("captured")
	resumed := w.listen(t, "/v1/events", "Last-Event-ID", "0")
	resumed.begin()
	resumed.want("captured")
}

// watching is a Locker with made-up events.
type watching struct {
	editlock.Locker
	events []editlock.Event
	err    error
}

func (f watching) Watch(context.Context, editlock.WatchQuery) iter.Seq2[editlock.Event, error] {
	return func(yield func(editlock.Event, error) bool) {
		for _, e := range f.events {
			if !yield(e, nil) {
				return
			}
		}
		if f.err != nil {
			yield(editlock.Event{}, f.err)
		}
	}
}

func TestEvents_ThatGoWrong(t *testing.T) {
	gap := []editlock.Event{{Seq: 90, Kind: editlock.KindGap}}
	made := func(t *testing.T, events []editlock.Event, err error) *world {
		w := start(t, httpapi.Options{}, func(l editlock.Locker) editlock.Locker { return watching{l, events, err} })
		return w
	}
	t.Run("have a gap where entries are gone", func(t *testing.T) {
		w := made(t, gap, nil)
		w.post(t, "/v1/capture", body(ivanov, ""))
		l := w.listen(t, "/v1/events?after=0")
		l.begin()
		if e, entry := l.want("gap"); e.id != "90" || entry.Mutex != nil || entry.At != nil {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("have none where nothing was asked for", func(t *testing.T) {
		l := made(t, gap, nil).listen(t, "/v1/events")
		l.begin()
		if e, ok := l.next(); !ok || e.id != "90" || e.kind != "" {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("end with the problem", func(t *testing.T) {
		w := made(t, nil, fmt.Errorf("%w: hunter2", editlock.ErrUnavailable))
		l := w.listen(t, "/v1/events")
		l.begin()
		e, _ := l.next()
		var p wire.Problem
		if err := json.Unmarshal([]byte(e.data), &p); err != nil || e.kind != "problem" || p.Code != wire.Unavailable || strings.Contains(e.data, "hunter2") {
			t.Errorf("got %+v, %v", e, err)
		}
		if e, ok := l.next(); ok {
			t.Errorf("went on with %+v", e)
		}
	})
}

func TestDrain(t *testing.T) {
	w := start(t, httpapi.Options{}, nil)
	w.post(t, "/v1/capture", body(ivanov, ""))
	l := w.listen(t, "/v1/events")
	l.begin()
	answer := make(chan reply, 1)
	go func() {
		answer <- w.post(t, "/v1/capture", body(petrova, `"wait":"10m"`), "Idempotency-Key", "place-1")
	}()
	l.want("waiting")
	w.handler.Drain()

	got := <-answer
	got.want(t, wire.Unavailable, "")
	if after, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil || after < 1 {
		t.Errorf("Retry-After is %q", got.header.Get("Retry-After"))
	}
	if e, ok := l.next(); ok {
		t.Errorf("the stream went on with %+v", e)
	}
	w.get(t, "/v1/events").want(t, wire.Unavailable, "")
	w.get(t, "/readyz").want(t, wire.Unavailable, "")
	if r := w.get(t, "/healthz"); r.status != http.StatusOK {
		t.Errorf("/healthz answers %d", r.status)
	}

	t.Run("keeps the place of who waited, for the retry", func(t *testing.T) {
		m := read[wire.CaptureAnswer](t, w.post(t, "/v1/request", `{"mutex":`+doc+`}`)).Mutex
		if m.Waiting != 1 {
			t.Errorf("%d wait", m.Waiting)
		}
		w.post(t, "/v1/release", body(ivanov, ""))
		got := read[wire.CaptureAnswer](t, w.post(t, "/v1/capture", body(petrova, ""), "Idempotency-Key", "place-1"))
		if got.Mutex.Owner.Session != "s-petrova" {
			t.Errorf("got %+v", got.Mutex)
		}
	})
}
