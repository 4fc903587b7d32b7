// Package memory keeps records in the memory of one process: for tests, for
// programs that lock among their own goroutines, and as the plainest reading
// of the contract in package store.
//
// Guarantees: all laws of package store but the seventh, as it has no disk.
// Nothing outlives Close. Its clock is the process's.
package memory

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/google/btree"

	"editlock/store"
)

// Options adjusts a store. Nil means defaults.
type Options struct {
	// Now is the store's clock, for tests. Nil means time.Now.
	Now func() time.Time
}

// Store is a store in memory. Make it with New.
type Store struct {
	store.Hub
	now func() time.Time

	mu       sync.Mutex
	closed   bool
	seq      uint64
	states   map[string]store.State
	names    *btree.BTreeG[string]            // names with a record
	due      *btree.BTreeG[deadline]          // names by when they fall due
	sessions map[string]*btree.BTreeG[string] // names by holder's session
	users    map[string]*btree.BTreeG[string] // names by holder's user
	dueAt    map[string]time.Time
	peers    map[string]time.Time
	tickets  map[string]map[string]string // names by ticket ID, by peer
	log      []store.Entry
	floor    uint64
	requests map[string]time.Time // request IDs that took effect, and when
	oldest   []string             // the same IDs, oldest first
}

type deadline struct {
	at   time.Time
	name string
}

const degree = 32 // of the B-trees: the library's own choice for speed

func lessString(a, b string) bool { return a < b }

// New returns an empty store.
func New(o *Options) *Store {
	s := &Store{
		now:    time.Now,
		states: make(map[string]store.State),
		names:  btree.NewG(degree, lessString),
		due: btree.NewG(degree, func(a, b deadline) bool {
			return a.at.Before(b.at) || a.at.Equal(b.at) && a.name < b.name
		}),
		sessions: make(map[string]*btree.BTreeG[string]),
		users:    make(map[string]*btree.BTreeG[string]),
		dueAt:    make(map[string]time.Time),
		peers:    make(map[string]time.Time),
		tickets:  make(map[string]map[string]string),
		requests: make(map[string]time.Time),
	}
	if o != nil && o.Now != nil {
		s.now = o.Now
	}
	return s
}

// enter locks the store and returns the environment of one step.
func (s *Store) enter(ctx context.Context) (store.Env, error) {
	if err := ctx.Err(); err != nil {
		return store.Env{}, err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return store.Env{}, store.ErrClosed
	}
	now := s.now().UTC().Truncate(time.Microsecond)
	return store.Env{
		Now:   now,
		Next:  func() uint64 { s.seq++; return s.seq },
		Alive: func(peer string) bool { return now.Before(s.peers[peer]) },
	}, nil
}

// Swap implements store.Store.
func (s *Store) Swap(ctx context.Context, req store.Request) (store.Result, error) {
	if err := req.Validate(); err != nil {
		return store.Result{}, err
	}
	env, err := s.enter(ctx)
	if err != nil {
		return store.Result{}, err
	}
	defer s.mu.Unlock()
	if at, ok := s.requests[req.ID]; ok && env.Now.Sub(at) < store.RetryWindow {
		res := store.Result{Done: true, Replayed: true, Now: env.Now}
		for _, sw := range req.Swaps {
			res.Records = append(res.Records, s.states[sw.Name].InForce(env))
		}
		return res, nil
	}
	res, eff := store.Run(req, env, func(name string) store.State { return s.states[name] }, s.save)
	s.commit(eff, env)
	return res, nil
}

// save puts a state in place and keeps the indexes true.
func (s *Store) save(name string, st store.State) {
	old := s.states[name]
	if old.Record != st.Record {
		if old.Record != nil {
			unindex(s.sessions, old.Record.Holder.Session, name)
			unindex(s.users, old.Record.Holder.User, name)
		}
		if st.Record != nil {
			s.names.ReplaceOrInsert(name)
			index(s.sessions, st.Record.Holder.Session, name)
			index(s.users, st.Record.Holder.User, name)
		} else {
			s.names.Delete(name)
		}
	}
	if at := s.dueAt[name]; !at.IsZero() {
		s.due.Delete(deadline{at, name})
		delete(s.dueAt, name)
	}
	if at := fallsDue(st); !at.IsZero() {
		s.due.ReplaceOrInsert(deadline{at, name})
		s.dueAt[name] = at
	}
	if st.Record == nil && len(st.Queue) == 0 {
		delete(s.states, name)
		return
	}
	s.states[name] = st
}

// fallsDue is when a name next needs settling: at the record's end, or when
// its first ticket claims it. Zero: not by itself.
func fallsDue(st store.State) time.Time {
	var at time.Time
	if st.Record != nil {
		at = st.Record.Expires
	}
	if len(st.Queue) > 0 {
		if claim := st.Queue[0].ClaimOn(st.Record); !claim.IsZero() && (at.IsZero() || claim.Before(at)) {
			at = claim
		}
	}
	return at
}

func index(m map[string]*btree.BTreeG[string], key, name string) {
	if key == "" {
		return
	}
	if m[key] == nil {
		m[key] = btree.NewG(degree, lessString)
	}
	m[key].ReplaceOrInsert(name)
}

func unindex(m map[string]*btree.BTreeG[string], key, name string) {
	if t := m[key]; t != nil {
		t.Delete(name)
		if t.Len() == 0 {
			delete(m, key)
		}
	}
}

// commit books the effects of a step and publishes them.
func (s *Store) commit(eff store.Effects, env store.Env) {
	for _, t := range eff.Joined {
		s.forget(t.ID)
		if s.tickets[t.Peer] == nil {
			s.tickets[t.Peer] = make(map[string]string)
		}
		s.tickets[t.Peer][t.ID] = t.Name
	}
	for _, id := range eff.Left {
		s.forget(id)
	}
	s.log = append(s.log, eff.Entries...)
	for _, e := range eff.Entries {
		if e.Request != "" {
			s.requests[e.Request] = env.Now
			s.oldest = append(s.oldest, e.Request)
		}
	}
	s.Publish(eff.News, len(eff.Entries) > 0)
}

func (s *Store) forget(ticket string) {
	for peer, ids := range s.tickets {
		delete(ids, ticket)
		if len(ids) == 0 {
			delete(s.tickets, peer)
		}
	}
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, name string) (store.View, error) {
	env, err := s.enter(ctx)
	if err != nil {
		return store.View{}, err
	}
	defer s.mu.Unlock()
	return store.View{Record: s.states[name].InForce(env), Now: env.Now}, nil
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, q store.Query) (store.Page, error) {
	env, err := s.enter(ctx)
	if err != nil {
		return store.Page{}, err
	}
	defer s.mu.Unlock()
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	page := store.Page{Now: env.Now}
	names := s.names
	switch {
	case q.Session != "":
		names = s.sessions[q.Session]
	case q.User != "":
		names = s.users[q.User]
	}
	if names == nil {
		return page, nil
	}
	names.AscendGreaterOrEqual(max(q.Prefix, q.After), func(name string) bool {
		if !strings.HasPrefix(name, q.Prefix) {
			return name < q.Prefix
		}
		rec := s.states[name].InForce(env)
		if rec == nil || q.After != "" && name <= q.After ||
			q.Session != "" && rec.Holder.Session != q.Session ||
			q.User != "" && rec.Holder.User != q.User {
			return true
		}
		page.Records = append(page.Records, *rec)
		return len(page.Records) < limit
	})
	return page, nil
}

// Beat implements store.Store.
func (s *Store) Beat(ctx context.Context, peer string, ttl time.Duration) ([]string, error) {
	env, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if !env.Alive(peer) {
		s.bury(peer)
	}
	s.peers[peer] = env.Now.Add(ttl)
	ids := make([]string, 0, len(s.tickets[peer]))
	for id := range s.tickets[peer] {
		ids = append(ids, id)
	}
	return ids, nil
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
