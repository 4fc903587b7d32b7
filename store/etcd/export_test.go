package etcd

import (
	"context"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// OpenAt opens a store that keeps to a clock of the test's.
func OpenAt(ctx context.Context, url string, now func() time.Time) (*Store, error) {
	return open(ctx, url, now)
}

// Reads counts what a store reads.
type Reads struct {
	clientv3.KV
	keys    keys
	Calls   int // round trips
	Keys    int // in the answers
	Passed  int // keys of the ranges that were read, in the answers or not: etcd goes through them all
	Entries int // of the log, in the answers
}

// CountReads counts what a store reads from now on.
func CountReads(s *Store) *Reads {
	r := &Reads{KV: s.kv, keys: s.keys}
	s.kv = r
	return r
}

// Reset counts from zero again.
func (r *Reads) Reset() { *r = Reads{KV: r.KV, keys: r.keys} }

// Get implements clientv3.KV.
func (r *Reads) Get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	resp, err := r.KV.Get(ctx, key, opts...)
	if err == nil {
		r.Calls++
		r.count((*etcdserverpb.RangeResponse)(resp))
	}
	return resp, err
}

// Txn implements clientv3.KV.
func (r *Reads) Txn(ctx context.Context) clientv3.Txn { return &countedTxn{r.KV.Txn(ctx), r} }

func (r *Reads) count(got *etcdserverpb.RangeResponse) {
	r.Keys += len(got.Kvs)
	r.Passed += int(got.Count)
	for _, kv := range got.Kvs {
		if !strings.HasPrefix(string(kv.Key), r.keys.logs()) {
			continue
		}
		entries, err := decodeLog(kv.Value)
		if err != nil {
			panic(err)
		}
		r.Entries += len(entries)
	}
}

type countedTxn struct {
	clientv3.Txn
	reads *Reads
}

func (t *countedTxn) If(cs ...clientv3.Cmp) clientv3.Txn {
	t.Txn = t.Txn.If(cs...)
	return t
}

func (t *countedTxn) Then(ops ...clientv3.Op) clientv3.Txn {
	t.Txn = t.Txn.Then(ops...)
	return t
}

func (t *countedTxn) Else(ops ...clientv3.Op) clientv3.Txn {
	t.Txn = t.Txn.Else(ops...)
	return t
}

func (t *countedTxn) Commit() (*clientv3.TxnResponse, error) {
	resp, err := t.Txn.Commit()
	if err == nil {
		t.reads.Calls++
		for _, got := range ranges(resp.Responses) {
			t.reads.count(got)
		}
	}
	return resp, err
}
