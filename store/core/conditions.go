package core

import (
	"slices"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// step is what the rules planned for one place.
type step struct {
	sw    *store.Op // nil: it was only settled
	done  bool      // the operation was allowed
	now   time.Time
	gone  map[string]bool // waiters that left, by ID
	moved bool            // waiters joined or left
	after store.State
}

// conditions returns the conditions under which the step is right: the place is
// unchanged, as far as settling and the operation, done or refused, depend on it.
func (p *place) conditions(s *step) []kv.Cond {
	if p.assumed != nil {
		return p.assumed
	}
	conds := make([]kv.Cond, 0, 5+len(p.queue)+len(p.rows))
	changed := p.changed(&s.after) || s.sole()
	refused := s.sw != nil && !s.done // for reasons that must last
	conds = p.holdConditions(conds, s, changed || refused)
	conds = p.queueConditions(conds, s, changed)
	return p.pathConditions(conds, s)
}

// changed reports whether holds began or ended, or the share in force changed.
func (p *place) changed(after *store.State) bool {
	if (p.rec == nil) != (after.Record == nil) || len(p.shared) != len(after.Shared) ||
		p.rec != nil && p.rec.Token != after.Record.Token {
		return true
	}
	for i, rec := range p.shared {
		if rec.Token != after.Shared[i].Token {
			return true
		}
	}
	share, _ := shareOf(p.gate)
	return share != after.Share && len(p.shared) > 0 // a limit of a hold that is over already
}

// holdConditions adds those on the holds of the name. One on the gate covers all holds
// that others may share, as each that begins or ends writes the gate. Which of them
// have expired takes a condition on each, or one on all.
func (p *place) holdConditions(conds []kv.Cond, s *step, changed bool) []kv.Cond {
	meant := p.meant(s)
	switch {
	case p.hold != nil:
		conds = append(conds, p.rowCondition(p.rec, p.hold, s, meant))
	case p.gate == nil:
		conds = append(conds, kv.Cond{Key: holdKey(p.name), Absent: true})
	case changed || s.moved || s.sw == nil || p.unasked(), s.moves(p) != nil: // the holder of a name alone may capture names below
		conds = append(conds, kv.Cond{Key: holdKey(p.name), Rev: p.gate.Rev, Ver: p.gate.Ver, Dead: !p.gate.Live(s.now)})
	}
	if !p.wide {
		return conds
	}
	dead := 0
	for _, rec := range p.shared {
		if !rec.Live(s.now) {
			dead++
		}
	}
	stays := make(map[*store.Record]bool, len(s.after.Shared))
	for _, rec := range s.after.Shared {
		stays[rec] = true
	}
	for i, rec := range p.shared {
		if dead > 0 || !stays[rec] || rec == meant {
			conds = append(conds, p.rowCondition(rec, &p.rows[i], s, meant))
		}
	}
	if dead == 0 {
		conds = append(conds, kv.Cond{Prefix: sharedKeys(p.name), NoneDue: true})
	}
	// Another hold may pass to the session meanwhile, by a renewal.
	if own := s.session(); own != "" {
		held := p.own
		if s.sw.Do == store.Acquire && (s.sw.Expect.Token != 0 || s.sw.Expect.Free) && (meant == nil || meant.Holder.Session != own) {
			held = 0
		}
		conds = append(conds, kv.Cond{Prefix: sharedKeys(p.name), Tag: sessionTag(own), AtMost: held})
	}
	return conds
}

// noOther reports whether the step is right only if nobody waits but those that were
// read; left of them leave.
func (p *place) noOther(s *step, changed, shares bool, left int) bool {
	had := p.hold != nil || len(p.rows) > 0
	free := s.after.Record == nil && len(s.after.Shared) == 0 && s.after.More == 0
	if !closed(&s.after) && (free && (had || p.gate != nil) || had && !p.held(s.now) && left == 0 && len(p.queue) == 0) {
		return true
	}
	if len(s.after.Queue) == 0 {
		if (changed || s.moved) && shares {
			return true
		}
		// The alarm of a waiter that is the first now may have been put off.
		if left > 0 && p.rec != nil && s.after.Record != nil && s.after.Record.Token == p.rec.Token {
			return true
		}
	}
	return s.sole()
}

// unasked reports whether the first waiter has a GrantAt that is not in force, because
// of holds that were not asked.
func (p *place) unasked() bool {
	if len(p.queue) == 0 || p.queue[0].GrantAt.IsZero() {
		return false
	}
	state := p.state()
	return state.GrantAt(&p.queue[0]).IsZero()
}

// meant returns the hold that the operation depends on; nil: none.
func (p *place) meant(s *step) *store.Record {
	if s.sw == nil || s.sw.Do == store.Acquire && s.sw.Expect.Free {
		return nil
	}
	state := p.state().Live(s.now)
	if s.sw.Do == store.Join {
		if rec := state.Granted(s.sw.Waiter.ID); rec != nil {
			return rec
		}
	}
	return state.Meant(&s.sw.Expect)
}

// session returns the session whose other holds an operation that was done depends on,
// beside the hold that it is about; empty: none.
func (s *step) session() string {
	switch {
	case s.sw == nil || !s.done:
	case s.sw.Do == store.Acquire && (s.sw.Expect.Free || s.sw.Expect.Token != 0):
		return s.sw.Holder.Session
	case s.sw.Expect.Session != nil && s.sw.Expect.Token == 0:
		return *s.sw.Expect.Session
	}
	return ""
}

// rowCondition returns the condition that a hold is unchanged, live or due.
func (p *place) rowCondition(rec *store.Record, row *kv.Row, s *step, meant *store.Record) kv.Cond {
	c := kv.Cond{Key: row.Key, Rev: row.Rev, Ver: row.Ver, Dead: !rec.Live(s.now)}
	if rec == p.rec && len(s.after.Shared) > 0 && s.after.Shared[0].Token == rec.Token {
		c.Data = &rec.Data // it moves to a row of its own
		return c
	}
	// The operation may be about a hold that this step begins, or a join of what was
	// granted already. The data don't matter then.
	if data := s.expected(); s.done && rec == meant && data != nil && *data == rec.Data && p.stays(rec, s.now) {
		c.Data = data
	}
	return c
}

// stays reports whether a hold outlasts the settling of its name: those who hold it may
// have to give way to a waiter.
func (p *place) stays(rec *store.Record, now time.Time) bool {
	if p.claimed(now).IsZero() {
		return true
	}
	env := living(now)
	env.Next = func() uint64 { return 0 }
	settled, _ := store.Settle(p.name, p.on(now), env)
	return settled.Record == rec || slices.Contains(settled.Shared, rec)
}

// expected returns the data that the operation expects; nil: any.
func (s *step) expected() *string {
	if s.sw == nil {
		return nil
	}
	return s.sw.Expect.Data
}

// sole reports whether the operation was done because there was no other hold and no
// waiter.
func (s *step) sole() bool {
	granted := s.sw != nil && s.sw.Do == store.Join && s.after.Granted(s.sw.Waiter.ID) != nil // others may be there, too
	return s.sw != nil && s.sw.Expect.Sole && s.done && !granted
}

// queueConditions adds those on the waiters.
func (p *place) queueConditions(conds []kv.Cond, s *step, changed bool) []kv.Cond {
	left, live := 0, p.held(s.now)
	shares := p.wide || s.after.Share != store.Alone
	state := p.state().Live(s.now)
	for i := range p.queue {
		t := &p.queue[i]
		// The first waiter stays the first while it waits: those before it are gone
		// for good, and none can join before it. With a share, that matters for the
		// one that is first afterwards, too.
		next := shares && len(s.after.Queue) > 0 && s.after.Queue[0].ID == t.ID
		if s.gone[t.ID] || i == 0 || next || s.sw != nil && s.sw.Waiter != nil && s.sw.Waiter.ID == t.ID {
			conds = append(conds, kv.Cond{Key: waiterKey(p.name, t.Seq), Lease: processKey(t.Process)})
		}
		if s.gone[t.ID] {
			left++
		}
		if i == 0 && live && s.now.Before(state.GrantAt(t)) {
			conds = append(conds, kv.Cond{Key: alarmKey(p.name, t.Seq)})
		}
	}
	switch {
	case p.noOther(s, changed, shares, left):
		conds = append(conds, kv.Cond{Prefix: waiterKeys(p.name), AtMost: left})
	case live && len(p.queue) == 0 && s.sw != nil:
		conds = append(conds, kv.Cond{Prefix: alarmKeys(p.name), NoneDue: true})
		if p.wide {
			conds = append(conds, kv.Cond{Prefix: bellKeys(p.name), NoneDue: true})
		}
	}
	if s.sw != nil && s.sw.Waiter != nil && p.waiter(s.sw.Waiter.ID) == nil {
		conds = append(conds, kv.Cond{Prefix: waiterKeys(p.name), Tag: waiterTag(s.sw.Waiter.ID), AtMost: 0})
	}
	return conds
}
