package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"editlock/store"
)

// indexEvery is how many log entries may await their keys: what a search by
// name or user reads through at most, and what shares the cost of indexing.
const indexEvery = 20_000

// Log implements store.Store.
func (s *Store) Log(ctx context.Context, q store.LogQuery) (page store.LogPage, err error) {
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return page, s.readError(err)
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	var indexed int64
	const head = "SELECT floor, " + lastSeq + ", indexed FROM editlock_meta"
	if err := tx.QueryRowContext(ctx, head).Scan(&page.Floor, &page.Last, &indexed); err != nil {
		return page, s.readError(err)
	}
	if q.Limit <= 0 {
		q.Limit = 100
	}
	var parts []where
	if key := logKey(q); key == "" {
		parts = []where{{from: "editlock_log"}}
	} else {
		old := where{from: "editlock_log_key JOIN editlock_log USING (seq)"}
		old.add("key = ?", key, true)
		old.add("seq <= ?", indexed, true)
		fresh := where{from: "editlock_log"}
		fresh.add("seq > ?", indexed, true)
		parts = []where{old, fresh}
		if q.Newest {
			parts = []where{fresh, old}
		}
	}
	for _, w := range parts {
		if len(page.Entries) < q.Limit {
			more, err := readLog(ctx, tx, q, w, q.Limit-len(page.Entries))
			if err != nil {
				return page, s.readError(err)
			}
			page.Entries = append(page.Entries, more...)
		}
	}
	return page, nil
}

// logKey is the key under which the entries of a query are indexed, if they
// are. A request has an index of its own.
func logKey(q store.LogQuery) string {
	switch {
	case q.Request != "":
		return ""
	case q.Name != "":
		return "n" + q.Name
	case q.User != "":
		return "u" + q.User
	}
	return ""
}

// readLog reads what a query selects from one part of the log.
func readLog(ctx context.Context, tx *sql.Tx, q store.LogQuery, w where, limit int) (entries []store.Entry, err error) {
	w.add("name = ?", q.Name, q.Name != "")
	w.prefix(q.Prefix)
	w.add("request = ? AND request <> ''", q.Request, q.Request != "")
	if q.User != "" {
		w.add("? IN (user, actor, other)", q.User, true)
	}
	if len(q.Kinds) > 0 {
		w.texts = append(w.texts, "kind IN "+row(len(q.Kinds)))
		for _, k := range q.Kinds {
			w.args = append(w.args, k)
		}
	}
	w.add("at >= ?", micros(q.From), !q.From.IsZero())
	w.add("at < ?", micros(q.To), !q.To.IsZero())
	w.add("seq > ?", int64(min(q.After, 1<<63-1)), q.After > 0)
	w.add("seq < ?", int64(min(q.Before, 1<<63-1)), q.Before > 0)
	order := " ORDER BY seq LIMIT ?"
	if q.Newest {
		order = " ORDER BY seq DESC LIMIT ?"
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+entryColumns+" FROM "+w.String()+order, append(w.args, limit)...)
	if err != nil {
		return nil, err
	}
	for err == nil && rows.Next() {
		var e store.Entry
		if e, err = scanEntry(rows); err == nil {
			entries = append(entries, e)
		}
	}
	return entries, errors.Join(err, rows.Err(), rows.Close())
}

// logKeys are the keys of log entries number ? and up to number ?.
const logKeys = `
	WITH part AS MATERIALIZED (SELECT seq, name, user, actor, other FROM editlock_log WHERE seq > ? AND seq <= ?)
	SELECT 'n' || name AS key, seq FROM part
	UNION ALL SELECT 'u' || user, seq FROM part WHERE user <> ''
	UNION ALL SELECT 'u' || actor, seq FROM part WHERE actor <> ''
	UNION ALL SELECT 'u' || other, seq FROM part WHERE other <> ''`

// index adds the keys of all entries that lack them, in the order of keys.
func (b *batch) index(ctx context.Context) error {
	const add = "INSERT OR IGNORE INTO editlock_log_key (key, seq) SELECT key, seq FROM (" + logKeys + ") ORDER BY key, seq"
	if _, err := b.st.exec(ctx, add, int64(b.indexed), int64(b.seq)); err != nil {
		return err
	}
	if _, err := b.st.exec(ctx, "UPDATE editlock_meta SET indexed = ?", int64(b.seq)); err != nil {
		return err
	}
	b.indexed = b.seq
	return nil
}

// prune forgets the entries above from and up to cut, with their keys.
func (b *batch) prune(ctx context.Context, from, cut int64) error {
	const keys = "DELETE FROM editlock_log_key WHERE (key, seq) IN (" + logKeys + ")"
	if _, err := b.st.exec(ctx, keys, from, cut); err != nil {
		return err
	}
	if _, err := b.st.exec(ctx, "DELETE FROM editlock_log WHERE seq <= ?", cut); err != nil {
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
