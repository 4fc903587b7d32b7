package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
)

// flushed counts how often a response was flushed.
type flushed struct {
	*httptest.ResponseRecorder
	times int
}

func (f *flushed) Flush()                           { f.times++ }
func (f *flushed) SetWriteDeadline(time.Time) error { return nil }
func (f *flushed) Unwrap() http.ResponseWriter      { return f.ResponseRecorder }

// said is how many events were written since so many flushes, and in how many.
func (s *stream) said(w *flushed, since int) (events, flushes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(w.Body.String(), "event: "), w.times - since
}

func event(seq uint64) editlock.Event { return editlock.Event{Seq: seq, Kind: editlock.KindCaptured} }

func (s *stream) sendAll(t *testing.T, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if !s.write(encode(event(uint64(i)))) {
			t.Fatal("the stream has ended")
		}
	}
}

func TestStream_ABurstIsFewWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &flushed{ResponseRecorder: httptest.NewRecorder()}
		s := newStream(w, new(atomic.Int64), func() {})
		s.begin(0)
		time.Sleep(time.Second)
		before := w.times
		s.sendAll(t, 1, 2)
		if events, flushes := s.said(w, before); events != 1 || flushes != 1 {
			t.Errorf("of an event that comes alone, %d are sent at once, in %d writes", events, flushes)
		}
		s.sendAll(t, 2, 101)
		if events, _ := s.said(w, before); events != 1 {
			t.Errorf("%d events of a burst are sent one by one", events-1)
		}
		time.Sleep(gather)
		synctest.Wait()
		if events, flushes := s.said(w, before); events != 100 || flushes != 2 {
			t.Errorf("%d events are sent in %d writes", events, flushes)
		}
		time.Sleep(heartbeat)
		synctest.Wait()
		s.close()
		if !strings.HasSuffix(w.Body.String(), "\n\n:\n\n") {
			t.Error("a stream that became quiet shows no heartbeat")
		}
	})
}

func TestStream_ACrowdOfThemWritesLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, open := &flushed{ResponseRecorder: httptest.NewRecorder()}, new(atomic.Int64)
		open.Store(1999)
		s := newStream(w, open, func() {})
		defer s.close()
		s.begin(0)
		time.Sleep(time.Second)
		before := w.times
		for i := range 1000 {
			s.sendAll(t, i, i+1)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if events, flushes := s.said(w, before); events != 1000 || flushes > 9 {
			t.Errorf("one of 2,000 sends %d events of a second in %d writes", events, flushes)
		}
	})
}

func TestStream_AnEventIsEncodedOnceForAll(t *testing.T) {
	h, times := new(encodings), 0
	part := func(e editlock.Event) string {
		return string(h.of(e, func(e editlock.Event) []byte { times++; return encode(e) }))
	}
	for seq := range uint64(2000) {
		for range 10 {
			if got := part(event(seq)); got != string(encode(event(seq))) {
				t.Fatalf("event %d is sent as %s", seq, got)
			}
		}
	}
	if times != 2000 {
		t.Errorf("2000 events were encoded %d times", times)
	}
	masked := event(1999)
	if masked.Owner.Session = "hidden"; part(masked) == part(event(1999)) {
		t.Error("who may see less of an event gets what another gets")
	}
}

func TestStream_EventsThatWaitAreSentBeforeItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &flushed{ResponseRecorder: httptest.NewRecorder()}
		s := newStream(w, new(atomic.Int64), func() {})
		s.begin(0)
		s.sendAll(t, 1, 4)
		s.close()
		if events, _ := s.said(w, 0); events != 3 {
			t.Errorf("%d of 3 events are sent", events)
		}
		if s.write(encode(event(4))) {
			t.Error("a stream that ended takes events")
		}
	})
}

func TestStream_AFailedWriteEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		s := newStream(&broken{httptest.NewRecorder()}, new(atomic.Int64), func() { close(ended) })
		s.mu.Lock()
		s.sent = time.Now() // so that the next part waits for others
		s.mu.Unlock()
		s.sendAll(t, 1, 3)
		<-ended // by the timer, although no other event comes
		s.close()
	})
}

// broken is a response whose connection is gone.
type broken struct{ *httptest.ResponseRecorder }

func (*broken) Write([]byte) (int, error)        { return 0, http.ErrHandlerTimeout }
func (*broken) SetWriteDeadline(time.Time) error { return nil }
