package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/editlock/editlock/store"
)

// Beat implements store.Store.
func (s *Store) Beat(ctx context.Context, peer string, ttl time.Duration) ([]string, error) {
	answer, err := s.read(ctx, s.scripts.beat, peer, strconv.FormatInt(ttl.Microseconds(), 10))
	if err != nil {
		return nil, err
	}
	tickets := make([]string, len(answer))
	for i, m := range answer {
		if tickets[i], err = m.ToString(); err != nil {
			return nil, err
		}
	}
	return tickets, nil
}

// sweepBatch bounds how much one script settles: others wait meanwhile.
const sweepBatch = 200

// Sweep implements store.Store.
func (s *Store) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	before := int64(0)
	if !keep.Before.IsZero() {
		before = max(keep.Before.UnixMicro(), 0)
	}
	for {
		answer, err := s.read(ctx, s.scripts.sweep, strconv.Itoa(sweepBatch), strconv.FormatInt(before, 10),
			strconv.FormatInt(max(0, keep.MaxEntries), 10), strconv.FormatInt(store.RetryWindow.Microseconds(), 10))
		if err != nil {
			return 0, err
		}
		if len(answer) != 2 {
			return 0, errNoAnswer
		}
		due, err := answer[0].AsInt64()
		if err != nil {
			return 0, err
		}
		more, err := answer[1].AsInt64()
		if err != nil {
			return 0, err
		}
		if due == 0 || more > 0 {
			continue
		}
		if due < 0 {
			return -1, nil
		}
		return time.Duration(due) * time.Microsecond, nil
	}
}
