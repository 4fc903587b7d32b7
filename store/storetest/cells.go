package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/editlock/editlock/store"
)

// cell is one place in the table: a state, and an operation to do to it.
type cell struct {
	record recordKind
	queue  queueKind
	act    action
	expect condition
	name   string

	world world
	log   []store.LogEntry
	err   error
}

func (c *cell) String() string {
	return fmt.Sprintf("%s, %s; %s if %s", c.record.name, c.queue.name, c.act.name, c.expect.name)
}

// allCells is the table: every state with every operation under every condition.
func allCells() []*cell {
	var cells []*cell
	for _, r := range recordKinds {
		for _, q := range queueKinds {
			if r.session == "" && len(q.waiters) > 0 {
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
	lively = "lively" // a process that is kept alive
	doomed = "doomed" // a process that is kept alive no longer
	late   = 6        // seconds into the story, when the operation under test comes
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
	waiters []waiterKind
}

type waiterKind struct {
	process string
	claim   float64 // seconds after the join; 0: none
	confirm float64
}

var queueKinds = []queueKind{
	{"nobody waits", nil},
	{"one waits", []waiterKind{{process: lively}}},
	{"one to confirm waits", []waiterKind{{process: lively, confirm: 5}}},
	{"two wait", []waiterKind{{process: lively, confirm: 200}, {process: lively}}},
	{"a dead one waits", []waiterKind{{process: doomed}}},
	{"a dead one before a live one", []waiterKind{{process: doomed, claim: 2}, {process: lively, confirm: 5}}},
	{"a live one before a dead one", []waiterKind{{process: lively}, {process: doomed}}},
	{"one may claim now", []waiterKind{{process: lively, claim: 2}}},
	{"one may claim later", []waiterKind{{process: lively, claim: 50}}},
	{"two may claim now", []waiterKind{{process: lively, claim: 2}, {process: lively, claim: 3}}},
	{"the second may claim now", []waiterKind{{process: lively}, {process: lively, claim: 2}}},
	{"the second may claim now, the first is dead", []waiterKind{{process: doomed}, {process: lively, claim: 2}}},
}

func (c *cell) waiter(i int) string { return fmt.Sprintf("%s#%d", c.name, i) }

// setUp are the operations that lead to the state: first at the beginning, then,
// last, late.
func (c *cell) setUp(t *test) (early []store.Op, last []store.Op) {
	if c.record.session == "" {
		return nil, nil
	}
	terms := store.Terms{Idle: t.seconds(c.record.idle), MaxHold: t.seconds(c.record.maxHold)}
	early = append(early, acquire(c.name, c.record.session, terms))
	for i, k := range c.queue.waiters {
		sw := join(c.name, fmt.Sprintf("waiter-%d", i), k.process, t.idle(100))
		sw.Waiter.ID = c.waiter(i)
		sw.Waiter.GrantAfter, sw.Waiter.ConfirmWithin = t.seconds(k.claim), t.seconds(k.confirm)
		if i == 1 {
			sw.Waiter.Event = nil
		}
		early = append(early, sw)
	}
	if c.record.released {
		last = append(last, release(c.name, c.record.session))
	}
	return early, last
}

// action is an operation without its condition, for a cell whose record, once
// settled, is rec.
type action struct {
	name string
	op   func(t *test, c *cell, rec *store.Record) store.Op
}

var actions = []action{
	{"take", func(t *test, _ *cell, _ *store.Record) store.Op { return acquire("", "taker", t.idle(50)) }},
	{"take without data and log", func(*test, *cell, *store.Record) store.Op {
		return store.Op{Do: store.Acquire, Holder: ptr(party("taker")), Terms: &store.Terms{}}
	}},
	{"take until confirmed", func(t *test, _ *cell, _ *store.Record) store.Op {
		sw := acquire("", "taker", t.idle(50))
		sw.ConfirmWithin = t.seconds(4)
		return sw
	}},
	{"touch", func(*test, *cell, *store.Record) store.Op { return store.Op{Do: store.Renew} }},
	{"touch and replace", func(t *test, _ *cell, _ *store.Record) store.Op {
		return store.Op{
			Do: store.Renew, Holder: ptr(party("tab-2")), Data: ptr("new data"),
			Terms: &store.Terms{Idle: t.seconds(70), MaxHold: t.seconds(900)}, Event: note(refreshed, "tab-2"),
		}
	}},
	{"touch and clear", func(*test, *cell, *store.Record) store.Op {
		return store.Op{Do: store.Renew, Data: ptr(""), Terms: &store.Terms{Idle: -1, MaxHold: -1}}
	}},
	{"touch and bring to its end", func(t *test, _ *cell, _ *store.Record) store.Op {
		return store.Op{Do: store.Renew, Terms: &store.Terms{MaxHold: t.seconds(1)}}
	}},
	{"touch for the last time", func(t *test, _ *cell, _ *store.Record) store.Op {
		return store.Op{Do: store.Renew, ConfirmWithin: t.seconds(4)}
	}},
	{"touch and bound less than the terms do", func(t *test, _ *cell, _ *store.Record) store.Op {
		return store.Op{Do: store.Renew, ConfirmWithin: t.seconds(500), Terms: &store.Terms{Idle: t.seconds(70)}}
	}},
	{"drop", func(*test, *cell, *store.Record) store.Op {
		return store.Op{Do: store.Release, Event: note(released, holder)}
	}},
	{"drop without log", func(*test, *cell, *store.Record) store.Op { return store.Op{Do: store.Release} }},
	{"hand over", func(*test, *cell, *store.Record) store.Op {
		return store.Op{Do: store.Release, Event: note(store.KindHandedOver, holder)}
	}},
	{"join", func(t *test, c *cell, _ *store.Record) store.Op {
		sw := join("", "newcomer", lively, t.idle(30))
		sw.Waiter.ID, sw.Waiter.GrantAfter = c.waiter(9), t.seconds(20)
		return sw
	}},
	{"join as a dead one", func(t *test, c *cell, _ *store.Record) store.Op {
		sw := join("", "newcomer", doomed, t.idle(30))
		sw.Waiter.ID = c.waiter(9)
		return sw
	}},
	{"join again from elsewhere", func(t *test, c *cell, _ *store.Record) store.Op {
		sw := join("", "waiter-0", "elsewhere", t.idle(30))
		sw.Waiter.ID = c.waiter(0)
		return sw
	}},
	{"join again after the grant", func(t *test, c *cell, rec *store.Record) store.Op {
		sw := join("", "waiter-0", lively, t.idle(30))
		sw.Waiter.ID = c.waiter(0)
		if rec != nil && rec.Request != "" {
			sw.Waiter.ID = rec.Request
		}
		return sw
	}},
	{"leave", func(_ *test, c *cell, _ *store.Record) store.Op { return leaving(c.waiter(0), "") }},
	{"leave as the last", func(_ *test, c *cell, _ *store.Record) store.Op {
		return leaving(c.waiter(max(0, len(c.queue.waiters)-1)), lively)
	}},
	{"leave from a wrong peer", func(_ *test, c *cell, _ *store.Record) store.Op { return leaving(c.waiter(0), "elsewhere") }},
	{"leave without having joined", func(_ *test, c *cell, _ *store.Record) store.Op { return leaving(c.waiter(9), "") }},
	{"decline", func(_ *test, c *cell, _ *store.Record) store.Op {
		sw := leaving(c.waiter(0), "")
		sw.Event = note(declined, holder)
		return sw
	}},
}

func leaving(waiter, process string) store.Op {
	return store.Op{Do: store.Leave, Waiter: &store.Waiter{ID: waiter, Process: process}}
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
