package editlock_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/memory"
)

// The model of trees lets callers hold, and wait for, names above and below each
// other, at two servers on one database, each with its own process: exclusively,
// shared and within a limit. Callers die, take over, end others' holds by force,
// and capture what is above and below their own holds; requests are cut off, and servers
// lose their database or restart. The judge looks at all rows after each
// transaction: see waits_treejudge_test.go.

// treeIDs are the mutexes of the tree. The last one has a limit.
var treeIDs = []editlock.ID{
	{Group: "g", Below: true},
	{Group: "g", Mode: "m", Below: true},
	{Group: "g", Mode: "m", ID: "a"},
	{Group: "g", Mode: "m", ID: "a", Part: "x"},
	{Group: "g", Mode: "m", ID: "a", Part: "y"},
	{Group: "g", Mode: "m", ID: "b"},
	{Group: "g", Mode: "n", Below: true},
	{Group: "g", Mode: "n", ID: "jobs"},
}

const treeLimit = 2 // of the last one

func TestWaits_ModelOfTrees(t *testing.T) {
	stories := 40
	if os.Getenv("EDITLOCK_LONG") != "" {
		stories = 3000
	}
	var all coverage
	for seed := range stories {
		s := tellTreeStory(t, uint64(seed), nil)
		if s.trees.wrong != "" {
			t.Fatalf("seed %d: %s\n%s", seed, s.trees.wrong, strings.Join(s.trees.told, "\n"))
		}
		all.add(&s.trees.coverage)
	}
	if missing := all.missing(); missing != nil {
		t.Errorf("the stories never told of %q: %+v", missing, all)
	}
}

// treeBugs are in transactions. The model must find each.
var treeBugs = map[string]func(t *kv.Txn){
	"a part may be held below a node that is captured": dropConds(func(c *kv.Cond) bool { return c.Due && strings.HasPrefix(c.Prefix, "h") }),
	"what is above may be held":                        dropConds(func(c *kv.Cond) bool { return c.Absent && strings.HasPrefix(c.Key, "h") }),
	"more may hold than the limit allows":              dropConds(func(c *kv.Cond) bool { return c.Ver != 0 }),
	"somebody may wait for a node meanwhile":           dropConds(func(c *kv.Cond) bool { return strings.HasPrefix(c.Prefix, "q") }),
	"a waiter stays in the queue when granted": func(t *kv.Txn) {
		t.Then = slices.DeleteFunc(t.Then, func(w kv.Write) bool { return w.Key[0] == 'q' && w.Delete })
	},
}

func dropConds(drop func(c *kv.Cond) bool) func(t *kv.Txn) {
	return func(t *kv.Txn) {
		t.If = slices.DeleteFunc(t.If, func(c kv.Cond) bool { return drop(&c) })
	}
}

func TestWaits_TheModelOfTreesFindsBugs(t *testing.T) {
	const stories = 30
	for name, alter := range treeBugs {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(stories) {
				if s := tellTreeStory(t, seed, alter); s.trees.wrong != "" {
					t.Logf("story %d: %s", seed, s.trees.wrong)
					return
				}
			}
			t.Errorf("%d stories did not find it", stories)
		})
	}
}

// treeStory is a story of a tree.
type treeStory struct {
	story
	trees treeJudge
}

func tellTreeStory(t *testing.T, seed uint64, alter func(txn *kv.Txn)) (s *treeStory) {
	synctest.Test(t, func(t *testing.T) {
		s = &treeStory{}
		s.seed = seed
		s.throw(seed, "trees")
		ctx, stop := context.WithCancel(t.Context())
		s.ctx = ctx
		s.init(nil)
		engine := memory.NewEngine(nil)
		s.trees.init(&s.judge, engine)
		s.open = func(w *wire) {
			st := core.New(&judgedEngine{Engine: engine, judge: &s.trees, wire: w, alter: alter})
			s.trees.stores = append(s.trees.stores, st)
			w.Store = leaver{st, &s.trees}
		}
		for n := range s.servers {
			s.servers[n] = s.start(n)
		}
		over := make(chan struct{})
		clock := make(chan struct{})
		go s.trees.watch(over, clock)
		s.play()
		stop()
		s.running.Wait()
		s.quiet()
		time.Sleep(75 * time.Second)
		close(over)
		<-clock
		for _, srv := range s.servers {
			_ = srv.Close()
		}
		s.trees.rest()
		for _, st := range s.trees.stores {
			_ = st.Close()
		}
	})
	return s
}

// play lets callers come, and troubles.
func (s *treeStory) play() {
	for n := range s.servers {
		if s.chance(40) {
			s.running.Go(func() { s.troubles(n) })
		}
	}
	for n := range 2 + s.number(7) {
		c := &treeCaller{treeStory: s, name: fmt.Sprintf("c%d", n)}
		c.throw(s.seed, c.name)
		s.running.Go(c.live)
		time.Sleep(s.between(time.Millisecond, time.Second))
	}
	time.Sleep(s.between(20*time.Second, 60*time.Second))
}

// leaver tells the judge of waiters who are about to leave.
type leaver struct {
	store.Store
	judge *treeJudge
}

func (l leaver) Commit(ctx context.Context, txn store.Txn) (store.Result, error) {
	for i := range txn.Ops {
		if txn.Ops[i].Do == store.Leave {
			l.judge.leaves(txn.Ops[i].Waiter.ID)
		}
	}
	return l.Store.Commit(ctx, txn)
}

// Close is the story's: other servers use the database, too.
func (leaver) Close() error { return nil }
