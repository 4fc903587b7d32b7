package etcd

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Steps of several processes compete for the head, and those near to etcd
// would win for ever against one far away. So who has lost often takes the key
// turn, which all steps compare: the others fail, and learn that they have to
// wait. They stand in line then, each with a key of its own, and each step
// passes the turn on to who has stood there longest, until nobody does.

const (
	// defeats is how often in a row a step is lost before its process asks for
	// the turn.
	defeats = 4
	// patience is how often a process finds another's turn before it stands in
	// line: most turns are over with one step.
	patience = 2
	// turnTTL is for how many seconds a process that died may keep the turn, or
	// its place in the line.
	turnTTL = 5
	// turnPause is how long one waits who does not stand in line, and lookEvery
	// how often one who does looks although nobody has passed the turn to him.
	turnPause = 5 * time.Millisecond
	lookEvery = 500 * time.Millisecond
)

// errTurn tells that it is another process's turn.
var errTurn = errors.New("etcd: it is another process's turn")

// place is that of a process in the line.
type place struct {
	process string
	lease   clientv3.LeaseID
}

// turns is what a process knows of whose turn it is.
type turns struct {
	mine   bool
	free   bool    // it is nobody's
	first  bool    // in the line is this process
	line   []place // who waits, the oldest first
	placed bool    // this process does,
	since  int64   // from this revision on
	found  int     // times in a row that it was another's
	lost   int     // tries in a row that another process was quicker than

	lease   clientv3.LeaseID // of the turn and the place
	renewed int64            // when it was, on the clock's own time
}

// turnReads tell whose turn it is, and who waits for it.
func (k keys) turnReads() []clientv3.Op {
	return []clientv3.Op{
		clientv3.OpGet(k.turn()),
		clientv3.OpGet(k.line(), clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend)),
	}
}

// learnTurn takes in what the reads tell. It is errTurn if others come first.
func (c *committer) learnTurn(answers []*etcdserverpb.RangeResponse) error {
	t := &c.turns
	holder := ""
	if len(answers[0].Kvs) > 0 {
		holder = string(answers[0].Kvs[0].Value)
	}
	t.line = t.line[:0]
	for _, kv := range answers[1].Kvs {
		lease, _ := strconv.ParseInt(string(kv.Value), 16, 64) // else it is none of ours, and can't be passed the turn
		t.line = append(t.line, place{strings.TrimPrefix(string(kv.Key), c.s.keys.line()), clientv3.LeaseID(lease)})
	}
	at := slices.IndexFunc(t.line, func(p place) bool { return p.process == c.s.process })
	if t.placed, t.first = at >= 0, at == 0; t.placed {
		t.since = answers[1].Kvs[at].CreateRevision
	}
	t.mine, t.free = holder == c.s.process, holder == ""
	if t.mine || t.free && !t.placed {
		t.found = 0
		return nil
	}
	t.found++
	return errTurn
}

// myTurn is the condition that no other process has the turn.
func (c *committer) myTurn() clientv3.Cmp {
	if c.turns.mine {
		return clientv3.Compare(clientv3.Value(c.s.keys.turn()), "=", c.s.process)
	}
	return clientv3.Compare(clientv3.CreateRevision(c.s.keys.turn()), "=", 0)
}

// passOn is what a step does that had the turn: who has waited longest is next.
func (c *committer) passOn() (ifs []clientv3.Cmp, then []clientv3.Op) {
	k := c.s.keys
	for _, p := range c.turns.line {
		if p.process != c.s.process && p.lease != 0 {
			return []clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(k.place(p.process)), ">", 0)}, []clientv3.Op{
				clientv3.OpPut(k.turn(), p.process, clientv3.WithLease(p.lease)), clientv3.OpDelete(k.place(p.process)),
			}
		}
	}
	return nil, []clientv3.Op{clientv3.OpDelete(k.turn())}
}

// askTurn takes the turn if nobody has it or comes before this process, and
// stands in line otherwise.
func (c *committer) askTurn() error {
	ctx, cancel := context.WithTimeout(c.s.quit, tryWithin)
	defer cancel()
	t, k := &c.turns, c.s.keys
	if err := c.keepPlace(ctx); err != nil {
		return err
	}
	free := []clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(k.turn()), "=", 0)}
	take := []clientv3.Op{clientv3.OpPut(k.turn(), c.s.process, clientv3.WithLease(t.lease))}
	var wait []clientv3.Op
	if t.placed {
		take = append(take, clientv3.OpDelete(k.place(c.s.process)))
	} else {
		free = append(free, clientv3.Compare(clientv3.CreateRevision(k.line()).WithPrefix(), "=", 0))
		wait = append(wait, clientv3.OpPut(k.place(c.s.process), strconv.FormatInt(int64(t.lease), 16), clientv3.WithLease(t.lease)))
	}
	resp, err := c.s.kv.Txn(ctx).If(free...).Then(take...).Else(wait...).Commit()
	if err != nil {
		t.lease = 0
		return c.s.explain(ctx, err)
	}
	t.mine, t.placed, t.lost = resp.Succeeded, !resp.Succeeded, 0
	t.since = resp.Header.Revision
	if !t.mine {
		return errTurn
	}
	return nil
}

// keepPlace makes the lease of the turn and of the place, or lengthens it.
func (c *committer) keepPlace(ctx context.Context) error {
	t, now := &c.turns, c.s.clock.elapsed()
	if t.lease != 0 && now-t.renewed < (turnTTL*time.Second/3).Microseconds() {
		return nil
	}
	if t.lease != 0 {
		if _, err := c.s.leases.KeepAliveOnce(ctx, t.lease); err == nil {
			t.renewed = now
			return nil
		}
	}
	resp, err := c.s.leases.Grant(ctx, turnTTL)
	if err != nil {
		return c.s.explain(ctx, err)
	}
	t.lease, t.renewed, t.placed = resp.ID, now, false // a place under the old one is gone, or soon
	return nil
}

// awaitTurn waits a while for the turn: by its place, if it is often another's.
func (c *committer) awaitTurn() error {
	t := &c.turns
	if t.found < patience && !t.placed {
		return pause(c.s.quit, turnPause)
	}
	if !t.placed || t.free && t.first { // who is first takes what nobody passed on
		if err := c.askTurn(); !errors.Is(err, errTurn) {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(c.s.quit, lookEvery)
	defer cancel()
	if err := c.keepPlace(ctx); err != nil || !t.placed {
		return err
	}
	// Whoever passes the turn on takes away the place.
	passed := c.s.client.Watch(clientv3.WithRequireLeader(ctx), c.s.keys.place(c.s.process),
		clientv3.WithRev(t.since+1), clientv3.WithFilterPut())
	select {
	case <-passed:
	case <-ctx.Done():
	}
	return nil
}

// endTurn gives up the turn or the place, if the step that needed it has not.
func (c *committer) endTurn() {
	t := &c.turns
	t.lost, t.found = 0, 0
	if !t.mine && !t.placed {
		return
	}
	ctx, cancel := context.WithTimeout(c.s.quit, tryWithin)
	defer cancel()
	k := c.s.keys
	leave := clientv3.OpDelete(k.place(c.s.process))
	_, _ = c.s.kv.Txn(ctx).If(clientv3.Compare(clientv3.Value(k.turn()), "=", c.s.process)).
		Then(clientv3.OpDelete(k.turn()), leave).Else(leave).Commit() // or the lease ends them
	t.mine, t.placed = false, false
}
