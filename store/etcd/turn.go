package etcd

import (
	"context"
	"errors"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Steps of several processes compete for the head, and those near to etcd
// would win for ever against one far away. So who has lost often puts its ID
// under the key turn, which all steps compare: the others fail, learn whose
// turn it is, and wait until that one has made its step.

const (
	// defeats is how often in a row a step is lost before its process asks for
	// the turn.
	defeats = 4
	// turnTTL is for how many seconds a process that died may keep the turn.
	turnTTL = 3
	// turnPause is how long the others wait before they look again.
	turnPause = 5 * time.Millisecond
)

// errTurn tells that it is another process's turn.
var errTurn = errors.New("etcd: it is another process's turn")

// turn is the condition that no other process has the turn.
func (c *committer) turn() clientv3.Cmp {
	if c.myTurn {
		return clientv3.Compare(clientv3.Value(c.s.keys.turn()), "=", c.s.process)
	}
	return clientv3.Compare(clientv3.CreateRevision(c.s.keys.turn()), "=", 0)
}

// askTurn takes the turn, if no other has it.
func (c *committer) askTurn() error {
	ctx, cancel := context.WithTimeout(c.s.quit, tryWithin)
	defer cancel()
	lease, err := c.s.leases.Grant(ctx, turnTTL)
	if err != nil {
		return c.s.explain(ctx, err)
	}
	resp, err := c.s.kv.Txn(ctx).If(c.turn()).
		Then(clientv3.OpPut(c.s.keys.turn(), c.s.process, clientv3.WithLease(lease.ID))).Commit()
	if err != nil {
		return c.s.explain(ctx, err)
	}
	c.myTurn, c.lost = resp.Succeeded, 0
	if !c.myTurn {
		return errTurn
	}
	return nil
}

// endTurn gives the turn up, if the step that needed it has not.
func (c *committer) endTurn() {
	c.lost = 0
	if !c.myTurn {
		return
	}
	ctx, cancel := context.WithTimeout(c.s.quit, tryWithin)
	defer cancel()
	_, _ = c.s.kv.Txn(ctx).If(c.turn()).Then(clientv3.OpDelete(c.s.keys.turn())).Commit() // or its lease ends it
	c.myTurn = false
}
