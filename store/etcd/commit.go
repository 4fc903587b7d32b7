package etcd

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store"
)

const (
	// tryWithin is how long one try waits for etcd's answer.
	tryWithin = 3 * time.Second
	// giveUpAfter is how long a step is tried while etcd can't be reached: long
	// enough to find out that a connection is dead, and to make another.
	giveUpAfter = 15 * time.Second
	// retryPause is how long after a failure the next try is made.
	retryPause = 50 * time.Millisecond
)

// committer takes the steps of this process, one after the other. What
// arrives while one is on its way shares the next.
type committer struct {
	s       *Store
	view    view
	term    uint64 // etcd was in when it answered last
	tried   uint64 // number of the last try
	turns   turns
	expires clientv3.LeaseID
	granted int64 // when that lease was, on the clock's own time
}

// perform does jobs in one step and answers them. If that fails, and they are
// several, each gets its own, so that none fails for another's fault.
func (c *committer) perform(jobs []*job) {
	err := c.step(jobs)
	if err != nil && len(jobs) > 1 && !errors.Is(err, errAway) {
		for i, j := range jobs {
			if !j.Dropped() {
				c.perform(jobs[i : i+1])
			}
		}
		return
	}
	for _, j := range jobs {
		j.Finish(err)
	}
}

// attempt is a try whose answer was lost.
type attempt struct {
	results []result
	news    []store.Signal
	logged  bool
}

// step does jobs in one transaction. It is guessed from what is known; if the
// guess is wrong, the answer brings what was missing. A try whose answer is
// lost is recognised later by its number, so each job is done once.
func (c *committer) step(jobs []*job) error {
	defer c.endTurn()
	lost := make(map[string]attempt)
	deadline := c.s.clock.elapsed() + giveUpAfter.Microseconds()
	for {
		err := c.try(jobs, lost)
		if errors.Is(err, errAgain) && c.turns.lost >= defeats && !c.turns.mine {
			if refused := c.askTurn(); refused != nil {
				err = refused
			}
		}
		wait := retryPause
		if errors.Is(err, errTurn) { // etcd has answered: wait as long as it takes
			deadline, wait = c.s.clock.elapsed()+giveUpAfter.Microseconds(), 0
			if failed := c.awaitTurn(); failed != nil {
				err, wait = failed, retryPause
			}
		}
		gone := !slices.ContainsFunc(jobs, func(j *job) bool { return j.Context().Err() == nil })
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errAgain) && !gone:
			continue
		case !errors.Is(err, errAgain) && !temporary(err) && !errors.Is(err, errTurn):
			return err
		}
		c.view.rev = 0
		if gone || c.s.clock.elapsed() > deadline {
			return errors.Join(errAway, err)
		}
		select {
		case <-c.s.quit.Done():
			return store.ErrClosed
		case <-time.After(wait):
		}
	}
}

// errAgain tells that more is known now than before the try.
var errAgain = errors.New("etcd: try again")

func (c *committer) try(jobs []*job, lost map[string]attempt) error {
	ctx, cancel := context.WithTimeout(c.s.quit, tryWithin)
	defer cancel()
	if c.view.rev == 0 {
		return c.look(ctx, jobs, c.all(jobs, 0), lost)
	}
	if err := c.s.clock.await(ctx, c.view.head, c.term); err != nil {
		return err
	}
	now := c.s.clock.now(c.view.head)
	if n := c.missing(jobs, now); !n.none() {
		return c.look(ctx, jobs, n, lost)
	}
	lease, err := c.lease(ctx)
	if err != nil {
		return err
	}
	b := c.batch(jobs, now)
	w := b.write(c.s.keys, lease)
	w.waits(c.s.keys)
	behind := b.now - c.view.head.At
	if len(w.ops) == 0 && !b.stamp && behind > 0 && behind <= c.s.slack {
		// Nothing was done, so nothing need be written, if all would have been
		// refused at the time of the last step too: then that is the time.
		if was := c.batch(jobs, c.view.head.At); len(was.write(c.s.keys, lease).ops) == 0 && !was.stamp {
			b, behind = was, 0
		}
	}
	all := c.all(jobs, now)
	ifs := c.guesses(jobs, all.requests)
	var then []clientv3.Op
	if len(w.ops) > 0 || behind != 0 {
		c.tried++
		w.head.At, w.head.Process = b.now, c.s.process
		w.raw = encode(w.head)
		ifs = append(ifs, c.myTurn())
		then = append(w.ops,
			clientv3.OpPut(c.s.keys.head(), w.raw),
			clientv3.OpPut(c.s.keys.batch(c.s.process), strconv.FormatUint(c.tried, 10), clientv3.WithLease(lease)))
		if c.turns.mine {
			is, pass := c.passOn()
			ifs, then = append(ifs, is...), append(then, pass...)
		}
	}
	reads := c.reads(all)
	if len(all.names) > maxBatch {
		reads = nil // they would make a large request larger
	}
	resp, err := c.s.kv.Txn(ctx).If(ifs...).
		Then(pack(then, len(ifs))...).
		Else(pack(reads, len(ifs))...).Commit()
	try := attempt{b.results, b.news, len(b.entries) > 0}
	if err != nil {
		if then != nil {
			lost[strconv.FormatUint(c.tried, 10)] = try
		}
		if errors.Is(err, rpctypes.ErrLeaseNotFound) {
			c.expires = 0
		}
		return c.s.explain(ctx, err)
	}
	c.term = resp.Header.RaftTerm
	if !resp.Succeeded {
		c.turns.lost++
		if reads == nil {
			return c.look(ctx, jobs, all, lost)
		}
		return c.learn(jobs, all, ranges(resp.Responses), lost)
	}
	if then != nil {
		c.turns.mine = false
		c.remember(b, w, resp.Header.Revision)
	}
	c.deliver(jobs, try)
	return nil
}

// look reads what is needed.
func (c *committer) look(ctx context.Context, jobs []*job, n needs, lost map[string]attempt) error {
	answers, header, err := c.s.read(ctx, c.reads(n)...)
	if err != nil {
		return err
	}
	c.term = header.RaftTerm
	return c.learn(jobs, n, answers, lost)
}

// reads are those of n, after those of the number of the last try that took
// effect, and of whose turn it is.
func (c *committer) reads(n needs) []clientv3.Op {
	first := append([]clientv3.Op{clientv3.OpGet(c.s.keys.batch(c.s.process))}, c.s.keys.turnReads()...)
	return append(first, n.reads(c.s.keys)...)
}

func (c *committer) learn(jobs []*job, n needs, answers []*etcdserverpb.RangeResponse, lost map[string]attempt) error {
	if err := c.view.learn(c.s.keys, n, answers[3:]); err != nil {
		c.view.rev = 0
		return err
	}
	if kvs := answers[0].Kvs; len(kvs) > 0 {
		if found, ok := lost[string(kvs[0].Value)]; ok {
			c.deliver(jobs, found)
			return nil
		}
	}
	if err := c.learnTurn(answers[1:3]); err != nil {
		return err
	}
	return errAgain
}

// deliver tells the callers, and whoever listens here.
func (c *committer) deliver(jobs []*job, done attempt) {
	for i, j := range jobs {
		j.result = done.results[i]
	}
	if len(done.news) > 0 || done.logged {
		c.s.Publish(done.news, done.logged)
	}
}

// batch runs the jobs at a time.
func (c *committer) batch(jobs []*job, now int64) *batch {
	b := newBatch(&c.view, now)
	for _, j := range jobs {
		b.results = append(b.results, j.run(b))
	}
	return b
}

// remember keeps what a batch has made true.
func (c *committer) remember(b *batch, w *write, rev int64) {
	v := &c.view
	v.rev, v.raw, v.head = rev, w.raw, w.head
	for name, st := range w.names {
		v.names[name] = st
	}
	for peer, until := range b.peers {
		switch {
		case v.peers == nil:
		case until == 0:
			delete(v.peers, peer)
		default:
			v.peers[peer] = until
		}
	}
	for _, t := range w.tickets {
		if of := v.waits[t.peer]; of != nil && t.gone {
			delete(of, t.id)
		}
	}
	for _, t := range w.tickets {
		if of := v.waits[t.peer]; of != nil && !t.gone {
			of[t.id] = t.name
		}
	}
	for id := range b.done {
		v.requests[id] = true
	}
	if len(v.names)+len(v.requests) > maxKnown {
		*v = newView(v.rev, v.raw, v.head)
	}
}
