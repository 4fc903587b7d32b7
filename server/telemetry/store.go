package telemetry

import (
	"context"
	"errors"
	"time"

	"github.com/editlock/editlock/store"
)

// Store returns st with its operations timed and, where traces are on, traced,
// and the queues measured that callers join. Closing it closes st.
func (t *Telemetry) Store(st store.Store) store.Store { return &timedStore{st, t} }

type timedStore struct {
	store.Store // Listen and Close are passed on
	t           *Telemetry
}

// Pause implements store.Pauser.
func (s *timedStore) Pause() (resume func()) {
	if p, ok := s.Store.(store.Pauser); ok {
		return p.Pause()
	}
	return func() {}
}

// CanBroadcast implements store.Broadcaster.
func (s *timedStore) CanBroadcast() bool {
	c, ok := s.Store.(store.Broadcaster)
	return ok && c.CanBroadcast()
}

// Broadcast implements store.Broadcaster. It is called if CanBroadcast says so.
func (s *timedStore) Broadcast(ctx context.Context, text string) error {
	ctx, end := s.begin(ctx, "cast")
	err := s.Store.(store.Broadcaster).Broadcast(ctx, text)
	end(err)
	return err
}

// Receive implements store.Broadcaster. It is called if CanBroadcast says so.
func (s *timedStore) Receive(f func(text string)) (stop func()) {
	return s.Store.(store.Broadcaster).Receive(f)
}

// begin begins an operation. What it returns ends it.
func (s *timedStore) begin(ctx context.Context, operation string) (context.Context, func(err error)) {
	start := time.Now()
	if s.t.tracer == nil {
		return ctx, func(err error) { s.t.steps.took(ctx, time.Since(start), operation, storeOutcome(err)) }
	}
	ctx, end := s.t.span(ctx, "store."+operation)
	return ctx, func(err error) {
		how := storeOutcome(err)
		s.t.steps.took(ctx, time.Since(start), operation, how)
		end(how)
	}
}

// storeOutcome is how an operation ended: engines know of no refusals, only
// of failures, and of callers who are gone.
func storeOutcome(err error) string {
	switch {
	case err == nil:
		return ok
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return canceled
	default:
		return failed
	}
}

func (s *timedStore) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	ctx, end := s.begin(ctx, "swap")
	res, err := s.Store.Commit(ctx, req)
	end(err)
	if err == nil && res.Done {
		for i, sw := range req.Ops {
			if sw.Do == store.Join && res.Records[i] != nil {
				s.t.queue.Record(ctx, int64(res.Records[i].Waiting))
			}
		}
	}
	return res, err
}

func (s *timedStore) Get(ctx context.Context, name, session string) (store.View, error) {
	ctx, end := s.begin(ctx, "get")
	view, err := s.Store.Get(ctx, name, session)
	end(err)
	return view, err
}

func (s *timedStore) List(ctx context.Context, q store.RecordQuery) (store.RecordPage, error) {
	ctx, end := s.begin(ctx, "list")
	page, err := s.Store.List(ctx, q)
	end(err)
	return page, err
}

func (s *timedStore) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	ctx, end := s.begin(ctx, "log")
	page, err := s.Store.Log(ctx, q)
	end(err)
	return page, err
}

func (s *timedStore) Ends(ctx context.Context, holds []store.Hold, kinds []string) (store.Ends, error) {
	ctx, end := s.begin(ctx, "ends")
	ends, err := s.Store.Ends(ctx, holds, kinds)
	end(err)
	return ends, err
}

func (s *timedStore) KeepAlive(ctx context.Context, process string, ttl time.Duration) ([]string, error) {
	ctx, end := s.begin(ctx, "beat")
	waiters, err := s.Store.KeepAlive(ctx, process, ttl)
	end(err)
	return waiters, err
}

func (s *timedStore) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	ctx, end := s.begin(ctx, "sweep")
	due, err := s.Store.Sweep(ctx, keep)
	end(err)
	return due, err
}
