package etcd

import (
	"context"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
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

// pack makes a few operations of many, with transactions within transactions.
// compares is how many comparisons go with them.
func pack(ops []clientv3.Op, compares int) []clientv3.Op {
	top := max(compares, flat)
	if len(ops) <= top {
		return ops
	}
	inner := maxOps - top
	if len(ops) <= top*inner {
		return group(ops, top, func(part []clientv3.Op) []clientv3.Op { return part })
	}
	return group(ops, top, func(part []clientv3.Op) []clientv3.Op {
		mid := min(flat, inner)
		if len(part) <= mid {
			return part
		}
		return group(part, mid, func(part []clientv3.Op) []clientv3.Op { return part })
	})
}

// group makes at most n transactions of the operations.
func group(ops []clientv3.Op, n int, pack func([]clientv3.Op) []clientv3.Op) []clientv3.Op {
	size := (len(ops) + n - 1) / n
	packed := make([]clientv3.Op, 0, n)
	for len(ops) > 0 {
		part := ops[:min(size, len(ops))]
		packed = append(packed, clientv3.OpTxn(nil, pack(part), nil))
		ops = ops[len(part):]
	}
	return packed
}

// ranges are the answers to the reads among packed operations, in their order.
func ranges(responses []*etcdserverpb.ResponseOp) (answers []*etcdserverpb.RangeResponse) {
	for _, r := range responses {
		if inner := r.GetResponseTxn(); inner != nil {
			answers = append(answers, ranges(inner.Responses)...)
		} else if got := r.GetResponseRange(); got != nil {
			answers = append(answers, got)
		}
	}
	return answers
}

// read performs reads at one revision.
func (s *Store) read(ctx context.Context, ops ...clientv3.Op) ([]*etcdserverpb.RangeResponse, *etcdserverpb.ResponseHeader, error) {
	resp, err := s.kv.Txn(ctx).Then(pack(ops, 0)...).Commit()
	if err != nil {
		return nil, nil, s.explain(ctx, err)
	}
	return ranges(resp.Responses), resp.Header, nil
}
