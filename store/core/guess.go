package core

import (
	"sync"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// What a swap will find is assumed before anything is read, so that it takes
// one round trip where nobody interferes. An assumption decides nothing: the
// transaction carries it as conditions, and where they fail its answer tells
// what is there.

// unknown is a term that nobody has read.
const unknown = time.Duration(1 << 61)

// assume makes up a place for each swap; nil: one can't be assumed.
func (s *Store) assume(req store.Request) []*place {
	places := make([]*place, len(req.Swaps))
	for i := range req.Swaps {
		if places[i] = s.assumePlace(&req.Swaps[i]); places[i] == nil {
			return nil
		}
	}
	return places
}

func (s *Store) assumePlace(sw *store.Swap) *place {
	x := sw.Expect
	switch {
	case sw.Do == store.Take && x.Free:
		// Nobody waits for a name without a row: a step that frees one hands it to
		// the first waiter.
		return &place{name: sw.Name, assumed: []kv.Cond{{Key: holdKey(sw.Name), Absent: true}}}
	case sw.Do == store.Touch && sw.Note == nil && sw.Holder == nil && !x.Free && !x.Waiting:
		return assumeHeld(sw)
	case sw.Do == store.Leave:
		return nil
	}
	last := s.known.get(sw.Name)
	if last == nil || x.Waiting && (sw.Do != store.Drop || len(last.queue) == 0) {
		return nil
	}
	rec, err := decodeRecord(sw.Name, &last.row)
	if err != nil {
		return nil
	}
	rec.Expires = time.Time{}
	if x.Data != nil {
		rec.Data = *x.Data
	}
	at := &place{name: sw.Name, hold: &last.row, rec: rec}
	if sw.Do == store.Drop { // to the first waiter, who stays first
		at.queue, at.rest = last.queue, last.rest
	}
	return at
}

// assumeHeld makes up a hold that a renewal expects: none of the rest matters.
func assumeHeld(sw *store.Swap) *place {
	x := sw.Expect
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

// holds are what this process has seen last under names that were held. It may be
// out of date.
type holds struct {
	mu    sync.Mutex
	names map[string]*held
	size  int // of all of them
}

// held is a hold and its queue. The row has what a guess needs: neither its
// data nor texts that may be parts of it.
type held struct {
	row   kv.Row
	queue []store.Ticket
	rest  int
	size  int
}

const (
	maxKnown      = 1 << 14  // names
	maxKnownBytes = 16 << 20 // of all of them, about
	// heldBytes and ticketBytes are what one takes beside its texts.
	heldBytes, ticketBytes = 512, 512
)

func (h *holds) get(name string) *held {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.names[name]
}

// saw remembers what stands under a name, in place of any others if need be.
func (h *holds) saw(p *place) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget(p.name)
	if p.hold == nil {
		return
	}
	last := &held{row: *p.hold, queue: p.queue, rest: p.rest}
	last.row.Key, last.row.Data, last.row.Tags, last.row.Lease = "", "", nil, ""
	if last.size = heldBytes + len(p.name) + len(last.row.Value) + queueSize(p.queue); last.size > maxKnownBytes {
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

func (h *holds) forget(name string) {
	if old := h.names[name]; old != nil {
		h.size -= old.size
		delete(h.names, name)
	}
}

// queueSize is about how many bytes a queue takes.
func queueSize(queue []store.Ticket) (size int) {
	party := func(p store.Party) int { return len(p.Session) + len(p.User) + len(p.Value) }
	for i := range queue {
		t := &queue[i]
		size += ticketBytes + len(t.ID) + len(t.Peer) + party(t.Holder) + len(t.Data) + len(t.Value)
		if t.Note != nil {
			size += len(t.Note.Kind) + party(t.Note.Actor) + len(t.Note.Reason)
		}
	}
	return size
}
