// Package core is the one store.Store: it keeps records, queues and history in
// any kv.Engine. It computes the effect of a store.Txn by store.Run, on what was read
// or assumed. The result goes to the engine as the writes of a kv.Txn, and what it
// depends on as the conditions.
//
// Acquisitions of free names, renewals and refusals take one round trip. So does an
// operation on what this process saw last: the release of a hold, with a grant to its
// first waiter, its takeover, a join of its queue. Each time the state differs from
// what was assumed, one more round trip follows.
//
// Commit is the way in: lookups says what to read, assume makes up places before
// anything is read, plan runs the rules on them, and committer shares calls of the
// engine among callers. Sweep and lookOn settle names that nobody calls about.
package core

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// Store is a store.Store on a kv.Engine. Make it with New.
type Store struct {
	engine  kv.Engine
	commits *committer
	known   holds
	turns   turns
	trees   trees
	blocked blocked
	hub     store.Hub

	mu     sync.Mutex
	closed bool
	stop   func() // ends the engine's Listen; nil: it was not called yet
}

// New returns a store on an engine, and closes the engine when it is closed.
func New(e kv.Engine) *Store {
	return &Store{engine: e, commits: newCommitter(e)}
}

// hear passes what the engine reports to the subscriptions of this process.
func (s *Store) hear(n kv.News) {
	signals := make([]store.Signal, 0, len(n.Messages))
	var left []stuck
	var waiters []string
	anybody := false
	for _, note := range n.Messages {
		if process, isLeft := strings.CutPrefix(note.To, leftTo); isLeft {
			anybody = anybody || note.Text == ""
			if s.hub.Has(process) {
				left = append(left, stuck{name: note.Text})
			}
			continue
		}
		signals, waiters = append(signals, signal(note)), append(waiters, note.Text)
	}
	s.hub.Publish(signals, n.Logged)
	s.watch(left)
	s.blocked.heard(n.Logged, anybody, waiters)
}

func signal(note kv.Sent) store.Signal {
	signal := store.Signal{Process: note.To, Waiter: note.Text}
	if len(note.Found) == 0 || len(note.Found[0].Rows) == 0 {
		return signal
	}
	l := lookup{name: heldName(note.Found[0].Rows[0].Key)}
	if at, _, err := l.read(note.Found); err == nil {
		if rec := at.state().InForce(living(note.Now)); rec != nil && rec.Request == note.Text {
			signal.Granted = store.View{Record: rec, Now: note.Now}
		}
	}
	return signal
}

// Subscribe implements store.Store. The first call makes the store listen to its
// engine.
func (s *Store) Subscribe(process string) *store.Subscription {
	sub := s.hub.Subscribe(process)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop == nil && !s.closed {
		s.stop = s.engine.Listen(s.hear)
	}
	return sub
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.commits.close()
	s.mu.Lock()
	stop := s.stop
	s.closed = true
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
	return s.engine.Close()
}

func fail(err error) error {
	if errors.Is(err, kv.ErrClosed) {
		return store.ErrClosed
	}
	return err
}

// Commit implements store.Store.
func (s *Store) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	if err := req.Validate(); err != nil {
		return store.Result{}, err
	}
	if err := s.openTrees(ctx, req, func(i int) string { return s.trees.of(req.Ops[i].Name) }); err != nil {
		return store.Result{}, err
	}
	l, seen := s.lookups(req)
	if s.takesTurns(req, l) {
		defer s.turns.take(ctx, req.Ops[0].Name)()
		l, seen = s.lookups(req)
	}
	places, txn, done := first(req, l, seen)
	var shut []stuck // free names whose first waiter is blocked after the transaction
	for range maxTries {
		answer, now, err := s.commit(ctx, places, l, txn)
		if err != nil {
			return store.Result{}, err
		}
		wider := widen(l, now)
		if answer.Done && done || answer.Replayed && !wider {
			s.look(numbered(shut, answer.First))
			return result(req, answer, now, true), nil
		}
		if wider { // where a database has lost what a tree said, it must say so again
			if err := s.openTrees(ctx, req, func(i int) string { return l[i].tree }); err != nil {
				return store.Result{}, err
			}
			places, txn, done = now, kv.Txn{Once: req.ID, Read: reads(l)}, false
			continue
		}
		if again, err := s.endDead(ctx, now, answer.Now); err != nil {
			return store.Result{}, err
		} else if again {
			if slices.ContainsFunc(now, (*place).littered) {
				deepen(l)
			}
			places, txn, done = now, kv.Txn{Once: req.ID, Read: reads(l)}, false
			continue
		}
		// A refusal must be true of the settled state, too.
		p := newPlan(now, l, answer.Now)
		if p.rotten() {
			p.settle()
		} else {
			p.run(req)
		}
		if p.effects.Far && heighten(l) || (p.short() || farther(req, now)) && deepen(l) {
			places, txn, done = now, kv.Txn{Once: req.ID, Read: reads(l)}, false
			continue
		}
		for i := range l {
			l[i].root = true // the tree may be the reason
		}
		places, txn, done, shut = now, p.transaction(req), p.done, p.blocked()
		if len(txn.Then)+len(txn.Log) == 0 { // nothing depends on another look
			return result(req, answer, now, done), nil
		}
	}
	return store.Result{}, errContended
}

// maxTries bounds how often a transaction is planned again because others changed its
// names meanwhile. Each time one of the others succeeded.
const maxTries = 1000

var errContended = errors.New("store: the names changed too often for a step to be done; try again")

// lookups returns what the operations of a transaction must read, and what was seen last
// of their names.
func (s *Store) lookups(req store.Txn) (l []lookup, seen []*held) {
	l, seen = make([]lookup, len(req.Ops)), make([]*held, len(req.Ops))
	for i := range req.Ops {
		sw := &req.Ops[i]
		seen[i] = s.known.get(sw.Name)
		wide := sw.Share != nil && *sw.Share != store.Alone || sw.Do == store.Revoke
		l[i] = lookupOf(sw, wide || seen[i].several(), false)
		l[i].tree = s.trees.of(sw.Name)
		// A join is refused if nothing blocks it, and a refusal reports what does.
		l[i].root = sw.Do == store.Join || l[i].tree != ""
		l[i].tall = sw.Do == store.Join && l[i].tree != "" || sw.Do == store.Acquire && s.nodeHeld(sw.Name, l[i].tree)
	}
	return l, seen
}

// widen makes lookups wide of names that turned out to have several holders, or
// to be part of a tree in use, and reports whether there were any.
func widen(l []lookup, places []*place) (again bool) {
	for i, at := range places {
		if at.unclear() {
			l[i].wide, again = true, true
		}
		if at.other {
			l[i].tree, again = at.kinds, true
		}
	}
	return again
}

// heighten makes all lookups tall of names in a tree in use, unless they are.
func heighten(l []lookup) (again bool) {
	for i := range l {
		if l[i].tree != "" && !l[i].tall {
			l[i].tall, again = true, true
		}
	}
	return again
}

// deepen makes all lookups deep, unless they are.
func deepen(l []lookup) (again bool) {
	for i := range l {
		again = again || !l[i].deep
		l[i].wide, l[i].deep = true, true
	}
	return again
}

// first returns the transaction on assumed places, and whether it does the operations.
// If nothing can be assumed, or the operations would be refused, it only reads.
func first(req store.Txn, l []lookup, seen []*held) (places []*place, txn kv.Txn, done bool) {
	if places = assume(req, l, seen); places != nil {
		p := newPlan(places, l, time.Unix(0, 0))
		if p.run(req); p.done && !p.short() && !p.effects.Far {
			return places, p.transaction(req), true
		}
	}
	places = make([]*place, len(req.Ops))
	for i := range req.Ops {
		l[i].root = true
		places[i] = &place{name: req.Ops[i].Name}
	}
	return places, kv.Txn{Once: req.ID, Read: reads(l)}, false
}

// commit commits a transaction and returns the places as they are after it.
func (s *Store) commit(ctx context.Context, places []*place, l []lookup, txn kv.Txn) (kv.Answer, []*place, error) {
	names, used := make([]string, len(places)), make([]string, 0, len(places))
	for i, at := range places {
		names[i], used = at.name, append(used, uses(&l[i])...)
	}
	answer, err := s.commits.do(ctx, names, used, txn)
	if err != nil {
		return kv.Answer{}, nil, err
	}
	now, err := s.readPlaces(l, answer.Found)
	return answer, now, err
}

// readPlaces returns the places that the ranges of lookups found.
func (s *Store) readPlaces(l []lookup, found []kv.Found) ([]*place, error) {
	out := make([]*place, len(l))
	for i := range l {
		var err error
		if out[i], found, err = l[i].read(found); err != nil {
			return nil, err
		}
		s.known.saw(out[i])
		s.trees.saw(out[i].name, out[i].kinds)
	}
	return out, nil
}

func result(req store.Txn, answer kv.Answer, places []*place, done bool) store.Result {
	res := store.Result{Done: done, Replayed: answer.Replayed, Now: answer.Now, Records: make([]*store.Record, len(places))}
	for i, at := range places {
		res.Records[i] = at.tells(at.state().Shown(&req.Ops[i], living(answer.Now)))
		if at.path != nil && !done {
			if res.Paths == nil {
				res.Paths = make([]*store.Path, len(places))
			}
			res.Paths[i] = at.on(answer.Now).Refused(&req.Ops[i], living(answer.Now))
		}
	}
	return res
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, name, session string) (store.View, error) {
	l := lookup{name: name, session: session, wide: s.known.get(name).several(), tree: s.trees.of(name), root: true}
	l.tall = l.kinds() != ""
	for {
		answer, err := s.engine.Read(ctx, l.ranges(nil)...)
		if err != nil {
			return store.View{}, fail(err)
		}
		at, _, err := l.read(answer.Found)
		if err != nil {
			return store.View{}, err
		}
		s.known.saw(at)
		s.trees.saw(name, at.kinds)
		if !at.unclear() && !at.other {
			state, env := at.on(answer.Now), living(answer.Now)
			return store.View{Record: at.tells(state.HeldBy(session, env)), Path: state.InTheWay(session, env), Now: answer.Now}, nil
		}
		l.wide = l.wide || at.unclear()
		if at.other {
			l.tree, l.tall = at.kinds, true
		}
	}
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, q store.RecordQuery) (store.RecordPage, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	r := kv.Range{Prefix: holdKey(q.Prefix), Either: true, Beside: waiterPrefix, BesideLimit: store.MaxWaiters}
	switch {
	case q.Session != "":
		r.Tag = sessionTag(q.Session)
	case q.User != "":
		r.Tag = userTag(q.User)
	}
	if q.After != "" {
		if r.After = sharedKey(q.After, q.AfterToken); q.AfterToken == 0 {
			r.After = sharedKey(q.After, math.MaxUint64)
		}
	}
	var page store.RecordPage
	for some := limit; ; some = lacking(limit, &page) {
		r.Limit = some
		answer, err := s.engine.Read(ctx, r)
		if err != nil {
			return store.RecordPage{}, fail(err)
		}
		page.Now = answer.Now
		found := answer.Found[0]
		for i := range found.Rows {
			row := &found.Rows[i]
			rec, err := listed(row, found.Beside[i], answer.Now)
			if err != nil {
				return store.RecordPage{}, err
			}
			if rec != nil && (q.User == "" || rec.Holder.User == q.User) {
				page.Records = append(page.Records, *rec)
			}
			page.Examined++
			if len(page.Records) == limit || page.Examined >= limit+store.ListPiece && mayEnd(row) {
				page.Next, page.NextToken = heldName(row.Key), row.Rev
				return page, nil
			}
		}
		if len(found.Rows) < r.Limit {
			return page, nil
		}
		r.After = found.Rows[len(found.Rows)-1].Key
	}
}

// listed returns the hold in a row, nil if there is none in force.
func listed(row *kv.Row, waiters kv.Found, now time.Time) (*store.Record, error) {
	if !row.Live(now) {
		return nil, nil
	}
	l := lookup{name: heldName(row.Key)}
	at, _, err := l.read([]kv.Found{{Rows: []kv.Row{*row}}, waiters})
	if err != nil {
		return nil, err
	}
	return at.state().InForce(living(now)), nil
}

// mayEnd reports whether a page may end with a row. The holds behind an open gate may
// have smaller numbers than it.
func mayEnd(row *kv.Row) bool { return !isGate(row) || row.Data == closedData }

// listedMost bounds how many rows are read at a time for a page that lacks a few.
const listedMost = 1000

// lacking returns how many rows are read next for a page: as many as make it full if as many
// of them are in force as of those before.
func lacking(limit int, page *store.RecordPage) int {
	missing := limit - len(page.Records)
	return max(missing, min(listedMost, missing*(page.Examined+1)/(len(page.Records)+1)))
}
