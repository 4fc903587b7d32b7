package storetest_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/memory"
	"github.com/editlock/editlock/store/storetest"
)

// methods are those of a store, to be replaced one by one.
type methods struct {
	op        func(ctx context.Context, req store.Txn) (store.Result, error)
	get       func(ctx context.Context, name, session string) (store.View, error)
	list      func(ctx context.Context, q store.RecordQuery) (store.RecordPage, error)
	log       func(ctx context.Context, q store.LogQuery) (store.LogPage, error)
	ends      func(ctx context.Context, holds []store.Hold, kinds []string) (store.Ends, error)
	keepAlive func(ctx context.Context, process string, ttl time.Duration) ([]string, error)
	sweep     func(ctx context.Context, keep store.Retention) (time.Duration, error)
	listen    func(process string) *store.Subscription
}

// tampered is a store of two processes in memory whose methods can be replaced. What it keeps
// outlives its Close, so that it can be opened again like one with a disk.
type tampered struct {
	methods
	engine   *altered
	clock    *storetest.Clock
	closed   atomic.Bool
	restart  func(st *tampered) // a bug: what a restart does
	unclosed bool               // a bug: works on after Close
	tireless bool               // a bug: heeds no context
}

func newTampered(clock *storetest.Clock) *tampered {
	e := newAltered(memory.NewEngine(&memory.Options{Now: clock.Now}))
	st := &tampered{clock: clock, engine: e}
	st.keepIn(storetest.Twin(core.New(e), core.New(e)))
	return st
}

// keepIn makes a store do the work.
func (s *tampered) keepIn(st store.Store) {
	s.methods = methods{st.Commit, st.Get, st.List, st.Log, st.Ends, st.KeepAlive, st.Sweep, st.Subscribe}
}

func (s *tampered) reopen() *tampered {
	s.closed.Store(true)
	again := &tampered{methods: s.methods, engine: s.engine, clock: s.clock, restart: s.restart}
	if s.restart != nil {
		s.restart(again)
	}
	return again
}

func (s *tampered) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil && !s.tireless {
		return err
	}
	if s.closed.Load() && !s.unclosed {
		return store.ErrClosed
	}
	return nil
}

func (s *tampered) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	if err := s.enter(ctx); err != nil {
		return store.Result{}, err
	}
	return s.op(ctx, req)
}

func (s *tampered) Get(ctx context.Context, name, session string) (store.View, error) {
	if err := s.enter(ctx); err != nil {
		return store.View{}, err
	}
	return s.get(ctx, name, session)
}

func (s *tampered) List(ctx context.Context, q store.RecordQuery) (store.RecordPage, error) {
	if err := s.enter(ctx); err != nil {
		return store.RecordPage{}, err
	}
	return s.list(ctx, q)
}

func (s *tampered) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	if err := s.enter(ctx); err != nil {
		return store.LogPage{}, err
	}
	return s.log(ctx, q)
}

func (s *tampered) Ends(ctx context.Context, holds []store.Hold, kinds []string) (store.Ends, error) {
	if err := s.enter(ctx); err != nil {
		return store.Ends{}, err
	}
	return s.ends(ctx, holds, kinds)
}

func (s *tampered) KeepAlive(ctx context.Context, process string, ttl time.Duration) ([]string, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	return s.keepAlive(ctx, process, ttl)
}

func (s *tampered) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	return s.sweep(ctx, keep)
}

func (s *tampered) Subscribe(process string) *store.Subscription { return s.listen(process) }

func (s *tampered) Close() error {
	s.closed.Store(true)
	return nil
}

// Kinds of bugs. Each function changes one method in some way.

// requests changes every request before it is performed.
func (s *tampered) requests(change func(req *store.Txn)) {
	next := s.op
	s.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
		ops := make([]store.Op, len(req.Ops))
		copy(ops, req.Ops)
		req.Ops = ops
		change(&req)
		return next(ctx, req)
	}
}

// operations changes every operation before it is performed.
func (s *tampered) commitAll(change func(sw *store.Op)) {
	s.requests(func(req *store.Txn) {
		for i := range req.Ops {
			change(&req.Ops[i])
		}
	})
}

// results changes every result of a request.
func (s *tampered) results(change func(req store.Txn, res *store.Result)) {
	next := s.op
	s.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
		res, err := next(ctx, req)
		if err == nil {
			change(req, &res)
		}
		return res, err
	}
}

// before does something before single operations of one kind. It is given the
// original methods.
func (s *tampered) before(do store.Action, f func(ctx context.Context, m methods, sw store.Op)) {
	m := s.methods
	s.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
		if len(req.Ops) == 1 && req.Ops[0].Do == do {
			f(ctx, m, req.Ops[0])
		}
		return m.op(ctx, req)
	}
}

// records changes every record that is handed out.
func (s *tampered) records(change func(rec *store.Record)) {
	s.results(func(_ store.Txn, res *store.Result) {
		for _, rec := range res.Records {
			if rec != nil {
				change(rec)
			}
		}
	})
	get, list := s.get, s.list
	s.get = func(ctx context.Context, name, session string) (store.View, error) {
		view, err := get(ctx, name, session)
		if view.Record != nil {
			change(view.Record)
		}
		return view, err
	}
	s.list = func(ctx context.Context, q store.RecordQuery) (store.RecordPage, error) {
		page, err := list(ctx, q)
		for i := range page.Records {
			change(&page.Records[i])
		}
		return page, err
	}
}

// pages changes queries of the log, and what they return.
func (s *tampered) pages(ask func(q *store.LogQuery), change func(page *store.LogPage)) {
	next := s.log
	s.log = func(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
		ask(&q)
		page, err := next(ctx, q)
		change(&page)
		return page, err
	}
}

// every is true every nth time.
func every(n int64) func() bool {
	var count atomic.Int64
	return func() bool { return count.Add(1)%n == 0 }
}

// retryMark separates an ID from what knownIDs adds to it.
const retryMark = "~"

// knownIDs makes IDs that were seen before look new.
type knownIDs struct {
	mu   sync.Mutex
	seen map[string]int
}

func (k *knownIDs) fresh(id string) string {
	if id == "" {
		return ""
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.seen == nil {
		k.seen = make(map[string]int)
	}
	k.seen[id]++
	if n := k.seen[id]; n > 1 {
		return fmt.Sprint(id, retryMark, n)
	}
	return id
}
