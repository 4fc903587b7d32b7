package httpapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"editlock"
	"editlock/auth"
	"editlock/internal/wire"
	"editlock/internal/wire/strictjson"
)

const (
	// heartbeat is how often a quiet stream shows that it lives.
	heartbeat = 15 * time.Second
	// writeWithin is how long a listener may take to accept what is sent.
	writeWithin = 30 * time.Second
)

// events streams what happens, as server-sent events.
func events(h *Handler, w http.ResponseWriter, r *http.Request) error {
	q, err := parse(r)
	if err != nil {
		return err
	}
	id, group, mode := q.id()
	query := editlock.WatchQuery{ID: id, Group: group, Mode: mode, Session: q.text("session")}
	from, resumed := resumePoint(r, q)
	if err := q.done(); err != nil {
		return plain(err)
	}
	ctx, done := h.untilDrained(r.Context())
	defer done()
	if h.draining.Err() != nil {
		return errDraining
	}
	latest, err := h.latest(ctx)
	switch {
	case err != nil:
		return err
	case !resumed:
		from = latest
	case latest > 0 && from > latest:
		return invalid("after", "is %d, which is in the future; the latest event is %d", from, latest)
	}
	query.After = &from
	if err := h.check(ctx, query, resumed && latest == 0); err != nil {
		return err
	}
	if caller := auth.CallerFrom(ctx); caller != nil && h.opts.Guard != nil {
		closed, err := h.opts.Guard.OpenStream(caller)
		if err != nil {
			return err
		}
		defer closed()
	}
	s := newStream(w)
	defer s.close()
	s.begin(from)
	started := false
	for e, err := range h.locker.Watch(ctx, query) {
		switch {
		case ctx.Err() != nil:
			return nil // the listener is gone, or comes back to another server
		case err != nil:
			s.fail(h.problem(r, plain(err)))
			return nil
		case e.Kind == editlock.KindGap && !resumed && !started:
			s.mark(e.Seq) // all history is gone: nothing was missed
		default:
			if !s.send(e) {
				return nil
			}
		}
		started = true
	}
	return nil
}

// resumePoint is where a listener left off: as its browser says, or else as
// its address does, which does not change while the browser reconnects.
func resumePoint(r *http.Request, q *params) (after uint64, given bool) {
	field, text := "after", q.text("after")
	if header := r.Header.Get("Last-Event-ID"); header != "" {
		field, text = "Last-Event-ID", header
	}
	if text == "" {
		return 0, false
	}
	after, err := strconv.ParseUint(text, 10, 53)
	if err != nil {
		q.fail(field, "must be the id of an event, which is a whole number, not %.40q", text)
	}
	return after, true
}

// latest is the number of the latest entry; 0 if there is none.
func (h *Handler) latest(ctx context.Context) (uint64, error) {
	page, err := h.store.History(ctx, editlock.HistoryQuery{Limit: 1})
	if err != nil || len(page.Entries) == 0 {
		return 0, err
	}
	return page.Entries[0].Seq, nil
}

// checkWithin is how long a watch may take to find that it begins in the
// future.
const checkWithin = 250 * time.Millisecond

// check finds out whether a watch is refused, while that can still be told by
// the status: at once for most arguments, with a context that has ended. The
// history, being empty, can't tell a number that was given out from one of
// the future; then a watch must be begun.
func (h *Handler) check(ctx context.Context, q editlock.WatchQuery, begin bool) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	if !begin {
		cancel()
	}
	for _, err := range h.locker.Watch(ctx, q) {
		if errors.Is(err, editlock.ErrInvalid) || errors.Is(err, editlock.ErrForbidden) {
			return plain(err)
		}
		break
	}
	return nil
}

// stream is an answer that goes on. Its heart beats by itself.
type stream struct {
	conn *http.ResponseController
	beat *time.Timer

	mu  sync.Mutex // guards what follows
	w   http.ResponseWriter
	buf []byte
	err error
}

func newStream(w http.ResponseWriter) *stream {
	s := &stream{w: w, conn: http.NewResponseController(w)}
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // proxies would hold events back
	w.WriteHeader(http.StatusOK)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beat = time.AfterFunc(heartbeat, func() {
		s.write(func(b []byte) []byte { return append(b, ":\n\n"...) })
	})
	return s
}

// close stops the heart. Nothing is written after it returns.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beat.Stop()
	s.err = net.ErrClosed
}

// write sends what compose appends to a buffer, and puts the next heartbeat
// off. After a failure it does nothing.
func (s *stream) write(compose func([]byte) []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false
	}
	s.buf = compose(s.buf[:0])
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeWithin))
	if _, s.err = s.w.Write(s.buf); s.err == nil {
		s.err = s.conn.Flush()
	}
	s.beat.Reset(heartbeat)
	return s.err == nil
}

// begin tells the listener when to come back after a cut, and from where even
// if nothing happens before.
func (s *stream) begin(from uint64) {
	s.write(func(b []byte) []byte {
		b = strconv.AppendUint(append(b, "retry: 1000\nid: "...), from, 10)
		return append(b, "\n\n"...)
	})
}

// mark moves the point to resume from without an event.
func (s *stream) mark(seq uint64) {
	s.write(func(b []byte) []byte {
		b = strconv.AppendUint(append(b, "id: "...), seq, 10)
		return append(b, "\n\n"...)
	})
}

func (s *stream) send(e editlock.Event) bool {
	form := wire.FromEntry(e)
	return s.write(func(b []byte) []byte {
		b = strconv.AppendUint(append(b, "id: "...), e.Seq, 10)
		b = append(append(b, "\nevent: "...), e.Kind...)
		return data(b, &form)
	})
}

// fail tells why the stream ends, where its status is sent already.
func (s *stream) fail(p *wire.Problem) {
	s.write(func(b []byte) []byte { return data(append(b, "event: problem"...), p) })
}

func data(b []byte, form any) []byte {
	b, _ = strictjson.Append(append(b, "\ndata: "...), form) // from a store, so valid
	return append(b, "\n\n"...)
}
