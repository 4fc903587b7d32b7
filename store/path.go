package store

import (
	"slices"
	"strings"
)

// Names with a slash are paths. A slash ends the name of a node, and a # stands
// between the name of what has parts and that of a part: above
// "crm/contract/7#address" are "crm/contract/7", "crm/contract/" and "crm/".

// PartMark stands before the name of a part.
const PartMark = "#"

// Above are the names above one, outermost first.
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

// Below is how the names begin that are below one; empty: there are none.
func Below(name string) string {
	switch {
	case IsNode(name):
		return name
	case IsPart(name), Tree(name) == "":
		return ""
	}
	return name + PartMark
}

// IsNode reports whether a name stands for everything that begins with it.
func IsNode(name string) bool { return strings.HasSuffix(name, "/") && !IsPart(name) }

// IsPart reports whether a name is that of a part.
func IsPart(name string) bool { return strings.Contains(name, PartMark) }

// Tree is the outermost node of a path; empty: the name is none.
func Tree(name string) string { return name[:strings.IndexByte(name, '/')+1] }

// Path is what stands above and below a name, beside the name itself, at one
// moment.
type Path struct {
	// Above are live holds of names above, outermost first, and Below of those
	// below, in the order of their names: at most MaxHolders each. More are holds
	// beside those.
	Above, Below []*Record
	More         int
	// Dead are holds that have died. They are in the way of others until their names
	// are settled.
	Dead []*Record

	// Waits are those who wait on the path: of each name above the first, and
	// of all names below the one who came first.
	Waits []Waiter

	// Own: the session that asks holds a name on the path itself, and so may not
	// wait. Filled in by State.InTheWay.
	Own bool
}

// IsAbove reports whether a name is above another.
func IsAbove(name, other string) bool {
	below := Below(name)
	return below != "" && other != name && strings.HasPrefix(other, below)
}

// related reports whether one name is above the other.
func related(a, b string) bool { return IsAbove(a, b) || IsAbove(b, a) }

// clashing reports whether a name of a request has another holder than those before
// that are above or below it. What is known of a path is from before the request.
func clashing(req Txn, i int, next []State, s *State) bool {
	for j := range tree(req, i) {
		if related(req.Ops[i].Name, req.Ops[j].Name) && s.clashes(&next[j]) {
			return true
		}
	}
	return false
}

// tree is i if a request speaks of names that others may be above or below, else 0.
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

// clear reports whether nobody but a session has a hold on the path.
func (p *Path) clear(session string) bool {
	return p.none(func(r *Record) bool { return r.Holder.Session != session })
}

// lets reports whether the path lets an operation give a hold to another session. A renewal
// gives it to one of the same user, who may have to move others of theirs after it.
func (p *Path) lets(sw *Op) bool {
	to := sw.Holder
	return p.none(func(r *Record) bool {
		own := sw.Do == Renew && to.User != "" && r.Holder.User == to.User
		return r.Holder.Session != to.Session && !own
	})
}

// none reports whether all holds on the path are known, and none of them is of a kind.
func (p *Path) none(is func(r *Record) bool) bool {
	return p == nil || p.More == 0 && !slices.ContainsFunc(p.Above, is) && !slices.ContainsFunc(p.Below, is) &&
		!slices.ContainsFunc(p.Dead, is)
}

// turn reports whether nobody on the path has waited for longer than a waiter with
// a number; 0: whether nobody waits there.
func (p *Path) turn(seq uint64) bool {
	return p == nil || !slices.ContainsFunc(p.Waits, func(t Waiter) bool { return seq == 0 || t.Seq < seq })
}

// InTheWay is what keeps a session from a name, beside its holders: what stands
// on the path, and who waits for the name if it is free. nil: nothing.
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
		way.Below = s.Path.Below // too many of the session's own to know of others
	}
	if live := s.Live(env.Now); live.holding() == 0 {
		way.Waits = append(slices.Clip(way.Waits), s.Queue...)
	}
	return way
}

// Refused is what a refused operation is told of the path: what is in the way of its
// session, or that the session holds a name on the path and so may not wait. nil: nothing.
func (s State) Refused(op *Op, env Env) *Path {
	way := s.InTheWay(op.Session(), env)
	if way == nil && op.Do == Join && s.Path.touches(op.Session()) {
		return &Path{Own: true}
	}
	return way
}

// Session is whose hold an operation is about to begin; empty: nobody's.
func (sw *Op) Session() string {
	switch {
	case sw.Do == Join:
		return sw.Waiter.Holder.Session
	case sw.Holder != nil:
		return sw.Holder.Session
	}
	return ""
}
