package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/auth"
)

const (
	// heartbeat is how often a quiet stream shows that it lives.
	heartbeat = 15 * time.Second
	// writeWithin is how long a listener may take to accept what is sent.
	writeWithin = 30 * time.Second
	// gather is how long events wait for others, so that a burst of them is few
	// writes. An event that comes alone is sent at once.
	gather = 25 * time.Millisecond
	// gatherEach is how long they wait for each open stream, if that is longer,
	// but gatherMost at most: so a crowd of streams together writes 4,000 times a
	// second, and leaves the processors to other calls.
	gatherEach, gatherMost = 250 * time.Microsecond, time.Second
	// gathered is how many bytes of events are written without waiting.
	gathered = 32 << 10
)

// events streams what happens, as server-sent events.
func events(h *Handler, w http.ResponseWriter, r *http.Request) error {
	q, err := parse(r)
	if err != nil {
		return err
	}
	id, tree, group, mode := q.id()
	query := editlock.WatchQuery{ID: id, Tree: tree, Group: group, Mode: mode, Session: q.text("session")}
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
		return invalid("after", "in_the_future", "is %d, which is in the future; the latest event is %d", from, latest)
	}
	query.After = &from
	if err := h.check(ctx, query, resumed && latest == 0); err != nil {
		return err
	}
	if caller := auth.CallerFrom(ctx); caller != nil && h.opts.Access != nil {
		closed, err := h.opts.Access.OpenStream(caller)
		if err != nil {
			return err
		}
		defer closed()
	}
	ctx, cut := context.WithCancel(ctx)
	defer cut()
	s := newStream(w, &h.streams, cut)
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
			if !s.write(h.encoded(e)) {
				return nil
			}
		}
		started = true
	}
	return nil
}

// encoded returns an event as a part of a stream. Few streams encode at a time, so that a
// crowd of them leaves the processors to other calls.
func (h *Handler) encoded(e editlock.Event) []byte {
	return h.encodings.of(e, func(e editlock.Event) []byte {
		h.turns <- struct{}{}
		defer func() { <-h.turns }()
		return encode(e)
	})
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
		q.fail(field, "not_an_event_id", "must be the id of an event, which is a whole number, not %q", short(text))
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
