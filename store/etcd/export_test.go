package etcd

import (
	"context"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"

	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
)

// OpenEngine opens an engine on a clock of the test's; nil: etcd's.
func OpenEngine(ctx context.Context, url string, now func() time.Time) (kv.Engine, error) {
	return open(ctx, url, now)
}

// OpenAt opens a store that keeps to a clock of the test's.
func OpenAt(ctx context.Context, url string, now func() time.Time) (*core.Store, error) {
	e, err := open(ctx, url, now)
	if err != nil {
		return nil, err
	}
	return core.New(e), nil
}

// Reads counts what an engine asks etcd.
type Reads struct {
	pb.KVClient
	keys    keys
	Calls   int // round trips
	Keys    int // in the answers
	Passed  int // keys of the ranges that were read, in the answers or not: etcd goes through them all
	Entries int // of the log, in the answers

	Compared int // keys that etcd went through to compare them, in ranges
}

// Skip leaves n numbers out, and has the time of day lead to no more: where numbers
// are depends on what a test does, and not on how long that takes.
func Skip(e kv.Engine, n uint64) {
	to := e.(*engine) //nolint:forcetypeassert // there is no other
	to.mu.Lock()
	defer to.mu.Unlock()
	to.ahead = -maxByClock
	to.last += n
}

// CountReads counts what an engine asks from now on.
func CountReads(e kv.Engine) *Reads {
	to := e.(*engine) //nolint:forcetypeassert // there is no other
	r := &Reads{KVClient: to.kv, keys: to.keys}
	to.kv = r
	return r
}

// Reset begins to count again from zero.
func (r *Reads) Reset() { *r = Reads{KVClient: r.KVClient, keys: r.keys} }

// Txn implements pb.KVClient.
func (r *Reads) Txn(ctx context.Context, in *pb.TxnRequest, opts ...grpc.CallOption) (*pb.TxnResponse, error) {
	if err := r.compared(ctx, in); err != nil {
		return nil, err
	}
	resp, err := r.KVClient.Txn(ctx, in, opts...)
	if err == nil {
		r.Calls++
		for _, got := range ranges(resp.Responses) {
			r.count(got)
		}
	}
	return resp, err
}

// compared counts the keys in the ranges that are compared.
func (r *Reads) compared(ctx context.Context, in *pb.TxnRequest) error {
	for _, c := range in.Compare {
		if len(c.RangeEnd) == 0 {
			continue
		}
		got, err := r.Range(ctx, &pb.RangeRequest{Key: c.Key, RangeEnd: c.RangeEnd, CountOnly: true})
		if err != nil {
			return err
		}
		r.Compared += int(got.Count)
	}
	for _, op := range in.Success {
		if inner := op.GetRequestTxn(); inner != nil {
			if err := r.compared(ctx, inner); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Reads) count(got *pb.RangeResponse) {
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
