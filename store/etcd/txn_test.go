package etcd

import (
	"fmt"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// counted is how etcd counts operations against its limit: what one level uses
// is not left for those below, but siblings don't share.
func counted(ops []*pb.RequestOp, compares, left int) (all []string, ok bool) {
	used := max(compares, len(ops))
	if used > left {
		return nil, false
	}
	for _, op := range ops {
		if op.GetRequestTxn() == nil {
			all = append(all, string(op.GetRequestPut().Key))
			continue
		}
		inner, ok := counted(op.GetRequestTxn().Success, 0, left-used)
		if !ok {
			return nil, false
		}
		all = append(all, inner...)
	}
	return all, true
}

func TestPack_FitsIntoOneTransaction(t *testing.T) {
	for _, c := range []struct{ ops, compares int }{
		{0, 1}, {1, 1}, {40, 1}, {41, 1}, {128, 1}, {3520, 1}, {3521, 1}, {7000, 1}, {20000, 40}, {300, 88}, {3520, 88},
	} {
		ops := make([]*pb.RequestOp, c.ops)
		for i := range ops {
			ops[i] = put(fmt.Sprint(i), "")
		}
		got, ok := counted(pack(ops, c.compares), c.compares, maxOps)
		if !ok {
			t.Errorf("%d operations with %d comparisons are too many", c.ops, c.compares)
			continue
		}
		if len(got) != c.ops {
			t.Errorf("%d of %d operations are left", len(got), c.ops)
		}
		for i, key := range got {
			if key != fmt.Sprint(i) {
				t.Errorf("of %d operations number %d is %s", c.ops, i, key)
				break
			}
		}
	}
}
