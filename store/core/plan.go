package core

import (
	"slices"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// drawn is the base of placeholders for the numbers that a transaction will draw:
// drawn+1 stands for the first. No engine draws numbers so large.
const drawn = 1 << 62

// plan is the effect of a transaction, or of settling, on some places, as store.Run or
// store.Settle computes it, and from which the kv.Txn is made.
type plan struct {
	now     time.Time
	places  []*place
	lookups []lookup      // of the places
	after   []store.State // of each place
	last    int           // index of the place that was asked for last
	drew    uint64        // numbers drawn by the rules
	gates   int           // numbers drawn for gates, besides

	done    bool // the operations are allowed
	effects store.Effects
}

func newPlan(places []*place, lookups []lookup, now time.Time) *plan {
	p := &plan{now: now, places: places, lookups: lookups, after: make([]store.State, len(places))}
	for i, at := range places {
		if p.after[i] = at.on(now); at.rotten {
			p.after[i].More++ // while some expired holds are not known, there is no room
		}
	}
	return p
}

// state returns the planned state of a name. Names are mostly asked for in their order.
func (p *plan) state(name string) *store.State {
	for p.places[p.last].name != name {
		p.last = (p.last + 1) % len(p.places)
	}
	return &p.after[p.last]
}

func (p *plan) has(name string) bool {
	return slices.ContainsFunc(p.places, func(at *place) bool { return at.name == name })
}

func (p *plan) env() store.Env {
	return store.Env{
		Now:   p.now,
		Next:  func() uint64 { p.drew++; return drawn + p.drew },
		Alive: everybody,
	}
}

// run runs the rules on a transaction.
func (p *plan) run(req store.Txn) {
	res, eff := store.Run(req, p.env(),
		func(name string) store.State { return *p.state(name) },
		func(name string, s store.State) { *p.state(name) = s })
	p.done, p.effects = res.Done, eff
}

// settle settles all places by the rules.
func (p *plan) settle() {
	for i, at := range p.places {
		var eff store.Effects
		p.after[i], eff = store.Settle(at.name, p.after[i], p.env())
		p.effects.Entries = append(p.effects.Entries, eff.Entries...)
		p.effects.Left = append(p.effects.Left, eff.Left...)
		p.effects.News = append(p.effects.News, eff.News...)
		p.effects.Short = p.effects.Short || eff.Short
		p.effects.Far = p.effects.Far || eff.Far
	}
}

// rotten reports whether a place has more expired holds than were read. One
// transaction can't remove them all.
func (p *plan) rotten() bool {
	return slices.ContainsFunc(p.places, func(at *place) bool { return at.rotten })
}

// short reports whether too few holds or waiters were read to plan the transaction.
func (p *plan) short() bool {
	return p.effects.Short || slices.ContainsFunc(p.places, func(at *place) bool { return at.narrow(p.now) })
}

// blocked returns the places whose first waiter is blocked by a hold or a waiter above
// or below, although there is room.
func (p *plan) blocked() (all []stuck) {
	for i, at := range p.places {
		if p.after[i].Blocked(p.env()) {
			way, _, _ := at.path.way(&p.after[i].Queue[0])
			all = append(all, stuck{name: at.name, way: way})
		}
	}
	return all
}

// number returns which of the transaction's numbers n stands for; 0: n was drawn before.
func number(n uint64) int {
	if n <= drawn {
		return 0
	}
	return int(n - drawn)
}

// numbered replaces placeholders in left, the blocked names of a transaction, by the
// numbers that the transaction drew. first is the first of these.
func numbered(left []stuck, first uint64) []stuck {
	for i := range left {
		if n := number(left[i].way.since); n > 0 {
			left[i].way.since = first + uint64(n) - 1
		}
	}
	return left
}

// transaction returns the kv.Txn that does what the rules did, on the condition that
// each place is unchanged. Without writes it only reads.
func (p *plan) transaction(req store.Txn) kv.Txn {
	txn := kv.Txn{Once: req.ID}
	gone := make(map[string]bool, len(p.effects.Left))
	for _, id := range p.effects.Left {
		gone[id] = true
	}
	for i, at := range p.places {
		step := step{done: p.done, now: p.now, gone: gone, after: p.after[i]}
		if i < len(req.Ops) {
			step.sw = &req.Ops[i]
		}
		step.moved = p.moves(at)
		conds := at.conditions(&step)
		if len(p.places) == 1 {
			txn.If = slices.Clip(conds)
		} else {
			txn.If = append(txn.If, conds...)
		}
		if claim := at.claimed(p.now); claim.After(txn.Since) {
			txn.Since = claim // the clock may be set back meanwhile
		}
		txn.Then = p.writeHolds(txn.Then, at, step.sw, &step.after)
		p.writeWaiters(&txn, at, gone, &step.after)
		if step.after.Share != store.Alone || closed(&step.after) { // there will be a gate
			p.lookups[i].wide = true
		}
	}
	for i := range p.effects.Entries {
		txn.Log = append(txn.Log, logged(&p.effects.Entries[i], p.now))
	}
	txn.Numbers = int(p.drew) + p.gates
	txn.Read = reads(p.lookups)
	txn.Messages = p.notes(&txn)
	return txn
}

// reads returns the ranges that read the places afterwards.
func reads(lookups []lookup) []kv.Range {
	all := make([]kv.Range, 0, 4*len(lookups))
	for i := range lookups {
		all = lookups[i].ranges(all)
	}
	return all
}

// moves reports whether a waiter for a place joined or left.
func (p *plan) moves(at *place) bool {
	for i := range p.effects.Joined {
		if p.effects.Joined[i].Name == at.name {
			return true
		}
	}
	for i := range at.queue {
		if slices.Contains(p.effects.Left, at.queue[i].ID) {
			return true
		}
	}
	return false
}
