package etcd

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"editlock/store"
)

// logSteps is how many steps' entries Log reads at a time, after a first
// glance at logGlance of them.
const (
	logGlance = 128
	logSteps  = 2000
)

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

func (s *Store) log(ctx context.Context, q store.LogQuery) (page store.LogPage, err error) {
	if err := s.enter(ctx); err != nil {
		return page, err
	}
	// The entries of a step are under the last one's number.
	from, until := s.keys.log(min(q.After, 1<<62)+1), after(s.keys.logs())
	order := clientv3.SortAscend
	if q.Newest {
		order = clientv3.SortDescend
	}
	rev, limit := int64(0), int64(logGlance)
	for {
		ops := []clientv3.Op{clientv3.OpGet(s.keys.head(), clientv3.WithRev(rev)), clientv3.OpGet(from, clientv3.WithRange(until),
			clientv3.WithSort(clientv3.SortByKey, order), clientv3.WithLimit(limit), clientv3.WithRev(rev))}
		got, header, err := s.readAgain(ctx, ops...)
		if err != nil {
			return page, err
		}
		if rev == 0 {
			_, h, err := decodeHead(got[0].Kvs)
			if err != nil {
				return page, err
			}
			rev, page.Floor, page.Last = header.Revision, h.Floor, h.Seq
		}
		full, err := sift(&page, q, got[1].Kvs)
		if err != nil || full || !got[1].More {
			return page, err
		}
		last := string(got[1].Kvs[len(got[1].Kvs)-1].Key)
		if q.Newest {
			until = last
		} else {
			from = last + "\x00"
		}
		limit = logSteps
	}
}

// sift appends what a query selects, and reports whether nothing more can
// come: the page is full, or what follows is out of the query's range.
func sift(page *store.LogPage, q store.LogQuery, kvs []*mvccpb.KeyValue) (full bool, err error) {
	for _, kv := range kvs {
		entries, err := decodeLog(kv.Value)
		if err != nil {
			return false, err
		}
		if q.Newest {
			slices.Reverse(entries)
		}
		for _, e := range entries {
			if !q.Matches(e) {
				continue
			}
			if page.Entries = append(page.Entries, e); len(page.Entries) == q.Limit {
				return true, nil
			}
		}
		if !q.Newest && q.Before > 0 && entries[len(entries)-1].Seq >= q.Before {
			return true, nil
		}
	}
	return false, nil
}

const (
	// pruneEvery is how often the log is looked over, in microseconds.
	pruneEvery = int64(time.Minute / time.Microsecond)
	// pruneSteps is how many steps' entries are looked at at a time.
	pruneSteps = 500
)

// prune forgets old entries, whole steps at a time.
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

// pruneSome prunes at the log's beginning, and reports whether there may be
// more to prune.
func (s *Store) pruneSome(ctx context.Context, keep store.Retention, rev int64, h head, now int64) (more bool, err error) {
	resp, err := s.kv.Get(ctx, s.keys.logs(), clientv3.WithPrefix(), clientv3.WithLimit(pruneSteps),
		clientv3.WithSort(clientv3.SortByKey, clientv3.SortAscend))
	if err != nil {
		return false, s.explain(ctx, err)
	}
	young := fromMicros(now).Add(-store.RetryWindow)
	cut, left := "", h.Entries
	for _, kv := range resp.Kvs {
		entries, err := decodeLog(kv.Value)
		if err != nil {
			return false, err
		}
		// An expiry is entered as of its time, which is before others'.
		newest := slices.MaxFunc(entries, func(a, b store.Entry) int { return a.At.Compare(b.At) })
		if !newest.At.Before(young) ||
			!(newest.At.Before(keep.Before) || keep.MaxEntries > 0 && left > keep.MaxEntries) {
			break
		}
		left -= int64(len(entries))
		cut, h.Floor = string(kv.Key), entries[len(entries)-1].Seq
	}
	if cut == "" {
		return false, nil
	}
	more = cut == string(resp.Kvs[len(resp.Kvs)-1].Key) && resp.More
	h.Entries, h.Process, h.News = left, s.process, nil
	_, err = s.kv.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(s.keys.head()), "=", rev)).
		Then(clientv3.OpPut(s.keys.head(), encode(h)),
			clientv3.OpDelete(s.keys.logs(), clientv3.WithRange(cut+"\x00"))).Commit()
	if err != nil {
		return false, s.explain(ctx, err)
	}
	return more, nil
}
