package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/editlock/editlock/store"
)

// call is one call in a history, and answer what it returned. Of a call that
// failed after its commit the answer is known too: the recorder stands
// between the fault and the engine.
type call struct {
	method  string
	req     store.Txn
	name    string // of a Get
	session string
	process string
	ttl     time.Duration
	at      time.Time // of a KeepAlive or Sweep, during which the clock stood still
}

type answer struct {
	res     store.Result
	view    store.View
	page    store.RecordPage
	waiters []string
}

// recorder records the calls of one client on their way to the store.
type recorder struct {
	store.Store
	client int
	clock  *Clock
	yield  func()        // lets others run, so that calls overlap
	tick   *atomic.Int64 // orders the calls and returns of all clients
	ops    []porcupine.Operation
	err    error // the first call that went wrong outright
}

func (r *recorder) record(in *call, do func(out *answer) (now time.Time, err error)) error {
	out := &answer{}
	op := porcupine.Operation{ClientId: r.client, Input: in, Output: out, Call: r.tick.Add(1)}
	r.yield()
	from := r.clock.Now()
	now, err := do(out)
	to := r.clock.Now()
	r.yield()
	op.Return = r.tick.Add(1)
	if err == nil && r.clock.manual() && (now.Before(from) || now.After(to)) {
		err = fmt.Errorf("the answer says it is %v; the clock went from %v to %v meanwhile", now, from, to)
	}
	if err != nil {
		if r.err == nil {
			r.err = fmt.Errorf("%s: %w", in.method, err)
		}
		return err
	}
	r.ops = append(r.ops, op)
	return nil
}

func (r *recorder) Commit(ctx context.Context, req store.Txn) (res store.Result, err error) {
	err = r.record(&call{method: "Swap", req: req}, func(out *answer) (time.Time, error) {
		res, err = r.Store.Commit(ctx, req)
		out.res = res
		return res.Now, err
	})
	return res, err
}

func (r *recorder) Get(ctx context.Context, name, session string) (view store.View, err error) {
	err = r.record(&call{method: "Get", name: name, session: session}, func(out *answer) (time.Time, error) {
		view, err = r.Store.Get(ctx, name, session)
		out.view = view
		return view.Now, err
	})
	return view, err
}

func (r *recorder) List(ctx context.Context, q store.RecordQuery) (page store.RecordPage, err error) {
	err = r.record(&call{method: "List", name: q.Prefix}, func(out *answer) (time.Time, error) {
		page, err = r.Store.List(ctx, q)
		out.page = page
		return page.Now, err
	})
	return page, err
}

func (r *recorder) KeepAlive(ctx context.Context, process string, ttl time.Duration) (waiters []string, err error) {
	at := r.clock.Now()
	err = r.record(&call{method: "Beat", process: process, ttl: ttl, at: at}, func(out *answer) (time.Time, error) {
		waiters, err = r.Store.KeepAlive(ctx, process, ttl)
		out.waiters = waiters
		return at, err
	})
	return waiters, err
}

func (r *recorder) Sweep(ctx context.Context, keep store.Retention) (due time.Duration, err error) {
	at := r.clock.Now()
	err = r.record(&call{method: "Sweep", at: at}, func(*answer) (time.Time, error) {
		due, err = r.Store.Sweep(ctx, keep)
		return at, err
	})
	return due, err
}
