package core_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/editlock/editlock/store/kv"
)

// simBugs are in transactions, by what they are about.
var simBugs = map[string]func(t *kv.Txn){
	"a hold is taken that stands":         withoutConds(func(c *kv.Cond) bool { return !c.Absent }),
	"tokens are not compared":             withoutConds(func(c *kv.Cond) bool { c.Rev, c.Ver = 0, 0; return true }),
	"a holder may have changed":           withoutConds(func(c *kv.Cond) bool { c.Ver = 0; return true }),
	"status data are not compared":        withoutConds(func(c *kv.Cond) bool { c.Data = nil; return true }),
	"nobody looks whether somebody waits": withoutConds(func(c *kv.Cond) bool { return c.Prefix == "" || c.NoneDue || c.Tag != "" }),
	"a claim may have fallen due":         withoutConds(func(c *kv.Cond) bool { return !c.NoneDue }),
	"a waiter may be there twice":         withoutConds(func(c *kv.Cond) bool { return c.Prefix == "" || c.Tag == "" }),
	"a waiter who left is granted":        withoutConds(func(c *kv.Cond) bool { return c.Key == "" || c.Key[0] != 'q' }),
	"the gate is not written": func(t *kv.Txn) {
		t.Then = slices.DeleteFunc(t.Then, func(w kv.Write) bool { return w.Key[0] == 'h' && len(w.Value) == 1 })
	},
	"nobody looks for those who have died": withoutConds(func(c *kv.Cond) bool { return c.Prefix == "" || c.Prefix[0] != 'h' || !c.NoneDue }),
	"a dead hold may live":                 withoutConds(func(c *kv.Cond) bool { return !c.Dead }),
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
}

// simTreeBugs are about names above and below.
var simTreeBugs = map[string]func(t *kv.Txn){
	"what is above may be held":              withoutOthers(func(c *kv.Cond) bool { return c.Absent && c.Key[0] == 'h' }),
	"what is below may be held":              withoutConds(func(c *kv.Cond) bool { return !c.Due || c.Prefix == "" || c.Prefix[0] != 'h' }),
	"a tree may have come into use":          withoutConds(func(c *kv.Cond) bool { return !c.Absent || c.Key[0] != 't' }),
	"more of a tree may have come into use":  withoutConds(func(c *kv.Cond) bool { return c.Data == nil || c.Key == "" || c.Key[0] != 't' }),
	"holds above and below may have changed": withoutOthers(func(c *kv.Cond) bool { return c.Key != "" && c.Key[0] == 'h' && c.Rev != 0 }),
	"a hold below may be another session's": withoutOthers(func(c *kv.Cond) bool {
		if c.Key != "" && c.Tag != "" {
			c.Tag = ""
		}
		return false
	}),
	"a gate below may have changed":        withoutOthers(func(c *kv.Cond) bool { return c.Key != "" && c.Key[0] == 'h' && c.Ver != 0 && !c.Dead }),
	"somebody may wait above or below":     withoutOthers(func(c *kv.Cond) bool { return c.Prefix != "" && c.Prefix[0] == 'q' }),
	"who waited longer may be gone":        withoutOthers(func(c *kv.Cond) bool { return c.Key != "" && c.Key[0] == 'q' }),
	"who holds on the path may wait on it": withoutConds(func(c *kv.Cond) bool { return c.Prefix == "" || c.Prefix[0] != 'h' || c.Tag == "" }),
	"a dead hold above may live":           withoutOthers(func(c *kv.Cond) bool { return c.Dead }),
	"a free name that is waited for is not closed": func(t *kv.Txn) {
		t.Then = slices.DeleteFunc(t.Then, closes)
	},
	"nobody looks again at a closed name": func(t *kv.Txn) {
		for i := range t.Then {
			if closes(t.Then[i]) {
				t.Then[i].TTL = 0
			}
		}
	},
	"a closed name stays closed": func(t *kv.Txn) {
		t.Then = slices.DeleteFunc(t.Then, func(w kv.Write) bool { return w.Key[0] == 'h' && w.Delete && !strings.Contains(w.Key, kv.Separator) })
	},
	"what came into use of a tree before is forgotten": func(t *kv.Txn) {
		for i := range t.Then {
			if w := &t.Then[i]; w.Key[0] == 't' && w.Renew {
				last := (*w.Data)[:1]
				w.Data = &last
			}
		}
	},
}

// closes reports whether a write closes a free name.
func closes(w kv.Write) bool {
	return w.Key[0] == 'h' && len(w.Value) == 1 && w.Data != nil && *w.Data == "0"
}

func withoutConds(change func(c *kv.Cond) (keep bool)) func(t *kv.Txn) {
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

// withoutOthers leaves out, or changes, conditions on names that a transaction does
// not write.
func withoutOthers(release func(c *kv.Cond) bool) func(t *kv.Txn) {
	return func(t *kv.Txn) {
		own := map[string]bool{}
		for _, w := range t.Then {
			own[heldName(w.Key)] = true
		}
		withoutConds(func(c *kv.Cond) bool { return own[heldName(c.Key+c.Prefix)] || !release(c) })(t)
	}
}

// heldName is the name that a key speaks of.
func heldName(key string) string {
	name, _, _ := strings.Cut(key[1:], kv.Separator)
	return name
}

// What core must not forget: a transaction without one of its conditions or
// writes is a bug that the simulation must find.
func TestSimulation_FindsPlantedBugs(t *testing.T) {
	findBugs(t, false, simBugs)
}

func TestSimulation_FindsPlantedBugsInTrees(t *testing.T) {
	findBugs(t, true, simTreeBugs)
}

// findBugs looks for each bug in 100,000 calls, in long runs ten times.
func findBugs(t *testing.T, trees bool, bugs map[string]func(t *kv.Txn)) {
	times := uint64(1)
	if os.Getenv("EDITLOCK_LONG") != "" {
		times = 10
	}
	for name, alter := range bugs {
		t.Run(name, func(t *testing.T) {
			if race {
				t.Skip("planted bugs are looked for without the race detector")
			}
			for n := range times {
				seed, end := 1000*n+1, 1000*n+simSeeds
				for ; seed <= end; seed++ {
					s := newSim(seed, trees, alter)
					if s.hunts = seed%3 == 0; s.run(simCalls) != nil {
						break
					}
				}
				if seed > end {
					t.Errorf("100,000 calls from seed %d on did not find it", 1000*n+1)
				}
				t.Logf("found by simulation %d from seed %d on", seed-1000*n, 1000*n+1)
			}
		})
	}
}
