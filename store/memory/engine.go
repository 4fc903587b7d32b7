// Package memory keeps a store in the memory of one process: for tests, for
// programs that lock among their own goroutines, and as the plainest reading
// of the contract in package kv.
//
// Guarantees: all laws of package kv but the sixth, as it has no disk. Nothing
// outlives Close. Its clock is the process's.
package memory

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/btree"

	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
)

// Options adjusts a store. Nil means defaults.
type Options struct {
	// Now is the store's clock, for tests. Nil means time.Now.
	Now func() time.Time
}

// New returns an empty store.
func New(o *Options) *core.Store { return core.New(NewEngine(o)) }

// Engine is a kv.Engine in memory. Make it with NewEngine.
type Engine struct {
	now func() time.Time

	mu        sync.Mutex
	closed    bool
	last      uint64 // the highest number given out
	rows      *btree.BTreeG[*row]
	sought    row // what is looked for in rows
	tags      *btree.BTreeG[tagged]
	due       *btree.BTreeG[*row]
	lent      map[string]map[string]bool // keys by the key they live with
	log       log
	listeners kv.Listeners
}

// row is a row as it is stored. It is never changed, only replaced.
type row = kv.Row

type tagged struct{ tag, key string }

// NewEngine returns an empty engine.
func NewEngine(o *Options) *Engine {
	const degree = 32 // of the B-trees: the library's own choice for speed
	e := &Engine{
		now:  time.Now,
		rows: btree.NewG(degree, func(a, b *row) bool { return a.Key < b.Key }),
		tags: btree.NewG(degree, func(a, b tagged) bool { return a.tag < b.tag || a.tag == b.tag && a.key < b.key }),
		due: btree.NewG(degree, func(a, b *row) bool {
			return a.Due.Before(b.Due) || a.Due.Equal(b.Due) && a.Key < b.Key
		}),
		lent: make(map[string]map[string]bool),
		log:  newLog(),
	}
	if o != nil && o.Now != nil {
		e.now = o.Now
	}
	return e
}

// enter locks the engine and reads its clock.
func (e *Engine) enter(ctx context.Context) (now time.Time, err error) {
	if err := ctx.Err(); err != nil {
		return now, err
	}
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return now, kv.ErrClosed
	}
	return e.now().UTC().Truncate(time.Microsecond), nil
}

// Commit implements kv.Engine.
func (e *Engine) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	now, err := e.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer e.mu.Unlock()
	answers := make([]kv.Answer, len(txns))
	for i := range txns {
		answers[i] = e.commit(&txns[i], now)
	}
	return answers, nil
}

func (e *Engine) commit(txn *kv.Txn, now time.Time) kv.Answer {
	a := kv.Answer{Now: now}
	if a.Replayed = e.log.knows(txn.Once, now); !a.Replayed {
		a.Done = !now.Before(txn.Since) && !slices.ContainsFunc(txn.If, func(c kv.Cond) bool { return !e.holds(&c, now) })
	}
	if a.Done {
		a.First = e.last + 1
		e.last += uint64(txn.Numbers)
		for i := range txn.Then {
			e.write(&txn.Then[i], e.last-uint64(txn.Numbers), now)
		}
		e.log.add(txn.Log, a.First-1, now)
	}
	a.Found = e.find(txn.Read, now)
	if a.Done {
		e.listeners.Tell(kv.NewsOf(txn, &a))
	}
	return a
}

// Limits implements kv.Engine: there is nothing to share.
func (e *Engine) Limits() kv.Limits { return kv.Limits{} }

// at returns the row under a key; nil: there is none.
func (e *Engine) at(key string) *row {
	e.sought.Key = key
	r, _ := e.rows.Get(&e.sought)
	return r
}

// get returns the row under a key; nil: there is none, or its lease has ended.
func (e *Engine) get(key string, now time.Time) *row {
	if r := e.at(key); r != nil && e.leased(r, now) {
		return r
	}
	return nil
}

// leased reports whether the lease of a row lives, if it has one.
func (e *Engine) leased(r *row, now time.Time) bool {
	if r.Lease == "" {
		return true
	}
	l := e.get(r.Lease, now)
	return l != nil && l.Live(now)
}

func (e *Engine) holds(c *kv.Cond, now time.Time) bool {
	switch {
	case c.Key != "":
	case c.NoneDue:
		return len(e.search(&kv.Range{Prefix: c.Prefix, Overdue: true, Limit: 1, Brief: true}, now).Rows) == 0
	default:
		n := 0
		e.scan(&kv.Range{Prefix: c.Prefix, Tag: c.Tag}, now, func(r *row) bool {
			if c.Due || r.Live(now) {
				n++
			}
			return n <= c.AtMost
		})
		return n <= c.AtMost
	}
	r := e.get(c.Key, now)
	if r == nil || c.Absent {
		return r == nil && c.Absent
	}
	return r.Live(now) != c.Dead &&
		(c.Rev == 0 || r.Rev == c.Rev) && (c.Ver == 0 || r.Ver == c.Ver) &&
		(c.Tag == "" || slices.Contains(r.Tags, c.Tag)) && (c.Lease == "" || r.Lease == c.Lease) &&
		(c.Data == nil || r.Data == *c.Data)
}

// write makes one write; before is the number before the first one drawn.
func (e *Engine) write(w *kv.Write, before uint64, now time.Time) {
	old := e.at(w.RowKey(before))
	if old != nil && !w.Renew {
		e.remove(old)
	}
	if w.Delete || w.Renew && old == nil {
		return
	}
	r := w.Row(old, before, now)
	if w.Renew {
		e.unindex(old)
	}
	if w.Lease != "" {
		if l := e.get(w.Lease, now); l == nil || !l.Live(now) {
			e.rows.Delete(r)
			return
		}
	}
	e.index(r)
}

func (e *Engine) index(r *row) {
	e.rows.ReplaceOrInsert(r)
	for _, tag := range r.Tags {
		e.tags.ReplaceOrInsert(tagged{tag, r.Key})
	}
	if !r.Due.IsZero() {
		e.due.ReplaceOrInsert(r)
	}
	if r.Lease != "" {
		if e.lent[r.Lease] == nil {
			e.lent[r.Lease] = make(map[string]bool)
		}
		e.lent[r.Lease][r.Key] = true
	}
}

func (e *Engine) unindex(r *row) {
	for _, tag := range r.Tags {
		e.tags.Delete(tagged{tag, r.Key})
	}
	e.due.Delete(r)
	if keys := e.lent[r.Lease]; keys != nil {
		delete(keys, r.Key)
		if len(keys) == 0 {
			delete(e.lent, r.Lease)
		}
	}
}

// remove removes a row and those that live with it.
func (e *Engine) remove(r *row) {
	e.rows.Delete(r)
	e.unindex(r)
	for key := range e.lent[r.Key] {
		if l := e.at(key); l != nil {
			e.remove(l)
		}
	}
}

// Read implements kv.Engine.
func (e *Engine) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	now, err := e.enter(ctx)
	if err != nil {
		return kv.Answer{}, err
	}
	defer e.mu.Unlock()
	return kv.Answer{Now: now, Found: e.find(ranges, now)}, nil
}

func (e *Engine) find(ranges []kv.Range, now time.Time) []kv.Found {
	found := make([]kv.Found, len(ranges))
	for i := range ranges {
		found[i] = e.search(&ranges[i], now)
	}
	return found
}

func (e *Engine) search(q *kv.Range, now time.Time) (found kv.Found) {
	e.scan(q, now, func(r *row) bool {
		if !q.Due && !q.Either && q.Key == "" && r.Live(now) == q.Overdue {
			return true
		}
		found.Count++
		if q.Limit > 0 && len(found.Rows) == q.Limit {
			return true
		}
		out := *r
		if q.Brief {
			out.Value = nil
		}
		out.Tags, out.Value = slices.Clone(out.Tags), slices.Clone(out.Value)
		found.Rows = append(found.Rows, out)
		if q.Beside != "" {
			prefix := q.BesideOf(r.Key)
			found.Beside = append(found.Beside, e.search(&kv.Range{Prefix: prefix, Limit: q.BesideLimit, Count: true}, now))
		}
		return q.Count || q.Limit == 0 || len(found.Rows) < q.Limit
	})
	return found
}

// scan visits the rows that a range is about, live or due, in the order of their
// keys, or of when they are due, until visit returns false.
func (e *Engine) scan(q *kv.Range, now time.Time, f func(r *row) bool) {
	visit := func(r *row) bool { return r == nil || !e.leased(r, now) || f(r) }
	from := max(q.Prefix, q.After)
	inside := func(key string) bool { return strings.HasPrefix(key, q.Prefix) }
	switch {
	case q.Key != "":
		visit(e.at(q.Key))
	case q.Due:
		e.due.Ascend(visit)
	case q.Overdue && q.Tag == "" && q.Lease == "" && !kv.IsGroup(q.Prefix):
		// Those that are due are fewer than all under a prefix that is no group.
		var due []*row
		e.due.AscendLessThan(&row{Due: now.Add(time.Microsecond)}, func(r *row) bool {
			if inside(r.Key) && r.Key > q.After {
				due = append(due, r)
			}
			return true
		})
		slices.SortFunc(due, func(a, b *row) int { return strings.Compare(a.Key, b.Key) })
		for _, r := range due {
			if !visit(r) {
				break
			}
		}
	case q.Lease != "":
		var keys []string
		for key := range e.lent[q.Lease] {
			if inside(key) {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		for _, key := range keys {
			if key > q.After && !visit(e.at(key)) {
				break
			}
		}
	case q.Tag != "":
		e.tags.AscendGreaterOrEqual(tagged{q.Tag, from}, func(t tagged) bool {
			return t.tag == q.Tag && inside(t.key) && (t.key == q.After || visit(e.at(t.key)))
		})
	default:
		e.rows.AscendGreaterOrEqual(&row{Key: from}, func(r *row) bool {
			return inside(r.Key) && (r.Key == q.After || visit(r))
		})
	}
}

// Listen implements kv.Engine.
func (e *Engine) Listen(f func(kv.News)) (stop func()) { return e.listeners.Add(f) }

// Close implements kv.Engine.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	return nil
}
