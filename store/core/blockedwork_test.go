package core_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/memory"
)

// counting is an engine that counts what it is asked for: ranges, conditions, writes
// and entries of the log that it reads, and the calls of Commit.
type counting struct {
	*memory.Engine
	work, commits atomic.Int64
}

func (*counting) Limits() kv.Limits { return kv.Limits{Txns: 64, Bytes: 1 << 20, Calls: 1} }

func (e *counting) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	e.commits.Add(1)
	for i := range txns {
		e.work.Add(int64(len(txns[i].If) + len(txns[i].Then) + len(txns[i].Read)))
	}
	return e.Engine.Commit(ctx, txns)
}

func (e *counting) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	e.work.Add(int64(len(ranges)))
	return e.Engine.Read(ctx, ranges...)
}

func (e *counting) Log(ctx context.Context, queries ...kv.LogQuery) ([]kv.LogPage, error) {
	pages, err := e.Engine.Log(ctx, queries...)
	for _, page := range pages {
		e.work.Add(int64(len(page.Entries)))
	}
	return pages, err
}

// treeCrowd is a process in which many wait in a tree, and another one.
type treeCrowd struct {
	*testing.T
	engine *counting
	st     *core.Store // of those who wait
	cli    *core.Store // of others
}

func (c *treeCrowd) commit(st *core.Store, sw store.Op) {
	c.Helper()
	res, err := st.Commit(c.Context(), store.Txn{Ops: []store.Op{sw}})
	if err != nil || !res.Done {
		c.Fatalf("refused: %+v: %+v, %v", sw, res, err)
	}
}

// join lets one more wait, with an entry in the log, and lets that be heard of.
func (c *treeCrowd) join(name, id string) {
	c.Helper()
	sw := join(name, id, "p", 0)
	sw.Event, sw.Waiter.Event = &store.Event{Kind: "waiting"}, &store.Event{Kind: "captured"}
	c.commit(c.st, sw)
	time.Sleep(time.Millisecond)
}

func (c *treeCrowd) acquire(name, session string) {
	c.Helper()
	sw := acquire(name, session)
	sw.Event = &store.Event{Kind: "captured"}
	c.commit(c.cli, sw)
}

// sweep lets gates fall due, and sweeps them.
func (c *treeCrowd) sweep() {
	c.Helper()
	time.Sleep(6 * time.Second)
	if _, err := c.st.Sweep(c.Context(), store.Retention{}); err != nil {
		c.Fatal(err)
	}
}

func child(i int) string { return fmt.Sprint("g/m/", i) }

// What those cost who wait in a tree grows with what happens, and not with how many of
// them there are beside it.
func TestTheWorkForACrowdInATreeIsInProportion(t *testing.T) {
	crowd := func(c *treeCrowd, n int) {
		c.acquire("g/m/", "boss")
		for i := range n {
			c.join(child(i), fmt.Sprint("w", i))
		}
	}
	for _, test := range []struct {
		name   string
		before func(c *treeCrowd, n int)
		during func(c *treeCrowd, n int)
		most   int64 // for each of n
	}{
		{"joins below one held node", func(c *treeCrowd, _ int) { c.acquire("g/m/", "boss") }, func(c *treeCrowd, n int) {
			for i := range n {
				c.join(child(i), fmt.Sprint("w", i))
			}
		}, 40},
		{"joins below a node that another waits for", func(c *treeCrowd, _ int) {
			c.acquire("g/m/x", "ann")
			c.join("g/m/", "all")
		}, func(c *treeCrowd, n int) {
			for i := range n {
				c.join(child(i), fmt.Sprint("w", i))
			}
		}, 40},
		{"joins below a node each", func(c *treeCrowd, n int) {
			for i := range n {
				c.acquire(fmt.Sprintf("g/m%d/", i), "boss")
			}
		}, func(c *treeCrowd, n int) {
			for i := range n {
				c.join(fmt.Sprintf("g/m%d/1", i), fmt.Sprint("w", i))
			}
		}, 40},
		{"entries of other names", crowd, func(c *treeCrowd, n int) {
			for i := range n {
				c.acquire(fmt.Sprintf("g/other/%d", i), "ann")
				time.Sleep(time.Millisecond)
			}
		}, 12},
		{"a node that is released", crowd, func(c *treeCrowd, n int) {
			c.commit(c.cli, release("g/m/", "boss"))
			time.Sleep(time.Duration(n) * time.Millisecond)
			for i := range n {
				view, err := c.cli.Get(c.Context(), child(i), "")
				if err != nil || view.Record == nil || view.Record.Request != fmt.Sprint("w", i) {
					c.Fatalf("who waits for %s has %+v, %v", child(i), view.Record, err)
				}
			}
		}, 45},
		{"a node that goes on to another waiter", func(c *treeCrowd, n int) {
			c.acquire("g/m/", "boss")
			c.join("g/m/", "next")
			for i := range n {
				c.join(child(i), fmt.Sprint("w", i))
			}
		}, func(c *treeCrowd, _ int) {
			c.commit(c.cli, release("g/m/", "boss"))
			time.Sleep(time.Second)
		}, 1},
		{"one leaves the queue of a node, and another does not", func(c *treeCrowd, n int) {
			c.acquire("g/m/x", "ann")
			c.join("g/m/", "all")
			c.join("g/m/", "next")
			for i := range n {
				c.join(child(i), fmt.Sprint("w", i))
			}
		}, func(c *treeCrowd, _ int) {
			sw := leave("g/m/", "all")
			sw.Event = &store.Event{Kind: "declined"}
			c.commit(c.st, sw)
			time.Sleep(time.Second)
		}, 1},
		{"gates that are due", crowd, func(c *treeCrowd, n int) {
			before := c.engine.commits.Load()
			c.sweep()
			if commits := c.engine.commits.Load() - before; commits > int64(n/64+n/200+2) {
				c.Errorf("%d gates took %d commits", n, commits)
			}
		}, 18},
	} {
		t.Run(test.name, func(t *testing.T) {
			cost := func(n int) (work int64) {
				synctest.Test(t, func(t *testing.T) {
					c := &treeCrowd{T: t, engine: &counting{Engine: memory.NewEngine(nil)}}
					c.st, c.cli = core.New(c.engine), core.New(c.engine)
					defer func() { _, _ = c.st.Close(), c.cli.Close() }()
					defer c.st.Subscribe("p").Close()
					if _, err := c.st.KeepAlive(t.Context(), "p", time.Hour); err != nil {
						t.Fatal(err)
					}
					test.before(c, n)
					time.Sleep(time.Second)
					before := c.engine.work.Load()
					test.during(c, n)
					time.Sleep(time.Second)
					work = c.engine.work.Load() - before
				})
				return work
			}
			few, many := cost(100), cost(400)
			t.Logf("%d for 100, %d for 400", few, many)
			if many > 5*few+100 {
				t.Errorf("what 100 cost %d times, 400 cost %d times", few, many)
			}
			if many > 400*test.most {
				t.Errorf("each of 400 cost %d; want %d at most", many/400, test.most)
			}
		})
	}
}
