package etcd

import (
	"context"
	"math/rand/v2"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// turnTTL is for how many seconds a process that died keeps others from
	// writing.
	turnTTL = 5
	// turnWait is how long a process that finds another's turn waits before it
	// looks again, longer each time up to turnWaitMost.
	turnWait, turnWaitMost = 4 * time.Millisecond, 32 * time.Millisecond
)

// turn is the right to write alone: all batches compare that nobody has the
// key turn. A batch takes it that is too large for comparisons, or that others
// were quicker than several times in a row. What it reads then stays as it is
// until it has written.
type turn struct {
	wanted, mine bool
	id           string // tells it from those of other batches
	lease        clientv3.LeaseID
}

// take takes the turn, or fails if another process has it.
func (t *turn) take(ctx context.Context, e *engine) error {
	ctx, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	lease, err := e.leases.Grant(ctx, turnTTL)
	if err != nil {
		return e.explain(ctx, err)
	}
	t.end(e)
	t.lease = lease.ID
	k := e.keys
	t.id = newID()
	mine := put(k.turn(), t.id)
	mine.GetRequestPut().Lease = int64(lease.ID)
	for {
		resp, err := e.txn(ctx, &pb.TxnRequest{Compare: []*pb.Compare{absent(k.turn())}, Success: []*pb.RequestOp{mine}})
		if err != nil {
			return err
		}
		if t.mine = resp.Succeeded; t.mine {
			return nil
		}
		if err := e.turnOver(ctx); err != nil {
			return err
		}
	}
}

// turnOver waits until it is nobody's turn. To look costs etcd less than a batch
// that fails.
func (e *engine) turnOver(ctx context.Context) error {
	for wait := turnWait; ; wait = min(2*wait, turnWaitMost) {
		if err := pause(ctx, wait/2+rand.N(wait)); err != nil {
			return err
		}
		resp, err := e.txn(ctx, &pb.TxnRequest{Success: []*pb.RequestOp{get(e.keys.turn())}})
		if err != nil || len(ranges(resp.Responses)[0].Kvs) == 0 {
			return err
		}
	}
}

// end gives up the turn.
func (t *turn) end(e *engine) {
	if t.lease == 0 {
		return
	}
	lease := t.lease
	e.background(func() {
		ctx, cancel := context.WithTimeout(context.Background(), tryWithin)
		defer cancel()
		_, _ = e.leases.Revoke(ctx, lease) // or it ends by itself
	})
}
