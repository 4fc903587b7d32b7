package core

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// nodeHeld reports whether a name above this one was seen held. Then assuming that the
// path is free is no use.
func (s *Store) nodeHeld(name, kinds string) bool {
	return slices.ContainsFunc(above(name, kinds), func(node string) bool { return s.known.get(node) != nil })
}

// farther reports whether more holds below must be read to plan a transaction.
func farther(req store.Txn, places []*place) bool {
	for i, at := range places {
		sw, user := &req.Ops[i], ""
		if sw.Do == store.Renew && sw.Holder != nil { // who may have to move more after it
			user = sw.Holder.User
		}
		if at.path != nil && at.path.narrow(sw.Session(), user) {
			return true
		}
	}
	return false
}

// endDead settles names above and below places whose holds have expired, and reports
// whether it did. Until they are settled, such holds block others.
func (s *Store) endDead(ctx context.Context, places []*place, now time.Time) (done bool, err error) {
	var dead []kv.Row
	for _, at := range places {
		if at.path != nil {
			dead = at.path.ended(dead, now)
		}
	}
	dead = slices.DeleteFunc(dead, func(r kv.Row) bool { // the transaction settles those
		return slices.ContainsFunc(places, func(at *place) bool { return at.name == heldName(r.Key) })
	})
	if len(dead) == 0 {
		return false, nil
	}
	guarded, err := s.end(ctx, dead, now)
	return !guarded, err
}

// ended adds the rows of expired holds on the path.
func (p *path) ended(to []kv.Row, now time.Time) []kv.Row {
	for _, at := range p.above {
		if at.rec != nil && !at.rec.Live(now) {
			to = append(to, *at.hold)
		}
		for i, rec := range at.shared {
			if !rec.Live(now) {
				to = append(to, at.rows[i])
			}
		}
	}
	return append(to, p.dead...)
}

// way is what keeps a waiter from a free name: a hold above or below the name, or a
// waiter there who has waited for longer.
type way struct {
	name   string // that is held or waited for; empty: not known
	waiter string // of the other waiter; empty: the name is held

	// session and since are those of the blocked waiter.
	session string
	since   uint64
}

// stuck is a free name whose waiter is blocked.
type stuck struct {
	name  string
	way   way
	depth int  // how many names are above it
	came  int  // the turn in which it was added
	seen  int  // and that in which it was last added
	due   bool // it is in blocked.due
}

// blocked holds the names whose waiters are blocked by names above or below. A name is
// looked at again only when what is in its way may have changed.
type blocked struct {
	mu      sync.Mutex
	names   map[string]*stuck
	behind  map[string]group // by the name in the way
	waiters map[string]group // by the waiter in the way
	under   map[string]group // those behind waiters, by names above: holds there count more
	checks  map[string]bool  // names in the way that may have changed
	left    map[string]bool  // waiters that left since somebody began to read; with "" any may have
	due     []*stuck         // to be looked at, unordered
	turn    int
	bell    chan struct{}
	looking bool
}

type group map[*stuck]struct{}

// maxBlocked bounds how many names are looked at; others wait for the sweep.
const maxBlocked = 1 << 14

// file records what is in the way of a name. If that is not known, the name is left to
// the sweep. The caller holds mu; so it does for the functions below without a comment.
func (b *blocked) file(st *stuck, w way) {
	b.unfile(st)
	if w.name == "" {
		return
	}
	st.way = w
	b.names[st.name] = st
	put(b.behind, w.name, st)
	if w.waiter != "" {
		if b.left[w.waiter] || b.left[""] {
			b.checks[w.name] = true
		}
		put(b.waiters, w.waiter, st)
		for _, node := range store.Above(st.name) {
			put(b.under, node, st)
		}
	}
}

func (b *blocked) unfile(st *stuck) {
	release(b.behind, st.way.name, st)
	release(b.waiters, st.way.waiter, st)
	for _, node := range store.Above(st.name) {
		release(b.under, node, st)
	}
	delete(b.names, st.name)
}

func put(index map[string]group, key string, st *stuck) {
	if index[key] == nil {
		index[key] = make(group)
	}
	index[key][st] = struct{}{}
}

func release(index map[string]group, key string, st *stuck) {
	if delete(index[key], st); len(index[key]) == 0 {
		delete(index, key)
	}
}

// add takes in names, and reports whether the caller must start lookOn. What is in their
// way may be gone already, so it is checked.
func (b *blocked) add(names []stuck) (begin bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names == nil {
		b.names, b.checks, b.bell = make(map[string]*stuck), make(map[string]bool), make(chan struct{}, 1)
		b.behind, b.waiters, b.under = make(map[string]group), make(map[string]group), make(map[string]group)
	}
	b.turn++
	for _, left := range names {
		st := b.names[left.name]
		if st == nil {
			if len(b.names) >= maxBlocked {
				continue
			}
			st = &stuck{name: left.name, depth: len(store.Above(left.name)), came: b.turn}
			b.names[st.name] = st
		}
		st.seen = b.turn
		if left.way.name == "" {
			b.look(st)
			continue
		}
		b.file(st, left.way)
		b.checks[left.way.name] = true
	}
	begin = !b.wake() && len(b.names) > 0
	b.looking = b.looking || begin
	return begin
}

func (b *blocked) look(st *stuck) {
	if !st.due {
		st.due = true
		b.due = append(b.due, st)
	}
}

// wake makes lookOn look again. It returns false if lookOn does not run. The caller holds mu.
func (b *blocked) wake() bool {
	if b.looking {
		select {
		case b.bell <- struct{}{}:
		default:
		}
	}
	return b.looking
}

// heard takes in that the log grew, and waiters that left their queues. With anybody,
// any waiter may have left.
func (b *blocked) heard(logged, anybody bool, waiters []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.looking {
		return
	}
	if anybody {
		waiters = append(slices.Collect(maps.Keys(b.waiters)), "")
	}
	for _, waiter := range waiters {
		if b.left != nil {
			b.left[waiter] = true
		}
		for st := range b.waiters[waiter] {
			b.checks[st.way.name], logged = true, true
			break // they all wait behind the same name
		}
	}
	if logged {
		b.wake()
	}
}

// changed takes in an entry of the log, which may have ended what is in the way of names.
func (b *blocked) changed(e *store.LogEntry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.behind[e.Name]) > 0 {
		b.checks[e.Name] = true
	}
	for st := range b.under[e.Name] {
		if st.way.session == e.Owner.Session {
			b.look(st)
		}
	}
}

// checkAll marks all names in the way to be checked.
func (b *blocked) checkAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name := range b.behind {
		b.checks[name] = true
	}
}

// takeChecks returns the names in the way that are to be checked, and unmarks them.
func (b *blocked) takeChecks() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	names := slices.Collect(maps.Keys(b.checks))
	clear(b.checks)
	b.left = make(map[string]bool)
	return names
}

// checked takes in the state of a name in the way: the sessions that hold it, and the row
// of its first waiter, or nil. Names that it blocks no longer are to be looked at.
func (b *blocked) checked(name string, holders []string, first *kv.Row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, st := range slices.Collect(maps.Keys(b.behind[name])) {
		w := st.way
		other := slices.ContainsFunc(holders, func(session string) bool { return session != w.session })
		switch {
		case other:
			w.waiter = ""
		case len(holders) == 0 && w.waiter != "" && first != nil && first.Rev < w.since:
			w.waiter = first.Data
		default:
			b.look(st)
			continue
		}
		if w != st.way {
			b.file(st, w)
		}
	}
}

// some removes and returns the first names that are to be looked at: nodes before names
// below them, and then those that were added first.
func (b *blocked) some(n int) (first []stuck) {
	b.mu.Lock()
	defer b.mu.Unlock()
	slices.SortStableFunc(b.due, func(x, y *stuck) int {
		return cmp.Or(cmp.Compare(x.depth, y.depth), cmp.Compare(x.came, y.came))
	})
	n = min(n, len(b.due))
	for _, st := range b.due[:n] {
		st.due = false
		first = append(first, *st)
	}
	b.due = slices.Delete(b.due, 0, n)
	b.left = make(map[string]bool)
	return first
}

// looked files names that were looked at. Names that were added again meanwhile, and those
// in unsure, are to be looked at once more.
func (b *blocked) looked(names []stuck, ways map[string]way, unsure map[string]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, was := range names {
		st := b.names[was.name]
		switch w, blocked := ways[was.name]; {
		case st == nil || st.due:
		case unsure[was.name]:
			b.look(st)
		case blocked:
			b.file(st, w)
		case st.seen != was.seen:
			b.look(st)
		default:
			b.unfile(st)
		}
	}
}

// goesOn reports whether any names are blocked, and whether there is work to do at once.
func (b *blocked) goesOn() (goesOn, now bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.looking, b.left = len(b.names) > 0, nil
	return b.looking, len(b.due)+len(b.checks) > 0
}
