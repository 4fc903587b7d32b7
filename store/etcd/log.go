package etcd

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store"
)

// logGlance is how many keys of the log are read at a time at least.
const logGlance = 128

// Log implements store.Store.
func (s *Store) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	for {
		page, err := s.log(ctx, q)
		if !errors.Is(err, rpctypes.ErrCompacted) { // while it was read: begin anew
			return page, err
		}
	}
}

func (s *Store) log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	if err := s.enter(ctx); err != nil {
		return store.LogPage{}, err
	}
	got, header, err := s.readAgain(ctx, clientv3.OpGet(s.keys.head()))
	if err != nil {
		return store.LogPage{}, err
	}
	_, h, err := decodeHead(got[0].Kvs)
	if err != nil {
		return store.LogPage{}, err
	}
	r := &logReader{s: s, q: q, rev: header.Revision, page: store.LogPage{Floor: h.Floor, Last: h.Seq}}
	// Entries are under the number of the last one of their key.
	from, until := max(min(q.After, 1<<62), h.Floor)+1, h.Seq+1
	if q.Newest && q.Before > 0 && q.Before < until {
		// The key after that may begin before it.
		w := &windows{r: r, prefix: s.keys.logs(), from: max(q.Before, from), until: until, span: firstSpan}
		until = q.Before
		kvs, err := w.next(ctx, 1)
		if err != nil {
			return store.LogPage{}, err
		}
		if err := r.take(kvs); err != nil || r.stopped {
			return r.page, err
		}
	}
	parts := []func() error{func() error { return r.scan(ctx, from, until) }}
	if q.Name != "" {
		parts = []func() error{
			func() error { return r.scan(ctx, from, min(h.named(), until)) }, // what an older version wrote
			func() error { return r.byName(ctx, max(h.named(), from), until) },
		}
	}
	if q.Newest {
		slices.Reverse(parts)
	}
	for _, read := range parts {
		if err := read(); err != nil || r.stopped {
			return r.page, err
		}
	}
	return r.page, nil
}

// logReader collects one page, all of it of one moment.
type logReader struct {
	s       *Store
	q       store.LogQuery
	rev     int64
	page    store.LogPage
	stopped bool // the page is full or long enough, or what follows is out of the query's range
}

// get reads more of the moment.
func (r *logReader) get(ctx context.Context, ops ...clientv3.Op) ([]*etcdserverpb.RangeResponse, error) {
	got, _, err := r.s.readAgain(ctx, ops...)
	return got, err
}

// scan reads the keys from one number until another: logGlance of them, or as
// many as have the entries that the page may yet examine, if all are as full.
func (r *logReader) scan(ctx context.Context, from, until uint64) error {
	w := &windows{r: r, prefix: r.s.keys.logs(), from: from, until: until, span: firstSpan, newest: r.q.Newest}
	seen := 0
	for limit := logGlance; ; limit = max(logGlance, r.left()*seen/max(r.page.Examined, 1)) {
		kvs, err := w.next(ctx, limit)
		if err != nil || len(kvs) == 0 {
			return err
		}
		seen += len(kvs)
		if err := r.take(kvs); err != nil || r.stopped {
			return err
		}
	}
}

// left is how many entries the page may yet examine.
func (r *logReader) left() int { return max(0, r.q.Limit+store.LogPiece-r.page.Examined) }

// namedKeys is how many keys of a name are read at a time.
const namedKeys = 64

// byName reads the keys that have entries of the query's name. Most names have
// few: the first window has all.
func (r *logReader) byName(ctx context.Context, from, until uint64) error {
	index := r.s.keys.named(r.q.Name)
	w := &windows{r: r, prefix: index, from: from, until: until, span: wholeRange, newest: r.q.Newest}
	for {
		keys, err := w.next(ctx, namedKeys, clientv3.WithKeysOnly())
		if err != nil || len(keys) == 0 {
			return err
		}
		ops := make([]clientv3.Op, len(keys))
		for i, kv := range keys {
			ops[i] = clientv3.OpGet(r.s.keys.logs()+strings.TrimPrefix(string(kv.Key), index), clientv3.WithRev(r.rev))
		}
		found, err := r.get(ctx, ops...)
		if err != nil {
			return err
		}
		for _, some := range found {
			if err := r.take(some.Kvs); err != nil || r.stopped {
				return err
			}
		}
	}
}

// take appends what the query selects of some keys.
func (r *logReader) take(kvs []*mvccpb.KeyValue) error {
	q := r.q
	for _, kv := range kvs {
		entries, err := decodeLog(kv.Value)
		if err != nil {
			return err
		}
		first, last := entries[0].Seq, entries[len(entries)-1].Seq
		if q.Newest {
			slices.Reverse(entries)
		}
		r.page.Examined += len(entries)
		for _, e := range entries {
			if !q.Matches(e) {
				continue
			}
			if r.page.Entries = append(r.page.Entries, e); len(r.page.Entries) == q.Limit {
				r.page.Next, r.stopped = e.Seq, true
				return nil
			}
		}
		switch {
		case !q.Newest && q.Before > 0 && last >= q.Before:
			r.stopped = true
		case r.left() > 0:
			continue
		case q.Newest:
			r.page.Next, r.stopped = first, true
		default:
			r.page.Next, r.stopped = last, true
		}
		return nil
	}
	return nil
}

const (
	// pruneEvery is how often the log is looked over, in microseconds.
	pruneEvery = int64(time.Minute / time.Microsecond)
	// pruneKeys is how many keys of the log are looked at at a time.
	pruneKeys = 500
)

// prune forgets old entries, whole keys at a time.
func (s *Store) prune(ctx context.Context, keep store.Retention) error {
	if keep == (store.Retention{}) {
		return nil
	}
	for {
		rev, h, _, err := s.readHead(ctx)
		if err != nil {
			return err
		}
		now := s.clock.now(h)
		if !s.pruneDue(now) {
			return nil
		}
		more, err := s.pruneSome(ctx, keep, rev, h, now)
		if err != nil {
			return err
		}
		if more {
			s.mu.Lock()
			s.lastPrune = 0
			s.mu.Unlock()
		}
	}
}

func (s *Store) pruneDue(now int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if since := now - s.lastPrune; s.lastPrune != 0 && since >= 0 && since < pruneEvery {
		return false
	}
	s.lastPrune = now
	return true
}

// pruneNames bounds how many names one pruning step forgets, give or take those
// of one key of the log.
const pruneNames = 1000

// pruneSome prunes at the log's beginning, and reports whether there may be
// more to prune.
func (s *Store) pruneSome(ctx context.Context, keep store.Retention, rev int64, h head, now int64) (more bool, err error) {
	resp, err := s.kv.Get(ctx, s.keys.logs(), clientv3.WithPrefix(), clientv3.WithLimit(pruneKeys),
		clientv3.WithSort(clientv3.SortByKey, clientv3.SortAscend))
	if err != nil {
		return false, s.explain(ctx, err)
	}
	young := fromMicros(now).Add(-store.RetryWindow)
	cut, left, names := "", h.Entries, make(map[string]bool)
	for _, kv := range resp.Kvs {
		entries, err := decodeLog(kv.Value)
		if err != nil {
			return false, err
		}
		if len(names) >= pruneNames {
			break
		}
		// An expiry is entered as of its time, which is before others'.
		newest := slices.MaxFunc(entries, func(a, b store.Entry) int { return a.At.Compare(b.At) })
		if !newest.At.Before(young) ||
			!(newest.At.Before(keep.Before) || keep.MaxEntries > 0 && left > keep.MaxEntries) {
			break
		}
		left -= int64(len(entries))
		cut, h.Floor = string(kv.Key), entries[len(entries)-1].Seq
		for _, e := range entries {
			names[e.Name] = true
		}
	}
	if cut == "" {
		return false, nil
	}
	more = len(names) >= pruneNames || cut == string(resp.Kvs[len(resp.Kvs)-1].Key) && resp.More
	h.Entries, h.Process, h.News = left, s.process, nil
	ops := []clientv3.Op{clientv3.OpPut(s.keys.head(), encode(h)), clientv3.OpDelete(s.keys.logs(), clientv3.WithRange(cut+"\x00"))}
	for name := range names {
		index := s.keys.named(name)
		ops = append(ops, clientv3.OpDelete(index, clientv3.WithRange(index+strings.TrimPrefix(cut, s.keys.logs())+"\x00")))
	}
	_, err = s.kv.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(s.keys.head()), "=", rev)).
		Then(pack(ops, 1)...).Commit()
	if err != nil {
		return false, s.explain(ctx, err)
	}
	return more, nil
}
