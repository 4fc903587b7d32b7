package storetest

import (
	"slices"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/store"
)

var tableLaws = []law{
	{"every swap on every state does what the reference does", lawTable, 0},
}

// lawTable prepares all cells, lets what is to die there die, and does to each
// what it is about, twice, so that the second is a retry.
func lawTable(t *test) {
	cells := allCells()
	if t.quick() {
		cells = sample(cells, 16)
	}
	size := len(cells)
	if !t.clock.manual() {
		cells, size = sample(cells, 16), 300 // few enough to be ready before anything dies
	}
	for chunk := range slices.Chunk(cells, size) {
		runCells(t, chunk)
	}
	checkLog(t, cells)
	checkList(t, cells)
	wrong := 0
	for _, c := range cells {
		if c.err == nil {
			continue
		}
		if wrong++; wrong <= 5 {
			t.Errorf("%v (%s): %v", c, c.name, c.err)
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d cells are wrong", wrong, len(cells))
	}
	t.Logf("%d cells", len(cells))
}

func runCells(t *test, cells []*cell) {
	processes := map[string]float64{lively: 3600, "elsewhere": 3600, doomed: late / 2}
	start := t.clock.Now()
	for process, ttl := range processes {
		t.keepAlive(process, ttl)
		for _, c := range cells {
			c.world.processes[process] = start.Add(t.seconds(ttl))
		}
	}
	each(cells, func(c *cell) {
		early, _ := c.setUp(t)
		c.commitAll(t, early)
	})
	t.pass(late)
	each(cells, func(c *cell) {
		_, last := c.setUp(t)
		c.commitAll(t, last)
		c.test(t)
	})
}

// each calls f for all cells, many at a time: engines may share commits.
func each(cells []*cell, f func(c *cell)) {
	var wg sync.WaitGroup
	next := make(chan *cell)
	for range 256 {
		wg.Go(func() {
			for c := range next {
				if c.err == nil {
					f(c)
				}
			}
		})
	}
	for _, c := range cells {
		next <- c
	}
	close(next)
	wg.Wait()
}

func (c *cell) commitAll(t *test, ops []store.Op) {
	for _, sw := range ops {
		c.request(t, store.Txn{Ops: []store.Op{sw}})
	}
}

func (c *cell) request(t *test, req store.Txn) {
	if c.err != nil {
		return
	}
	res, err := t.st.Commit(t.ctx, req)
	if err != nil {
		c.err = err
		return
	}
	w, entries, err := c.world.commit(req, res)
	c.world, c.err = w, err
	c.log = append(c.log, entries...)
}

func (c *cell) test(t *test) {
	// The right condition is that of the record the operation will find, which is
	// not yet there where somebody is to be granted first.
	state := c.world.names[c.name].State
	settled, _ := store.Settle(c.name, state, c.world.env(t.clock.Now()))
	rec := settled.Record
	switch {
	case rec == nil:
		rec = state.Record
	case rec.Token >= unseen:
		guess := *rec
		guess.Token = 1
		if state.Record != nil {
			guess.Token = state.Record.Token
		}
		rec = &guess
	}
	sw := c.act.op(t, c, rec)
	sw.Name, sw.Expect = c.name, c.expect.of(rec)
	req := store.Txn{ID: "request of " + c.name, Ops: []store.Op{sw}}

	c.request(t, req)
	c.view(t)
	c.request(t, req)
}

func (c *cell) view(t *test) {
	if c.err != nil {
		return
	}
	view, err := t.st.Get(t.ctx, c.name, "")
	if err != nil {
		c.err = err
		return
	}
	c.world, c.err = c.world.get(c.name, "", view)
}

// checkLog compares the log with what the reference wrote, name by name.
func checkLog(t *test, cells []*cell) {
	t.Helper()
	got := map[string][]store.LogEntry{}
	q := store.LogQuery{Prefix: "cell/", Limit: 1000}
	for {
		page := t.log(q).Entries
		for _, e := range page {
			if e.Seq <= q.After {
				t.Fatalf("entry %d follows %d", e.Seq, q.After)
			}
			q.After = e.Seq
			got[e.Name] = append(got[e.Name], e)
		}
		if len(page) < q.Limit {
			break
		}
	}
	for _, c := range cells {
		if c.err != nil {
			continue
		}
		for i, e := range got[c.name] {
			if i < len(c.log) && c.log[i].Token >= unseen && e.Token > 0 {
				c.log[i].Token = e.Token // a grant's, not known before
			}
		}
		if !slices.EqualFunc(c.log, got[c.name], sameEntry) {
			c.err = &mismatch{c.log, got[c.name]}
		}
	}
}

// checkList compares all that is held with the reference, page by page.
func checkList(t *test, cells []*cell) {
	t.Helper()
	want := map[string]bool{}
	got := map[string]bool{}
	q := store.RecordQuery{Prefix: "cell/", Limit: 500}
	for {
		page, err := t.st.List(t.ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range page.Records {
			got[rec.Name] = true
			if rec.Name <= q.After {
				t.Fatalf("List has %q after %q", rec.Name, q.After)
			}
			q.After = rec.Name
		}
		if len(page.Records) < q.Limit {
			for _, c := range cells {
				if c.err == nil && c.world.names[c.name].InForce(c.world.env(page.Now)) != nil {
					want[c.name] = true
				} else if c.err != nil {
					delete(got, c.name)
				}
			}
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" && t.clock.manual() {
		t.Errorf("names that List has (-want +got):\n%s", diff)
	}
}
