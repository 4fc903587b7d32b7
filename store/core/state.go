package core

import (
	"fmt"
	"strings"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// place is what stands under one name: as read at one moment, or as assumed
// before anything is read. Its conditions make the database check that it is
// still so.
type place struct {
	name string
	hold *kv.Row // nil: none
	rec  *store.Record
	// queue holds the first live waiters, and the one that a swap speaks of.
	queue []store.Ticket
	rest  int // live waiters behind them

	// assumed holds the conditions of a place nobody has read.
	assumed []kv.Cond
}

func (p *place) state() store.State {
	return store.State{Record: p.rec, Queue: p.queue, Rest: p.rest}
}

// ranges read a place. ID is that of the waiter that a swap speaks of; empty:
// none.
func ranges(name, id string) []kv.Range { return appendRanges(nil, name, id) }

func appendRanges(to []kv.Range, name, id string) []kv.Range {
	waiters := waiterKeys(name)
	to = append(to, kv.Range{Key: holdKey(name)}, kv.Range{Prefix: waiters, Limit: store.MaxWaiters, Count: true})
	if id != "" {
		to = append(to, kv.Range{Prefix: waiters, Tag: waiterTag(id), Limit: 1})
	}
	return to
}

// readPlace makes a place of what its ranges found.
func readPlace(name string, found []kv.Found) (*place, error) {
	p := &place{name: name}
	var err error
	if rows := found[0].Rows; len(rows) > 0 {
		p.hold = &rows[0]
		if p.rec, err = decodeRecord(name, p.hold); err != nil {
			return nil, err
		}
	}
	if p.queue, err = decodeQueue(name, found[1].Rows); err != nil {
		return nil, err
	}
	if len(found) > 2 && len(found[2].Rows) > 0 {
		row := &found[2].Rows[0]
		if n := len(p.queue); n > 0 && row.Rev > p.queue[n-1].Seq { // it stands behind those read
			t, err := decodeTicket(name, row)
			if err != nil {
				return nil, err
			}
			p.queue = append(p.queue, t)
		}
	}
	p.rest = found[1].Count - len(p.queue)
	return p, nil
}

func decodeRecord(name string, row *kv.Row) (*store.Record, error) {
	holder, request, err := decodeHold(row.Value)
	if err != nil {
		return nil, fmt.Errorf("hold of %q: %w", name, err)
	}
	return &store.Record{
		Name: name, Token: row.Rev, Holder: holder, Data: row.Data,
		Terms: store.Terms{Idle: row.TTL, MaxHold: row.Max},
		Taken: row.At, Touched: row.Seen, Expires: row.Due, Request: request,
	}, nil
}

func decodeQueue(name string, rows []kv.Row) ([]store.Ticket, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	queue := make([]store.Ticket, len(rows), len(rows)+1)
	for i := range rows {
		t, err := decodeTicket(name, &rows[i])
		if err != nil {
			return nil, err
		}
		queue[i] = t
	}
	return queue, nil
}

func decodeTicket(name string, row *kv.Row) (store.Ticket, error) {
	t, err := decodeWaiter(row.Value, row.Rev)
	if err != nil {
		return t, fmt.Errorf("waiter for %q: %w", name, err)
	}
	t.ID, t.Name, t.Peer, t.Since = row.Data, name, strings.TrimPrefix(row.Lease, processPrefix), row.At
	if t.ClaimAfter > 0 {
		t.Claim = row.At.Add(t.ClaimAfter).Truncate(time.Microsecond)
	}
	return t, nil
}

// everybody is the liveness of waiters in a place: engines leave out the dead.
func everybody(string) bool { return true }

// inForce is the record of the place as stores hand it out.
func (p *place) inForce(now time.Time) *store.Record {
	return p.state().InForce(store.Env{Now: now, Alive: everybody})
}

// conditions make a transaction fail unless the place is still what it was at
// that moment, as far as the step depends on it: settling, and a swap unless
// it is nil, which was done or refused. gone are the IDs of the waiters that
// left, after is what the step makes of the place.
func (p *place) conditions(sw *store.Swap, done bool, now time.Time, gone map[string]bool, after store.State) []kv.Cond {
	if p.assumed != nil {
		return p.assumed
	}
	conds := make([]kv.Cond, 1, 2+len(p.queue))
	conds[0] = kv.Cond{Key: holdKey(p.name)}
	live := p.rec.Live(now)
	if p.hold == nil {
		conds[0].Absent = true
	} else {
		conds[0].Rev, conds[0].Ver, conds[0].Dead = p.hold.Rev, p.hold.Ver, !live
		// The swap may speak of a hold that this step begins, or join what it
		// was granted already, whatever the data.
		if done && live && p.claimed(now).IsZero() && sw.Expect.Data != nil && *sw.Expect.Data == p.rec.Data {
			conds[0].Data = sw.Expect.Data
		}
	}
	left := 0
	for i := range p.queue {
		t := &p.queue[i]
		// The first waiter stays first as long as it waits: those before it are
		// gone for good, and nobody can come in before it.
		if gone[t.ID] || i == 0 || sw != nil && sw.Ticket != nil && sw.Ticket.ID == t.ID {
			conds = append(conds, kv.Cond{Key: waiterKey(p.name, t.Seq), Lease: processKey(t.Peer)})
		}
		if gone[t.ID] {
			left++
		}
		if i == 0 && live && now.Before(t.ClaimOn(p.rec)) {
			conds = append(conds, kv.Cond{Key: alarmKey(p.name, t.Seq)})
		}
	}
	switch {
	case after.Record == nil && p.hold != nil, !live && p.hold != nil && left == 0:
		// The name became free because nobody else waits.
		conds = append(conds, kv.Cond{Prefix: waiterKeys(p.name), AtMost: left})
	case live && len(p.queue) == 0 && sw != nil:
		conds = append(conds, kv.Cond{Prefix: alarmKeys(p.name), NoneDue: true})
	}
	if sw != nil && sw.Ticket != nil && p.waiter(sw.Ticket.ID) == nil {
		conds = append(conds, kv.Cond{Prefix: waiterKeys(p.name), Tag: waiterTag(sw.Ticket.ID), AtMost: 0})
	}
	return conds
}

// claimed is since when the first waiter may have a hold that is live; zero: it
// may not yet.
func (p *place) claimed(now time.Time) time.Time {
	if len(p.queue) > 0 && p.rec.Live(now) {
		if claim := p.queue[0].ClaimOn(p.rec); !now.Before(claim) {
			return claim
		}
	}
	return time.Time{}
}

// waiter is the one with this ID; nil: there is none.
func (p *place) waiter(id string) *store.Ticket {
	for i := range p.queue {
		if p.queue[i].ID == id {
			return &p.queue[i]
		}
	}
	return nil
}
