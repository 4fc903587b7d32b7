package core_test

import (
	"fmt"
	"strings"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
)

// treeCalls is for how many calls the clients are at work in one tree: it is the first
// of them that find it unused.
const treeCalls = 250

// below are the names of each tree, those above first.
var below = []string{"", "m/", "m/a", "m/b", "m/c", "m/b#a", "m/b#b", "m/b#c", "a"}

// treeNames are the names of the tree in which the clients are at work. In every other
// tree there are few of them, and two sessions: what they do meets more often.
func (s *sim) treeNames() []string {
	below := below
	if s.few() {
		below = []string{"m/", "m/b", "m/b#a"}
	}
	names := make([]string, len(below))
	for i, name := range below {
		names[i] = fmt.Sprintf("%03d/%s", s.ops/treeCalls, name)
	}
	return names
}

func (s *sim) few() bool { return s.ops/treeCalls%2 == 1 }

// recalls is how many holds a client remembers.
func (s *sim) recalls() int {
	if s.trees {
		return 12
	}
	return 4
}

// crash ends the process of a client with all that it knows, and starts another in its
// place. What it had under way is never done, or later.
func (s *sim) crash(n int) {
	process, st := s.clients[n].process, core.New(simEngine{s.engine, s})
	for _, c := range s.clients {
		if c.process == process {
			c.st = st
		}
	}
	left := s.blocked
	s.blocked = nil
	for _, call := range left {
		if call.op.of != process {
			s.blocked = append(s.blocked, call)
			continue
		}
		call.through <- []simFate{cutBefore, cutAfter, delayed}[s.rng.IntN(3)]
		s.wait()
	}
}

// chooseOnPath makes up a call that speaks of names of a tree.
func (c *simClient) chooseOnPath(op *simOp, id string) {
	names := c.s.treeNames()
	c.as = c.name
	if n := int(c.name[1] - '0'); c.s.few() || c.chance(2) {
		c.as = c.s.clients[n%2].name // several windows of one person
	}
	if c.chance(12) {
		c.as += "'" // after another login
	}
	if c.s.hunts && c.chance(2) && c.moveHold(op, id) {
		return
	}
	name := names[max(c.s.rng.IntN(len(names)), c.s.rng.IntN(len(names)))]
	if own := c.held(); own != "" && c.chance(2) {
		name = own
		if i := c.s.rng.IntN(len(names)); upper(names[i], own) || upper(own, names[i]) {
			name = names[i]
		}
	}
	switch n := c.s.rng.IntN(100); {
	case n < 8:
		op.get = name
	case n < 11:
		op.req = store.Txn{ID: id, Ops: c.force(names[0], id)}
	case n < 12:
		op.req = store.Txn{ID: id, Ops: []store.Op{{Name: name, Do: store.Revoke}}}
	default:
		op.req = store.Txn{ID: id, Ops: []store.Op{c.op(name, id)}}
		sw := &op.req.Ops[0]
		if n < 24 {
			for i, more := range c.s.rng.Perm(len(names))[:1+c.s.rng.IntN(2)] {
				if names[more] != name {
					op.req.Ops = append(op.req.Ops, c.op(names[more], fmt.Sprint(id, "+", i)))
				}
			}
		} else if sw.Do == store.Join {
			op.req.ID = sw.Waiter.ID
		}
		noted := false
		for i := range op.req.Ops {
			sw := &op.req.Ops[i]
			if sw.Do == store.Renew && c.chance(3) {
				who := c.party()
				sw.Holder = &who
			}
			if sw.Do == store.Renew && (sw.Holder != nil || sw.Share != nil) {
				sw.Event = &store.Event{Kind: "refreshed", Actor: c.party()}
			}
			noted = noted || sw.Event != nil
		}
		if !noted {
			op.req.ID = ""
		}
	}
	if len(op.req.Ops) == 0 {
		op.get = name
	}
}

// moveHold makes up a renewal, after another login, of a hold that a call under way
// depends on, if there is one.
func (c *simClient) moveHold(op *simOp, id string) bool {
	for _, call := range c.s.blocked {
		name, session := call.rare()
		if name == "" {
			continue
		}
		if c.as = strings.TrimSuffix(session, "'"); c.as == session {
			c.as += "'"
		}
		who := c.party()
		op.req = store.Txn{ID: id, Ops: []store.Op{{
			Name: name, Do: store.Renew, Expect: store.Expect{Session: &session}, Holder: &who, Event: &store.Event{Kind: "refreshed", Actor: who},
		}}}
		return true
	}
	return false
}

// held is a name that the client was seen to hold; empty: none.
func (c *simClient) held() string {
	for _, rec := range c.seen {
		if rec.Holder.User == c.party().User {
			return rec.Name
		}
	}
	return ""
}

// force ends all holds below a name that were seen lately.
func (c *simClient) force(node, id string) (ops []store.Op) {
	named := map[string]bool{}
	for _, rec := range c.seen {
		if upper(node, rec.Name) && !named[rec.Name] {
			named[rec.Name] = true
			ops = append(ops, store.Op{
				Name: rec.Name, Do: store.Release, Expect: store.Expect{Token: rec.Token},
				Event: &store.Event{Kind: "forced", Actor: c.party(), Reason: id},
			})
		}
	}
	return ops
}
