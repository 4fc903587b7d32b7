package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"editlock/store"
	"editlock/store/sqlite/internal/dbfile"
)

// indexEvery is how many log entries may await their keys: what a search by
// name or user reads through at most, and what shares the cost of indexing.
const indexEvery = 2_000

// Log implements store.Store.
func (s *Store) Log(ctx context.Context, q store.LogQuery) (page store.LogPage, err error) {
	if err := s.readable(); err != nil {
		return page, err
	}
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return page, s.readError(err)
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	var indexed int64
	const head = "SELECT floor, " + dbfile.LastSeq + ", indexed FROM editlock_meta"
	if err := tx.QueryRowContext(ctx, head).Scan(&page.Floor, &page.Last, &indexed); err != nil {
		return page, s.readError(err)
	}
	if q.Limit <= 0 {
		q.Limit = 100
	}
	for _, w := range logParts(q, indexed) {
		if len(page.Entries) == q.Limit {
			break
		}
		if page.Entries, err = readLog(ctx, tx, q, w, page.Entries); err != nil {
			return page, s.readError(err)
		}
	}
	return page, nil
}

// logParts are the parts of the log where the entries of a query are, in the
// order that it wants.
func logParts(q store.LogQuery, indexed int64) []where {
	if q.Request != "" {
		w := where{from: "editlock_request JOIN editlock_log USING (seq)"}
		w.add("id = ?", q.Request, true)
		return []where{w}
	}
	key := "u" + q.User
	switch {
	case q.Name != "":
		key = "n" + q.Name
	case q.User == "":
		return []where{{from: "editlock_log"}}
	}
	old := where{from: "editlock_log_key JOIN editlock_log USING (seq)"}
	old.add("key = ?", key, true)
	old.add("seq <= ?", indexed, true)
	fresh := where{from: "editlock_log"}
	fresh.add("seq > ?", indexed, true)
	if q.Newest {
		return []where{fresh, old}
	}
	return []where{old, fresh}
}

// readLog appends what a query selects from one part of the log, up to its
// limit.
func readLog(ctx context.Context, tx *sql.Tx, q store.LogQuery, w where, entries []store.Entry) (_ []store.Entry, err error) {
	w.add("last >= ?", micros(q.From), !q.From.IsZero())
	w.add("first <= ?", micros(q.To), !q.To.IsZero())
	w.add("seq > ?", int64(min(q.After, 1<<63-1)), q.After > 0)
	order := " ORDER BY seq"
	if q.Newest {
		order = " ORDER BY seq DESC"
		// The chunk that holds Before-1 may end behind it, but none after that.
		w.add("seq <= ifnull((SELECT min(seq) FROM editlock_log WHERE seq >= ?), 9223372036854775807)",
			int64(min(q.Before, 1<<63-1))-1, q.Before > 0)
	}
	rows, err := tx.QueryContext(ctx, "SELECT seq, body FROM "+w.String()+order, w.args...)
	if err != nil {
		return entries, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	sieve := newSieve(q)
	for rows.Next() {
		c, err := scanChunk(rows)
		if err != nil {
			return entries, err
		}
		if !sieve.passes(c) {
			continue
		}
		read, err := c.Entries()
		if err != nil {
			return entries, err
		}
		if q.Newest {
			slices.Reverse(read)
		}
		for _, e := range read {
			if !q.Matches(e) {
				continue
			}
			if entries = append(entries, e); len(entries) == q.Limit {
				return entries, nil
			}
		}
		if !q.Newest && q.Before > 0 && uint64(c.Seq) >= q.Before {
			break
		}
	}
	return entries, rows.Err()
}

// keyed is a key and the chunk where it leads.
type keyed struct {
	key string
	seq int64
}

// keysOf reads the keys of all chunks above from and up to to, sorted, and
// the requests they tell of.
func (b *batch) keysOf(ctx context.Context, from, to int64) (keys []keyed, requests []any, err error) {
	rows, err := b.st.conn.QueryContext(ctx, "SELECT seq, body FROM editlock_log WHERE seq > ? AND seq <= ?", from, to)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		c, err := scanChunk(rows)
		if err != nil {
			return nil, nil, err
		}
		entries, err := c.Entries()
		if err != nil {
			return nil, nil, err
		}
		for _, key := range logKeys(entries) {
			keys = append(keys, keyed{key, c.Seq})
		}
		for _, e := range entries {
			if e.Request != "" {
				requests = append(requests, e.Request)
			}
		}
	}
	sortKeys(keys)
	return keys, requests, rows.Err()
}

func sortKeys(keys []keyed) {
	slices.SortFunc(keys, func(a, b keyed) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.seq, b.seq))
	})
}

func keyArgs(keys []keyed) []any {
	args := make([]any, 0, 2*len(keys))
	for _, k := range keys {
		args = append(args, k.key, k.seq)
	}
	return args
}

// index adds the keys of all entries that lack them: those the committer has
// collected, or else what the log itself tells.
func (b *batch) index(ctx context.Context, collected []keyed, complete bool) (err error) {
	keys := collected
	if complete {
		sortKeys(keys)
	} else if keys, _, err = b.keysOf(ctx, int64(b.indexed), int64(b.seq)); err != nil {
		return err
	}
	if err := b.st.putKey.each(ctx, keyArgs(keys)); err != nil {
		return err
	}
	if _, err := b.st.exec(ctx, "UPDATE editlock_meta SET indexed = ?", int64(b.seq)); err != nil {
		return err
	}
	b.indexed = b.seq
	return nil
}

// prune forgets the chunks above from and up to cut, with what leads there.
func (b *batch) prune(ctx context.Context, from, cut int64) error {
	keys, requests, err := b.keysOf(ctx, from, cut)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if _, err := b.st.dropKey.ExecContext(ctx, k.key, k.seq); err != nil {
			return err
		}
	}
	for _, id := range requests { // unless it was used anew since
		if _, err := b.st.dropRequest.ExecContext(ctx, id, cut); err != nil {
			return err
		}
	}
	if _, err := b.st.exec(ctx, "DELETE FROM editlock_log WHERE seq > ? AND seq <= ?", from, cut); err != nil {
		return err
	}
	// Tokens rise for ever, although the last one may have been pruned.
	const forget = "UPDATE editlock_meta SET floor = max(floor, ?1), indexed = max(indexed, ?1), seq = max(seq, ?1)"
	if _, err := b.st.exec(ctx, forget, cut); err != nil {
		return err
	}
	b.indexed = max(b.indexed, uint64(cut))
	return nil
}
