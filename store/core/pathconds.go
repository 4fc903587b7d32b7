package core

import (
	"iter"
	"slices"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// pathConditions adds those on the holds and waiters above and below. A first waiter that
// has room and whose path is free needs none: no other session may begin to hold a name
// on its path while it waits. For a waiter that is blocked, what blocks it is a condition.
func (p *place) pathConditions(conds []kv.Cond, s *step) []kv.Cond {
	moves := s.moves(p)
	var joins *store.Waiter // new in the queue
	var waits *store.Party  // the owner whose waiter joins, or moves to another process
	for i := range s.after.Queue {
		t := &s.after.Queue[i]
		if number(t.Seq) > 0 {
			joins = t
		}
		if s.sw != nil && s.sw.Do == store.Join && s.done && t.ID == s.sw.Waiter.ID {
			waits = &s.sw.Waiter.Holder
		}
	}
	grants := s.grants(p)
	// Were nothing in the way, the first waiter would have been granted the name, and
	// the one that is first afterwards, too.
	blocked, stuck := false, false
	if p.path != nil {
		before := p.on(s.now).Live(s.now)
		blocked = before.Blocked(living(s.now))
		stuck = len(s.after.Queue) > 0 && (closed(&s.after) || s.after.Blocked(living(s.now)))
	}
	if moves == nil && waits == nil && !grants && !stuck && !blocked {
		return conds
	}
	conds = treeCondition(conds, p.name, p.tree)
	if p.path == nil {
		return conds
	}
	own := 0 // rows of the name among those below
	if store.IsNode(p.name) {
		if own = len(p.rows) + p.more; p.hold != nil || p.gate != nil {
			own++
		}
	}
	if moves != nil {
		path := p.path.state(living(s.now))
		conds = p.path.conditions(conds, own, s.sw.Expect.Free && !path.Owns(moves.Session), s.now)
	}
	if waits != nil {
		own := 0
		if store.IsNode(p.name) { // its own rows are among those below
			if own = p.own; p.rec != nil && p.rec.Holder.Session == waits.Session {
				own++
			}
		}
		conds = p.path.without(conds, waits.Session, own, s.now)
	}
	if grants && (p.hold != nil || len(p.rows) > 0 || p.path.held()) { // who holds one may capture what is below
		conds = p.path.conditions(conds, own, false, s.now)
	}
	if blocked {
		conds = p.path.inTheWay(conds, &p.queue[0], s.now)
	}
	switch {
	case stuck:
		if head := &s.after.Queue[0]; !blocked || head.ID != p.queue[0].ID {
			conds = p.path.inTheWay(conds, head, s.now)
		}
	case joins != nil: // it may be what keeps the waiter from a place beside the holders
		conds = p.path.inTheWay(conds, joins, s.now)
	}
	return conds
}

// moves returns the owner who gets a hold, by the operation, that was not theirs; nil:
// none.
func (s *step) moves(p *place) *store.Party {
	if s.sw == nil || !s.done || s.sw.Holder == nil {
		return nil
	}
	if old := p.meant(s); old != nil && old.Holder.Session == s.sw.Holder.Session {
		return nil
	}
	return s.sw.Holder
}

// grants reports whether a waiter was granted the name, if only for a moment.
func (s *step) grants(p *place) bool {
	if len(s.gone) == 0 {
		return false
	}
	return slices.ContainsFunc(p.queue, func(t store.Waiter) bool {
		left := s.sw != nil && s.done && s.sw.Do == store.Leave && s.sw.Waiter.ID == t.ID
		return s.gone[t.ID] && !left
	})
}

// conditions adds those that no other session holds names on the path and, with idle,
// that there is no waiter. own is how many rows the place itself has.
func (p *path) conditions(conds []kv.Cond, own int, idle bool, now time.Time) []kv.Cond {
	for _, at := range p.above {
		conds = at.rowsAsRead(conds, now)
		if idle && at.gate != nil {
			conds = append(conds, kv.Cond{Prefix: waiterKeys(at.name)})
		}
	}
	if p.below == "" {
		return conds
	}
	for i := range p.rows {
		row := &p.rows[i]
		c := kv.Cond{Key: row.Key, Rev: row.Rev}
		if rec := p.recs[i]; rec == nil {
			c.Ver = row.Ver
		} else if rec.Holder.Session != "" {
			c.Tag = sessionTag(rec.Holder.Session)
		} else {
			c.Ver = row.Ver // no tag says so
		}
		conds = append(conds, c)
	}
	for i := range p.dead {
		conds = append(conds, asRead(&p.dead[i], now))
	}
	for i := range p.gates {
		conds = append(conds, asRead(&p.gates[i], now))
	}
	if idle && len(p.rows)+len(p.gates) > 0 {
		conds = append(conds, kv.Cond{Prefix: waiterPrefix + p.below})
	}
	return append(conds, kv.Cond{Prefix: holdKey(p.below), AtMost: own + len(p.rows) + len(p.dead) + len(p.gates), Due: true})
}

// held reports whether there is a hold on the path.
func (p *path) held() bool {
	for range p.holds() {
		return true
	}
	return false
}

// without adds the conditions that a session still holds nothing on the path. own is how many
// holds of the place itself it has.
func (p *path) without(conds []kv.Cond, session string, own int, now time.Time) []kv.Cond {
	for _, at := range p.above {
		conds = at.rowsAsRead(conds, now)
	}
	if p.below == "" || session == "" {
		return conds
	}
	return append(conds, kv.Cond{Prefix: holdKey(p.below), Tag: sessionTag(session), AtMost: own})
}

// inTheWay adds the condition that what blocks a waiter for a free name is still there.
func (p *path) inTheWay(conds []kv.Cond, t *store.Waiter, now time.Time) []kv.Cond {
	_, row, waits := p.way(t)
	if row != nil {
		return append(conds, asRead(row, now))
	}
	// If the session gets a hold above, the waiter is no longer in the way.
	for _, at := range p.above {
		conds = at.rowsAsRead(conds, now)
	}
	if waits != nil {
		conds = append(conds, kv.Cond{Key: waiterKey(waits.Name, waits.Seq), Lease: processKey(waits.Process)})
	}
	return conds
}

// way returns what blocks a waiter for a free name, if that is known: the row of a hold,
// or another waiter.
func (p *path) way(t *store.Waiter) (w way, row *kv.Row, waits *store.Waiter) {
	w.session, w.since = t.Holder.Session, t.Seq
	for row, rec := range p.holds() {
		if rec.Holder.Session != w.session {
			w.name = rec.Name
			return w, row, nil
		}
	}
	for _, other := range p.state(living(time.Time{})).Waits {
		if other.Seq < t.Seq {
			w.name, w.waiter = other.Name, other.ID
			return w, nil, &other
		}
	}
	return w, nil, nil
}

// holds yields all holds on the path that were read, live or expired.
func (p *path) holds() iter.Seq2[*kv.Row, *store.Record] {
	return func(yield func(*kv.Row, *store.Record) bool) {
		for _, at := range p.above {
			if at.rec != nil && !yield(at.hold, at.rec) {
				return
			}
			for i, rec := range at.shared {
				if !yield(&at.rows[i], rec) {
					return
				}
			}
		}
		for i, rec := range p.recs {
			if rec != nil && !yield(&p.rows[i], rec) {
				return
			}
		}
		for i, rec := range p.died {
			if !yield(&p.dead[i], rec) {
				return
			}
		}
	}
}

// assumedPath adds the conditions that the path has no hold and no waiter.
func assumedPath(conds []kv.Cond, name, kinds string) []kv.Cond {
	for _, node := range above(name, kinds) {
		conds = append(conds, kv.Cond{Key: holdKey(node), Absent: true})
	}
	conds = treeCondition(conds, name, kinds) // behind those that are like it for most trees
	if b := below(name, kinds); b != "" {
		conds = append(conds, kv.Cond{Prefix: holdKey(b), Due: true})
	}
	return conds
}

// asRead returns the condition that a row is as it was read, live or due.
func asRead(row *kv.Row, now time.Time) kv.Cond {
	return kv.Cond{Key: row.Key, Rev: row.Rev, Ver: row.Ver, Dead: !row.Live(now)}
}

// rowsAsRead adds the conditions that the rows of a place are as they were read.
func (p *place) rowsAsRead(conds []kv.Cond, now time.Time) []kv.Cond {
	if p.hold == nil && p.gate == nil {
		return append(conds, kv.Cond{Key: holdKey(p.name), Absent: true})
	}
	for _, row := range []*kv.Row{p.hold, p.gate} {
		if row != nil {
			conds = append(conds, asRead(row, now))
		}
	}
	for i := range p.rows {
		conds = append(conds, asRead(&p.rows[i], now))
	}
	return conds
}
