package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/editlock/editlock/store"
)

const (
	// sweepBatch bounds how many names one transaction settles.
	sweepBatch = 500
	// guardedSweep is when a sweep looks again for names that a transaction
	// guards.
	guardedSweep = 100 * time.Millisecond
	// pruneEvery is how often the log is looked over.
	pruneEvery = time.Minute
	// pruneBatch bounds how many entries one transaction prunes: others wait.
	pruneBatch = 1000
)

// dueQuery tells the time, whether there is anything to settle or bury, and
// when there will be next. A claim may also come to be first when a process
// that waits dies.
const dueQuery = `SELECT c.now,
		EXISTS (SELECT FROM @schema@.editlock_due(c.now)) OR EXISTS (SELECT FROM @schema@.editlock_peer p WHERE p.expires <= c.now),
		least((SELECT min(r.expires) FROM @schema@.editlock_record r WHERE r.expires IS NOT NULL),
			(SELECT min(t.claim) FROM @schema@.editlock_ticket t JOIN @schema@.editlock_record r ON r.name = t.name
				WHERE t.claim > c.now AND t.asked = r.token),
			(SELECT min(p.expires) FROM @schema@.editlock_peer p))
	FROM ` + clock

// cutsQuery tells where the log begins, and up to where age ($1: a moment; all
// before it), number ($2: how many stay) and youth ($3, a moment) would cut it.
const cutsQuery = `SELECT (SELECT min(l.seq) FROM @schema@.editlock_log l),
	CASE WHEN $1::bigint > 0 THEN coalesce((SELECT l.seq FROM @schema@.editlock_log l WHERE l.at >= $1 ORDER BY l.seq LIMIT 1) - 1, f.last) END,
	CASE WHEN $2::bigint > 0 THEN (SELECT l.seq FROM @schema@.editlock_log l ORDER BY l.seq DESC OFFSET $2 LIMIT 1) END,
	coalesce((SELECT l.seq FROM @schema@.editlock_log l WHERE l.at >= $3 ORDER BY l.seq LIMIT 1) - 1, f.last)
	FROM (SELECT (SELECT max(l.seq) FROM @schema@.editlock_log l) AS last) f`

// Beat implements store.Store. It may be repeated.
func (s *Store) Beat(ctx context.Context, peer string, ttl time.Duration) (tickets []string, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, s.query.beat, peer, ttl.Microseconds()).Scan(&tickets)
	})
	return tickets, err
}

// Sweep implements store.Store.
func (s *Store) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	now, work, next, err := s.due(ctx)
	if err != nil {
		return 0, err
	}
	kept := false
	if work {
		if kept, err = s.settle(ctx); err != nil {
			return 0, err
		}
	}
	if err := s.prune(ctx, keep, now); err != nil {
		return 0, err
	}
	if work {
		if now, _, next, err = s.due(ctx); err != nil {
			return 0, err
		}
	}
	switch {
	case next.IsZero():
		return -1, nil
	case kept:
		return max(guardedSweep, next.Sub(now)), nil
	}
	return max(0, next.Sub(now)), nil
}

func (s *Store) due(ctx context.Context) (now time.Time, work bool, next time.Time, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		var (
			clock int64
			at    pgtype.Int8
		)
		err := s.pool.QueryRow(ctx, s.query.due).Scan(&clock, &work, &at)
		now, next = fromMicros(clock), time.Time{}
		if at.Valid {
			next = fromMicros(at.Int64)
		}
		return err
	})
	return now, work, next, err
}

// settle settles what is due, and tells whether guards kept any of it.
func (s *Store) settle(ctx context.Context) (kept bool, err error) {
	for more := true; more; {
		err := s.read(ctx, func(ctx context.Context) error {
			var (
				end  summary
				news []string
			)
			err := s.pool.QueryRow(ctx, s.query.sweep, sweepBatch, s.process, s.listening()).
				Scan(&end.first, &end.last, &end.grew, &news, &more, &kept)
			if err == nil {
				end.news = signals(news)
				s.published(end)
			}
			return err
		})
		if err != nil {
			return false, err
		}
	}
	return kept, nil
}

// prune forgets old log entries, some at a time.
func (s *Store) prune(ctx context.Context, keep store.Retention, now time.Time) error {
	if keep == (store.Retention{}) || !s.pruneDue(now) {
		return nil
	}
	var old int64
	if !keep.Before.IsZero() {
		old = max(keep.Before.UnixMicro(), 0)
	}
	var first, byAge, byNumber, young pgtype.Int8
	err := s.read(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, s.query.cuts, old, keep.MaxEntries, now.Add(-store.RetryWindow).UnixMicro()).
			Scan(&first, &byAge, &byNumber, &young)
	})
	if err != nil || !first.Valid {
		return err
	}
	cut := min(max(byAge.Int64, byNumber.Int64), young.Int64) // NULL is 0: nothing
	for to := first.Int64 - 1; to < cut; {
		to = min(to+pruneBatch, cut)
		err := s.read(ctx, func(ctx context.Context) error {
			_, err := s.pool.Exec(ctx, s.query.prune, to)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) pruneDue(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if since := now.Sub(s.lastPrune); since >= 0 && since < pruneEvery {
		return false
	}
	s.lastPrune = now
	return true
}
