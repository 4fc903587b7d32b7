package etcd

import (
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// maxOps is how many comparisons, and how many operations, etcd allows in
	// one transaction (--max-txn-ops). A transaction within another may
	// have what the outer one leaves of that, and so may each of its
	// siblings: so thousands of operations fit in one atomic step.
	maxOps = 128
	// flat is up to how many operations need no packing: those of the other
	// branch have room then.
	flat = 40
	// maxCompares leaves room for packed operations.
	maxCompares = 88
)

func put(key, value string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte(key), Value: []byte(value)}}}
}

func remove(key string) *pb.RequestOp { return removeRange(key, "") }

func removeRange(from, until string) *pb.RequestOp {
	r := &pb.DeleteRangeRequest{Key: []byte(from)}
	if until != "" {
		r.RangeEnd = []byte(until)
	}
	return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: r}}
}

func read(r *pb.RangeRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: r}}
}

func get(key string) *pb.RequestOp { return read(&pb.RangeRequest{Key: []byte(key)}) }

func scan(from, until string) *pb.RangeRequest {
	return &pb.RangeRequest{Key: []byte(from), RangeEnd: []byte(until)}
}

func within(ifs []*pb.Compare, then, els []*pb.RequestOp) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: &pb.TxnRequest{Compare: ifs, Success: then, Failure: els}}}
}

// is compares the whole value: after a snapshot was restored, another one may
// have the same revision.
func is(key, value string) *pb.Compare {
	return &pb.Compare{Target: pb.Compare_VALUE, Key: []byte(key), TargetUnion: &pb.Compare_Value{Value: []byte(value)}}
}

func below(key, value string) *pb.Compare {
	c := is(key, value)
	c.Result = pb.Compare_LESS
	return c
}

func created(key string, result pb.Compare_CompareResult) *pb.Compare {
	return &pb.Compare{Result: result, Target: pb.Compare_CREATE, Key: []byte(key), TargetUnion: &pb.Compare_CreateRevision{}}
}

func absent(key string) *pb.Compare { return created(key, pb.Compare_EQUAL) }
func exists(key string) *pb.Compare { return created(key, pb.Compare_GREATER) }

// none says that nothing is between two keys. etcd reads all that is.
func none(from, until string) *pb.Compare {
	c := absent(from)
	c.RangeEnd = []byte(until)
	return c
}

// noneNew says that nothing between two keys was written after a revision.
func noneNew(from, until string, rev int64) *pb.Compare {
	return &pb.Compare{
		Result: pb.Compare_LESS, Target: pb.Compare_MOD, Key: []byte(from), RangeEnd: []byte(until),
		TargetUnion: &pb.Compare_ModRevision{ModRevision: rev + 1},
	}
}

// pack makes a few operations of many, with transactions within transactions.
// compares is how many comparisons go with them, and room how many operations
// there may be.
func pack(ops []*pb.RequestOp, compares int) []*pb.RequestOp {
	top := max(compares, flat)
	if len(ops) <= top {
		return ops
	}
	inner := maxOps - top
	if len(ops) <= top*inner {
		return group(ops, top, func(part []*pb.RequestOp) []*pb.RequestOp { return part })
	}
	return group(ops, top, func(part []*pb.RequestOp) []*pb.RequestOp {
		mid := min(flat, inner)
		if len(part) <= mid {
			return part
		}
		return group(part, mid, func(part []*pb.RequestOp) []*pb.RequestOp { return part })
	})
}

// group makes at most n transactions of the operations.
func group(ops []*pb.RequestOp, n int, pack func([]*pb.RequestOp) []*pb.RequestOp) []*pb.RequestOp {
	size := (len(ops) + n - 1) / n
	packed := make([]*pb.RequestOp, 0, n)
	for len(ops) > 0 {
		part := ops[:min(size, len(ops))]
		packed = append(packed, within(nil, pack(part), nil))
		ops = ops[len(part):]
	}
	return packed
}

// ranges are the answers to the reads among packed operations, in their order.
func ranges(responses []*pb.ResponseOp) (answers []*pb.RangeResponse) {
	for _, r := range responses {
		if inner := r.GetResponseTxn(); inner != nil {
			answers = append(answers, ranges(inner.Responses)...)
		} else if got := r.GetResponseRange(); got != nil {
			answers = append(answers, got)
		}
	}
	return answers
}

// txn sends a transaction, and waits so long for the answer.
func (e *engine) txn(ctx context.Context, req *pb.TxnRequest) (*pb.TxnResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	defer context.AfterFunc(e.quit, cancel)()
	resp, err := e.kv.Txn(ctx, req)
	if err != nil {
		return nil, e.explain(ctx, clientv3.ContextError(ctx, err))
	}
	e.term.Store(resp.Header.RaftTerm)
	e.revision.Store(resp.Header.Revision)
	return resp, nil
}

// readAgain performs reads at one moment, until etcd answers: while it elects a
// leader, or a connection is dead, it does not. It gives up when commits do.
func (e *engine) readAgain(ctx context.Context, ops ...*pb.RequestOp) ([]*pb.RangeResponse, int64, error) {
	var got []*pb.RangeResponse
	var rev int64
	err := e.again(ctx, func() error {
		resp, err := e.txn(ctx, &pb.TxnRequest{Success: pack(ops, 0)})
		if err == nil {
			got, rev = ranges(resp.Responses), resp.Header.Revision
		}
		return err
	})
	return got, rev, err
}

func first(r *pb.RangeResponse) *mvccpb.KeyValue {
	if len(r.Kvs) == 0 {
		return nil
	}
	return r.Kvs[0]
}
