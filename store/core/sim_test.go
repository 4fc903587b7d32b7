package core_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/memory"
)

var simSeed = flag.Uint64("sim.seed", 0, "the seed of the one simulation to run; 0: all of them")

// sim is a simulation: clients of several processes work on one engine. One
// goroutine runs at a time, and the seed decides which, so a seed replays
// exactly. Each call of the engine waits until it is let through. It may then be
// cut before or after it is performed, or be performed much later.
//
// Each transaction that is done is done to the model at once, with the numbers
// and the time that the engine gave it. So every answer must be the model's to
// the letter.
type sim struct {
	rng    *rand.Rand
	now    time.Time
	engine *memory.Engine
	model  *simModel
	alter  func(t *kv.Txn) // plants a bug; may be nil

	clients []*simClient
	blocked []*simCall // calls that wait to be let through, in the order of their coming
	late    []*simCall // calls whose client was told an error, yet to be performed
	events  chan *simCall
	ops     int
}

// simCall is a call of the engine. A nil one says that a client has finished.
type simCall struct {
	op      *simOp
	asked   []kv.Txn // what core asked for
	txns    []kv.Txn // what the engine is told
	through chan simFate
}

type simFate uint8

const (
	perform simFate = iota
	cutBefore
	cutAfter
	delayed
)

var errSimCut = errors.New("the connection was cut")

// simEngine is the way of one process to the engine.
type simEngine struct {
	*memory.Engine
	s *sim
}

type simOpKey struct{}

func (e simEngine) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	op := ctx.Value(simOpKey{}).(*simOp) //nolint:forcetypeassert // the simulation's own
	c := &simCall{op: op, asked: txns, txns: slices.Clone(txns), through: make(chan simFate)}
	if e.s.alter != nil {
		for i := range c.txns {
			c.txns[i].If, c.txns[i].Then = slices.Clone(c.txns[i].If), slices.Clone(c.txns[i].Then)
			e.s.alter(&c.txns[i])
		}
	}
	e.s.events <- c
	switch <-c.through {
	case perform:
		return e.s.perform(c)
	case cutAfter:
		_, _ = e.s.perform(c)
	case delayed:
		e.s.late = append(e.s.late, c)
	case cutBefore:
	}
	return nil, errSimCut
}

func (e simEngine) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	op, ok := ctx.Value(simOpKey{}).(*simOp)
	if !ok {
		return e.Engine.Read(ctx, ranges...)
	}
	c := &simCall{op: op, through: make(chan simFate)}
	e.s.events <- c
	if fate := <-c.through; fate == cutBefore || fate == cutAfter {
		return kv.Answer{}, errSimCut
	}
	return e.Engine.Read(ctx, ranges...)
}

func (s *sim) perform(c *simCall) ([]kv.Answer, error) {
	answers, err := s.engine.Commit(context.Background(), c.txns)
	for i := range answers {
		s.model.follow(c.op, &c.asked[i], &answers[i])
	}
	return answers, err
}

// run lets so many calls begin, and tells what went wrong.
func (s *sim) run(calls int) error {
	for s.ops < calls || len(s.blocked) > 0 {
		switch n := s.rng.IntN(100); {
		case n < 3:
			s.now = s.now.Add(time.Duration(s.rng.Int64N(int64(4 * time.Second)))).Truncate(time.Microsecond)
		case n < 4 && s.rng.IntN(10) == 0:
			s.stepBack(time.Duration(s.rng.Int64N(int64(2 * time.Second))))
		case n < 6 && len(s.late) > 0:
			i := s.rng.IntN(len(s.late))
			c := s.late[i]
			s.late = slices.Delete(s.late, i, i+1)
			_, _ = s.perform(c)
		case n < 45 && s.ops < calls:
			if idle := s.idle(); len(idle) > 0 {
				s.ops++
				idle[s.rng.IntN(len(idle))].begin()
				s.wait()
			}
		case len(s.blocked) > 0:
			i := s.rng.IntN(len(s.blocked))
			c := s.blocked[i]
			s.blocked = slices.Delete(s.blocked, i, i+1)
			fate := perform
			if n := s.rng.IntN(60); n < 3 {
				fate = []simFate{cutBefore, cutAfter, delayed}[n]
			}
			c.through <- fate
			s.wait()
		}
		if s.model.err != nil {
			return fmt.Errorf("call %d: %w", s.ops, s.model.err)
		}
	}
	return s.model.checkLog(s.clients[0].st)
}

// stepBack sets the clock back, unless a process that had died would live again:
// which of its waiters come back with it depends on what was swept. Nor while a
// waiter may claim a name but for the first one, whose process would die earlier
// than it has said: such a claim is met when it said, if nobody sweeps. Nor if a
// hold that has ended would live again: who saw its end may tell of that end
// after another one.
func (s *sim) stepBack(d time.Duration) {
	to := s.now.Add(-d).Truncate(time.Microsecond)
	for _, st := range s.model.states {
		for _, rec := range slices.Concat(st.Shared, []*store.Record{st.Record}) {
			if rec.Live(to) && !rec.Live(s.now) {
				return
			}
		}
		for i := range st.Queue {
			if claim := st.Claim(&st.Queue[i]); !claim.IsZero() && !s.now.Before(claim) {
				return
			}
		}
	}
	for _, until := range s.model.peers {
		if to.Before(until) && !s.now.Before(until) {
			return
		}
	}
	s.now = to
}

// wait waits until the one client that runs has called the engine or finished.
func (s *sim) wait() {
	if c := <-s.events; c != nil {
		s.blocked = append(s.blocked, c)
	}
}

func (s *sim) idle() []*simClient {
	return slices.DeleteFunc(slices.Clone(s.clients), func(c *simClient) bool { return c.busy })
}

func newSim(seed uint64, alter func(t *kv.Txn)) *sim {
	s := &sim{
		rng: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		model: newSimModel(), alter: alter, events: make(chan *simCall),
	}
	s.engine = memory.NewEngine(&memory.Options{Now: func() time.Time { return s.now }})
	for p := range 3 {
		st := core.New(simEngine{s.engine, s})
		for range 3 {
			name := fmt.Sprint("c", len(s.clients))
			s.clients = append(s.clients, &simClient{s: s, st: st, name: name, peer: fmt.Sprint("p", p)})
		}
	}
	return s
}

// simulate runs one simulation.
func simulate(seed uint64, calls int, alter func(t *kv.Txn)) error {
	return newSim(seed, alter).run(calls)
}

// foundFaults are seeds that long runs found a fault by.
var foundFaults = []uint64{24, 1330}

func TestSimulation_EveryAnswerIsTheModels(t *testing.T) {
	const each = 5000
	seeds, calls := uint64(20), each
	switch {
	case testing.Short(), race:
		seeds = 4
	case os.Getenv("EDITLOCK_LONG") != "":
		seeds = 2000
	}
	if *simSeed != 0 {
		if err := simulate(*simSeed, calls, nil); err != nil {
			t.Fatal(err)
		}
		return
	}
	for n := range seeds + uint64(len(foundFaults)) {
		seed := n + 1
		if n >= seeds {
			seed = foundFaults[n-seeds]
		}
		if err := simulate(seed, calls, nil); err != nil {
			t.Fatalf("seed %d (go test -run Simulation -args -sim.seed=%d): %v", seed, seed, err)
		}
	}
}

func TestSimulation_ASeedReplaysExactly(t *testing.T) {
	var logs [2][]store.Entry
	for i := range logs {
		s := newSim(7, nil)
		if err := s.run(2000); err != nil {
			t.Fatal(err)
		}
		logs[i] = s.model.log
	}
	if diff := cmp.Diff(logs[0], logs[1]); diff != "" {
		t.Error(diff)
	}
}

// What core must not forget: a transaction without one of its conditions or
// writes is a bug that the simulation must find.
func TestSimulation_FindsPlantedBugs(t *testing.T) {
	conds := func(change func(c *kv.Cond) (keep bool)) func(t *kv.Txn) {
		return func(t *kv.Txn) {
			kept := t.If[:0]
			for _, c := range t.If {
				if change(&c) {
					kept = append(kept, c)
				}
			}
			t.If = kept
		}
	}
	for name, alter := range map[string]func(t *kv.Txn){
		"a hold is taken that stands":         conds(func(c *kv.Cond) bool { return !c.Absent }),
		"tokens are not compared":             conds(func(c *kv.Cond) bool { c.Rev, c.Ver = 0, 0; return true }),
		"a holder may have changed":           conds(func(c *kv.Cond) bool { c.Ver = 0; return true }),
		"status data are not compared":        conds(func(c *kv.Cond) bool { c.Data = nil; return true }),
		"nobody looks whether somebody waits": conds(func(c *kv.Cond) bool { return c.Prefix == "" || c.NoneDue || c.Tag != "" }),
		"a claim may have fallen due":         conds(func(c *kv.Cond) bool { return !c.NoneDue }),
		"a waiter may be there twice":         conds(func(c *kv.Cond) bool { return c.Prefix == "" || c.Tag == "" }),
		"a waiter who left is granted":        conds(func(c *kv.Cond) bool { return c.Key == "" || c.Key[0] != 'q' }),
		"the gate is not written": func(t *kv.Txn) {
			t.Then = slices.DeleteFunc(t.Then, func(w kv.Write) bool { return w.Key[0] == 'h' && len(w.Value) == 1 })
		},
		"nobody looks for those who have died": conds(func(c *kv.Cond) bool { return c.Prefix == "" || c.Prefix[0] != 'h' || !c.NoneDue }),
		"a dead hold may live":                 conds(func(c *kv.Cond) bool { return !c.Dead }),
		"a retry is a new write":               func(t *kv.Txn) { t.Once = "" },
		"a waiter who may claim has no alarm": func(t *kv.Txn) {
			t.Then = slices.DeleteFunc(t.Then, func(w kv.Write) bool { return w.Key[0] == 'a' && w.Numbered })
		},
		"a granted waiter stays in the queue": func(t *kv.Txn) {
			t.Then = slices.DeleteFunc(t.Then, func(w kv.Write) bool { return w.Key[0] == 'q' && w.Delete })
		},
		"a waiter lives without its process": func(t *kv.Txn) {
			for i := range t.Then {
				t.Then[i].Lease = ""
			}
		},
		"a grant need not be confirmed": func(t *kv.Txn) {
			for i := range t.Then {
				t.Then[i].Within = 0
			}
		},
		"a renewal moves no end": func(t *kv.Txn) {
			t.Then = slices.DeleteFunc(t.Then, func(w kv.Write) bool { return w.Key[0] == 'h' && w.Renew })
		},
		"a hold lives without end": func(t *kv.Txn) {
			for i := range t.Then {
				if t.Then[i].Key[0] == 'h' {
					t.Then[i].TTL = 0
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			if race {
				t.Skip("planted bugs are looked for without the race detector")
			}
			for seed := uint64(1); seed <= 20; seed++ {
				if simulate(seed, 5000, alter) != nil {
					return
				}
			}
			t.Error("100,000 calls did not find it")
		})
	}
}

// simModel is what the rules make of all transactions that were done.
type simModel struct {
	states map[string]store.State
	peers  map[string]time.Time
	done   map[string]time.Time
	log    []store.Entry
	err    error
}

func newSimModel() *simModel {
	return &simModel{states: map[string]store.State{}, peers: map[string]time.Time{}, done: map[string]time.Time{}}
}

func (m *simModel) env(a *kv.Answer, drew *int) store.Env {
	return store.Env{
		Now: a.Now, Next: func() uint64 { *drew++; return a.First + uint64(*drew) - 1 },
		Alive: func(peer string) bool { return a.Now.Before(m.peers[peer]) },
	}
}

func (m *simModel) wrong(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
}

// follow does to the model what a transaction did.
func (m *simModel) follow(op *simOp, t *kv.Txn, a *kv.Answer) {
	drew := 0
	env := m.env(a, &drew)
	wrote := a.Done && len(t.Then)+len(t.Log) > 0
	switch {
	case op.beat != "":
		if a.Done {
			m.beat(op, a)
		}
	case op.sweep:
		switch key := t.If[0].Key; {
		case !a.Done:
		case key[0] != 'p':
			var eff store.Effects
			name, _, _ := strings.Cut(key[1:], kv.Separator)
			m.states[name], eff = store.Settle(name, m.states[name], env)
			m.keep(eff, a.Now)
		default: // a process that died, and stays dead if the clock is set back
			m.drop(key[1:])
			delete(m.peers, key[1:])
		}
	case a.Replayed:
		if at, ok := m.done[op.req.ID]; !ok || a.Now.Sub(at) >= store.RetryWindow {
			m.wrong("%v: answered as a retry of what was not done", op)
		}
		op.want = m.inForce(op.req, env, store.Result{Done: true, Replayed: true, Now: a.Now})
	default:
		if at, ok := m.done[op.req.ID]; ok && a.Now.Sub(at) < store.RetryWindow {
			m.wrong("%v: not answered as a retry of what was done", op)
		}
		states := m.states
		if !wrote { // only looked at
			states = make(map[string]store.State)
		}
		load := func(name string) store.State {
			if st, ok := states[name]; ok {
				return st
			}
			return m.states[name]
		}
		res, eff := store.Run(op.req, env, load, func(name string, st store.State) { states[name] = st })
		op.want = res
		if wrote {
			m.keep(eff, a.Now)
		}
	}
	for i := range t.Then {
		if w := &t.Then[i]; w.Key[0] == 'h' && len(w.Value) == 1 && w.Number > 0 {
			drew++ // a gate has a number, too
		}
	}
	if wrote && drew != t.Numbers && (op.sweep || op.beat != "" || op.want.Done) { // a refused swap may have drawn some
		m.wrong("%v: drew %d numbers; the rules draw %d", op, t.Numbers, drew)
	}
}

func (m *simModel) inForce(req store.Request, env store.Env, res store.Result) store.Result {
	for _, sw := range req.Swaps {
		res.Records = append(res.Records, m.states[sw.Name].Shown(&sw, env))
	}
	return res
}

func (m *simModel) keep(eff store.Effects, now time.Time) {
	m.log = append(m.log, eff.Entries...)
	for _, e := range eff.Entries {
		if e.Request != "" {
			m.done[e.Request] = now
		}
	}
}

func (m *simModel) beat(op *simOp, a *kv.Answer) {
	if !a.Now.Before(m.peers[op.beat]) {
		m.drop(op.beat)
	}
	op.tickets = op.tickets[:0]
	for _, st := range m.states {
		for _, t := range st.Queue {
			if t.Peer == op.beat {
				op.tickets = append(op.tickets, t.ID)
			}
		}
	}
	m.peers[op.beat] = a.Now.Add(op.ttl)
}

// drop takes the waiters of a process out of their queues.
func (m *simModel) drop(peer string) {
	for name, st := range m.states {
		st.Queue = slices.DeleteFunc(slices.Clone(st.Queue), func(t store.Ticket) bool { return t.Peer == peer })
		m.states[name] = st
	}
}

// checkLog compares the history with the model's.
func (m *simModel) checkLog(st store.Store) error {
	var got []store.Entry
	for q := (store.LogQuery{Limit: 1000}); ; {
		page, err := st.Log(context.Background(), q)
		if err != nil {
			return err
		}
		got = append(got, page.Entries...)
		if len(page.Entries) < q.Limit {
			break
		}
		q.After = page.Entries[len(page.Entries)-1].Seq
	}
	if diff := cmp.Diff(m.log, got, cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("the history (-want +got):\n%s", diff)
	}
	return nil
}
