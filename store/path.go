package store

import (
	"slices"
	"strings"
)

// Names with a slash are paths. A slash ends the name of a node. A # separates the
// name of an object from that of its part: above "crm/contract/7#address" are
// "crm/contract/7", "crm/contract/" and "crm/".

// PartMark stands before the name of a part.
const PartMark = "#"

// Above returns the names above a name, outermost first.
func Above(name string) []string {
	whole, _, part := strings.Cut(name, PartMark)
	n := strings.Count(whole, "/")
	if strings.HasSuffix(name, "/") {
		n--
	}
	if n < 1 {
		return nil
	}
	above := make([]string, 0, n+1)
	for i := range len(name) - 1 {
		if i < len(whole) && name[i] == '/' {
			above = append(above, name[:i+1])
		}
	}
	if part {
		above = append(above, whole)
	}
	return above
}

// Below returns the prefix of the names below a name; empty: there are none.
func Below(name string) string {
	switch {
	case IsNode(name):
		return name
	case IsPart(name), Tree(name) == "":
		return ""
	}
	return name + PartMark
}

// IsNode reports whether a name stands for all names that begin with it.
func IsNode(name string) bool { return strings.HasSuffix(name, "/") && !IsPart(name) }

// IsPart reports whether a name is that of a part.
func IsPart(name string) bool { return strings.Contains(name, PartMark) }

// Tree returns the outermost node above a name, or the name itself if it is that
// node; empty: the name is not a path.
func Tree(name string) string { return name[:strings.IndexByte(name, '/')+1] }

// Path is the holds and waiters above and below a name, without those of the name
// itself, at one moment.
type Path struct {
	// Above are live holds of names above, outermost first. Below are those of names
	// below, in the order of their names. Each has at most MaxHolders. More counts
	// the other holds.
	Above, Below []*Record
	More         int
	// Dead are expired holds. They block others until their names are settled.
	Dead []*Record

	// Waits are waiters on the path: the first one of each name above, and the
	// earliest one of all names below.
	Waits []Waiter

	// Own says that the session that asks holds a name on the path, and so may not
	// wait. Set by State.InTheWay.
	Own bool
}

// IsAbove reports whether a name is above another.
func IsAbove(name, other string) bool {
	below := Below(name)
	return below != "" && other != name && strings.HasPrefix(other, below)
}

// related reports whether one name is above the other.
func related(a, b string) bool { return IsAbove(a, b) || IsAbove(b, a) }

// clashing reports whether name i of a transaction has another holder than an earlier
// name of it that is above or below. What is known of a path is from before the
// transaction, so Run compares the names of one transaction by itself.
func clashing(req Txn, i int, next []State, s *State) bool {
	for j := range tree(req, i) {
		if related(req.Ops[i].Name, req.Ops[j].Name) && s.clashes(&next[j]) {
			return true
		}
	}
	return false
}

// tree returns i if names of a transaction may be above or below each other, else 0.
func tree(req Txn, i int) int {
	if i == 0 || !slices.ContainsFunc(req.Ops, func(sw Op) bool { return IsNode(sw.Name) || IsPart(sw.Name) }) {
		return 0
	}
	return i
}

// clashes reports whether different sessions hold two names.
func (s *State) clashes(o *State) bool {
	return slices.ContainsFunc(s.holds(), func(a *Record) bool {
		return slices.ContainsFunc(o.holds(), func(b *Record) bool { return a.Holder.Session != b.Holder.Session })
	})
}

// Owns reports whether a session holds a name above.
func (p *Path) Owns(session string) bool {
	return p != nil && slices.ContainsFunc(p.Above, func(r *Record) bool { return r.Holder.Session == session })
}

// touches reports whether a session holds a name above or below.
func (p *Path) touches(session string) bool {
	return p.Owns(session) || p != nil && slices.ContainsFunc(p.Below, func(r *Record) bool { return r.Holder.Session == session })
}

// clear reports whether no other session has a hold on the path.
func (p *Path) clear(session string) bool {
	return p.none(func(r *Record) bool { return r.Holder.Session != session })
}

// lets reports whether the path lets an operation give a hold to another session. A
// renewal may give it to a new session of the same user, whose other holds may still be
// those of the old session.
func (p *Path) lets(sw *Op) bool {
	to := sw.Holder
	return p.none(func(r *Record) bool {
		own := sw.Do == Renew && to.User != "" && r.Holder.User == to.User
		return r.Holder.Session != to.Session && !own
	})
}

// none reports whether all holds on the path are known, and is is true of none.
func (p *Path) none(is func(r *Record) bool) bool {
	return p == nil || p.More == 0 && !slices.ContainsFunc(p.Above, is) && !slices.ContainsFunc(p.Below, is) &&
		!slices.ContainsFunc(p.Dead, is)
}

// turn reports whether no waiter on the path has a smaller Seq than seq. For 0, it
// reports whether there is no waiter.
func (p *Path) turn(seq uint64) bool {
	return p == nil || !slices.ContainsFunc(p.Waits, func(t Waiter) bool { return seq == 0 || t.Seq < seq })
}

// InTheWay returns what blocks a session from a name, apart from the name's holders:
// the holds and waiters on the path, and the waiters for the name if it is free. nil:
// nothing.
func (s State) InTheWay(session string, env Env) *Path {
	if s.Path == nil || s.open(session, 0) && (s.Path.Owns(session) || !s.waiting(env)) {
		return nil
	}
	way := &Path{More: s.Path.More, Waits: s.Path.Waits, Own: s.Path.touches(session)}
	own := func(r *Record) bool { return r.Holder.Session == session }
	way.Above = slices.DeleteFunc(slices.Clone(s.Path.Above), own)
	way.Below = slices.DeleteFunc(slices.Clone(s.Path.Below), own)
	way.Dead = slices.DeleteFunc(slices.Clone(s.Path.Dead), own)
	if way.More > 0 && len(way.Above)+len(way.Below)+len(way.Dead) == 0 {
		way.Below = s.Path.Below // the session has too many holds there to know of others
	}
	if live := s.Live(env.Now); live.holding() == 0 {
		way.Waits = append(slices.Clip(way.Waits), s.Queue...)
	}
	return way
}

// Refused returns what a refused operation reports of the path: what blocks its
// session, or that the session holds a name on the path and so may not wait. nil: nothing.
func (s State) Refused(op *Op, env Env) *Path {
	way := s.InTheWay(op.Session(), env)
	if way == nil && op.Do == Join && s.Path.touches(op.Session()) {
		return &Path{Own: true}
	}
	return way
}

// Session returns the session that gets a hold, or waits, by an operation; empty: none.
func (sw *Op) Session() string {
	switch {
	case sw.Do == Join:
		return sw.Waiter.Holder.Session
	case sw.Holder != nil:
		return sw.Holder.Session
	}
	return ""
}
