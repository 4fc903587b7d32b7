package etcd

import (
	"context"
	"slices"
	"time"

	"editlock/store"
)

const (
	// maxBatch bounds how many swaps share a step, and maxBatchBytes how much
	// they write, so that several don't fail where each would pass. etcd takes
	// 1.5 MiB at once (--max-request-bytes).
	maxBatch      = 256
	maxBatchBytes = 512 << 10
	// swapBytes is what a swap writes beside its own texts, roughly.
	swapBytes = 1 << 10
)

// job is one thing to do, in a step that it may share with others.
type job struct {
	ctx   context.Context // of the caller, who may be gone before the turn comes
	swap  *store.Request  // a swap, or
	beat  *beat           // a beat, or
	sweep *overdue        // a part of a sweep

	result result
	err    error
	done   chan struct{}
}

type beat struct {
	peer string
	ttl  time.Duration
}

// overdue is what a sweep has found: names to settle, and peers that died.
type overdue struct {
	names, peers []string
}

// run does the job.
func (j *job) run(b *batch) result {
	switch {
	case j.swap != nil:
		return b.swap(j.swap)
	case j.beat != nil:
		return b.beat(j.beat.peer, j.beat.ttl)
	default:
		return b.sweep(j.sweep)
	}
}

// size is how much a job writes: in swaps, and roughly in bytes.
func (j *job) size() (swaps, bytes int) {
	if j.swap == nil {
		return 1, swapBytes
	}
	for _, sw := range j.swap.Swaps {
		bytes += swapBytes + 6*len(sw.Name)
		if sw.Data != nil {
			bytes += len(*sw.Data)
		}
		if sw.Ticket != nil {
			bytes += len(sw.Ticket.Data) + len(sw.Ticket.Value)
		}
	}
	return len(j.swap.Swaps), bytes
}

// do hands a job to the committer and waits for its step.
func (s *Store) do(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.ctx, j.done = ctx, make(chan struct{})
	select {
	case <-s.quit.Done():
		return store.ErrClosed
	default:
	}
	select {
	case s.jobs <- j:
	case <-s.quit.Done():
		return store.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.gone:
	}
	select {
	case <-j.done:
		return j.err
	default:
		return store.ErrClosed
	}
}

// Swap implements store.Store.
func (s *Store) Swap(ctx context.Context, req store.Request) (store.Result, error) {
	if err := req.Validate(); err != nil {
		return store.Result{}, err
	}
	j := &job{swap: &req}
	if err := s.do(ctx, j); err != nil {
		return store.Result{}, err
	}
	return j.result.swap, nil
}

// Beat implements store.Store.
func (s *Store) Beat(ctx context.Context, peer string, ttl time.Duration) ([]string, error) {
	j := &job{beat: &beat{peer, ttl}}
	if err := s.do(ctx, j); err != nil {
		return nil, err
	}
	return j.result.tickets, nil
}

// collect waits for a job and adds those that wait already; nil: the store is
// closed.
func (c *committer) collect() []*job {
	var jobs []*job
	if c.next != nil {
		jobs, c.next = append(jobs, c.next), nil
	} else {
		select {
		case j := <-c.s.jobs:
			jobs = append(jobs, j)
		case <-c.s.quit.Done():
			return nil
		}
	}
	swaps, bytes := jobs[0].size()
	for {
		select {
		case j := <-c.s.jobs:
			n, size := j.size()
			if swaps, bytes = swaps+n, bytes+size; swaps > maxBatch || bytes > maxBatchBytes {
				c.next = j
				return jobs
			}
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
}

// wanted leaves out the jobs whose callers gave up while they waited.
func wanted(jobs []*job) []*job {
	return slices.DeleteFunc(jobs, func(j *job) bool {
		if j.err = j.ctx.Err(); j.err != nil {
			close(j.done)
		}
		return j.err != nil
	})
}
