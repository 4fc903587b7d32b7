package etcd

import (
	"context"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/internal/groupcommit"
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
	groupcommit.Job
	swap  *store.Request // a swap, or
	beat  *beat          // a beat, or
	sweep *overdue       // a part of a sweep

	result result
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

// Size implements groupcommit.Item.
func (j *job) Size() (swaps, bytes int) {
	if j.swap == nil {
		return 1, swapBytes
	}
	for _, sw := range j.swap.Swaps {
		bytes += swapBytes + 7*len(sw.Name)
		if sw.Data != nil {
			bytes += len(*sw.Data)
		}
		if sw.Ticket != nil {
			bytes += len(sw.Ticket.Data) + len(sw.Ticket.Value)
		}
	}
	return len(j.swap.Swaps), bytes
}

// Swap implements store.Store.
func (s *Store) Swap(ctx context.Context, req store.Request) (store.Result, error) {
	if err := req.Validate(); err != nil {
		return store.Result{}, err
	}
	j := &job{swap: &req}
	if err := s.jobs.Do(ctx, j); err != nil {
		return store.Result{}, err
	}
	return j.result.swap, nil
}

// Beat implements store.Store.
func (s *Store) Beat(ctx context.Context, peer string, ttl time.Duration) ([]string, error) {
	j := &job{beat: &beat{peer, ttl}}
	if err := s.jobs.Do(ctx, j); err != nil {
		return nil, err
	}
	return j.result.tickets, nil
}
