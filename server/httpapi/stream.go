package httpapi

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/wire/strictjson"
)

// stream is an open response of server-sent events. A timer sends heartbeats,
// and the events that waited for others.
type stream struct {
	conn   *http.ResponseController
	cut    func()        // called when a write has failed
	beside *atomic.Int64 // how many streams are open

	mu    sync.Mutex // guards what follows
	w     http.ResponseWriter
	timer *time.Timer
	buf   []byte    // events that wait
	sent  time.Time // when something was written last
	err   error
}

func newStream(w http.ResponseWriter, beside *atomic.Int64, cut func()) *stream {
	beside.Add(1)
	s := &stream{w: w, conn: http.NewResponseController(w), cut: cut, beside: beside}
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // proxies would hold events back
	w.WriteHeader(http.StatusOK)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(heartbeat, s.due)
	return s
}

// due writes the events that wait, or else a heartbeat.
func (s *stream) due() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buf) == 0 {
		s.buf = append(s.buf, ":\n\n"...)
	}
	s.flush()
}

// close writes the events that wait, and ends the stream: nothing is written
// after it returns.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buf) > 0 {
		s.flush()
	}
	s.timer.Stop()
	s.err = net.ErrClosed
	s.beside.Add(-1)
}

// flush writes what waits. After a failure it does nothing. The caller holds
// the lock.
func (s *stream) flush() {
	if s.err != nil {
		return
	}
	s.sent = time.Now()
	_ = s.conn.SetWriteDeadline(s.sent.Add(writeWithin))
	if _, s.err = s.w.Write(s.buf); s.err == nil {
		s.err = s.conn.Flush()
	}
	if s.err != nil {
		s.cut()
	}
	s.buf = s.buf[:0]
	if cap(s.buf) > 2*gathered {
		s.buf = nil // one large burst need not stay in memory
	}
	s.timer.Reset(heartbeat)
}

// write sends a part of the stream now or, soon after another one, within
// gather; within gatherEach for each open stream, if that is longer. It reports whether
// the stream is still open.
func (s *stream) write(part []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false
	}
	first := len(s.buf) == 0
	s.buf = append(s.buf, part...)
	together := max(gather, min(gatherMost, time.Duration(s.beside.Load())*gatherEach))
	switch wait := together - time.Since(s.sent); {
	case wait <= 0, len(s.buf) >= gathered:
		s.flush()
	case first:
		s.timer.Reset(wait)
	}
	return s.err == nil
}

// begin tells the listener when to come back after a cut, and from where even
// if nothing happens before.
func (s *stream) begin(from uint64) {
	s.write(append(strconv.AppendUint([]byte("retry: 1000\nid: "), from, 10), "\n\n"...))
}

// mark moves the point to resume from without an event.
func (s *stream) mark(seq uint64) {
	s.write(append(strconv.AppendUint([]byte("id: "), seq, 10), "\n\n"...))
}

// encode returns an event as a part of a stream.
func encode(e editlock.Event) []byte {
	form := wire.FromEntry(e)
	b := strconv.AppendUint([]byte("id: "), e.Seq, 10)
	b = append(append(b, "\nevent: "...), e.Kind...)
	return slices.Clip(data(b, &form))
}

// fail tells why the stream ends, where its status is sent already.
func (s *stream) fail(p *wire.Problem) { s.write(data([]byte("event: problem"), p)) }

func data(b []byte, form any) []byte {
	b, _ = strictjson.Append(append(b, "\ndata: "...), form) // from a store, so valid
	return append(b, "\n\n"...)
}
