package etcd

import (
	"context"
	"errors"
	"math"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/editlock/editlock/store/kv"
)

// Log implements kv.Engine.
func (e *engine) Log(ctx context.Context, queries ...kv.LogQuery) ([]kv.LogPage, error) {
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	at, err := e.now(ctx)
	if err != nil {
		return nil, err
	}
	for {
		pages, err := e.pages(ctx, queries)
		if errors.Is(err, rpctypes.ErrCompacted) || errors.Is(err, errIndexBack) { // while it was read: begin again
			continue
		}
		for i := range pages {
			pages[i].Now = fromMicros(at)
		}
		return pages, err
	}
}

// logReader collects pages, all of one moment.
type logReader struct {
	e      *engine
	m      moment
	index  index
	last   uint64
	tail   []uint64            // keys of the log that are not indexed
	chunks map[uint64][]logged // by their key; nil: there is none
}

// pageSearch is a page that is being collected.
type pageSearch struct {
	q     kv.LogQuery
	page  *kv.LogPage
	from  uint64   // marks from this number on were not read
	more  bool     // there may be such
	parts []uint64 // keys of the log to look at, in the order of the query
}

func (e *engine) pages(ctx context.Context, queries []kv.LogQuery) ([]kv.LogPage, error) {
	r := &logReader{e: e, m: moment{e: e, ctx: ctx}, chunks: make(map[uint64][]logged)}
	pages := make([]kv.LogPage, len(queries))
	all := make([]*pageSearch, len(queries))
	tagged := false
	for i, q := range queries {
		if q.Before == 0 {
			q.Before = math.MaxUint64
		}
		all[i] = &pageSearch{q: q, page: &pages[i], from: min(q.After, 1<<62) + 1, more: q.Tag != "" && !q.Newest}
		tagged = tagged || q.Tag != ""
	}
	if err := r.begin(all, tagged); err != nil {
		return nil, err
	}
	for i := range pages {
		pages[i].Floor, pages[i].Last = r.index.Floor, r.last
	}
	var open []*pageSearch
	for _, s := range all {
		switch {
		case s.q.Tag != "" && !s.q.Newest:
			open = append(open, s)
		case s.q.Limit > 0:
			if err := r.scan(s); err != nil {
				return nil, err
			}
		}
	}
	return pages, r.forward(open)
}

// marksFirst is how many marks of a tag are read first, and marksThen how many
// later on: most tags have few.
const marksFirst, marksThen = 6, 64

var errIndexBack = errors.New("etcd: the index of the log was set back")

// begin reads what all pages need, and the first marks of those that go forward
// by a tag.
func (r *logReader) begin(all []*pageSearch, tagged bool) error {
	k, indexed := r.e.keys, r.e.indexed.Load()
	reads := []*pb.RangeRequest{{Key: []byte(k.step())}, {Key: []byte(k.index())}}
	if tagged {
		reads = append(reads, scan(k.log(indexed+1), after(k.logs())))
	}
	for _, s := range all {
		if s.q.Tag != "" {
			reads = append(reads, scan(k.once(s.q.Tag[1:]), after(k.once(s.q.Tag[1:]))))
			reads[len(reads)-1].KeysOnly = true
		}
		if s.more {
			reads = append(reads, r.marks(s, marksFirst))
		}
	}
	got, err := r.m.get(reads)
	if err != nil {
		return err
	}
	if step := first(got[0]); step != nil {
		r.last = leading(step.Value)
	}
	if r.index, err = decodeIndex(first(got[1])); err != nil {
		return err
	}
	if r.e.indexed.Store(r.index.Indexed); r.index.Indexed < indexed && tagged {
		return errIndexBack // a snapshot was restored
	}
	if got = got[2:]; !tagged {
		return nil
	}
	if err := r.take(got[0].Kvs); err != nil {
		return err
	}
	for n := range r.chunks {
		if n > r.index.Indexed {
			r.tail = append(r.tail, n)
		}
	}
	slices.Sort(r.tail)
	got = got[1:]
	for _, s := range all {
		if s.q.Tag == "" {
			continue
		}
		for _, kv := range got[0].Kvs {
			n, err := numberOf(kv.Key)
			if err != nil {
				return err
			}
			s.parts = append(s.parts, n)
		}
		for _, n := range r.tail {
			if slices.ContainsFunc(r.chunks[n], func(e logged) bool { return slices.Contains(e.tags, s.q.Tag) }) {
				s.parts = append(s.parts, n)
			}
		}
		if got = got[1:]; s.more {
			if err := s.mark(got[0]); err != nil {
				return err
			}
			got = got[1:]
		}
	}
	return nil
}

// marks reads the next marks of a search.
func (r *logReader) marks(s *pageSearch, limit int64) *pb.RangeRequest {
	prefix := r.e.keys.mark(s.q.Tag)
	marks := scan(prefix+number(s.from), after(prefix))
	marks.Limit = limit
	return marks
}

// mark takes in marks.
func (s *pageSearch) mark(got *pb.RangeResponse) error {
	for _, kv := range got.Kvs {
		parts, err := decodeMark(kv.Value)
		if err != nil {
			return err
		}
		if s.parts = append(s.parts, parts...); len(parts) > 0 {
			s.from = parts[len(parts)-1] + 1
		}
	}
	s.more = got.More
	return nil
}

// take takes in keys of the log.
func (r *logReader) take(kvs []*mvccpb.KeyValue) error {
	for _, kv := range kvs {
		n, err := numberOf(kv.Key)
		if err != nil {
			return err
		}
		if r.chunks[n], err = decodeLog(kv.Value); err != nil {
			return err
		}
	}
	return nil
}

// fetch reads keys of the log that were not read yet.
func (r *logReader) fetch(parts []uint64) error {
	var reads []*pb.RangeRequest
	for _, n := range parts {
		if _, known := r.chunks[n]; !known {
			r.chunks[n] = nil // pruned meanwhile
			reads = append(reads, &pb.RangeRequest{Key: []byte(r.e.keys.log(n))})
		}
	}
	got, err := r.m.get(reads)
	if err != nil {
		return err
	}
	for _, some := range got {
		if err := r.take(some.Kvs); err != nil {
			return err
		}
	}
	return nil
}

// partsAtOnce is how many keys of the log are read at a time.
const partsAtOnce = 2000

// forward collects pages that go forward by a tag, some keys of each at a time.
func (r *logReader) forward(open []*pageSearch) error {
	for len(open) > 0 {
		var wanted []uint64
		next := make([][]uint64, len(open))
		for i, s := range open {
			next[i] = s.next(max(1, partsAtOnce/len(open)))
			wanted = append(wanted, next[i]...)
		}
		if err := r.fetch(wanted); err != nil {
			return err
		}
		var reads []*pb.RangeRequest
		var of, still []*pageSearch
		for i, s := range open {
			full := false
			for _, n := range next[i] {
				full = full || s.add(r.chunks[n])
			}
			if full || len(s.parts) == 0 && !s.more {
				continue
			}
			still = append(still, s)
			if s.more && (len(s.parts) == 0 || s.parts[0] >= s.from) {
				reads, of = append(reads, r.marks(s, marksThen)), append(of, s)
			}
		}
		got, err := r.m.get(reads)
		if err != nil {
			return err
		}
		for i, s := range of {
			if err := s.mark(got[i]); err != nil {
				return err
			}
		}
		open = still
	}
	return nil
}

// next takes some keys of the log to look at next, as far as it is known that
// none comes before them.
func (s *pageSearch) next(most int) []uint64 {
	slices.Sort(s.parts)
	s.parts = slices.Compact(s.parts)
	n, _ := slices.BinarySearch(s.parts, s.q.After+1) // what ends before holds nothing
	s.parts = s.parts[n:]
	n = len(s.parts)
	if s.more {
		n, _ = slices.BinarySearch(s.parts, s.from)
	}
	n = min(n, most, max(1, s.q.Limit-len(s.page.Entries)))
	some := s.parts[:n]
	s.parts = s.parts[n:]
	return some
}

// add adds the entries of a key that the query selects, and reports whether no
// other can follow.
func (s *pageSearch) add(entries []logged) (full bool) {
	q := &s.q
	for i := range entries {
		e := &entries[i]
		if q.Newest {
			e = &entries[len(entries)-1-i]
		}
		switch n := e.Number; {
		case q.Newest && n <= q.After || !q.Newest && n >= q.Before:
			return true
		case n <= q.After, n >= q.Before, q.Tag != "" && !slices.Contains(e.tags, q.Tag):
			continue
		}
		if len(s.page.Entries) == q.Limit {
			return true
		}
		s.page.Entries = append(s.page.Entries, e.Logged)
	}
	return len(s.page.Entries) == q.Limit
}
