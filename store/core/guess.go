package core

import (
	"slices"
	"sync"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// The state that an operation will find is assumed before anything is read, so that it
// takes one round trip unless others interfere. An assumption decides nothing: the
// transaction carries it as conditions. If they fail, the answer has the state.

// unknown stands for a term that was not read.
const unknown = time.Duration(1 << 61)

// assume returns a place for each operation, made of what was seen last; nil: one of
// them can't be assumed.
func assume(req store.Txn, l []lookup, seen []*held) []*place {
	places := make([]*place, len(req.Ops))
	for i := range req.Ops {
		if l[i].tall {
			return nil
		}
		if places[i] = assumePlace(&req.Ops[i], l[i].tree, seen[i]); places[i] == nil {
			return nil
		}
	}
	return places
}

func assumePlace(sw *store.Op, tree string, last *held) *place {
	x, several := &sw.Expect, last.several()
	switch {
	case sw.Do == store.Revoke:
		return &place{name: sw.Name, wide: true, assumed: []kv.Cond{}} // whatever is there
	case sw.Do == store.Acquire && x.Free && !several:
		// A name without a row has no waiters: a transaction that frees a name grants it
		// to the first one. The conditions say that nothing above or below blocks it.
		conds := append(make([]kv.Cond, 0, 4), kv.Cond{Key: holdKey(sw.Name), Absent: true})
		return &place{name: sw.Name, assumed: assumedPath(conds, sw.Name, tree)}
	case sw.Do == store.Renew && sw.Event == nil && sw.Holder == nil && sw.Share == nil && !x.Free && !x.Waiting && !x.Sole && !several:
		return assumeHeld(sw)
	case last == nil, sw.Do == store.Leave, sw.Do == store.Renew && sw.Share != nil, last.unclear(), x.Waiting && (sw.Do != store.Release || len(last.queue) == 0):
		return nil
	case tree != "" && sw.Do == store.Renew && sw.Event != nil:
		return nil // the first waiter may have room by now
	}
	at := last.assume(sw)
	if at != nil {
		at.tree = tree
	}
	return at
}

// assume returns the place as it was seen, with all holds live, and with the data that
// the operation expects; nil: a row can't be decoded.
func (p *place) assume(sw *store.Op) *place {
	at := &place{name: p.name, wide: p.wide, gate: p.gate, more: p.more, rows: slices.Clone(p.rows)}
	alive := func(row *kv.Row) *store.Record {
		rec, err := decodeRecord(p.name, row)
		if err != nil {
			return nil
		}
		rec.Expires = time.Time{}
		return rec
	}
	if p.hold != nil {
		hold := *p.hold
		hold.Key, at.hold = holdKey(p.name), &hold
		if at.rec = alive(at.hold); at.rec == nil {
			return nil
		}
	}
	at.shared = make([]*store.Record, len(at.rows))
	for i := range at.rows {
		at.rows[i].Key = sharedKey(p.name, at.rows[i].Rev)
		if at.shared[i] = alive(&at.rows[i]); at.shared[i] == nil {
			return nil
		}
	}
	at.own = at.of(sw)
	if x := &sw.Expect; x.Data != nil {
		state := at.state()
		if rec := state.Meant(x); rec != nil {
			rec.Data = *x.Data
		}
	}
	if sw.Do == store.Release || at.wide { // to the first waiter, who stays first
		at.queue, at.rest = p.queue, p.rest
	}
	return at
}

// of counts the holds of the session that an operation is about.
func (p *place) of(sw *store.Op) (n int) {
	l := lookupOf(sw, true, false)
	for _, rec := range p.shared {
		if l.session != "" && rec.Holder.Session == l.session {
			n++
		}
	}
	return n
}

// assumeHeld returns a place with the hold that a renewal expects. The renewal depends on
// nothing else.
func assumeHeld(sw *store.Op) *place {
	x := sw.Expect
	if x.Token == 0 && x.Session == nil {
		return nil // the row may be a gate
	}
	rec := &store.Record{Name: sw.Name, Token: x.Token, Terms: store.Terms{Idle: unknown, MaxHold: unknown}}
	hold := kv.Cond{Key: holdKey(sw.Name), Rev: x.Token, Data: x.Data}
	if x.Session != nil {
		if *x.Session == "" {
			return nil // no tag says so
		}
		rec.Holder.Session, hold.Tag = *x.Session, sessionTag(*x.Session)
	}
	if x.Data != nil {
		rec.Data = *x.Data
	}
	return &place{name: sw.Name, rec: rec, assumed: []kv.Cond{hold, {Prefix: alarmKeys(sw.Name), NoneDue: true}}}
}

// holds caches the places of held names as this process saw them last. They may be out
// of date.
type holds struct {
	mu    sync.Mutex
	names map[string]*held
	size  int // of all of them
}

// held is a cached place. Its rows have only what assume needs: neither their data nor
// strings that may share memory with them.
type held struct {
	place
	size int
}

const (
	maxKnown      = 1 << 14  // names
	maxKnownBytes = 16 << 20 // of all of them, about
	// heldBytes and waiterBytes are the size of a hold and of a waiter without texts.
	heldBytes, waiterBytes = 512, 512
)

func (h *holds) get(name string) *held {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.names[name]
}

// several reports whether the name had holds that others may share when it was seen.
func (h *held) several() bool { return h != nil && h.gate != nil }

// saw caches a place. If the cache is full, it forgets others.
func (h *holds) saw(p *place) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget(p.name)
	if p.hold == nil && p.gate == nil {
		return
	}
	last := &held{place: place{name: p.name, wide: p.wide, more: p.more, queue: p.queue, rest: p.rest}}
	last.size = len(p.name) + queueSize(p.queue)
	last.hold, last.gate, last.rows = last.keep(p.hold), p.gate, slices.Clone(p.rows)
	for i := range last.rows {
		last.rows[i] = *last.keep(&last.rows[i])
	}
	if last.size > maxKnownBytes {
		return
	}
	for name := range h.names { // any ones
		if len(h.names) < maxKnown && h.size+last.size <= maxKnownBytes {
			break
		}
		h.forget(name)
	}
	if h.names == nil {
		h.names = make(map[string]*held)
	}
	h.names[p.name] = last
	h.size += last.size
}

// keep returns what is cached of the row of a hold. Its key follows from its number.
func (h *held) keep(row *kv.Row) *kv.Row {
	if row == nil {
		return nil
	}
	kept := *row
	kept.Key, kept.Data, kept.Tags, kept.Lease = "", "", nil, ""
	h.size += heldBytes + len(kept.Value)
	return &kept
}

func (h *holds) forget(name string) {
	if old := h.names[name]; old != nil {
		h.size -= old.size
		delete(h.names, name)
	}
}

// queueSize returns about how many bytes a queue takes.
func queueSize(queue []store.Waiter) (size int) {
	party := func(p store.Party) int { return len(p.Session) + len(p.User) + len(p.Value) }
	for i := range queue {
		t := &queue[i]
		size += waiterBytes + len(t.ID) + len(t.Process) + party(t.Holder) + len(t.Data) + len(t.Value)
		if t.Event != nil {
			size += len(t.Event.Kind) + party(t.Event.Actor) + len(t.Event.Reason)
		}
	}
	return size
}
