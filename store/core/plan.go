package core

import (
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// drawn is where the numbers begin that stand for those a transaction draws:
// drawn+1 is the first. No engine gives out numbers so large.
const drawn = 1 << 62

// plan is a step worked out by the rules, as a transaction: what store.Run, or
// store.Settle alone, makes of some places.
type plan struct {
	now    time.Time
	places []*place
	after  []store.State // of each place
	last   int           // the place that was asked for last
	drew   uint64

	done    bool // the swaps are allowed
	effects store.Effects
}

func newPlan(places []*place, now time.Time) *plan {
	p := &plan{now: now, places: places, after: make([]store.State, len(places))}
	for i, at := range places {
		p.after[i] = at.state()
	}
	return p
}

// state is what the plan makes of a name. Names are asked for in their order.
func (p *plan) state(name string) *store.State {
	for p.places[p.last].name != name {
		p.last = (p.last + 1) % len(p.places)
	}
	return &p.after[p.last]
}

func (p *plan) env() store.Env {
	return store.Env{
		Now:   p.now,
		Next:  func() uint64 { p.drew++; return drawn + p.drew },
		Alive: everybody,
	}
}

// run does a request by the rules.
func (p *plan) run(req store.Request) {
	res, eff := store.Run(req, p.env(),
		func(name string) store.State { return *p.state(name) },
		func(name string, s store.State) { *p.state(name) = s })
	p.done, p.effects = res.Done, eff
}

// settle settles all places by the rules.
func (p *plan) settle() {
	for i, at := range p.places {
		var eff store.Effects
		p.after[i], eff = store.Settle(at.name, at.state(), p.env())
		p.effects.Entries = append(p.effects.Entries, eff.Entries...)
		p.effects.Left = append(p.effects.Left, eff.Left...)
		p.effects.News = append(p.effects.News, eff.News...)
	}
}

// number is which of the transaction's numbers n is; 0: it was there before.
func number(n uint64) int {
	if n <= drawn {
		return 0
	}
	return int(n - drawn)
}

// transaction makes a transaction of the plan that does what the rules did,
// provided that each place still is as it was. Without writes it only reads.
func (p *plan) transaction(req store.Request) kv.Txn {
	txn := kv.Txn{Once: req.ID, Numbers: int(p.drew)}
	gone := make(map[string]bool, len(p.effects.Left))
	for _, id := range p.effects.Left {
		gone[id] = true
	}
	for i, at := range p.places {
		var sw *store.Swap
		if i < len(req.Swaps) {
			sw = &req.Swaps[i]
		}
		after := p.after[i]
		conds := at.conditions(sw, p.done, p.now, gone, after)
		if len(p.places) == 1 {
			txn.If = slices.Clip(conds)
		} else {
			txn.If = append(txn.If, conds...)
		}
		if claim := at.claimed(p.now); claim.After(txn.Since) {
			txn.Since = claim // the clock may be set back meanwhile
		}
		txn.Then = p.writeHold(txn.Then, at, sw, after.Record)
		p.writeWaiters(&txn, at, gone, after)
	}
	for i := range p.effects.Entries {
		txn.Log = append(txn.Log, logged(&p.effects.Entries[i], p.now))
	}
	txn.Read = reads(p.places, req)
	txn.Notes = p.notes(&txn)
	return txn
}

// notes tell the processes of waiters who left the queue. To one who got the
// name goes along what stands there.
func (p *plan) notes(txn *kv.Txn) []kv.Note {
	var notes []kv.Note
	for _, n := range p.effects.News {
		note := kv.Note{To: n.Peer, Text: n.Ticket}
		for i := range txn.Read {
			name, isHold := strings.CutPrefix(txn.Read[i].Key, holdPrefix)
			if !isHold {
				continue
			}
			if rec := p.state(name).Record; rec != nil && rec.Request == n.Ticket {
				note.Read, note.N = i, 2
			}
		}
		notes = append(notes, note)
	}
	return notes
}

// reads are the ranges that tell what stands under the names afterwards.
func reads(places []*place, req store.Request) []kv.Range {
	all := make([]kv.Range, 0, 3*len(places))
	for i, at := range places {
		id := ""
		if i < len(req.Swaps) && req.Swaps[i].Ticket != nil {
			id = req.Swaps[i].Ticket.ID
		}
		all = appendRanges(all, at.name, id)
	}
	return all
}

// writeHold writes what became of a hold.
func (p *plan) writeHold(writes []kv.Write, at *place, sw *store.Swap, rec *store.Record) []kv.Write {
	key := holdKey(at.name)
	switch {
	case rec == at.rec:
		return writes
	case rec == nil:
		return append(writes, kv.Write{Key: key, Delete: true})
	case number(rec.Token) > 0:
		return append(writes, kv.Write{
			Key: key, Number: number(rec.Token), Value: encodeHold(rec), Data: &rec.Data, Tags: holdTags(rec.Holder),
			TTL: rec.Terms.Idle, Max: rec.Terms.MaxHold, Within: rec.Within(),
		})
	}
	// It was renewed: the row keeps what the swap does not give, which may be
	// more than what was read.
	w := kv.Write{Key: key, Renew: true, Data: sw.Data, Within: sw.Confirm}
	if sw.Terms != nil {
		w.TTL, w.Max = sw.Terms.Idle, sw.Terms.MaxHold
	}
	if sw.Holder != nil {
		w.Value, w.Tags = encodeHold(rec), holdTags(rec.Holder)
	}
	return append(writes, w)
}

func holdTags(holder store.Party) []string {
	tags := make([]string, 0, 2)
	if holder.Session != "" {
		tags = append(tags, sessionTag(holder.Session))
	}
	if holder.User != "" {
		tags = append(tags, userTag(holder.User))
	}
	return tags
}

// writeWaiters writes what became of the waiters for a name.
func (p *plan) writeWaiters(txn *kv.Txn, at *place, gone map[string]bool, after store.State) {
	for i := range at.queue {
		if t := &at.queue[i]; gone[t.ID] {
			txn.Then = append(txn.Then, kv.Write{Key: waiterKey(at.name, t.Seq), Delete: true})
			if t.ClaimAfter > 0 {
				txn.Then = append(txn.Then, kv.Write{Key: alarmKey(at.name, t.Seq), Delete: true})
			}
		}
	}
	moved := false
	for i := range p.effects.Joined {
		if t := &p.effects.Joined[i]; t.Name == at.name {
			txn.Then = join(txn.Then, t)
			moved = moved || number(t.Seq) == 0
		}
	}
	p.rearm(txn, at, after, moved)
}

// join writes a waiter that is new, or waits in another process now.
func join(writes []kv.Write, t *store.Ticket) []kv.Write {
	lease := processKey(t.Peer)
	if number(t.Seq) == 0 {
		writes = append(writes, kv.Write{Key: waiterKey(t.Name, t.Seq), Renew: true, Lease: lease})
		if t.ClaimAfter > 0 {
			writes = append(writes, kv.Write{Key: alarmKey(t.Name, t.Seq), Renew: true, Lease: lease})
		}
		return writes
	}
	writes = append(writes, kv.Write{
		Key: waiterKeys(t.Name), Number: number(t.Seq), Numbered: true, Lease: lease,
		Value: encodeWaiter(t), Data: &t.ID, Tags: []string{waiterTag(t.ID)},
	})
	if t.ClaimAfter > 0 {
		writes = append(writes, kv.Write{
			Key: alarmKeys(t.Name), Number: number(t.Seq), Numbered: true, Lease: lease, Max: t.ClaimAfter,
		})
	}
	return writes
}

// rearm sets alarms back to the time of their claims. A waiter may claim a hold
// only as the first in the queue. Its alarm may have rung before it was, and then
// rings when the lease ends of the process of the first.
func (p *plan) rearm(txn *kv.Txn, at *place, after store.State, moved bool) {
	if len(after.Queue) == 0 || !moved && (len(at.queue) == 0 || after.Queue[0].ID == at.queue[0].ID) {
		return
	}
	for i := range after.Queue {
		t := &after.Queue[i]
		if !t.ClaimOn(after.Record).IsZero() && number(t.Seq) == 0 {
			txn.If = append(txn.If, kv.Cond{Key: waiterKey(at.name, t.Seq)}) // and so its alarm
			txn.Then = append(txn.Then, kv.Write{Key: alarmKey(at.name, t.Seq), Renew: true, TTL: -1, Max: t.ClaimAfter})
		}
	}
}

// logged is the log entry for one by the rules.
func logged(e *store.Entry, now time.Time) kv.Entry {
	tags := append(make([]string, 0, 5), nameTag(e.Name))
	users := [...]string{e.Owner.User, e.Actor.User, e.Other.User}
	for i, who := range users {
		if who != "" && !slices.Contains(users[:i], who) {
			tags = append(tags, userTag(who))
		}
	}
	if e.Request != "" {
		tags = append(tags, requestTag(e.Request))
	}
	return kv.Entry{Number: number(e.Seq), ID: e.Request, Value: encodeEntry(e, !e.At.Equal(now)), Tags: tags}
}
