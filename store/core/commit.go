package core

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/internal/groupcommit"
	"github.com/editlock/editlock/store/kv"
)

// job is a transaction on its way to a commit that it shares with others.
type job struct {
	groupcommit.Job
	names  []string // what it changes; no other job of the same commit depends on it
	uses   []string // what else it depends on
	txn    kv.Txn
	answer kv.Answer
}

// Size implements groupcommit.Item.
func (j *job) Size() (txns, bytes int) {
	for i := range j.txn.Then {
		w := &j.txn.Then[i]
		bytes += len(w.Key) + len(w.Value)
		if w.Data != nil {
			bytes += len(*w.Data)
		}
	}
	for i := range j.txn.Log {
		bytes += len(j.txn.Log[i].Value)
	}
	return 1, bytes
}

// committer lets transactions that arrive together share a commit.
type committer struct {
	engine kv.Engine
	queue  *groupcommit.Queue[*job] // nil: nothing is gained by sharing
	calls  chan struct{}            // has room for the calls that may be under way
	ctx    context.Context
	cancel context.CancelFunc
}

func newCommitter(e kv.Engine) *committer {
	c := &committer{engine: e}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if l := e.Limits(); l.Txns > 1 {
		c.queue = groupcommit.New[*job](l.Txns, l.Bytes)
		c.calls = make(chan struct{}, max(1, l.Calls))
		go c.queue.Run(c.perform)
	}
	return c
}

const (
	// firstPause and lastPause bound the pause before a transaction that would end a
	// guarded hold is tried again.
	firstPause = time.Millisecond
	lastPause  = 50 * time.Millisecond
)

// do commits a transaction that changes these names and uses others. While an application's
// transaction guards one of them, it is tried again until ctx ends.
func (c *committer) do(ctx context.Context, names, uses []string, txn kv.Txn) (kv.Answer, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		answer, err := c.once(ctx, names, uses, txn)
		if err != nil || !answer.Guarded {
			return answer, err
		}
		select {
		case <-time.After(pause):
		case <-c.ctx.Done():
			return kv.Answer{}, store.ErrClosed
		case <-ctx.Done():
			return kv.Answer{}, fmt.Errorf("a transaction that guards the mutex has not ended: %w", ctx.Err())
		}
	}
}

// once commits a transaction, once: by itself while no other is under way.
func (c *committer) once(ctx context.Context, names, uses []string, txn kv.Txn) (answer kv.Answer, err error) {
	alone := func() {
		var answers []kv.Answer
		if answers, err = c.engine.Commit(ctx, []kv.Txn{txn}); err == nil {
			answer = answers[0]
		}
	}
	switch {
	case c.queue == nil:
		alone()
	case cap(c.calls) == 1 && c.queue.Alone(alone):
	default:
		j := &job{names: names, uses: uses, txn: txn}
		if err = c.queue.Do(ctx, j); err == nil { // on an error the committer may still write the job
			answer = j.answer
		}
	}
	if err != nil {
		return kv.Answer{}, fail(err)
	}
	return answer, nil
}

// perform commits one batch. A transaction that depends on what another one of the
// batch changes waits for the next batch.
func (c *committer) perform(batch []*job) {
	b := overlap{changed: make(map[string]bool, len(batch)), used: make(map[string]bool)}
	jobs := make([]*job, 0, len(batch))
	txns := make([]kv.Txn, 0, len(batch))
	for _, j := range batch {
		if !b.add(j) {
			go c.queue.Again(j) // the queue may be full, and is emptied here
			continue
		}
		jobs, txns = append(jobs, j), append(txns, j.txn)
	}
	if cap(c.calls) == 1 {
		c.commit(jobs, txns) // what arrives meanwhile shares the next call
		return
	}
	c.calls <- struct{}{}
	c.queue.Go(func() {
		defer func() { <-c.calls }()
		c.commit(jobs, txns)
	})
}

// commit commits transactions together. If the database has no room for all, it
// commits each by itself, as some may fit.
func (c *committer) commit(jobs []*job, txns []kv.Txn) {
	wanted := newWanted(c.ctx, jobs)
	defer wanted.end()
	answers, err := c.engine.Commit(wanted.ctx, txns)
	if errors.Is(err, store.ErrFull) && len(jobs) > 1 {
		for i := range jobs {
			c.commit(jobs[i:i+1], txns[i:i+1])
		}
		return
	}
	for i, j := range jobs {
		if err == nil {
			j.answer = answers[i]
		}
		j.Finish(err)
	}
}

// wanted is a context that ends with the last caller of some jobs. It watches
// one caller at a time: most calls end before any of them gives up.
type wanted struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu   sync.Mutex
	jobs []*job // those whose callers are not known to have given up
	stop func() bool
}

func newWanted(ctx context.Context, jobs []*job) *wanted {
	w := &wanted{jobs: jobs}
	w.ctx, w.cancel = context.WithCancel(ctx)
	w.watch()
	return w
}

func (w *wanted) watch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.jobs) > 0 && w.jobs[0].Context().Err() != nil {
		w.jobs = w.jobs[1:]
	}
	if len(w.jobs) == 0 {
		w.cancel()
		return
	}
	w.stop = context.AfterFunc(w.jobs[0].Context(), w.watch)
}

func (w *wanted) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel(); w.stop != nil {
		w.stop()
	}
}

// overlap decides which transactions share a commit. Waiters of one process may:
// they all use its lease, and don't change it. So may transactions on names below one
// node, but not together with one on the node.
type overlap struct{ changed, used map[string]bool }

func (o *overlap) add(j *job) bool {
	for _, name := range j.names {
		if o.changed[name] || o.used[name] {
			return false
		}
	}
	for _, name := range j.uses {
		if o.changed[name] {
			return false
		}
	}
	for i := range j.txn.Then {
		if o.changed[j.txn.Then[i].Lease] {
			return false
		}
	}
	for _, name := range j.names {
		o.changed[name] = true
	}
	for _, name := range j.uses {
		o.used[name] = true
	}
	for i := range j.txn.Then {
		if lease := j.txn.Then[i].Lease; lease != "" {
			o.used[lease] = true
		}
	}
	return true
}

// closeWithin is how long commits under way may take once the store is closed.
const closeWithin = 10 * time.Second

// close waits for the commits under way, and cancels them after closeWithin.
func (c *committer) close() {
	if c.queue == nil {
		c.cancel()
		return
	}
	c.queue.Close()
	late := time.AfterFunc(closeWithin, c.cancel)
	<-c.queue.Ended()
	late.Stop()
	c.cancel()
}
