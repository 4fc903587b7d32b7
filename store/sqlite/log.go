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
func (s *Store) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	r := &logReader{q: q, sieve: newSieve(q)}
	err := s.readLog(ctx, func(tx *sql.Tx, head logHead) error {
		r.page.Floor, r.page.Last = head.floor, head.last
		switch {
		case q.Request != "":
			return r.read(ctx, tx, requestParts(q.Request))
		case q.Name != "":
			return s.readKey(ctx, tx, head, "n"+q.Name, r)
		case q.User != "":
			return s.readKey(ctx, tx, head, "u"+q.User, r)
		}
		return r.read(ctx, tx, where{from: "editlock_log"})
	})
	return r.page, err
}

// logHead is what a read of the log knows of it, at its moment.
type logHead struct {
	floor, last uint64
	indexed     int64
}

// readLog lets do read the log at one moment.
func (s *Store) readLog(ctx context.Context, do func(tx *sql.Tx, head logHead) error) error {
	if err := s.readable(); err != nil {
		return err
	}
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return s.readError(err)
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	var h logHead
	const head = "SELECT floor, " + dbfile.LastSeq + ", indexed FROM editlock_meta"
	if err := tx.QueryRowContext(ctx, head).Scan(&h.floor, &h.last, &h.indexed); err != nil {
		return s.readError(err)
	}
	if err := do(tx, h); err != nil {
		return s.readError(err)
	}
	return nil
}

func requestParts(id string) where {
	w := where{from: "editlock_request JOIN editlock_log USING (seq)"}
	w.add("id = ?", id, true)
	return w
}

// readKey reads the entries of a name or a user: those that the index has, and
// the later ones.
func (s *Store) readKey(ctx context.Context, tx *sql.Tx, head logHead, key string, r *logReader) error {
	fresh, err := s.tail.find(ctx, tx, head.indexed, key)
	if err != nil {
		return err
	}
	old := where{from: "editlock_log_key JOIN editlock_log USING (seq)"}
	old.add("key = ?", key, true)
	old.add("seq <= ?", head.indexed, true)
	if !r.q.Newest {
		if err := r.read(ctx, tx, old); err != nil || r.stopped() {
			return err
		}
	} else {
		slices.Reverse(fresh)
	}
	for _, seq := range fresh {
		one := where{from: "editlock_log"}
		one.add("seq = ?", seq, true)
		if err := r.read(ctx, tx, one); err != nil || r.stopped() {
			return err
		}
	}
	if !r.q.Newest {
		return nil
	}
	return r.read(ctx, tx, old)
}

// logReader collects a page.
type logReader struct {
	q     store.LogQuery
	sieve sieve
	page  store.LogPage
}

// stopped reports whether the page has an end before that of the log.
func (r *logReader) stopped() bool { return r.page.Next != 0 }

// read takes in the chunks of one part of the log, until the page is full, or
// long enough.
func (r *logReader) read(ctx context.Context, tx *sql.Tx, w where) (err error) {
	w.add("seq > ?", int64(min(r.q.After, 1<<63-1)), r.q.After > 0)
	order := " ORDER BY seq"
	if r.q.Newest {
		order = " ORDER BY seq DESC"
		// The chunk that holds Before-1 may end behind it, but none after that.
		w.add("seq <= ifnull((SELECT min(seq) FROM editlock_log WHERE seq >= ?), 9223372036854775807)",
			int64(min(r.q.Before, 1<<63-1))-1, r.q.Before > 0)
	}
	// Times are compared here, so that SQLite itself passes over nothing.
	rows, err := tx.QueryContext(ctx, "SELECT seq, entries, first, last, body FROM "+w.String()+order, w.args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var (
			c           dbfile.Chunk
			n           int
			first, last int64
			body        sql.RawBytes // read before the next row
		)
		if err := rows.Scan(&c.Seq, &n, &first, &last, &body); err != nil {
			return err
		}
		c.Body = body
		r.page.Examined += n
		if (r.q.From.IsZero() || last >= r.q.From.UnixMicro()) && (r.q.To.IsZero() || first <= r.q.To.UnixMicro()) && r.sieve.passes(c) {
			if err := r.take(c); err != nil {
				return err
			}
		}
		switch {
		case r.stopped():
			return nil
		case !r.q.Newest && r.q.Before > 0 && uint64(c.Seq) >= r.q.Before:
			return nil
		case r.page.Examined < r.q.Limit+store.LogPiece:
		case r.q.Newest:
			r.page.Next, err = firstOf(c)
			return err
		default:
			r.page.Next = uint64(c.Seq)
			return nil
		}
	}
	return rows.Err()
}

// take appends what the query selects of a chunk.
func (r *logReader) take(c dbfile.Chunk) error {
	entries, err := c.Entries()
	if err != nil {
		return err
	}
	if r.q.Newest {
		slices.Reverse(entries)
	}
	for _, e := range entries {
		if !r.q.Matches(e) {
			continue
		}
		if r.page.Entries = append(r.page.Entries, e); len(r.page.Entries) == r.q.Limit {
			r.page.Next = e.Seq
			return nil
		}
	}
	return nil
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
