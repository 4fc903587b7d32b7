package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
)

// cutting is a writer of a stream that is cut after so many events, or before
// them if they are written together.
type cutting struct {
	http.ResponseWriter
	left int
}

var errCut = errors.New("cut")

func (w *cutting) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *cutting) Write(p []byte) (int, error) {
	if w.left -= max(1, bytes.Count(p, []byte("\nevent: "))); w.left < 0 {
		_, _ = w.ResponseWriter.Write(p[:len(p)/2]) // within an event, even
		_ = http.NewResponseController(w.ResponseWriter).Flush()
		return 0, errCut
	}
	return w.ResponseWriter.Write(p)
}

func TestWatch_LosesAndRepeatsNothing(t *testing.T) {
	w := newWorld(t)
	var streams atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		// The first stream is cut within its first event, the next later.
		n := int(streams.Add(1))
		cut := &cutting{rw, n}
		w.current().ServeHTTP(cut, r)
		if cut.left < 0 {
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	c := dial(t, server.URL)

	const captures = 30
	ctx := as(t, ivanov)
	begun := make(chan struct{})
	go func() {
		<-begun
		for i := range captures {
			_, _ = w.manager.Capture(ctx, editlock.ID{ID: fmt.Sprint(i)}, nil)
		}
	}()
	w.hold(t, ivanov)
	after := uint64(0)
	var got []string
	last := uint64(0)
	for e, err := range c.Watch(patient(t), editlock.WatchQuery{After: &after}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Seq <= last {
			t.Errorf("event %d comes after %d", e.Seq, last)
		}
		last = e.Seq
		if e.ID == doc {
			close(begun)
			continue
		}
		if got = append(got, e.ID.ID); len(got) == captures {
			break
		}
	}
	for i, id := range got {
		if id != fmt.Sprint(i) {
			t.Fatalf("event %d is of %s; all: %v", i, id, got)
		}
	}
	if streams.Load() < 4 {
		t.Errorf("only %d streams: nothing was cut", streams.Load())
	}
}

func TestWatch_FromNowOnMissesNothingWhileItIsCut(t *testing.T) {
	w := newWorld(t)
	w.hold(t, ivanov)
	streams := make(chan int, 10)
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n++
		if n == 1 {
			defer func() { // after the cut, and before the client is back
				cause := recover()
				_, _ = w.manager.Release(as(t, ivanov), doc, editlock.Condition{})
				panic(cause)
			}()
			ctx, cancel := context.WithCancel(r.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			w.current().ServeHTTP(rw, r.WithContext(ctx))
			panic(http.ErrAbortHandler)
		}
		streams <- n
		w.current().ServeHTTP(rw, r)
	}))
	defer server.Close()
	for e, err := range dial(t, server.URL).Watch(patient(t), editlock.WatchQuery{}) {
		if err != nil || e.Kind != editlock.KindReleased {
			t.Errorf("first event is %+v, %v", e, err)
		}
		break
	}
	if got := <-streams; got != 2 {
		t.Errorf("stream %d", got)
	}
}

func TestWatch_GoesOnOverARestart(t *testing.T) {
	w := newWorld(t)
	w.hold(t, ivanov)
	after := uint64(0)
	var kinds []editlock.EventKind
	for e, err := range w.Watch(patient(t), editlock.WatchQuery{After: &after}) {
		if err != nil {
			t.Fatal(err)
		}
		if kinds = append(kinds, e.Kind); len(kinds) == 2 {
			break
		}
		w.restart()
		if _, err := w.manager.Release(as(t, ivanov), doc, editlock.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(kinds) != "[captured released]" {
		t.Errorf("got %v", kinds)
	}
}

func TestWatch_EndsWithItsContextAndItsLoop(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(patient(t))
	go func() {
		w.hold(t, ivanov)
		cancel()
	}()
	var last error
	for _, err := range w.Watch(ctx, editlock.WatchQuery{}) {
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("ended with %v", last)
	}
}

func TestWatch_RefusedIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	w.hold(t, ivanov)
	w.fail()
	future := uint64(1 << 40)
	for name, test := range map[string]struct {
		q     editlock.WatchQuery
		field string
	}{
		"in the future":                {editlock.WatchQuery{After: &future}, "after"},
		"of a name that is none":       {editlock.WatchQuery{ID: &editlock.ID{}}, "mutex.id"},
		"of a group that is not UTF-8": {editlock.WatchQuery{Group: "\xff"}, "group"},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			for _, err := range w.Watch(patient(t), test.q) {
				var bad *editlock.InvalidError
				if n++; !errors.As(err, &bad) || bad.Field != test.field {
					t.Errorf("got %v, want one of %s", err, test.field)
				}
			}
			if n != 1 {
				t.Errorf("yielded %d times", n)
			}
		})
	}
	if w.sent > 2 {
		t.Errorf("%d requests", w.sent)
	}
}

func TestWatch_GivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		c := fakeClient(t, func(*http.Request) (*http.Response, error) {
			tries++
			return nil, errors.New("connection refused")
		})
		for _, err := range c.Watch(t.Context(), editlock.WatchQuery{}) {
			if !errors.Is(err, editlock.ErrUnavailable) || !strings.Contains(err.Error(), "connection refused") {
				t.Errorf("got %v", err)
			}
		}
		if tries != 9 {
			t.Errorf("%d tries", tries)
		}
	})
}

func TestWatch_TakesSilenceForDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var resumed []string
		var began []time.Duration
		start := time.Now()
		c := fakeClient(t, func(r *http.Request) (*http.Response, error) {
			resumed = append(resumed, r.Header.Get("Last-Event-ID"))
			began = append(began, time.Since(start).Truncate(time.Second))
			body, server := io.Pipe()
			go func() {
				_, _ = io.WriteString(server, fmt.Sprintf("retry: 1000\nid: %d\n\n", 10*len(resumed)))
				for range 3 { // alive for a while
					time.Sleep(40 * time.Second)
					_, _ = io.WriteString(server, ":\n\n")
				}
				if len(resumed) == 3 {
					_, _ = io.WriteString(server, "id: 31\nevent: released\ndata: {\"seq\":31,\"kind\":\"released\"}\n\n")
				}
				<-r.Context().Done() // silent, and not closed
				_ = server.CloseWithError(r.Context().Err())
			}()
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: body}, nil
		})
		for e, err := range c.Watch(t.Context(), editlock.WatchQuery{}) {
			if err != nil || e.Seq != 31 {
				t.Errorf("got %+v, %v", e, err)
			}
			break
		}
		if fmt.Sprint(resumed) != "[ 10 20]" {
			t.Errorf("resumed at %q", resumed)
		}
		// Each was alive for 120 s and silent for 45 s.
		if fmt.Sprint(began) != "[0s 2m45s 5m30s]" {
			t.Errorf("streams began at %v", began)
		}
	})
}

func TestWatch_TellsOfAGap(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "id: 5\n\nid: 90\nevent: gap\ndata: {\"seq\":90,\"kind\":\"gap\",\"mutex\":null,\"at\":null}\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	after := uint64(5)
	for e, err := range dial(t, server.URL).Watch(patient(t), editlock.WatchQuery{After: &after}) {
		if err != nil || e != (editlock.Event{Seq: 90, Kind: editlock.KindGap}) {
			t.Errorf("got %+v, %v", e, err)
		}
		break
	}
}
