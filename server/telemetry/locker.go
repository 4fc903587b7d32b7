package telemetry

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/editlock/editlock"
)

// Locker returns l with its calls counted, timed and, where traces are on,
// traced. Closing it closes l.
func (t *Telemetry) Locker(l editlock.Locker) editlock.Locker { return &locker{l, t} }

type locker struct {
	next editlock.Locker
	t    *Telemetry
}

// begin begins a call. What it returns ends it.
func (l *locker) begin(ctx context.Context, call string) (context.Context, func(err error)) {
	start := time.Now()
	if l.t.tracer == nil { // the usual case allocates little
		return ctx, func(err error) { l.t.calls.took(ctx, time.Since(start), call, outcome(err)) }
	}
	ctx, end := l.t.span(ctx, "editlock."+call)
	return ctx, func(err error) {
		how := outcome(err)
		l.t.calls.took(ctx, time.Since(start), call, how)
		end(how)
	}
}

// Calls, for the label of that name.
const (
	capture        = "capture"
	captureWaiting = "capture_waiting"
	captureAll     = "capture_all"
	refresh        = "refresh"
	request        = "request"
	release        = "release"
	releaseAfter   = "release_after"
	releaseAll     = "release_all"
	releaseSession = "release_session"
	takeover       = "takeover"
	forceRelease   = "force_release"
	handOver       = "hand_over"
	decline        = "decline"
	list           = "list"
	history        = "history"
)

func (l *locker) Capture(ctx context.Context, id editlock.ID, opts *editlock.CaptureOptions) (editlock.Mutex, error) {
	if opts != nil && opts.Wait > 0 {
		return l.wait(ctx, id, opts)
	}
	ctx, end := l.begin(ctx, capture)
	m, err := l.next.Capture(ctx, id, opts)
	l.captured(ctx, m, err)
	end(err)
	return m, err
}

// wait is a capture that may wait: its length says how long people wait, not
// how fast the server is, so it is timed apart.
func (l *locker) wait(ctx context.Context, id editlock.ID, opts *editlock.CaptureOptions) (editlock.Mutex, error) {
	start := time.Now()
	outer := ctx
	ctx, end := ctx, func(string) {}
	if l.t.tracer != nil {
		ctx, end = l.t.span(ctx, "editlock."+captureWaiting)
	}
	l.t.waiting.Add(outer, 1)
	defer l.t.waiting.Add(outer, -1)
	m, err := l.next.Capture(ctx, id, opts)
	how := outcome(err)
	l.t.waits.took(ctx, time.Since(start), how, "")
	l.captured(ctx, m, err)
	end(how)
	return m, err
}

func (l *locker) captured(ctx context.Context, m editlock.Mutex, err error) {
	switch {
	case err != nil:
		l.lost(ctx, err)
	case m.CapturedAt.Equal(m.RefreshedAt):
		l.t.captures.add(ctx, "new", kindOf(m.Owner))
	default:
		l.t.captures.add(ctx, "refreshed", kindOf(m.Owner))
	}
}

// kindOf is the kind of an owner, one of few.
func kindOf(o editlock.Owner) string {
	switch o.Kind {
	case editlock.Agent, editlock.Job:
		return o.Kind.String()
	default:
		return editlock.Person.String()
	}
}

// lost counts a holder who learns that the mutex is lost.
func (l *locker) lost(ctx context.Context, err error) {
	var gone *editlock.LostError
	if !errors.As(err, &gone) {
		return
	}
	how := string(gone.How)
	switch gone.How {
	case editlock.KindReleased, editlock.KindExpired, editlock.KindTakenOver, editlock.KindForceReleased, editlock.KindHandedOver:
	default:
		how = "unknown"
	}
	l.t.losses.add(ctx, how, "")
}

func (l *locker) CaptureAll(ctx context.Context, ids []editlock.ID, opts *editlock.CaptureOptions) ([]editlock.Mutex, error) {
	ctx, end := l.begin(ctx, captureAll)
	all, err := l.next.CaptureAll(ctx, ids, opts)
	for _, m := range all {
		l.captured(ctx, m, nil)
	}
	end(err)
	return all, err
}

func (l *locker) Refresh(ctx context.Context, items []editlock.RefreshItem) ([]editlock.RefreshResult, error) {
	ctx, end := l.begin(ctx, refresh)
	results, err := l.next.Refresh(ctx, items)
	for _, r := range results {
		if r.Err != nil {
			l.lost(ctx, r.Err)
		}
	}
	end(err)
	return results, err
}

func (l *locker) Request(ctx context.Context, id editlock.ID) (editlock.State, editlock.Mutex, error) {
	ctx, end := l.begin(ctx, request)
	state, m, err := l.next.Request(ctx, id)
	end(err)
	return state, m, err
}

func (l *locker) Release(ctx context.Context, id editlock.ID, cond editlock.Condition) (bool, error) {
	ctx, end := l.begin(ctx, release)
	released, err := l.next.Release(ctx, id, cond)
	end(err)
	return released, err
}

func (l *locker) ReleaseAfter(ctx context.Context, id editlock.ID, cond editlock.Condition, grace time.Duration) (bool, error) {
	ctx, end := l.begin(ctx, releaseAfter)
	released, err := l.next.ReleaseAfter(ctx, id, cond, grace)
	end(err)
	return released, err
}

func (l *locker) ReleaseAll(ctx context.Context, ids []editlock.ID) ([]editlock.ID, error) {
	ctx, end := l.begin(ctx, releaseAll)
	released, err := l.next.ReleaseAll(ctx, ids)
	end(err)
	return released, err
}

func (l *locker) ReleaseSession(ctx context.Context, session string) ([]editlock.ID, error) {
	ctx, end := l.begin(ctx, releaseSession)
	released, err := l.next.ReleaseSession(ctx, session)
	end(err)
	return released, err
}

func (l *locker) Takeover(ctx context.Context, id editlock.ID, seen editlock.Token, reason string, opts *editlock.CaptureOptions) (editlock.Mutex, error) {
	ctx, end := l.begin(ctx, takeover)
	m, err := l.next.Takeover(ctx, id, seen, reason, opts)
	end(err)
	return m, err
}

func (l *locker) ForceRelease(ctx context.Context, id editlock.ID, seen editlock.Token, reason string) error {
	ctx, end := l.begin(ctx, forceRelease)
	err := l.next.ForceRelease(ctx, id, seen, reason)
	end(err)
	return err
}

func (l *locker) HandOver(ctx context.Context, id editlock.ID) (bool, error) {
	ctx, end := l.begin(ctx, handOver)
	passed, err := l.next.HandOver(ctx, id)
	end(err)
	return passed, err
}

func (l *locker) Decline(ctx context.Context, id editlock.ID, waiter, message string) (bool, error) {
	ctx, end := l.begin(ctx, decline)
	declined, err := l.next.Decline(ctx, id, waiter, message)
	end(err)
	return declined, err
}

func (l *locker) List(ctx context.Context, q editlock.Query) (editlock.Page, error) {
	ctx, end := l.begin(ctx, list)
	page, err := l.next.List(ctx, q)
	end(err)
	return page, err
}

func (l *locker) History(ctx context.Context, q editlock.HistoryQuery) (editlock.HistoryPage, error) {
	ctx, end := l.begin(ctx, history)
	page, err := l.next.History(ctx, q)
	end(err)
	return page, err
}

// Ready is what editlock.Ready calls. It is no caller's call: the store's
// operations in it are measured as such.
func (l *locker) Ready(ctx context.Context) error { return editlock.Ready(ctx, l.next) }

// Watch counts the watches under way. They are as long as somebody looks, so
// they are not timed.
func (l *locker) Watch(ctx context.Context, q editlock.WatchQuery) iter.Seq2[editlock.Event, error] {
	return func(yield func(editlock.Event, error) bool) {
		l.t.watching.Add(ctx, 1)
		defer l.t.watching.Add(ctx, -1)
		l.next.Watch(ctx, q)(yield)
	}
}

func (l *locker) Close() error { return l.next.Close() }
