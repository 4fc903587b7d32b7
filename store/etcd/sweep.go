package etcd

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store"
)

// sweepBatch bounds how many names one step settles.
const sweepBatch = 100

// Sweep implements store.Store.
func (s *Store) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	for {
		due, wait, err := s.overdue(ctx)
		if err != nil {
			return 0, err
		}
		if len(due.names)+len(due.peers) == 0 {
			return wait, s.prune(ctx, keep)
		}
		if err := s.jobs.Do(ctx, &job{sweep: &due}); err != nil {
			return 0, err
		}
	}
}

// overdue finds what wants settling now, or else how long until something
// does; negative: nothing is known to.
func (s *Store) overdue(ctx context.Context) (due overdue, wait time.Duration, err error) {
	m, answers, err := s.look(ctx, clientv3.OpGet(s.keys.dues(), clientv3.WithPrefix(),
		clientv3.WithKeysOnly(), clientv3.WithLimit(sweepBatch+1), clientv3.WithSort(clientv3.SortByKey, clientv3.SortAscend)))
	if err != nil {
		return due, 0, err
	}
	now, next := micros(m.env.Now), int64(0)
	for peer, until := range m.peers {
		if until <= now {
			due.peers = append(due.peers, peer)
		} else if next == 0 || until < next {
			next = until
		}
	}
	slices.Sort(due.peers)
	for _, kv := range answers[0] {
		key := strings.TrimPrefix(string(kv.Key), s.keys.dues())
		at, err := strconv.ParseInt(key[:min(len(key), len(number(0)))], 16, 64)
		if err != nil {
			return due, 0, err
		}
		if at > now {
			if next == 0 || at < next {
				next = at
			}
			break
		}
		if len(due.names) == sweepBatch {
			break
		}
		due.names = append(due.names, key[len(number(0)):])
	}
	if next == 0 {
		return due, -1, nil
	}
	return due, time.Duration(next-now) * time.Microsecond, nil
}
