package etcd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// value is what is under a key, as far as known.
type value struct {
	raw string // as it is stored; empty: there is none
	row *row
	rev int64 // the revision at which it was read; 0: it is remembered, or assumed
}

// span is what is under a prefix, or the first of it.
type span struct {
	keys []string // without the prefix
	vals [][]byte
	rows []*row // of a prefix of rows
	more bool   // there are more keys, which were not read
	rev  int64  // the revision at which it was read; 0: it is assumed to be empty
}

// serves reports whether so many keys are known, or all; 0: all are wanted.
func (s *span) serves(limit int) bool { return !s.more || limit > 0 && len(s.keys) >= limit }

// view is what is known of the store while some transactions are worked out.
// Nothing in it decides: what a transaction uses goes along as comparisons.
type view struct {
	e     *engine
	rows  map[string]*value // by the key of the row
	spans map[fact]*span    // by what all facts of them have
	exact bool              // nothing may be assumed
	at    int64             // the time of a batch that some of it was read after
	times map[int64]int64   // of the last batch, by revision
}

func newView(e *engine) *view {
	return &view{e: e, rows: make(map[string]*value), spans: make(map[fact]*span), times: make(map[int64]int64)}
}

// row returns what is known of a row, or assumes that there is none; nil: it
// has to be read.
func (v *view) row(key string, assume bool) *value {
	val := v.rows[key]
	if val == nil && !v.exact {
		if val = v.e.known.get(key); val == nil && assume {
			val = &value{}
		}
		if val != nil {
			v.rows[key] = val
		}
	}
	return val
}

// span returns as much as is wanted of what is known to be under a prefix, or assumes
// that nothing is; nil: it has to be read.
func (v *view) span(f fact, assume bool) *span {
	found := v.spans[f.whole()]
	if found == nil && assume && !v.exact && !v.e.known.crowded(f.key) {
		found = &span{}
		v.spans[f.whole()] = found
	}
	if found == nil || !found.serves(f.limit) {
		return nil
	}
	return found
}

// passed takes in the time of the last batch at a revision.
func (v *view) passed(rev int64, got *pb.RangeResponse) {
	v.times[rev] = v.e.passed(got)
	v.at = max(v.at, v.times[rev])
}

// fact is one thing that a step uses: a row, or all that is between two keys.
type fact struct {
	key   string
	until string // empty: key is that of a row
	limit int    // of what is between keys, so many are wanted first; 0: all
}

// under is what is under a prefix.
func under(prefix string, limit int) fact { return fact{prefix, after(prefix), limit} }

// whole is the fact without a limit.
func (f fact) whole() fact { return fact{key: f.key, until: f.until} }

func (k keys) reads(facts []fact) []*pb.RequestOp {
	ops := make([]*pb.RequestOp, len(facts))
	for i, f := range facts {
		if f.until == "" {
			ops[i] = get(k.row(f.key))
			continue
		}
		r := scan(f.key, f.until)
		r.Limit = int64(f.limit)
		ops[i] = read(r)
	}
	return ops
}

// learn takes in the answers to the reads of facts.
func (v *view) learn(facts []fact, answers []*pb.RangeResponse, rev int64) error {
	k := v.e.keys
	for i, f := range facts {
		got := answers[i]
		if f.until == "" {
			val := &value{rev: rev}
			if found := first(got); found != nil {
				r, err := decodeRow(f.key, found.Value)
				if err != nil {
					return fmt.Errorf("etcd: row %q: %w", f.key, err)
				}
				val.raw, val.row = string(found.Value), r
			}
			v.rows[f.key] = val
			v.e.known.set(f.key, val)
			continue
		}
		s := &span{rev: rev, more: got.More}
		for _, found := range got.Kvs {
			key := string(found.Key[len(f.key):])
			s.keys, s.vals = append(s.keys, key), append(s.vals, found.Value)
			if row, ok := strings.CutPrefix(string(found.Key), k.row("")); ok {
				r, err := decodeRow(row, found.Value)
				if err != nil {
					return fmt.Errorf("etcd: row %q: %w", row, err)
				}
				s.rows = append(s.rows, r)
				v.rows[row] = &value{raw: string(found.Value), row: r, rev: rev}
			}
		}
		if old := v.spans[f.whole()]; old == nil || old.rev != rev || len(old.keys) <= len(s.keys) {
			v.spans[f.whole()] = s
			v.e.known.saw(f.key, s)
		}
	}
	return nil
}

// read reads facts at one moment. Those that stay as they are it reads once.
func (v *view) read(ctx context.Context, facts []fact) error {
	if v.exact {
		facts = slices.DeleteFunc(facts, func(f fact) bool {
			return f.until != "" && v.span(f, false) != nil || f.until == "" && v.rows[f.key] != nil
		})
	}
	got, rev, err := v.e.readAgain(ctx, append(v.e.keys.reads(facts), get(v.e.keys.time()))...)
	if err != nil {
		return err
	}
	v.passed(rev, got[len(facts)])
	return v.learn(facts, got, rev)
}

// moment is the one revision at which all facts were read; 0: there is none.
func (v *view) moment(facts []fact) (rev int64) {
	for i, f := range facts {
		at := int64(0)
		if f.until != "" {
			at = v.spans[f.whole()].rev
		} else {
			at = v.rows[f.key].rev
		}
		if at == 0 || i > 0 && at != rev {
			return 0
		}
		rev = at
	}
	return rev
}

// compares says that facts are still true.
func (v *view) compares(ifs []*pb.Compare, facts []fact) []*pb.Compare {
	k := v.e.keys
	for _, f := range facts {
		if f.until == "" {
			if val := v.rows[f.key]; val.raw == "" {
				ifs = append(ifs, absent(k.row(f.key)))
			} else {
				ifs = append(ifs, is(k.row(f.key), val.raw))
			}
			continue
		}
		s := v.spans[f.whole()]
		if len(s.keys) == 0 {
			ifs = append(ifs, none(f.key, f.until))
			continue
		}
		ifs = append(ifs, noneNew(f.key, f.until, s.rev))
		for _, key := range s.keys {
			if len(s.keys) <= maxKept && !slices.Contains(facts, fact{key: strings.TrimPrefix(f.key, k.row("")) + key}) {
				ifs = append(ifs, exists(f.key+key))
			}
		}
	}
	return ifs
}

// maxKept is up to how many keys under a prefix each is compared, too.
const maxKept = 24

// known is what this process has read or written last.
type known struct {
	mu    sync.Mutex
	rows  map[string]*value
	bytes int // of them
	// spans are prefixes under which something was. To read what is there now costs
	// less than to assume nothing.
	spans map[string]seen
}

// seen is what was under a prefix: leases of the first rows and, where there were more
// than were read, the keys of some.
type seen struct{ leases, keys []string }

// maxKnown bounds how many values are known, and maxKnownBytes how large they
// are together.
const maxKnown, maxKnownBytes = 1 << 15, 16 << 20

func (m *known) get(key string) *value {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rows[key]
}

// set remembers a value; of one that is not there it remembers nothing.
func (m *known) set(key string, val *value) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.forget(key); val.row == nil {
		return
	}
	if m.rows == nil {
		m.rows = make(map[string]*value)
	}
	for other := range m.rows { // any
		if len(m.rows) < maxKnown && m.bytes+len(val.raw) <= maxKnownBytes {
			break
		}
		m.forget(other)
	}
	m.rows[key] = &value{raw: val.raw, row: val.row}
	m.bytes += len(val.raw)
}

func (m *known) forget(key string) {
	if val := m.rows[key]; val != nil {
		m.bytes -= len(val.raw)
		delete(m.rows, key)
	}
}

// crowded reports whether something was under a prefix last.
func (m *known) crowded(prefix string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, was := m.spans[prefix]
	return was
}

// under is what was under a prefix last.
func (m *known) under(prefix string) seen {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spans[prefix]
}

// saw notes what is under a prefix.
func (m *known) saw(prefix string, s *span) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(s.keys) == 0 {
		delete(m.spans, prefix)
		return
	}
	if m.spans == nil || len(m.spans) >= maxKnown {
		m.spans = make(map[string]seen)
	}
	var was seen
	for _, r := range s.rows[:min(len(s.rows), maxSeen)] {
		if r.Lease != "" && !slices.Contains(was.leases, r.Lease) {
			was.leases = append(was.leases, r.Lease)
		}
		if s.more {
			was.keys = append(was.keys, r.Key)
		}
	}
	m.spans[prefix] = was
}

// maxSeen is of how many rows under a prefix something is known.
const maxSeen = 4
