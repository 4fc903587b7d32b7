package core_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/storetest"
)

// simModel is what the rules make of all transactions that were done.
type simModel struct {
	states    map[string]store.State
	names     []string          // of states, in order
	kinds     map[string]string // by tree: what of it is in use
	tokens    map[string]uint64 // the last one of each name
	processes map[string]time.Time
	done      map[string]time.Time
	log       []store.LogEntry
	err       error
}

func newSimModel() *simModel {
	return &simModel{
		states: map[string]store.State{}, kinds: map[string]string{}, tokens: map[string]uint64{},
		processes: map[string]time.Time{}, done: map[string]time.Time{},
	}
}

func (m *simModel) env(a *kv.Answer, drew *int) store.Env {
	return store.Env{
		Now: a.Now, Next: func() uint64 { *drew++; return a.First + uint64(*drew) - 1 },
		Alive: func(process string) bool { return a.Now.Before(m.processes[process]) },
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
	settles := op.sweep || !op.speaks(t)
	exact := true // as to the numbers
	switch {
	case op.keepAlive != "":
		if a.Done {
			m.keepAlive(op, a)
		}
	case ofTree(t):
		if wrote {
			m.kinds[t.Then[0].Key[1:]] = *t.Then[0].Data
		}
		return
	case settles && !a.Done:
	case settles && t.If[0].Key[0] == 'p': // a process that died, and stays dead if the clock is set back
		m.release(t.If[0].Key[1:])
		delete(m.processes, t.If[0].Key[1:])
	case settles:
		name, _, _ := strings.Cut(t.If[0].Key[1:], kv.Separator)
		st, eff := store.Settle(name, m.state(name, env), env)
		m.keep(op, map[string]store.State{name: st}, eff, len(t.Log), env)
	case a.Replayed:
		if at, ok := m.done[op.req.ID]; !ok || a.Now.Sub(at) >= store.RetryWindow {
			m.wrong("%v: answered as a retry of what was not done", op)
		}
		op.want = m.inForce(op.req, env, store.Result{Done: true, Replayed: true, Now: a.Now})
		op.looks(m, env)
	default:
		if at, ok := m.done[op.req.ID]; ok && a.Now.Sub(at) < store.RetryWindow {
			m.wrong("%v: not answered as a retry of what was done", op)
		}
		exact = m.request(op, wrote, len(t.Log), env, &drew)
	}
	for i := range t.Then {
		if w := &t.Then[i]; w.Key[0] == 'h' && len(w.Value) == 1 && w.Number > 0 {
			drew++ // a gate has a number, too
		}
	}
	if wrote && drew != t.Numbers && exact {
		m.wrong("%v: drew %d numbers; the rules draw %d", op, t.Numbers, drew)
	}
}

// ofTree reports whether a transaction reads or writes what of a tree is in use.
func ofTree(t *kv.Txn) bool {
	return len(t.Read) == 1 && t.Read[0].Key != "" && t.Read[0].Key[0] == 't'
}

// speaks reports whether a transaction does what is the call's own: others settle
// names above and below.
func (op *simOp) speaks(t *kv.Txn) bool {
	return len(t.Then) == 0 || slices.ContainsFunc(t.Then, func(w kv.Write) bool {
		name, _, _ := strings.Cut(w.Key[1:], kv.Separator)
		return slices.ContainsFunc(op.req.Ops, func(sw store.Op) bool { return sw.Name == name })
	})
}

// request does a request, or only looks at what it would do. It reports whether core
// drew as many numbers as the rules: for a refused operation it may have drawn some.
func (m *simModel) request(op *simOp, wrote bool, logged int, env store.Env, drew *int) (exact bool) {
	res, saved, eff := m.run(op.req, env, drew, true)
	op.want, exact = res, res.Done
	if wrote && len(eff.Entries) != logged {
		renews := !slices.ContainsFunc(op.req.Ops, func(sw store.Op) bool { return sw.Do != store.Renew || sw.Holder != nil || sw.Event != nil })
		if renews {
			// It does not look whether a claim that fell due earlier is met by now, as its
			// path has become clear.
			op.want, saved, eff = m.run(op.req, env, drew, false)
		} else {
			// What was refused a moment before is allowed now: the names were settled, and
			// the request is judged again.
			saved, eff = m.settled(op.req, env, drew)
			exact = false
		}
	}
	if wrote {
		m.keep(op, saved, eff, logged, env)
	}
	if wrote && !exact && res.Done { // what was settled may be a reason to refuse it
		op.want, _, _ = m.run(op.req, env, drew, true)
	}
	op.looks(m, env)
	return exact
}

// run runs a request on what is known of its names, and of their paths before it.
func (m *simModel) run(req store.Txn, env store.Env, drew *int, looks bool) (store.Result, map[string]store.State, store.Effects) {
	*drew = 0
	return storetest.Judge(req, env, func(name string) store.State { return m.state(name, env) }, looks)
}

// settled is what settling the names of a request makes of them.
func (m *simModel) settled(req store.Txn, env store.Env, drew *int) (saved map[string]store.State, all store.Effects) {
	*drew = 0
	saved = map[string]store.State{}
	for _, sw := range req.Ops {
		st, eff := store.Settle(sw.Name, m.state(sw.Name, env), env)
		saved[sw.Name], all.Entries = st, append(all.Entries, eff.Entries...)
	}
	return saved, all
}

func (m *simModel) inForce(req store.Txn, env store.Env, res store.Result) store.Result {
	for _, sw := range req.Ops {
		res.Records = append(res.Records, m.states[sw.Name].Shown(&sw, env))
	}
	return res
}

// keep keeps what a step did.
func (m *simModel) keep(op *simOp, saved map[string]store.State, eff store.Effects, logged int, env store.Env) {
	before := maps.Clone(m.states)
	for name, st := range saved {
		st.Tree, st.Path = false, nil
		m.states[name] = st
		if i, known := slices.BinarySearch(m.names, name); !known {
			m.names = slices.Insert(m.names, i, name)
		}
	}
	m.log = append(m.log, eff.Entries...)
	for _, e := range eff.Entries {
		if e.Request != "" {
			m.done[e.Request] = env.Now
		}
	}
	if logged != len(eff.Entries) {
		m.wrong("%v: logged %d entries; the rules: %+v", op, logged, eff.Entries)
	}
	m.allows(op, before, saved, eff, env)
}

func (m *simModel) keepAlive(op *simOp, a *kv.Answer) {
	if !a.Now.Before(m.processes[op.keepAlive]) {
		m.release(op.keepAlive)
	}
	op.waiters = op.waiters[:0]
	for _, st := range m.states {
		for _, t := range st.Queue {
			if t.Process == op.keepAlive {
				op.waiters = append(op.waiters, t.ID)
			}
		}
	}
	m.processes[op.keepAlive] = a.Now.Add(op.ttl)
}

// leave takes the waiters of a process out of their queues.
func (m *simModel) release(process string) {
	for name, st := range m.states {
		st.Queue = slices.DeleteFunc(slices.Clone(st.Queue), func(t store.Waiter) bool { return t.Process == process })
		m.states[name] = st
	}
}
