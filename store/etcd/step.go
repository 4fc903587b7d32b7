package etcd

import (
	"cmp"
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/editlock/editlock/store/kv"
)

// step is a transaction on its way to an answer: worked out on a view, in
// which what it uses is noted.
type step struct {
	txn    *kv.Txn
	answer *kv.Answer
	open   bool
	drew   []string // the first numbers of tries whose answers were lost

	view    *view
	now     time.Time
	before  uint64 // the number before the first one drawn
	uses    []fact
	used    map[fact]bool   // the same, once they are many
	unknown bool            // some must be read first,
	likely  []fact          // and these will be wanted then
	over    map[string]*row // as the step leaves them; nil values: removed
	wrote   []written
	sorted  []string // the keys of those
	ops     []*pb.RequestOp
	final   bool // the answer is of one moment, and nothing is written
	ends    bool // rows end that others may speak of
	late    bool // what is found is read after the commit
}

// use notes a fact.
func (s *step) use(f fact) {
	const many = 16
	switch {
	case len(s.uses) < many:
		if slices.Contains(s.uses, f) {
			return
		}
	case s.used[f]:
		return
	case len(s.used) == 0:
		s.used = make(map[fact]bool)
		for _, f := range s.uses {
			s.used[f] = true
		}
		if s.used[f] {
			return
		}
	}
	if s.uses = append(s.uses, f); len(s.uses) > many {
		s.used[f] = true
	}
}

// stored is the row under a key, whether or not its lease lives; nil: none.
func (s *step) stored(key string, assume bool) *row {
	if r, ok := s.over[key]; ok {
		return r
	}
	val := s.view.row(key, assume)
	if s.use(fact{key: key}); val == nil {
		s.unknown = true
		return nil
	}
	return val.row
}

// span is what is under a prefix, or between two keys. It is used unless only the
// first of it is known: what of that is used must be noted by itself. Nothing may be
// assumed to be where there may be many: if that is wrong, etcd reads them all to
// find out.
func (s *step) span(f fact, assume bool) *span {
	found := s.view.span(f, assume)
	if found == nil {
		s.use(f)
		s.unknown = true
		for _, lease := range s.view.e.known.under(f.key).leases {
			s.likely = append(s.likely, fact{key: lease})
		}
		return &span{}
	}
	if !found.more {
		f.limit = min(f.limit, 1) * usedKeys
		s.use(f)
	}
	return found
}

func (s *step) lives(r *row) bool {
	return r.Lease == "" || r.livesWith(s.stored(r.Lease, false), s.now)
}

// get returns a row that is live or due; nil: there is none.
func (s *step) get(key string, assume bool) *row {
	r := s.stored(key, assume)
	if r == nil || !s.lives(r) {
		return nil
	}
	return r
}

// under are the rows with a prefix whose leases live, in the order of their
// keys, and with a tag if there is one.
func (s *step) under(prefix, tag string) (found []*row) {
	add := func(r *row) {
		if r != nil && strings.HasPrefix(r.Key, prefix) && (tag == "" || slices.Contains(r.Tags, tag)) && s.lives(r) {
			found = append(found, r)
		}
	}
	for _, r := range s.span(under(s.view.e.keys.row(prefix), firstKeys), kv.IsGroup(prefix)).rows {
		if _, changed := s.over[r.Key]; !changed {
			add(r)
		}
	}
	at, _ := slices.BinarySearch(s.sorted, prefix)
	for _, key := range s.sorted[at:] {
		if !strings.HasPrefix(key, prefix) {
			break
		}
		add(s.over[key])
	}
	slices.SortFunc(found, func(a, b *row) int { return cmp.Compare(a.Key, b.Key) })
	return found
}

// run works out the transaction, as far as the view goes.
func (s *step) run(v *view, now time.Time, before uint64) {
	t := s.txn
	s.view, s.now, s.before = v, now, before
	clear(s.used)
	s.uses, s.unknown, s.likely, s.over, s.ops, s.late, s.ends = s.uses[:0], false, nil, nil, nil, false, false
	s.wrote, s.sorted = s.wrote[:0], s.sorted[:0]
	*s.answer = kv.Answer{Now: now, First: before + 1}
	if t.Once != "" {
		if done := s.span(under(v.e.keys.once(t.Once), 0), true); len(done.vals) > 0 {
			s.answer.Replayed = true
			if first := string(done.vals[0]); slices.Contains(s.drew, first) { // by a try of its own
				n, _ := numberOf(done.vals[0])
				s.answer.Done, s.answer.Replayed, s.answer.First = true, false, n
			}
			s.find()
			return
		}
	}
	s.answer.Done = !now.Before(t.Since)
	for i := range t.If {
		if !s.holds(&t.If[i]) {
			s.answer.Done = false
		}
	}
	if s.answer.Done {
		s.over = make(map[string]*row, len(t.Then))
		for i := range t.Then {
			s.write(&t.Then[i])
		}
		s.operations()
	}
	s.find()
}

func (s *step) holds(c *kv.Cond) bool {
	if c.Key == "" {
		return s.counts(c)
	}
	r := s.get(c.Key, c.Absent)
	if r == nil || c.Absent {
		return r == nil && c.Absent
	}
	return r.Live(s.now) != c.Dead &&
		(c.Rev == 0 || r.Rev == c.Rev) && (c.Ver == 0 || r.Ver == c.Ver) &&
		(c.Tag == "" || slices.Contains(r.Tags, c.Tag)) && (c.Lease == "" || r.Lease == c.Lease) &&
		(c.Data == nil || r.Data == *c.Data)
}

// write makes one write.
func (s *step) write(w *kv.Write) {
	key := w.RowKey(s.before)
	var old *row
	if !w.Numbered {
		old = s.stored(key, !w.Delete && !w.Renew)
	}
	switch {
	case old == nil && (w.Delete || w.Renew):
		return
	case old != nil && !w.Renew:
		s.end(old)
	}
	if w.Delete {
		s.replace(key, old, nil)
		return
	}
	var kept *kv.Row
	if w.Renew {
		kept = &old.Row
	}
	r := &row{*w.Row(kept, s.before, s.now)}
	if w.Lease != "" && !s.lives(r) {
		r = nil
	}
	s.replace(key, old, r)
}

// end removes the rows that live with one.
func (s *step) end(old *row) {
	if old.Lease != "" {
		return // a lease has none
	}
	for _, key := range s.span(under(s.view.e.keys.lease(old.Key), 0), true).keys {
		if r := s.stored(key, false); r != nil && r.Lease == old.Key {
			s.ends = true
			s.replace(key, r, nil)
		}
	}
}

// replace writes a row in place of another; nil: none.
func (s *step) replace(key string, old, r *row) {
	if _, again := s.over[key]; !again {
		if old == nil && r == nil {
			return
		}
		s.wrote = append(s.wrote, written{key: key, old: old})
	}
	s.over[key] = r
}

// written is a row that the step writes.
type written struct {
	key string
	old *row
	raw string // as it is stored then; empty: there is none
}

// operations are what etcd has to do for what was written.
func (s *step) operations() {
	k := s.view.e.keys
	for i := range s.wrote {
		s.sorted = append(s.sorted, s.wrote[i].key)
	}
	slices.Sort(s.sorted)
	for i := range s.wrote {
		w := &s.wrote[i]
		r := s.over[w.key]
		was, is := w.old.indexed(k), r.indexed(k)
		for _, key := range was {
			if !slices.Contains(is, key) {
				s.ops = append(s.ops, remove(key))
			}
		}
		if r != nil {
			w.raw = r.encode()
			s.ops = append(s.ops, put(k.row(w.key), w.raw))
		} else if w.old != nil {
			s.ops = append(s.ops, remove(k.row(w.key)))
		}
		for _, key := range is {
			if !slices.Contains(was, key) {
				s.ops = append(s.ops, put(key, ""))
			}
		}
	}
}

// find fills in what the ranges of the transaction find.
func (s *step) find() {
	for i := range s.txn.Read {
		q := &s.txn.Read[i]
		k := s.view.e.keys
		switch {
		case q.Key != "":
			s.get(q.Key, false)
		case q.Lease != "" && len(s.span(under(k.lease(q.Lease), firstKeys), true).keys) == 0:
		case q.Prefix == "" || q.Lease != "" || q.Due || q.Beside != "" || s.crowded(q.Prefix):
			s.late = true
		default:
			s.under(q.Prefix, q.Tag)
		}
	}
	if s.unknown || s.late {
		return
	}
	s.answer.Found = make([]kv.Found, len(s.txn.Read))
	for i := range s.txn.Read {
		q, found := &s.txn.Read[i], &s.answer.Found[i]
		var rows []*row
		switch {
		case q.Key != "":
			if r := s.get(q.Key, false); r != nil {
				rows = append(rows, r)
			}
		case q.Lease != "":
		default:
			for _, r := range s.under(q.Prefix, q.Tag) {
				if r.Key > q.After && r.Live(s.now) != q.Overdue {
					rows = append(rows, r)
				}
			}
		}
		found.Count = len(rows)
		for _, r := range rows {
			if q.Limit == 0 || len(found.Rows) < q.Limit {
				found.Rows = append(found.Rows, r.copied(q.Brief))
			}
		}
	}
}
