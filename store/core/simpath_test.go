package core_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// upper reports whether one name is above another.
func upper(name, other string) bool {
	return name != other && (strings.HasSuffix(name, "/") && strings.HasPrefix(other, name) || strings.HasPrefix(other, name+"#"))
}

// onPath are the names of states that are above one or below it, in order.
func (m *simModel) onPath(name string) (names []string) {
	root := store.Tree(name)
	if root == "" {
		return nil
	}
	for i, _ := slices.BinarySearch(m.names, root); i < len(m.names) && strings.HasPrefix(m.names[i], root); i++ {
		if upper(m.names[i], name) || upper(name, m.names[i]) {
			names = append(names, m.names[i])
		}
	}
	return names
}

func holdsOf(s *store.State) []*store.Record {
	if s.Record != nil {
		return []*store.Record{s.Record}
	}
	return s.Shared
}

// waiter is the first in the queue of a name whose process lives; nil: nobody waits.
func (m *simModel) waiter(name string, env store.Env) *store.Waiter {
	queue := m.states[name].Queue
	i := slices.IndexFunc(queue, func(t store.Waiter) bool { return env.Alive(t.Process) })
	if i < 0 {
		return nil
	}
	return &queue[i]
}

// state is what stands under a name, and on its path if its tree is in use.
func (m *simModel) state(name string, env store.Env) store.State {
	s := m.states[name]
	if m.kinds[store.Tree(name)] != "" {
		s.Tree, s.Path = true, m.path(name, env)
	}
	return s
}

func (m *simModel) path(name string, env store.Env) *store.Path {
	p := new(store.Path)
	var first *store.Waiter
	for _, n := range m.onPath(name) {
		st := m.states[n]
		for _, rec := range holdsOf(&st) {
			switch {
			case !rec.Live(env.Now):
				p.Dead = append(p.Dead, rec)
			case upper(n, name):
				p.Above = append(p.Above, rec)
			default:
				p.Below = append(p.Below, rec)
			}
		}
		switch t := m.waiter(n, env); {
		case t == nil:
		case upper(n, name):
			p.Waits = append(p.Waits, *t)
		case first == nil || t.Seq < first.Seq:
			first = t
		}
	}
	if first != nil {
		p.Waits = append(p.Waits, *first)
	}
	return p
}

// allows checks a step by what must be true whatever the rules are.
func (m *simModel) allows(op *simOp, before, saved map[string]store.State, eff store.Effects, env store.Env) {
	for name, st := range saved {
		began := func(rec *store.Record) bool {
			return slices.ContainsFunc(eff.Entries, func(e store.LogEntry) bool { return e.Name == name && e.Seq == rec.Token && e.Token == rec.Token })
		}
		holds := slices.DeleteFunc(slices.Clone(holdsOf(&st)), func(rec *store.Record) bool { return !rec.Live(env.Now) })
		for i, rec := range holds {
			isNew := began(rec)
			if len(holds) > 1 && (rec.Share == store.Alone || isNew && rec.Share > 0 && i >= int(rec.Share)) { // of those granted together, the last may let in more
				m.wrong("%v: %d hold %s", op, len(holds), name)
			}
			m.alone(op, rec, env)
			if !isNew {
				continue
			}
			if last := m.tokens[name]; rec.Token <= last {
				m.wrong("%v: %s has the token %d after %d", op, name, rec.Token, last)
			}
			m.tokens[name] = rec.Token
			if sw := op.acquires(name); sw == nil || sw.Expect.Free || sw.Holder.Session != rec.Holder.Session {
				m.inTurn(op, rec, before, env)
			}
		}
	}
}

// takes is what a call takes of a name, for itself.
func (op *simOp) acquires(name string) *store.Op {
	i := slices.IndexFunc(op.req.Ops, func(sw store.Op) bool { return sw.Name == name && sw.Do == store.Acquire })
	if i < 0 {
		return nil
	}
	return &op.req.Ops[i]
}

// alone checks that nobody else holds a name on the path of a hold. A user who logs in
// again moves holds one by one.
func (m *simModel) alone(op *simOp, rec *store.Record, env store.Env) {
	for _, n := range m.onPath(rec.Name) {
		st := m.states[n]
		for _, other := range holdsOf(&st) {
			if other.Live(env.Now) && other.Holder.Session != rec.Holder.Session && other.Holder.User != rec.Holder.User {
				m.wrong("%v: %s holds %s, and %s holds %s", op, rec.Holder.Session, rec.Name, other.Holder.Session, n)
			}
		}
	}
}

// inTurn checks that nobody waited longer on the path of a hold that began, or for
// the name. Who holds something above does not wait for those who wait for it.
func (m *simModel) inTurn(op *simOp, rec *store.Record, before map[string]store.State, env store.Env) {
	path := m.onPath(rec.Name)
	seq, session := ^uint64(0), rec.Holder.Session
	for _, t := range before[rec.Name].Queue {
		if t.ID == rec.Request { // it may be passed on in the same step
			seq, session = t.Seq, t.Holder.Session
		}
	}
	own := func(st store.State) bool {
		return slices.ContainsFunc(holdsOf(&st), func(r *store.Record) bool { return r.Holder.Session == session })
	}
	for _, n := range path {
		if upper(n, rec.Name) && (own(m.states[n]) || own(before[n])) { // it may end in the same step
			return
		}
	}
	for _, n := range append(path, rec.Name) {
		t := m.waiter(n, env)
		if t != nil && t.Seq < seq && slices.ContainsFunc(before[n].Queue, func(q store.Waiter) bool { return q.Seq == t.Seq }) {
			m.wrong("%v: %s got %s, and %s has waited longer for %s", op, rec.Holder.Session, rec.Name, t.ID, n)
		}
	}
}

// served checks, when nothing has happened for long, that nobody waits for what is
// to be had.
func (m *simModel) served(env store.Env) {
	for _, name := range m.names {
		t, st := m.waiter(name, env), m.states[name]
		if t == nil || slices.ContainsFunc(holdsOf(&st), func(r *store.Record) bool { return r.Live(env.Now) }) {
			continue
		}
		clear, own := true, false
		for _, n := range m.onPath(name) {
			st := m.states[n]
			for _, rec := range holdsOf(&st) {
				switch is := rec.Holder.Session == t.Holder.Session; {
				case rec.Live(env.Now) && !is:
					clear = false
				case is && upper(n, name):
					own = true
				}
			}
		}
		for _, n := range m.onPath(name) {
			if w := m.waiter(n, env); w != nil && w.Seq < t.Seq && !own {
				clear = false
			}
		}
		if clear {
			m.wrong("%s has waited for %s since %v, which is free", t.ID, name, t.Since)
		}
	}
}

// looks keeps what an answer may tell of the paths of a call's names.
func (op *simOp) looks(m *simModel, env store.Env) {
	op.paths, op.drains = make([]*store.Path, len(op.req.Ops)), make([]string, len(op.req.Ops))
	for i := range op.req.Ops {
		sw := &op.req.Ops[i]
		op.paths[i] = waitedBy(m.state(sw.Name, env), env).Refused(sw, env)
		op.drains[i] = m.drains(sw.Name, env)
	}
}

// waitedBy is a state with the living of those who wait.
func waitedBy(st store.State, env store.Env) store.State {
	st.Queue = slices.DeleteFunc(slices.Clone(st.Queue), func(t store.Waiter) bool { return !env.Alive(t.Process) })
	return st
}

// drains is the one who has waited longest for a name above.
func (m *simModel) drains(name string, env store.Env) string {
	var first *store.Waiter
	for _, n := range m.onPath(name) {
		if t := m.waiter(n, env); upper(n, name) && t != nil && (first == nil || t.Seq < first.Seq) {
			first = t
		}
	}
	if first == nil {
		return ""
	}
	return first.ID
}

// tells compares what an answer tells of paths with what stood there, and takes it out
// of the answer. Of the paths of several names it may tell a part only.
func (op *simOp) tells(m *simModel, res *store.Result) {
	moves := len(op.req.Ops) == 1 && (op.req.Ops[0].Do == store.Join || op.req.Ops[0].Expect.Free)
	for i := range op.req.Ops {
		told := res.Paths != nil
		switch {
		case told && (res.Paths[i] != nil || len(op.req.Ops) == 1):
			m.sameWay(op, op.paths[i], res.Paths[i])
		case !res.Done && moves && op.paths[i] != nil && res.Records[i] == nil:
			m.wrong("%v: refused, and not told of %v", op, inTheWay(op.paths[i]))
		}
		if rec := res.Records[i]; rec != nil {
			if op.req.Ops[i].Do == store.Renew || told {
				m.sameDrains(op, rec, op.drains[i], told && res.Paths[i] != nil)
			}
			rec.Drains = nil
		}
	}
	res.Paths = nil
}

// shows compares what a look tells with what stands there.
func (m *simModel) shows(op *simOp, session string, got store.View) {
	env := m.env(&kv.Answer{Now: got.Now}, new(int))
	st := m.states[op.get]
	if store.IsNode(op.get) || store.IsPart(op.get) || m.kinds[store.Tree(op.get)] != "" {
		st.Path = m.path(op.get, env)
	}
	m.sameWay(op, waitedBy(st, env).InTheWay(session, env), got.Path)
	if got.Record != nil {
		m.sameDrains(op, got.Record, m.drains(op.get, env), true)
		got.Record.Drains = nil
	}
	if want := st.HeldBy(session, env); !reflect.DeepEqual(want, got.Record) {
		if diff := cmp.Diff(want, got.Record, cmpopts.EquateEmpty()); diff != "" {
			m.wrong("%v (-want +got):\n%s", op, diff)
		}
	}
}

func (m *simModel) sameDrains(op *simOp, rec *store.Record, want string, told bool) {
	got := ""
	if rec.Drains != nil {
		got = rec.Drains.ID
	}
	if got != want && (told || got != "") {
		m.wrong("%v: told that %q waits for what is above %s; want %q", op, got, rec.Name, want)
	}
}

func (m *simModel) sameWay(op *simOp, want, got *store.Path) {
	if w, g := inTheWay(want), inTheWay(got); !slices.Equal(w, g) {
		m.wrong("%v: in the way are %q; want %q", op, g, w)
	}
}

// inTheWay is what a path tells.
func inTheWay(p *store.Path) (out []string) {
	if p == nil {
		return nil
	}
	for i, recs := range [][]*store.Record{p.Above, p.Below, p.Dead} {
		for _, rec := range recs {
			out = append(out, fmt.Sprintf("%d: %s holds %s by %d until %v", i, rec.Holder.Session, rec.Name, rec.Token, rec.Expires))
		}
	}
	slices.Sort(out)
	for _, t := range p.Waits {
		out = append(out, fmt.Sprintf("%s of %s waits for %s since %v", t.ID, t.Process, t.Name, t.Since))
	}
	return append(out, fmt.Sprint(p.More, " more, own: ", p.Own))
}
