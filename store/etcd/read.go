package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/editlock/editlock/store/kv"
)

// Read implements kv.Engine.
func (e *engine) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	if err := e.enter(ctx); err != nil {
		return kv.Answer{}, err
	}
	at, err := e.now(ctx)
	if err != nil {
		return kv.Answer{}, err
	}
	now := fromMicros(at)
	for {
		a, err := e.readAt(ctx, 0, now, ranges)
		if !errors.Is(err, rpctypes.ErrCompacted) { // while it was read: begin again
			return a, err
		}
	}
}

// readAt reads ranges at a revision; 0: that of the first read.
func (e *engine) readAt(ctx context.Context, rev int64, now time.Time, ranges []kv.Range) (kv.Answer, error) {
	m := &moment{e: e, ctx: ctx, rev: rev, now: now, rows: make(map[string]*row)}
	found, err := m.read(ranges)
	return kv.Answer{Now: m.now, Found: found}, err
}

// moment is the store at one revision, as far as it was read.
type moment struct {
	e    *engine
	ctx  context.Context
	rev  int64 // 0: none yet
	now  time.Time
	rows map[string]*row // nil values: there is none

	dues *overdue // what is due; nil: it was not looked for
}

// readBytes bounds the keys of one request: etcd takes 1.5 MiB at once
// (--max-request-bytes).
const readBytes = 1 << 20

// get performs reads of the moment, in as few requests as they fit in.
func (m *moment) get(reads []*pb.RangeRequest) (answers []*pb.RangeResponse, err error) {
	var ops []*pb.RequestOp
	for i, size := 0, 0; i < len(reads); i++ {
		r := reads[i]
		r.Revision = m.rev
		ops, size = append(ops, read(r)), size+len(r.Key)+len(r.RangeEnd)+32
		if size < readBytes && i < len(reads)-1 {
			continue
		}
		if m.rev == 0 {
			ops = append(ops, get(m.e.keys.time()))
		}
		got, rev, err := m.e.readAgain(m.ctx, ops...)
		if err != nil {
			return nil, err
		}
		if m.rev == 0 {
			last := len(got) - 1
			if at := fromMicros(m.e.passed(got[last])); at.After(m.now) {
				m.now = at
			}
			m.rev, got = rev, got[:last]
		}
		answers, ops, size = append(answers, got...), ops[:0], 0
	}
	return answers, nil
}

// take takes in a row.
func (m *moment) take(key string, value []byte) (*row, error) {
	r, err := decodeRow(key, value)
	if err != nil {
		return nil, fmt.Errorf("etcd: row %q: %w", key, err)
	}
	m.rows[key] = r
	return r, nil
}

// fetch reads rows that were not read yet.
func (m *moment) fetch(keys []string) error {
	var reads []*pb.RangeRequest
	var wanted []string
	for _, key := range keys {
		if _, known := m.rows[key]; !known {
			m.rows[key] = nil
			wanted = append(wanted, key)
			reads = append(reads, &pb.RangeRequest{Key: []byte(m.e.keys.row(key))})
		}
	}
	got, err := m.get(reads)
	if err != nil {
		return err
	}
	for i, key := range wanted {
		if kv := first(got[i]); kv != nil {
			if _, err := m.take(key, kv.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// search is a range that is being read, some keys at a time.
type search struct {
	q           *kv.Range
	from, until string // the keys that were not read yet
	begin       string // where they began
	index       int    // length of what precedes the key of a row
	rows        bool   // the keys are rows themselves
	wide        bool   // there may be many
	total       int64  // of keys, as the first answer tells
	found       kv.Found
	keys        []string // of rows that were read last
	done        bool

	windowed bool
	ahead    []string // landmarks behind from, as far as they were read
	charted  bool     // no others follow these
}

// atOnce is how many keys of a range are read at a time at least.
const atOnce = 16

func (m *moment) search(q *kv.Range) *search {
	k := m.e.keys
	prefix := ""
	s := &search{q: q, windowed: windowed(q)}
	switch {
	case q.Key != "":
		s.from, s.rows, s.index = k.row(q.Key), true, len(k.row(""))
		return s
	case q.Due:
		prefix = k.dues()
		s.from, s.until, s.index = prefix, after(prefix), len(prefix)+len(number(0))
		return s
	case q.Lease != "":
		prefix = k.lease(q.Lease)
	case q.Tag != "":
		prefix = k.tag(q.Tag)
	default:
		prefix, s.rows, s.wide = k.row(""), true, !kv.IsGroup(q.Prefix)
	}
	s.index = len(prefix)
	s.from, s.until = prefix+q.Prefix, after(prefix+q.Prefix)
	if behind := prefix + q.After + "\x00"; q.After != "" && behind > s.from {
		s.from = behind
	}
	s.begin, s.done = s.from, s.from >= s.until && s.until != "\x00"
	return s
}

// full reports whether as many rows were found as are wanted.
func (s *search) full() bool { return s.q.Limit > 0 && len(s.found.Rows) == s.q.Limit }

func (s *search) limit() int {
	if s.q.Limit == 0 || s.q.Count && (!s.wide || s.full()) {
		return 0
	}
	return max(atOnce, s.q.Limit-len(s.found.Rows))
}

// read reads ranges: first their keys, then the rows that these lead to, then
// the leases of those.
func (m *moment) read(ranges []kv.Range) ([]kv.Found, error) {
	all := make([]*search, len(ranges))
	for i := range ranges {
		all[i] = m.search(&ranges[i])
		if err := m.late(all[i]); err != nil {
			return nil, err
		}
	}
	for open := all; len(open) > 0; {
		if err := m.keys(open); err != nil {
			return nil, err
		}
		var keys, leases []string
		for _, s := range open {
			keys = append(keys, s.keys...)
		}
		if err := m.fetch(keys); err != nil {
			return nil, err
		}
		for _, key := range keys {
			if r := m.rows[key]; r != nil && r.Lease != "" {
				leases = append(leases, r.Lease)
			}
		}
		if err := m.fetch(leases); err != nil {
			return nil, err
		}
		var more []*search
		for _, s := range open {
			m.judge(s)
			if s.wide && !s.done && s.full() {
				if err := m.rest(s); err != nil {
					return nil, err
				}
			}
			if !s.done {
				more = append(more, s)
			}
		}
		open = more
	}
	found := make([]kv.Found, len(all))
	for i, s := range all {
		if s.q.Beside != "" {
			if err := m.beside(s); err != nil {
				return nil, err
			}
		}
		found[i] = s.found
	}
	return found, nil
}

// keys reads the next keys of searches.
func (m *moment) keys(open []*search) error {
	if err := m.landmarks(open); err != nil {
		return err
	}
	var reads []*pb.RangeRequest
	var of []*search
	for _, s := range open {
		if s.done {
			continue
		}
		limit := s.limit()
		r := scan(s.from, s.window(limit))
		if s.until == "" {
			r.RangeEnd = nil
		}
		r.Limit, r.KeysOnly = int64(limit), !s.rows
		reads, of = append(reads, r), append(of, s)
	}
	got, err := m.get(reads)
	if err != nil {
		return err
	}
	for i, s := range of {
		s.keys, s.total = s.keys[:0], max(s.total, got[i].Count)
		if len(got[i].Kvs) == 0 && s.until == "" {
			m.rows[s.q.Key] = nil
		}
		for _, kv := range got[i].Kvs {
			key := string(kv.Key[s.index:])
			if s.keys = append(s.keys, key); s.rows {
				if _, err := m.take(key, kv.Value); err != nil {
					return err
				}
			}
		}
		switch end := string(reads[i].RangeEnd); {
		case got[i].More:
			s.from = string(got[i].Kvs[len(got[i].Kvs)-1].Key) + "\x00"
		case end != s.until:
			s.from = end
		default:
			s.done = true
		}
	}
	return nil
}

// judge adds the rows that were read last and are in the range.
func (m *moment) judge(s *search) {
	q := s.q
	for _, key := range s.keys {
		r := m.rows[key]
		if r == nil || r.Lease != "" && !r.livesWith(m.rows[r.Lease], m.now) ||
			q.Key == "" && !q.Due && !q.Either && r.Live(m.now) == q.Overdue {
			continue
		}
		if s.found.Count++; q.Limit == 0 || len(s.found.Rows) < q.Limit {
			s.found.Rows = append(s.found.Rows, r.copied(q.Brief))
		}
	}
	s.done = s.done || !q.Count && s.full()
}

// beside reads the rows beside those that were found. Most have none, so it finds out
// first which have.
func (m *moment) beside(s *search) (err error) {
	rows := s.found.Rows
	if s.found.Beside = make([]kv.Found, len(rows)); len(rows) == 0 {
		return nil
	}
	k := m.e.keys
	near := &search{
		q: &kv.Range{Limit: besideMost}, windowed: true, index: len(k.row("")),
		from: k.row(s.q.BesideOf(rows[0].Key)), until: after(k.row(s.q.BesideOf(rows[len(rows)-1].Key))),
	}
	var keys []string
	for !near.done && len(keys) < besideMost {
		if err := m.keys([]*search{near}); err != nil {
			return err
		}
		keys = append(keys, near.keys...)
	}
	var ranges []kv.Range
	var of []int
	for i := range rows {
		key := s.q.BesideOf(rows[i].Key)
		if at, _ := slices.BinarySearch(keys, key); at < len(keys) && !strings.HasPrefix(keys[at], key) || at == len(keys) && near.done {
			continue
		}
		ranges, of = append(ranges, kv.Range{Prefix: key, Limit: s.q.BesideLimit, Count: true}), append(of, i)
	}
	found, err := m.read(ranges)
	for i := range found {
		s.found.Beside[of[i]] = found[i]
	}
	return err
}

// besideMost is how many keys beside rows are looked at first.
const besideMost = 1000
