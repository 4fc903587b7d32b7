package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"editlock/store"
)

// Beat implements store.Store.
func (s *Store) Beat(ctx context.Context, peer string, ttl time.Duration) ([]string, error) {
	var tickets []string
	err := s.jobs.Do(ctx, &job{run: func(ctx context.Context, b *batch) (err error) {
		tickets = nil
		if err := b.loadPeers(ctx); err != nil {
			return err
		}
		if !b.env().Alive(peer) {
			if err := b.bury(ctx, peer); err != nil {
				return err
			}
		}
		until := b.now.Add(ttl)
		if _, err := b.st.putPeer.ExecContext(ctx, peer, until.UnixMicro()); err != nil {
			return err
		}
		b.peers[peer] = until
		rows, err := b.st.mine.QueryContext(ctx, peer)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			tickets = append(tickets, id)
		}
		return rows.Err()
	}})
	if err != nil {
		return nil, err
	}
	return tickets, nil
}

const (
	// sweepBatch bounds how many names one transaction settles.
	sweepBatch = 500
	// pruneEvery is how often the log is looked over.
	pruneEvery = time.Minute
	// pruneBatch bounds how many numbers of entries one transaction prunes.
	pruneBatch = 5000
)

// Sweep implements store.Store.
func (s *Store) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	if err := s.readable(); err != nil {
		return 0, err
	}
	for {
		names, dead, err := s.overdue(ctx)
		if err != nil {
			return 0, s.readError(err)
		}
		if len(names) > 0 || dead {
			err := s.jobs.Do(ctx, &job{run: func(ctx context.Context, b *batch) error { return b.sweep(ctx, names) }})
			if err != nil {
				return 0, err
			}
		}
		if len(names) < sweepBatch {
			break
		}
	}
	if err := s.prune(ctx, keep); err != nil {
		return 0, s.readError(err)
	}
	var next sql.NullInt64
	// A claim may also come to be first when a process that waits dies.
	const find = `SELECT min(at) FROM (
		SELECT min(expires) AS at FROM editlock_record WHERE expires IS NOT NULL
		UNION ALL
		SELECT min(claim) FROM editlock_ticket t JOIN editlock_record r USING (name)
			WHERE claim > ? AND asked = r.token
		UNION ALL
		SELECT min(expires) FROM editlock_peer)`
	err := s.read.QueryRowContext(ctx, find, s.clock().UnixMicro()).Scan(&next)
	if err != nil {
		return 0, s.readError(err)
	}
	if !next.Valid {
		return -1, nil
	}
	return max(0, fromMicros(next.Int64).Sub(s.clock())), nil
}

// overdue finds names that want settling, and whether a dead process left
// anything behind.
func (s *Store) overdue(ctx context.Context) (names []string, dead bool, err error) {
	now := s.clock().UnixMicro()
	const due = `SELECT name FROM (
		SELECT name FROM editlock_record WHERE expires IS NOT NULL AND expires <= ?
		UNION
		SELECT t.name FROM editlock_ticket t JOIN editlock_record r USING (name)
		WHERE claim <= ? AND asked = r.token AND NOT EXISTS (
			SELECT 1 FROM editlock_ticket e JOIN editlock_peer p ON p.id = e.peer AND p.expires > ?
			WHERE e.name = t.name AND e.seq < t.seq)
		) LIMIT ?`
	rows, err := s.read.QueryContext(ctx, due, now, now, now, sweepBatch)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, false, err
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return nil, false, err
	}
	const find = `SELECT EXISTS (SELECT 1 FROM editlock_peer WHERE expires <= ?)
		OR EXISTS (SELECT 1 FROM editlock_ticket WHERE peer NOT IN (SELECT id FROM editlock_peer))`
	err = s.read.QueryRowContext(ctx, find, now).Scan(&dead)
	return names, dead, err
}

// sweep settles names and buries dead processes with their tickets.
func (b *batch) sweep(ctx context.Context, names []string) error {
	if err := b.loadPeers(ctx); err != nil {
		return err
	}
	for _, name := range names {
		if err := b.settle(ctx, name); err != nil {
			return err
		}
	}
	const orphans = "DELETE FROM editlock_ticket WHERE peer NOT IN (SELECT id FROM editlock_peer)"
	if _, err := b.st.exec(ctx, orphans); err != nil {
		return err
	}
	b.forget()
	for peer, until := range b.peers {
		if b.now.Before(until) {
			continue
		}
		if err := b.bury(ctx, peer); err != nil {
			return err
		}
	}
	return nil
}

// bury forgets a dead process and its tickets.
func (b *batch) bury(ctx context.Context, peer string) error {
	delete(b.peers, peer)
	b.forget()
	for _, forget := range []string{
		"DELETE FROM editlock_ticket WHERE peer = ?", "DELETE FROM editlock_peer WHERE id = ?",
	} {
		if _, err := b.st.exec(ctx, forget, peer); err != nil {
			return err
		}
	}
	return nil
}

// forget drops what is known by heart of the queues, after tickets were
// deleted in the file alone.
func (b *batch) forget() {
	*b.lines = *newLines()
	b.left = true
}

// prune forgets old log entries, some at a time.
func (s *Store) prune(ctx context.Context, keep store.Retention) error {
	now := s.clock()
	if keep == (store.Retention{}) || !s.pruneDue(now) {
		return nil
	}
	cut, err := s.pruneTo(ctx, keep, now)
	if err != nil || cut == 0 {
		return err
	}
	var first int64
	const find = "SELECT ifnull(min(seq), 0) - 1 FROM editlock_log"
	if err := s.read.QueryRowContext(ctx, find).Scan(&first); err != nil {
		return err
	}
	for from := first; from < cut; from += pruneBatch {
		to := min(from+pruneBatch, cut)
		err := s.jobs.Do(ctx, &job{run: func(ctx context.Context, b *batch) error { return b.prune(ctx, from, to) }})
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

// pruneTo is the last entry that neither age nor number lets stay; 0: none.
func (s *Store) pruneTo(ctx context.Context, keep store.Retention, now time.Time) (int64, error) {
	var cut int64
	young := now.Add(-store.RetryWindow)
	if keep.MaxEntries > 0 {
		err := s.read.QueryRowContext(ctx, `SELECT ifnull((SELECT seq FROM
			(SELECT seq, entries, sum(entries) OVER (ORDER BY seq DESC) AS newer FROM editlock_log)
			WHERE newer - entries >= ? LIMIT 1), 0)`, keep.MaxEntries).Scan(&cut)
		if err != nil {
			return 0, err
		}
	}
	if !keep.Before.IsZero() {
		old, err := s.lastBefore(ctx, keep.Before)
		if err != nil {
			return 0, err
		}
		cut = max(cut, old)
	}
	if cut == 0 {
		return 0, nil
	}
	limit, err := s.lastBefore(ctx, young)
	return min(cut, limit), err
}

// lastBefore is the last entry of those at the log's beginning that are all
// older than t; 0: none.
func (s *Store) lastBefore(ctx context.Context, t time.Time) (seq int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT ifnull(
		(SELECT seq FROM editlock_log WHERE seq < ifnull(
			(SELECT seq FROM editlock_log WHERE last >= ? ORDER BY seq LIMIT 1), 9223372036854775807)
		ORDER BY seq DESC LIMIT 1), 0)`, t.UnixMicro()).Scan(&seq)
	return seq, err
}
