package core_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	trees  bool            // names are above and below each other
	hunts  bool            // what a step depends on that is rarely changed is changed before it
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

// rare is a hold above or below that a call depends on, and whose it must be; empty:
// it depends on none.
func (c *simCall) rare() (name, session string) {
	for _, t := range c.asked {
		for _, c := range t.If {
			if c.Key != "" && c.Tag != "" {
				return heldName(c.Key), c.Tag[1:]
			}
		}
	}
	return "", ""
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
	if s.trees { // a waiter who may have room is looked at from the next microsecond on
		s.now = s.now.Add(time.Microsecond)
	}
	return answers, err
}

// run lets so many calls begin, and tells what went wrong.
func (s *sim) run(calls int) error {
	for s.ops < calls || len(s.blocked) > 0 {
		if s.trees && s.rng.IntN(500) == 0 {
			s.crash(s.rng.IntN(len(s.clients)))
		}
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
				c := idle[s.rng.IntN(len(idle))]
				c.begin(c.choose())
				s.wait()
			}
		case len(s.blocked) > 0:
			i := s.rng.IntN(len(s.blocked))
			c := s.blocked[i]
			if name, _ := c.rare(); s.hunts && name != "" && s.rng.IntN(4) > 0 {
				continue
			}
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
	if s.rest(); s.model.err != nil {
		return s.model.err
	}
	return s.model.checkLog(s.clients[0].st)
}

// alone lets one call be made, all of it.
func (s *sim) alone(c *simClient, op *simOp) {
	op.by = c.name
	c.begin(op)
	for call := <-s.events; call != nil; call = <-s.events {
		call.through <- perform
	}
}

// rest lets time pass, all processes living, until nothing happens any more.
func (s *sim) rest() {
	for _, c := range s.late {
		_, _ = s.perform(c)
	}
	for same, last := 0, 0; same < 5; same++ {
		for i := range s.clients {
			if c := s.clients[i]; i == 0 || c.process != s.clients[i-1].process {
				s.alone(c, &simOp{keepAlive: c.process, ttl: c.ttl()})
			}
		}
		s.now = s.now.Add(3 * time.Second)
		s.alone(s.clients[0], &simOp{sweep: true})
		if n := len(s.model.log); n != last {
			same, last = -1, n
		}
	}
	s.model.served(s.model.env(&kv.Answer{Now: s.now}, new(int)))
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
			if claim := st.GrantAt(&st.Queue[i]); !claim.IsZero() && !s.now.Before(claim) {
				return
			}
		}
	}
	for _, until := range s.model.processes {
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

func newSim(seed uint64, trees bool, alter func(t *kv.Txn)) *sim {
	s := &sim{
		rng: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		model: newSimModel(), trees: trees, alter: alter, events: make(chan *simCall),
	}
	s.engine = memory.NewEngine(&memory.Options{Now: func() time.Time { return s.now }})
	for p := range 3 {
		st := core.New(simEngine{s.engine, s})
		for range 3 {
			name := fmt.Sprint("c", len(s.clients))
			s.clients = append(s.clients, &simClient{s: s, st: st, name: name, as: name, process: fmt.Sprint("p", p)})
		}
	}
	return s
}

// simulate runs one simulation.
func simulate(seed uint64, trees bool, calls int, alter func(t *kv.Txn)) error {
	return newSim(seed, trees, alter).run(calls)
}

// simCalls is how many calls one simulation makes, and simSeeds how many there are.
const (
	simCalls = 5000
	simSeeds = 20
)

// seeds are those to simulate: also some by which long runs found a fault.
func seedsFor(found ...uint64) (seeds []uint64) {
	n := uint64(simSeeds)
	switch {
	case *simSeed != 0:
		return []uint64{*simSeed}
	case testing.Short(), race:
		n = 4
	case os.Getenv("EDITLOCK_LONG") != "":
		n = 2000
	}
	for seed := range n {
		seeds = append(seeds, seed+1)
	}
	return append(seeds, found...)
}

func TestSimulation_EveryAnswerIsTheModels(t *testing.T) {
	for _, seed := range seedsFor(24, 1330) {
		if err := simulate(seed, false, simCalls, nil); err != nil {
			t.Fatalf("seed %d (go test -run Simulation -args -sim.seed=%d): %v", seed, seed, err)
		}
	}
}

func TestSimulation_OfTreesToo(t *testing.T) {
	for _, seed := range seedsFor(31, 35, 523, 624, 650, 1029, 2736, 2874, 3764) {
		if err := simulate(seed, true, simCalls, nil); err != nil {
			t.Fatalf("seed %d (go test -run Simulation_OfTrees -args -sim.seed=%d): %v", seed, seed, err)
		}
	}
}

func TestSimulation_ASeedReplaysExactly(t *testing.T) {
	for _, trees := range []bool{false, true} {
		var logs [2][]store.LogEntry
		for i := range logs {
			s := newSim(7, trees, nil)
			if err := s.run(2000); err != nil {
				t.Fatal(err)
			}
			logs[i] = s.model.log
		}
		if diff := cmp.Diff(logs[0], logs[1]); diff != "" {
			t.Error(diff)
		}
	}
}
