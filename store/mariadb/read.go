package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock/store/kv"
)

var errShort = errors.New("the answer ends before all was read")

// next steps to the next answer of a script.
func next(rows *sql.Rows, first bool) error {
	if first || rows.NextResultSet() {
		return nil
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return errShort
}

// readAnswer reads what the statements of a transaction answer. The rows stand
// before its first answer.
func readAnswer(rows *sql.Rows, t *kv.Txn, a *kv.Answer) error {
	if !rows.Next() {
		return errors.Join(rows.Err(), errShort)
	}
	var now int64
	if err := rows.Scan(&now, &a.Replayed, &a.Done, &a.Guarded, &a.First); err != nil {
		return err
	}
	a.Now = moment(now)
	var err error
	if a.Found, err = readFound(rows, t.Read); err != nil {
		return err
	}
	// The next transaction's answer follows, or the end of the script.
	if !rows.NextResultSet() {
		return rows.Err()
	}
	return nil
}

func readFound(rows *sql.Rows, ranges []kv.Range) ([]kv.Found, error) {
	found := make([]kv.Found, len(ranges))
	for i := range ranges {
		if err := next(rows, false); err != nil {
			return nil, err
		}
		var err error
		if found[i], err = readRows(rows); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func readRows(rows *sql.Rows) (found kv.Found, err error) {
	for rows.Next() {
		var r kv.Row
		var tags [maxTags]sql.NullString
		var lease sql.NullString
		var at, seen, due, ttl, limit int64
		err := rows.Scan(&r.Key, &r.Value, &r.Data, &tags[0], &tags[1], &lease, &r.Rev, &r.Ver, &at, &seen, &due, &ttl, &limit, &found.Count)
		if err != nil {
			return found, err
		}
		for _, tag := range tags {
			if tag.Valid {
				r.Tags = append(r.Tags, tag.String)
			}
		}
		r.Lease, r.At, r.Seen = lease.String, moment(at), moment(seen)
		if due != maxInt {
			r.Due = moment(due)
		}
		r.TTL, r.Max = time.Duration(ttl)*time.Microsecond, time.Duration(limit)*time.Microsecond
		found.Rows = append(found.Rows, r)
	}
	return found, rows.Err()
}

const maxInt = 1<<63 - 1

func moment(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// beginRead begins to read. The clock is read before the snapshot is taken, as
// what is committed in between must not be missed at a later time, and set to
// the time of the last commit, as nothing read is later than it.
func (e *engine) beginRead() string {
	return e.clock() + "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;" +
		"SELECT GREATEST(@n,at) INTO @n FROM editlock_meta WHERE id=1;"
}

// Read implements kv.Engine.
func (e *engine) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	var a kv.Answer
	beside := false
	var s script
	s.add(e.beginRead(), "SELECT @n;")
	for i := range ranges {
		beside = beside || ranges[i].Beside != ""
		s.add(selectRange(&ranges[i]))
	}
	if !beside {
		s.add("COMMIT;")
		return a, e.send(ctx, s.String(), func(rows *sql.Rows) error { return readRanges(rows, ranges, &a) })
	}
	// What is beside rows takes more looks at the same snapshot.
	return a, e.with(ctx, func(conn *sql.Conn) error {
		if err := run(ctx, conn, s.String(), func(rows *sql.Rows) error { return readRanges(rows, ranges, &a) }); err != nil {
			return err
		}
		return readBeside(ctx, conn, ranges, a.Found)
	})
}

func readRanges(rows *sql.Rows, ranges []kv.Range, a *kv.Answer) error {
	if !rows.Next() {
		return errors.Join(rows.Err(), errShort)
	}
	var now int64
	if err := rows.Scan(&now); err != nil {
		return err
	}
	a.Now = moment(now)
	var err error
	a.Found, err = readFound(rows, ranges)
	return err
}

// readBeside reads what is beside the rows found, and ends the transaction. Most have
// nothing beside them, so it asks first which do.
func readBeside(ctx context.Context, conn *sql.Conn, ranges []kv.Range, found []kv.Found) error {
	var s script
	s.add("SELECT 0;")
	var all []kv.Range
	var to []*kv.Found
	for i := range ranges {
		q := &ranges[i]
		if q.Beside == "" || len(found[i].Rows) == 0 {
			continue
		}
		found[i].Beside = make([]kv.Found, len(found[i].Rows))
		near, err := nearest(ctx, conn, q, found[i].Rows)
		if err != nil {
			return err
		}
		for j := range found[i].Rows {
			key := q.BesideOf(found[i].Rows[j].Key)
			if at, _ := slices.BinarySearch(near, key); at < len(near) && !strings.HasPrefix(near[at], key) || at == len(near) && at < nearMost {
				continue
			}
			all = append(all, kv.Range{Prefix: key, Limit: q.BesideLimit, Count: true})
			to = append(to, &found[i].Beside[j])
			s.add(selectRange(&all[len(all)-1]))
		}
	}
	s.add("COMMIT;")
	return run(ctx, conn, s.String(), func(rows *sql.Rows) error {
		beside, err := readFound(rows, all)
		for i := range beside {
			*to[i] = beside[i]
		}
		return err
	})
}

// nearMost bounds how many keys nearest reads.
const nearMost = 1000

// nearest are the first keys beside rows, which stand in the order of their keys, and
// between them. If there are nearMost, more may follow.
func nearest(ctx context.Context, conn *sql.Conn, q *kv.Range, rows []kv.Row) (keys []string, err error) {
	first, last := q.BesideOf(rows[0].Key), successor(q.BesideOf(rows[len(rows)-1].Key))
	look := "SELECT k FROM editlock_row FORCE INDEX (PRIMARY) WHERE k>=" + bin(first) + " AND k<" + bin(last) +
		" ORDER BY k LIMIT " + num(nearMost) + ";"
	return keys, run(ctx, conn, look, func(rows *sql.Rows) error {
		for rows.Next() {
			var key string
			if err := rows.Scan(&key); err != nil {
				return err
			}
			keys = append(keys, key)
		}
		return rows.Err()
	})
}

// Log implements kv.Engine.
func (e *engine) Log(ctx context.Context, queries ...kv.LogQuery) ([]kv.LogPage, error) {
	var s script
	s.add(e.beginRead(), "SELECT @n,last,floor FROM editlock_meta WHERE id=1;")
	for _, q := range queries {
		s.add(selectEntries(q))
	}
	s.add("COMMIT;")
	pages := make([]kv.LogPage, len(queries))
	err := e.send(ctx, s.String(), func(rows *sql.Rows) error {
		if !rows.Next() {
			return errors.Join(rows.Err(), errShort)
		}
		var now int64
		var all kv.LogPage
		if err := rows.Scan(&now, &all.Last, &all.Floor); err != nil {
			return err
		}
		all.Now = moment(now)
		for i := range pages {
			if err := next(rows, false); err != nil {
				return err
			}
			pages[i] = all
			var err error
			if pages[i].Entries, err = readEntries(rows); err != nil {
				return err
			}
		}
		return nil
	})
	return pages, err
}

// selectEntries is the statement that reads a page of the log.
func selectEntries(q kv.LogQuery) string {
	var s script
	s.add("SELECT g.n,g.at,g.v FROM ")
	if q.Tag == "" {
		s.add("editlock_log g WHERE g.n>", num(q.After))
	} else {
		// Else all that has tags may be read in the order of n, until enough of this one's is found.
		s.add("editlock_tag t FORCE INDEX (PRIMARY) STRAIGHT_JOIN editlock_log g ON g.n=t.n WHERE t.h=", hash(q.Tag), " AND t.n>", num(q.After))
	}
	column := "g.n"
	if q.Tag != "" {
		column = "t.n"
	}
	if q.Before > 0 {
		s.add(" AND ", column, "<", num(q.Before))
	}
	s.add(" ORDER BY ", column)
	if q.Newest {
		s.add(" DESC")
	}
	s.add(" LIMIT ", num(q.Limit), ";")
	return s.String()
}

func readEntries(rows *sql.Rows) (entries []kv.Logged, err error) {
	for rows.Next() {
		var in kv.Logged
		var at int64
		if err := rows.Scan(&in.Number, &at, &in.Value); err != nil {
			return nil, err
		}
		in.At = moment(at)
		entries = append(entries, in)
	}
	return entries, rows.Err()
}

// trimmed is how many log entries are removed at a time.
const trimmed = 500

// Trim implements kv.Engine.
func (e *engine) Trim(ctx context.Context, keep kv.Keep) error {
	for {
		var s script
		s.add("SET TRANSACTION ISOLATION LEVEL READ COMMITTED;START TRANSACTION;",
			"SELECT entries INTO @c FROM editlock_meta WHERE id=1 FOR UPDATE;", e.clock(),
			"SET @to=NULL;SELECT MAX(n),COUNT(*) INTO @to,@gone FROM ",
			"(SELECT n,at,ROW_NUMBER() OVER (ORDER BY n) i,MIN(CASE WHEN at>=@n-", num(micros(kv.Window)), " OR NOT (")
		old := "0"
		if !keep.Before.IsZero() {
			old = "at<" + num(keep.Before.UnixMicro())
		}
		s.add(old, " OR @c-i>=", num(keep.MaxEntries), " AND ", num(keep.MaxEntries), ">0")
		s.add(") THEN i END) OVER () first FROM (SELECT n,at,ROW_NUMBER() OVER (ORDER BY n) i FROM (SELECT n,at FROM editlock_log ORDER BY n LIMIT ",
			num(trimmed), ") o) p) q WHERE first IS NULL OR i<first;",
			"DELETE FROM editlock_tag WHERE n<=@to;DELETE FROM editlock_log WHERE n<=@to;",
			"UPDATE editlock_meta SET floor=@to,entries=entries-@gone WHERE id=1 AND @to IS NOT NULL;SELECT @gone;COMMIT;")
		var gone int
		err := e.send(ctx, s.String(), func(rows *sql.Rows) error {
			if !rows.Next() {
				return errors.Join(rows.Err(), errShort)
			}
			return rows.Scan(&gone)
		})
		if err != nil || gone < trimmed {
			return err
		}
	}
}
