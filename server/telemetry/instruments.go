package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/metric"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
)

// outcomes of calls, for the label of that name.
const (
	ok              = "ok"
	busy            = "busy"
	conflict        = "conflict"
	lost            = "lost"
	invalid         = "invalid"
	forbidden       = "forbidden"
	heldByPerson    = "held_by_person"
	unauthenticated = "unauthenticated"
	notHeld         = "not_held"
	limited         = "limited"
	unavailable     = "unavailable"
	canceled        = "canceled"
	failed          = "failed"
	waitsOn         = "waiting"
)

// outcome is how a call ended.
func outcome(err error) string {
	if err == nil {
		return ok
	}
	if waits := (*patience.Waiting)(nil); errors.As(err, &waits) {
		return waitsOn
	}
	if person := (*editlock.HeldByPersonError)(nil); errors.As(err, &person) {
		return heldByPerson
	}
	for _, o := range []struct {
		is   error
		name string
	}{
		{editlock.ErrBusy, busy},
		{editlock.ErrConflict, conflict},
		{editlock.ErrLost, lost},
		{editlock.ErrNotHeld, notHeld},
		{editlock.ErrInvalid, invalid},
		{editlock.ErrForbidden, forbidden},
		{editlock.ErrUnauthenticated, unauthenticated},
		{editlock.ErrLimited, limited},
		{context.Canceled, canceled},
		{context.DeadlineExceeded, canceled},
		{editlock.ErrUnavailable, unavailable},
	} {
		if errors.Is(err, o.is) {
			return o.name
		}
	}
	return failed
}

// Bounds of the buckets, in seconds but for the queue.
var (
	callBounds  = []float64{.0002, .0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5, 10}
	waitBounds  = []float64{.01, .1, .5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}
	holdBounds  = []float64{.1, 1, 10, 30, 60, 300, 900, 1800, 3600, 4 * 3600, 8 * 3600, 24 * 3600}
	queueBounds = []float64{1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000}
)

// instruments are what is measured. Prometheus's names have underscores, the
// unit and, for counters, _total.
type instruments struct {
	calls    timer                     // editlock.call.duration {call, outcome}
	steps    timer                     // editlock.store.duration {operation, outcome}
	captures counter                   // editlock.captures {how, kind}
	losses   counter                   // editlock.losses {how}
	events   counter                   // editlock.events {kind}
	waits    timer                     // editlock.wait.duration {outcome}
	waiting  metric.Int64UpDownCounter // editlock.waiting
	watching metric.Int64UpDownCounter // editlock.watching
	queue    metric.Int64Histogram     // editlock.queue.length
	holds    timer                     // editlock.hold.duration {end}
}

func newInstruments(m metric.Meter) (*instruments, error) {
	in := new(instruments)
	var errs [10]error
	in.calls, errs[0] = newTimer(m, "editlock.call.duration", "Calls and how long they took, waits apart", callBounds, "call", "outcome")
	in.steps, errs[1] = newTimer(m, "editlock.store.duration", "Operations of the store and how long they took", callBounds, "operation", "outcome")
	in.captures, errs[2] = newCounter(m, "editlock.captures", "Mutexes captured, or refreshed by a capture, by the kind of their owner", "how", "kind")
	in.losses, errs[3] = newCounter(m, "editlock.losses", "Holders told that their lock is lost", "how", "")
	in.events, errs[4] = newCounter(m, "editlock.events", "Entries of the store's history; every server counts all", "kind", "")
	in.waits, errs[5] = newTimer(m, "editlock.wait.duration", "Captures that may wait and how long they took", waitBounds, "outcome", "")
	in.waiting, errs[6] = m.Int64UpDownCounter("editlock.waiting", metric.WithDescription("Captures that may wait and are under way in this process"))
	in.watching, errs[7] = m.Int64UpDownCounter("editlock.watching", metric.WithDescription("Watches under way in this process"))
	in.queue, errs[8] = m.Int64Histogram("editlock.queue.length", metric.WithDescription("How many wait for a mutex, counted by each who joins them"),
		metric.WithExplicitBucketBoundaries(queueBounds...))
	in.holds, errs[9] = newTimer(m, "editlock.hold.duration", "Holds that ended and how long they were; every server counts all", holdBounds, "end", "")
	return in, errors.Join(errs[:]...)
}
