package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
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
		if !s.write(s.encode(event(uint64(i)))) {
			t.Fatal("the stream has ended")
		}
	}
}

func TestStream_ABurstIsFewWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &flushed{ResponseRecorder: httptest.NewRecorder()}
		s := newStream(w, func() {})
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

func TestStream_EventsThatWaitAreSentBeforeItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &flushed{ResponseRecorder: httptest.NewRecorder()}
		s := newStream(w, func() {})
		s.begin(0)
		s.sendAll(t, 1, 4)
		s.close()
		if events, _ := s.said(w, 0); events != 3 {
			t.Errorf("%d of 3 events are sent", events)
		}
		if s.write(s.encode(event(4))) {
			t.Error("a stream that ended takes events")
		}
	})
}

func TestStream_AFailedWriteEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		s := newStream(&broken{httptest.NewRecorder()}, func() { close(ended) })
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
