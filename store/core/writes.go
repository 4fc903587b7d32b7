package core

import (
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// notes returns the messages to the processes of waiters that left the queue. The
// message of a waiter that was granted the name alone carries the hold.
func (p *plan) notes(txn *kv.Txn) []kv.Message {
	var notes []kv.Message
	for _, n := range p.effects.News {
		note := kv.Message{To: n.Process, Text: n.Waiter}
		for i := range txn.Read {
			name, isHold := strings.CutPrefix(txn.Read[i].Key, holdPrefix)
			if !isHold || strings.Contains(name, kv.Separator) || !p.has(name) {
				continue
			}
			if rec := p.state(name).Record; rec != nil && rec.Request == n.Waiter {
				note.Read, note.N = i, 2
			}
		}
		notes = append(notes, note)
	}
	for i, at := range p.places {
		if t := p.leftTo(at, &p.after[i]); t != nil {
			notes = append(notes, kv.Message{To: leftTo + t.Process, Text: at.name})
		}
	}
	return notes
}

// leftTo, followed by a process, is the address of a message to that process: its
// waiter is the first for a free name, and blocked by something above or below. The
// text is the name. Without a process and a text, the message says that a waiting
// process has died. No process has such a name, as names have no control characters.
const leftTo = "\x01"

// leftTo returns the first waiter for a name if it is blocked after the transaction and
// was not before; nil: none. A waiter that joins in this transaction needs no message.
func (p *plan) leftTo(at *place, after *store.State) *store.Waiter {
	if !after.Blocked(living(p.now)) || number(after.Queue[0].Seq) > 0 {
		return nil
	}
	first := &after.Queue[0]
	if before := at.on(p.now); before.Blocked(living(p.now)) && at.queue[0].ID == first.ID {
		return nil
	}
	return first
}

// writeHolds adds the writes for the holds of a name, and for its gate.
func (p *plan) writeHolds(writes []kv.Write, at *place, sw *store.Op, after *store.State) []kv.Write {
	if !p.changedHolds(at, after) {
		return p.writeClosed(writes, at, after)
	}
	if after.Share == store.Alone && !closed(after) { // else a gate takes its place
		writes = writeHold(writes, at.rec, after.Record, sw, holdKey(at.name))
	}
	if len(at.shared)+len(after.Shared) == 0 {
		return p.writeGate(writes, at, after)
	}
	stays := make(map[uint64]*store.Record, len(after.Shared))
	for _, rec := range after.Shared {
		if stays[rec.Token] = rec; number(rec.Token) > 0 || number(rec.Place) > 0 {
			writes = append(writes, newHold(rec, sharedKeys(at.name)))
		}
	}
	for i, rec := range at.shared {
		writes = writeHold(writes, rec, stays[rec.Token], sw, at.rows[i].Key)
	}
	return p.writeGate(writes, at, after)
}

func (p *plan) changedHolds(at *place, after *store.State) bool {
	return at.rec != after.Record || !slices.Equal(at.shared, after.Shared) || at.changed(after)
}

// writeGate adds the write of the gate if holds that others may share began or ended, or
// removes the gate if no hold is left.
func (p *plan) writeGate(writes []kv.Write, at *place, after *store.State) []kv.Write {
	switch {
	case closed(after):
		return p.writeClosed(writes, at, after)
	case after.Share == store.Alone && at.gate != nil && after.Record == nil:
		return append(writes, kv.Write{Key: holdKey(at.name), Delete: true})
	case after.Share == store.Alone || !at.changed(after):
		return writes
	}
	return p.writeGateRow(writes, at, gateData(after.Share), -1)
}

func (p *plan) writeGateRow(writes []kv.Write, at *place, data string, ttl time.Duration) []kv.Write {
	w := kv.Write{Key: holdKey(at.name), Value: gateValue, Data: &data, Renew: at.gate != nil, TTL: ttl}
	if at.gate == nil { // a number of its own, which is no hold's token
		p.gates++
		w.Number, w.TTL = int(p.drew)+p.gates, max(0, ttl)
	}
	return append(writes, w)
}

// closedFor is how long after its last write a closed gate is due, and its name looked
// at again.
const closedFor = 5 * time.Second

// writeClosed writes a closed gate where it is missing or due, and removes one
// that is no longer needed.
func (p *plan) writeClosed(writes []kv.Write, at *place, after *store.State) []kv.Write {
	was := at.gate != nil && at.gate.Data == closedData
	switch is := closed(after); {
	case is && !(was && at.gate.Live(p.now)):
		return p.writeGateRow(writes, at, closedData, closedFor)
	case was && !is && after.Record == nil && after.Share == store.Alone:
		return append(writes, kv.Write{Key: holdKey(at.name), Delete: true})
	}
	return writes
}

// writeHold adds the write of one hold. old is nil if it is new, rec is nil if it ended.
func writeHold(writes []kv.Write, old, rec *store.Record, sw *store.Op, key string) []kv.Write {
	switch {
	case rec == old:
		return writes
	case rec == nil:
		return append(writes, kv.Write{Key: key, Delete: true})
	case number(rec.Token) > 0:
		return append(writes, newHold(rec, key))
	}
	// It was renewed: the row keeps what the operation does not give, which may be
	// more than what was read.
	w := kv.Write{Key: key, Renew: true, Data: sw.Data, Within: sw.ConfirmWithin}
	if sw.Terms != nil {
		w.TTL, w.Max = sw.Terms.Idle, sw.Terms.MaxHold
	}
	if sw.Holder != nil {
		w.Value, w.Tags = encodeHold(rec), holdTags(rec.Holder)
	}
	return append(writes, w)
}

// newHold returns the write of a hold with a token or place of this transaction. A key
// that ends with a Separator is followed by the number.
func newHold(rec *store.Record, key string) kv.Write {
	w := kv.Write{
		Key: key, Numbered: strings.HasSuffix(key, kv.Separator),
		Number: number(rec.Token), Value: encodeHold(rec), Data: &rec.Data, Tags: holdTags(rec.Holder),
		TTL: rec.Terms.Idle, Max: rec.Terms.MaxHold, Within: rec.Within(),
	}
	if rec.Place != 0 { // acquired before, and shared now
		w.Number = number(rec.Place)
	}
	return w
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

// writeWaiters adds the writes for the waiters of a name.
func (p *plan) writeWaiters(txn *kv.Txn, at *place, gone map[string]bool, after *store.State) {
	for i := range at.queue {
		if t := &at.queue[i]; gone[t.ID] {
			txn.Then = append(txn.Then, kv.Write{Key: waiterKey(at.name, t.Seq), Delete: true})
			if t.GrantAfter > 0 {
				txn.Then = append(txn.Then, kv.Write{Key: alarmKey(at.name, t.Seq), Delete: true})
			}
			if t.Share != store.Alone {
				txn.Then = append(txn.Then, kv.Write{Key: bellKey(at.name, t.Seq), Delete: true})
			}
		}
	}
	moved := false
	for i := range p.effects.Joined {
		if t := &p.effects.Joined[i]; t.Name == at.name {
			txn.Then = join(txn.Then, t, at.tree == "" && after.Queue[0].ID == t.ID)
			moved = moved || number(t.Seq) == 0
		}
	}
	p.rearm(txn, at, after, moved)
}

// atOnce is how soon the bell of a new waiter is due. The sweep then sets it to when the
// lease of the first waiter ends.
const atOnce = time.Microsecond

// join adds the writes of a waiter that is new, or has moved to another process. Whether
// a new one is the first is not known: others may join before it. The first waiter
// needs a bell only in a tree.
func join(writes []kv.Write, t *store.Waiter, first bool) []kv.Write {
	lease := processKey(t.Process)
	if number(t.Seq) == 0 {
		writes = append(writes, kv.Write{Key: waiterKey(t.Name, t.Seq), Renew: true, Lease: lease})
		if t.GrantAfter > 0 {
			writes = append(writes, kv.Write{Key: alarmKey(t.Name, t.Seq), Renew: true, Lease: lease})
		}
		if t.Share != store.Alone {
			writes = append(writes, kv.Write{Key: bellKey(t.Name, t.Seq), Lease: lease, Max: atOnce, Delete: first})
		}
		return writes
	}
	writes = append(writes, kv.Write{
		Key: waiterKeys(t.Name), Number: number(t.Seq), Numbered: true, Lease: lease,
		Value: encodeWaiter(t), Data: &t.ID, Tags: []string{waiterTag(t.ID)},
	})
	if t.GrantAfter > 0 {
		writes = append(writes, kv.Write{
			Key: alarmKeys(t.Name), Number: number(t.Seq), Numbered: true, Lease: lease, Max: t.GrantAfter,
		})
	}
	if t.Share != store.Alone {
		writes = append(writes, kv.Write{
			Key: bellKeys(t.Name), Number: number(t.Seq), Numbered: true, Lease: lease, Max: atOnce,
		})
	}
	return writes
}

// rearm sets the alarms of waiters to their GrantAt again. A waiter is granted a held
// name only as the first in the queue, and while all holds are those that were asked.
// Its alarm may have been due before that, and then the sweep has set it to when the
// lease of the first waiter ends.
func (p *plan) rearm(txn *kv.Txn, at *place, after *store.State, moved bool) {
	if len(after.Queue) == 0 || len(at.queue) == 0 && !moved {
		return
	}
	if first := &after.Queue[0]; !moved && first.ID == at.queue[0].ID {
		before := at.state().Live(p.now)
		if after.GrantAt(first).IsZero() || !before.GrantAt(first).IsZero() {
			return
		}
	}
	for i := range after.Queue {
		t := &after.Queue[i]
		if !after.GrantAt(t).IsZero() && number(t.Seq) == 0 {
			txn.If = append(txn.If, kv.Cond{Key: waiterKey(at.name, t.Seq)}) // and so its alarm
			txn.Then = append(txn.Then, kv.Write{Key: alarmKey(at.name, t.Seq), Renew: true, TTL: -1, Max: t.GrantAfter})
		}
	}
}

// logged returns the entry to write for an entry of the rules. The time of an expiry is
// the Expires of the hold, whenever the entry is written.
func logged(e *store.LogEntry, now time.Time) kv.Entry {
	tags := make([]string, 0, 6)
	if e.Name != "" {
		tags = append(tags, nameTag(e.Name))
	}
	if whole, _, part := strings.Cut(e.Name, store.PartMark); part && store.Tree(whole) != "" {
		tags = append(tags, partsTag(whole))
	}
	users := [...]string{e.Owner.User, e.Actor.User, e.Other.User}
	for i, who := range users {
		if who != "" && !slices.Contains(users[:i], who) {
			tags = append(tags, userTag(who))
		}
	}
	if e.Request != "" {
		tags = append(tags, requestTag(e.Request))
	}
	return kv.Entry{Number: number(e.Seq), ID: e.Request, Value: encodeEntry(e, e.Kind == store.KindExpired || !e.At.Equal(now)), Tags: tags}
}
