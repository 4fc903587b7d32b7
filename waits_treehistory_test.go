package editlock_test

import (
	"context"
	"maps"
	"slices"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
)

// rest checks that nothing is left long after all have gone, and that the history
// tells of no two holds that exclude each other.
func (j *treeJudge) rest() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if s := j.read(); len(s.holds)+len(s.waiters) > 0 {
		j.fault("in the end %d hold, and %d wait", len(s.holds), len(s.waiters))
	}
	held := make(map[uint64]store.LogEntry)
	for after := uint64(0); ; {
		page, err := j.looker.Log(context.Background(), store.LogQuery{After: after, Limit: 1000})
		if err != nil {
			j.fault("the judge can't read the history: %v", err)
			return
		}
		for _, e := range page.Entries {
			j.replay(held, e)
		}
		if after = page.Next; after == 0 {
			break
		}
	}
	if len(held) > 0 {
		j.fault("by the history %v are held in the end", slices.Collect(maps.Keys(held)))
	}
}

// replay does an entry of the history to those who hold something by it.
func (j *treeJudge) replay(held map[uint64]store.LogEntry, e store.LogEntry) {
	switch editlock.EventKind(e.Kind) {
	case editlock.KindReleased, editlock.KindExpired, editlock.KindForceReleased, editlock.KindHandedOver:
		if _, is := held[e.Token]; !is {
			j.fault("by the history %d of %s ends, and was not held", e.Token, e.Name)
		}
		delete(held, e.Token)
	case editlock.KindShared:
		held[e.Token] = e
	case editlock.KindCaptured, editlock.KindTakenOver, editlock.KindUpgraded:
		maps.DeleteFunc(held, func(token uint64, old store.LogEntry) bool {
			replaced := e.Replaced == token || e.Replaced == 0 && editlock.EventKind(e.Kind) != editlock.KindCaptured
			return old.Name == e.Name && replaced
		})
		n := 1
		for _, old := range held {
			switch {
			case old.Name == e.Name && (old.Share != e.Share || e.Share == store.Alone),
				related(old.Name, e.Name) && old.Owner.Session != e.Owner.Session:
				j.fault("by the history %s got %s while %s held %s", e.Owner.Session, e.Name, old.Owner.Session, old.Name)
			case old.Name == e.Name:
				n++
			}
		}
		if e.Share > 0 && n > int(e.Share) {
			j.fault("by the history %d hold %s", n, e.Name)
		}
		held[e.Token] = e
	default:
	}
}

// coverage counts what the stories were about.
type coverage struct {
	nodes, parts, limits, shares int // granted to waiters
	owns, takeovers, drained     int
	above, below                 int // waiters for a node and a part
}

func (c *coverage) waits(w *store.Waiter) {
	switch {
	case store.IsNode(w.Name):
		c.above++
	case store.IsPart(w.Name):
		c.below++
	}
}

func (c *coverage) grants(w *store.Waiter) {
	switch {
	case store.IsNode(w.Name):
		c.nodes++
	case store.IsPart(w.Name):
		c.parts++
	}
	switch {
	case w.Share > 0:
		c.limits++
	case w.Share == store.Shared:
		c.shares++
	}
}

func (c *coverage) all() map[string]*int {
	return map[string]*int{
		"a waiter granted a node": &c.nodes, "a waiter granted a part": &c.parts, "a waiter granted one of a limit": &c.limits,
		"a waiter granted a share": &c.shares, "holds of one's own above": &c.owns, "takeovers": &c.takeovers, "drained nodes": &c.drained,
		"a wait for a node": &c.above, "a wait for a part": &c.below,
	}
}

func (c *coverage) add(o *coverage) {
	to, from := c.all(), o.all()
	for what := range to {
		*to[what] += *from[what]
	}
}

func (c *coverage) missing() (what []string) {
	for name, n := range c.all() {
		if *n == 0 {
			what = append(what, name)
		}
	}
	return what
}
