package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/editlock/editlock/store"
)

// cell is one place in the table: a state, and a swap to do to it.
type cell struct {
	record recordKind
	queue  queueKind
	act    action
	expect condition
	name   string

	world world
	log   []store.Entry
	err   error
}

func (c *cell) String() string {
	return fmt.Sprintf("%s, %s; %s if %s", c.record.name, c.queue.name, c.act.name, c.expect.name)
}

// allCells is the table: every state with every swap under every condition.
func allCells() []*cell {
	var cells []*cell
	for _, r := range recordKinds {
		for _, q := range queueKinds {
			if r.session == "" && len(q.tickets) > 0 {
				continue // nobody queues for what was never held
			}
			for _, a := range actions {
				for _, x := range conditions() {
					name := fmt.Sprintf("cell/%05d", len(cells))
					cells = append(cells, &cell{record: r, queue: q, act: a, expect: x, name: name, world: newWorld()})
				}
			}
		}
	}
	return cells
}

// sample is every nth cell or so, but the same ones each time.
func sample(cells []*cell, n int) []*cell {
	random := rand.New(rand.NewPCG(1, 2))
	return slices.DeleteFunc(cells, func(*cell) bool { return random.IntN(n) != 0 })
}

const (
	holder = "tab-1"
	lively = "lively" // a peer that beats
	doomed = "doomed" // a peer that stops beating
	late   = 6        // seconds into the story, when the swap under test comes
)

// recordKind is what stands under the name.
type recordKind struct {
	name     string
	session  string
	idle     float64 // seconds
	maxHold  float64
	released bool // late
}

var recordKinds = []recordKind{
	{name: "never held"},
	{name: "held", session: holder, idle: 100, maxHold: 200},
	{name: "held forever", session: holder},
	{name: "expired", session: holder, idle: 100, maxHold: late / 2},
	{name: "released", session: holder, idle: 100, released: true},
}

// queueKind is who waits, oldest first.
type queueKind struct {
	name    string
	tickets []ticketKind
}

type ticketKind struct {
	peer    string
	claim   float64 // seconds after the join; 0: none
	confirm float64
}

var queueKinds = []queueKind{
	{"nobody waits", nil},
	{"one waits", []ticketKind{{peer: lively}}},
	{"one to confirm waits", []ticketKind{{peer: lively, confirm: 5}}},
	{"two wait", []ticketKind{{peer: lively, confirm: 200}, {peer: lively}}},
	{"a dead one waits", []ticketKind{{peer: doomed}}},
	{"a dead one before a live one", []ticketKind{{peer: doomed, claim: 2}, {peer: lively, confirm: 5}}},
	{"a live one before a dead one", []ticketKind{{peer: lively}, {peer: doomed}}},
	{"one may claim now", []ticketKind{{peer: lively, claim: 2}}},
	{"one may claim later", []ticketKind{{peer: lively, claim: 50}}},
	{"two may claim now", []ticketKind{{peer: lively, claim: 2}, {peer: lively, claim: 3}}},
	{"the second may claim now", []ticketKind{{peer: lively}, {peer: lively, claim: 2}}},
	{"the second may claim now, the first is dead", []ticketKind{{peer: doomed}, {peer: lively, claim: 2}}},
}

func (c *cell) ticket(i int) string { return fmt.Sprintf("%s#%d", c.name, i) }

// setUp are the swaps that lead to the state: first at the beginning, then,
// last, late.
func (c *cell) setUp(t *test) (early []store.Swap, last []store.Swap) {
	if c.record.session == "" {
		return nil, nil
	}
	terms := store.Terms{Idle: t.seconds(c.record.idle), MaxHold: t.seconds(c.record.maxHold)}
	early = append(early, take(c.name, c.record.session, terms))
	for i, k := range c.queue.tickets {
		sw := join(c.name, fmt.Sprintf("waiter-%d", i), k.peer, t.idle(100))
		sw.Ticket.ID = c.ticket(i)
		sw.Ticket.ClaimAfter, sw.Ticket.Confirm = t.seconds(k.claim), t.seconds(k.confirm)
		if i == 1 {
			sw.Ticket.Note = nil
		}
		early = append(early, sw)
	}
	if c.record.released {
		last = append(last, drop(c.name, c.record.session))
	}
	return early, last
}

// action is a swap without its condition, for a cell whose record, once
// settled, is rec.
type action struct {
	name string
	swap func(t *test, c *cell, rec *store.Record) store.Swap
}

var actions = []action{
	{"take", func(t *test, _ *cell, _ *store.Record) store.Swap { return take("", "taker", t.idle(50)) }},
	{"take without data and log", func(*test, *cell, *store.Record) store.Swap {
		return store.Swap{Do: store.Take, Holder: ptr(party("taker")), Terms: &store.Terms{}}
	}},
	{"take until confirmed", func(t *test, _ *cell, _ *store.Record) store.Swap {
		sw := take("", "taker", t.idle(50))
		sw.Confirm = t.seconds(4)
		return sw
	}},
	{"touch", func(*test, *cell, *store.Record) store.Swap { return store.Swap{Do: store.Touch} }},
	{"touch and replace", func(t *test, _ *cell, _ *store.Record) store.Swap {
		return store.Swap{
			Do: store.Touch, Holder: ptr(party("tab-2")), Data: ptr("new data"),
			Terms: &store.Terms{Idle: t.seconds(70), MaxHold: t.seconds(900)}, Note: note(refreshed, "tab-2"),
		}
	}},
	{"touch and clear", func(*test, *cell, *store.Record) store.Swap {
		return store.Swap{Do: store.Touch, Data: ptr(""), Terms: &store.Terms{Idle: -1, MaxHold: -1}}
	}},
	{"touch and bring to its end", func(t *test, _ *cell, _ *store.Record) store.Swap {
		return store.Swap{Do: store.Touch, Terms: &store.Terms{MaxHold: t.seconds(1)}}
	}},
	{"touch for the last time", func(t *test, _ *cell, _ *store.Record) store.Swap {
		return store.Swap{Do: store.Touch, Confirm: t.seconds(4)}
	}},
	{"touch and bound less than the terms do", func(t *test, _ *cell, _ *store.Record) store.Swap {
		return store.Swap{Do: store.Touch, Confirm: t.seconds(500), Terms: &store.Terms{Idle: t.seconds(70)}}
	}},
	{"drop", func(*test, *cell, *store.Record) store.Swap {
		return store.Swap{Do: store.Drop, Note: note(released, holder)}
	}},
	{"drop without log", func(*test, *cell, *store.Record) store.Swap { return store.Swap{Do: store.Drop} }},
	{"hand over", func(*test, *cell, *store.Record) store.Swap {
		return store.Swap{Do: store.Drop, Note: note(store.KindHandedOver, holder)}
	}},
	{"join", func(t *test, c *cell, _ *store.Record) store.Swap {
		sw := join("", "newcomer", lively, t.idle(30))
		sw.Ticket.ID, sw.Ticket.ClaimAfter = c.ticket(9), t.seconds(20)
		return sw
	}},
	{"join as a dead one", func(t *test, c *cell, _ *store.Record) store.Swap {
		sw := join("", "newcomer", doomed, t.idle(30))
		sw.Ticket.ID = c.ticket(9)
		return sw
	}},
	{"join again from elsewhere", func(t *test, c *cell, _ *store.Record) store.Swap {
		sw := join("", "waiter-0", "elsewhere", t.idle(30))
		sw.Ticket.ID = c.ticket(0)
		return sw
	}},
	{"join again after the grant", func(t *test, c *cell, rec *store.Record) store.Swap {
		sw := join("", "waiter-0", lively, t.idle(30))
		sw.Ticket.ID = c.ticket(0)
		if rec != nil && rec.Request != "" {
			sw.Ticket.ID = rec.Request
		}
		return sw
	}},
	{"leave", func(_ *test, c *cell, _ *store.Record) store.Swap { return leaving(c.ticket(0), "") }},
	{"leave as the last", func(_ *test, c *cell, _ *store.Record) store.Swap {
		return leaving(c.ticket(max(0, len(c.queue.tickets)-1)), lively)
	}},
	{"leave from a wrong peer", func(_ *test, c *cell, _ *store.Record) store.Swap { return leaving(c.ticket(0), "elsewhere") }},
	{"leave without having joined", func(_ *test, c *cell, _ *store.Record) store.Swap { return leaving(c.ticket(9), "") }},
	{"decline", func(_ *test, c *cell, _ *store.Record) store.Swap {
		sw := leaving(c.ticket(0), "")
		sw.Note = note(declined, holder)
		return sw
	}},
}

func leaving(ticket, peer string) store.Swap {
	return store.Swap{Do: store.Leave, Ticket: &store.Ticket{ID: ticket, Peer: peer}}
}

// condition is an Expect for a record that may be nil.
type condition struct {
	name  string
	given [4]given // token, session, data, waiting
	free  bool
	here  bool
}

type given uint8

const (
	absent given = iota
	right
	wrong
)

// conditions are none, each part right and wrong alone, all right, and all
// right but one.
func conditions() []condition {
	parts := []string{"token", "session", "data", "waiting"}
	all := []condition{
		{name: "free", free: true},
		{name: "anything"},
		{name: "waiting nowhere else", here: true},
		{name: "all right", given: [4]given{right, right, right, right}},
	}
	for i, part := range parts {
		x := condition{name: "right " + part}
		x.given[i] = right
		all = append(all, x)
	}
	for i, part := range parts[:3] {
		x := condition{name: "wrong " + part}
		x.given[i] = wrong
		among := condition{name: "right but for " + part, given: [4]given{right, right, right, absent}}
		among.given[i] = wrong
		all = append(all, x, among)
	}
	return all
}

// of is the condition for a record; rec may be nil.
func (x condition) of(rec *store.Record) store.Expect {
	if rec == nil {
		rec = &store.Record{Token: 1, Holder: party(holder), Data: "data of " + holder}
	}
	out := store.Expect{Free: x.free, Waiting: x.given[3] == right, Here: x.here}
	switch x.given[0] {
	case right:
		out.Token = rec.Token
	case wrong:
		out.Token = rec.Token + 1
	}
	switch s := rec.Holder.Session; x.given[1] {
	case right:
		out.Session = &s
	case wrong:
		out.Session = ptr(s[:len(s)-1])
	}
	switch d := rec.Data; x.given[2] {
	case right:
		out.Data = &d
	case wrong:
		out.Data = ptr(d + "x")
	}
	return out
}
