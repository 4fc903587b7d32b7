package storetest_test

import (
	"context"
	"slices"
	"strings"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/memory"
)

// treeBugs are in what stands above and below a name.
var treeBugs = []mutant{
	{"looks at nothing above", []string{"Trees"}, func(st *tampered) {
		st.alter(without(func(t *kv.Txn, c *kv.Cond) bool { return c.Absent && others(written(t), c.Key) }))
	}},
	{"looks at nothing below", []string{"Trees", "Paths"}, func(st *tampered) {
		st.alter(without(func(_ *kv.Txn, c *kv.Cond) bool { return c.Due && isHold(c.Prefix) }))
	}},
	{"goes by what it knew of a tree", []string{"Trees"}, func(st *tampered) {
		st.alter(without(func(_ *kv.Txn, c *kv.Cond) bool { return c.Absent && strings.HasPrefix(c.Key, "t") }))
	}},
	{"does not see who waits below", []string{"Trees", "Paths"}, func(st *tampered) {
		st.engine.found = func(r kv.Range, f *kv.Found) {
			if r.Brief && r.Lease == "" && strings.HasPrefix(r.Prefix, "q") {
				*f = kv.Found{}
			}
		}
	}},
	{"looks again at a name that is left to a waiter only when told", []string{"Trees"}, func(st *tampered) {
		st.alter(func(t *kv.Txn) {
			for i := range t.Then {
				if w := &t.Then[i]; isHold(w.Key) && len(w.Value) == 1 && w.TTL > 0 {
					w.TTL = 0
				}
			}
		})
	}},
	{"takes over whatever stands above and below", []string{"Trees", "Paths"}, func(st *tampered) {
		st.blind(func(req store.Txn) bool { return req.Ops[0].Do == store.Acquire && req.Ops[0].Expect.Token != 0 })
	}},
	{"lets a hold pass to anybody, whatever stands above and below", []string{"Trees", "Paths"}, func(st *tampered) {
		st.blind(func(req store.Txn) bool { return req.Ops[0].Do == store.Renew && req.Ops[0].Holder != nil })
	}},
	{"hands over whatever stands above and below", []string{"Trees", "Paths"}, func(st *tampered) {
		st.blind(func(req store.Txn) bool { return req.Ops[0].Do == store.Release })
	}},
	{"looks at nothing above and below for several names", []string{"Trees", "Paths"}, func(st *tampered) {
		st.blind(func(req store.Txn) bool { return len(req.Ops) > 1 })
	}},
	{"takes nobody who shares for a holder on the path", []string{"Trees", "Paths"}, func(st *tampered) {
		op := st.op
		st.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
			res, err := op(ctx, req)
			if err != nil || res.Done || len(res.Paths) != 1 || res.Paths[0] == nil {
				return res, err
			}
			for _, rec := range slices.Concat(res.Paths[0].Above, res.Paths[0].Below) {
				if rec.Share == store.Alone {
					return res, nil
				}
			}
			if len(res.Paths[0].Waits) > 0 {
				return res, nil
			}
			return st.onlySees(namesOf(req)...).Commit(ctx, req)
		}
	}},
	{"sweeps without a look above and below", []string{"Trees", "Paths"}, func(st *tampered) {
		e := newAltered(st.engine.Engine)
		e.txn = without(func(t *kv.Txn, c *kv.Cond) bool {
			return others(written(t), c.Key) || others(written(t), c.Prefix)
		})
		name, last := "", ""
		e.found = func(r kv.Range, f *kv.Found) { // the name is read first, its bells last
			if isHold(r.Key) && (last == "p" || strings.HasPrefix(last, "b")) {
				name = nameOf(r.Key)
			}
			if last = r.Prefix; !r.Due {
				onlyOf([]string{name}, f)
			}
		}
		st.sweep = core.New(e).Sweep
	}},
	{"lets who holds a node wait for those who wait for it", []string{"Trees", "Paths"}, func(st *tampered) {
		op, get := st.op, st.get
		st.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
			if sw := req.Ops[0]; len(req.Ops) == 1 && sw.Do == store.Acquire && sw.Expect.Free {
				if view, err := get(ctx, sw.Name, "nobody"); err == nil && view.Path != nil && len(view.Path.Waits) > 0 {
					return store.Result{Records: []*store.Record{view.Record}, Paths: []*store.Path{view.Path}, Now: view.Now}, nil
				}
			}
			return op(ctx, req)
		}
	}},
	{"tells nothing of who is in the way", []string{"Trees", "Paths"}, func(st *tampered) {
		st.paths(func(p *store.Path) { *p = store.Path{} })
	}},
	{"tells of who is below only", []string{"Trees", "Paths"}, func(st *tampered) {
		st.paths(func(p *store.Path) { p.Above = nil })
	}},
	{"does not tell who waits", []string{"Trees", "Paths"}, func(st *tampered) {
		st.paths(func(p *store.Path) { p.Waits = nil })
	}},
	{"counts only the holders below that it shows", []string{"Trees"}, func(st *tampered) {
		st.paths(func(p *store.Path) { p.More = 0 })
	}},
	{"forgets at a restart that a tree is in use", []string{"Trees"}, func(st *tampered) {
		e := st.engine
		st.restart = func(st *tampered) {
			found, err := e.Engine.Read(context.Background(), kv.Range{Prefix: "t"})
			var forget kv.Txn
			for _, row := range found.Found[0].Rows {
				forget.Then = append(forget.Then, kv.Write{Key: row.Key, Delete: true})
			}
			if err == nil {
				_, err = e.Engine.Commit(context.Background(), []kv.Txn{forget})
			}
			if err != nil {
				panic(err)
			}
			st.keepIn(core.New(e))
		}
	}},
}

// altered is an engine that is told, and tells, something else.
type altered struct {
	*memory.Engine
	txn   func(t *kv.Txn)
	found func(r kv.Range, f *kv.Found)
}

func (e *altered) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	txns = slices.Clone(txns)
	for i := range txns {
		t := &txns[i]
		t.If, t.Then = slices.Clone(t.If), slices.Clone(t.Then)
		e.txn(t)
	}
	answers, err := e.Engine.Commit(ctx, txns)
	for i := range answers {
		e.hide(txns[i].Read, answers[i].Found)
	}
	return answers, err
}

func (e *altered) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	answer, err := e.Engine.Read(ctx, ranges...)
	e.hide(ranges, answer.Found)
	return answer, err
}

func (e *altered) hide(ranges []kv.Range, found []kv.Found) {
	for i := range found {
		e.found(ranges[i], &found[i])
	}
}

// newAltered keeps what it is told in an engine.
func newAltered(e *memory.Engine) *altered {
	return &altered{e, func(*kv.Txn) {}, func(kv.Range, *kv.Found) {}}
}

// alter changes all transactions.
func (s *tampered) alter(change func(t *kv.Txn)) { s.engine.txn = change }

// without is a change that leaves out conditions.
func without(which func(t *kv.Txn, c *kv.Cond) bool) func(t *kv.Txn) {
	return func(t *kv.Txn) {
		t.If = slices.DeleteFunc(t.If, func(c kv.Cond) bool { return which(t, &c) })
	}
}

func isHold(key string) bool { return strings.HasPrefix(key, "h") }

// written are the names whose holds and waiters a transaction writes.
func written(t *kv.Txn) (names []string) {
	for _, w := range t.Then {
		names = append(names, nameOf(w.Key))
	}
	return names
}

// nameOf is the name that a key speaks of.
func nameOf(key string) string {
	name, _, _ := strings.Cut(key[1:], kv.Separator)
	return name
}

// others reports whether a key, or how keys begin, is of holds of, or of waiters for, a
// name that is none of these.
func others(names []string, key string) bool {
	return key != "" && strings.ContainsAny(key[:1], "hq") && !slices.Contains(names, nameOf(key))
}

// onlySees is a store on what is kept that sees nothing but these names.
func (s *tampered) onlySees(names ...string) store.Store {
	e := newAltered(s.engine.Engine)
	e.txn = without(func(_ *kv.Txn, c *kv.Cond) bool { return others(names, c.Key) || others(names, c.Prefix) })
	e.found = func(_ kv.Range, f *kv.Found) { onlyOf(names, f) }
	return core.New(e)
}

func onlyOf(names []string, f *kv.Found) {
	all := len(f.Rows)
	f.Rows = slices.DeleteFunc(f.Rows, func(r kv.Row) bool { return others(names, r.Key) })
	f.Count = max(0, f.Count-all+len(f.Rows))
}

// blind does some requests without a look at other names.
func (s *tampered) blind(which func(req store.Txn) bool) {
	op := s.op
	s.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
		if !which(req) {
			return op(ctx, req)
		}
		return s.onlySees(namesOf(req)...).Commit(ctx, req)
	}
}

func namesOf(req store.Txn) (names []string) {
	for _, sw := range req.Ops {
		names = append(names, sw.Name)
	}
	return names
}

// paths changes what is told of what is in the way.
func (s *tampered) paths(change func(p *store.Path)) {
	s.results(func(_ store.Txn, res *store.Result) {
		for _, p := range res.Paths {
			if p != nil {
				change(p)
			}
		}
	})
	get := s.get
	s.get = func(ctx context.Context, name, session string) (store.View, error) {
		view, err := get(ctx, name, session)
		if view.Path != nil {
			change(view.Path)
		}
		return view, err
	}
}
