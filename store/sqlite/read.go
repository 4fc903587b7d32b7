package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/sqlite/internal/dbfile"
)

const columns = "k, v, d, t1, t2, lease, rev, ver, at, seen, due, ttl, mx"

// scanRow reads the columns.
func scanRow(s *sqlite.Stmt) kv.Row {
	r := kv.Row{
		Key: s.ColumnText(0), Data: s.ColumnText(2), Lease: s.ColumnText(5),
		Rev: uint64(s.ColumnInt64(6)), Ver: uint64(s.ColumnInt64(7)), At: moment(s.ColumnInt64(8)), Seen: moment(s.ColumnInt64(9)),
		TTL: time.Duration(s.ColumnInt64(11)), Max: time.Duration(s.ColumnInt64(12)),
	}
	if n := s.ColumnLen(1); n > 0 {
		r.Value = make([]byte, n)
		s.ColumnBytes(1, r.Value)
	}
	for i := 3; i <= 4 && !s.ColumnIsNull(i); i++ {
		r.Tags = append(r.Tags, s.ColumnText(i))
	}
	if !s.ColumnIsNull(10) {
		r.Due = moment(s.ColumnInt64(10))
	}
	return r
}

func moment(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

func (e *engine) clock() time.Time { return e.now().UTC().Truncate(time.Microsecond) }

// snapshot lets f read, all at one moment, on a connection of its own.
func (e *engine) snapshot(ctx context.Context, f func(c *sqlite.Conn, h head) error) error {
	leave, err := e.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	var c *sqlite.Conn
	select {
	case c = <-e.read:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { e.read <- c }()
	if err := run(c, "BEGIN"); err != nil {
		return dbfile.Explain(e.path, err)
	}
	h, err := readHead(c) // the first read fixes the moment; clocks are read after it
	if err == nil {
		err = f(c, h)
	}
	if ended := run(c, "COMMIT"); err == nil {
		err = ended
	}
	if err != nil {
		return dbfile.Explain(e.path, err)
	}
	return nil
}

// head is what the log and the counter have come to.
type head struct{ last, floor, indexed uint64 }

func readHead(c *sqlite.Conn) (h head, err error) {
	err = query(c, "SELECT "+dbfile.LastSeq+", floor, indexed FROM editlock_meta", func(s *sqlite.Stmt) error {
		h = head{uint64(s.ColumnInt64(0)), uint64(s.ColumnInt64(1)), uint64(s.ColumnInt64(2))}
		return nil
	})
	return h, err
}

// Read implements kv.Engine.
func (e *engine) Read(ctx context.Context, ranges ...kv.Range) (a kv.Answer, err error) {
	err = e.snapshot(ctx, func(c *sqlite.Conn, _ head) (err error) {
		a = kv.Answer{Now: e.clock(), Found: make([]kv.Found, len(ranges))}
		for i := range ranges {
			if a.Found[i], err = search(c, &ranges[i], a.Now); err != nil {
				return err
			}
		}
		return nil
	})
	return a, err
}

// selection is a statement over the rows r that a range selects. Its first
// argument is the time.
type selection struct {
	strings.Builder
	args []any
}

func (s *selection) add(text string, args ...any) {
	for _, arg := range args {
		s.args = append(s.args, arg)
		text = strings.Replace(text, "?", fmt.Sprint("$", len(s.args)), 1)
	}
	s.WriteString(strings.ReplaceAll(text, "$", "?"))
}

// leased holds of a row whose lease, if it has one, is live.
const leased = " AND (r.lease IS NULL OR EXISTS (SELECT 1 FROM editlock_row l WHERE l.k = r.lease AND (l.due IS NULL OR l.due > ?1)))"

// States of rows.
const (
	living  = " AND (r.due IS NULL OR r.due > ?1)"
	overdue = " AND r.due <= ?1"
	hasDue  = " AND r.due IS NOT NULL"
)

// rows adds the selection of columns of the rows in a range and a state.
func (s *selection) rows(columns string, q *kv.Range, state string) {
	from := "SELECT " + columns + " FROM editlock_row r "
	if state == overdue && wide(q) {
		from += "INDEXED BY editlock_row_due "
	}
	from += "WHERE "
	s.WriteString(from)
	if q.Tag != "" {
		s.add("r.t1"+equals+" AND ", q.Tag)
		s.where(q, state)
		s.add(" UNION ALL "+from+"r.t2"+equals+" AND r.t1 <> r.t2 AND ", q.Tag)
	}
	s.where(q, state)
}

// where adds the conditions of a range but for its tag, and of a state.
func (s *selection) where(q *kv.Range, state string) {
	if q.Key != "" {
		s.add("r.k = ?", q.Key)
		s.WriteString(leased)
		return
	}
	s.WriteString("TRUE")
	s.within(q)
	if q.Lease != "" {
		s.add(" AND r.lease"+equals, q.Lease)
	}
	s.WriteString(state)
	s.WriteString(leased)
}

// within adds the conditions of a range on keys.
func (s *selection) within(q *kv.Range) {
	if q.Prefix != "" {
		s.add(" AND r.k >= ?", q.Prefix)
	}
	if q.After != "" {
		s.add(" AND r.k > ?", q.After)
	}
	if end := successor(q.Prefix); end != "" {
		s.add(" AND r.k < ?", end)
	}
}

// successor is the first key behind those that begin with prefix; empty: none.
func successor(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}

// Of a bare parameter SQLite asks the value when it plans a limit or judges an
// equality, and so parses the whole statement again for each value bound.
const (
	limited = " LIMIT ?+0"
	equals  = " = ?||''"
)

// selected is the statement that reads a range at a time, of rows in a state.
func selected(q *kv.Range, now time.Time) (s *selection, state string) {
	s, state = &selection{args: []any{now.UnixMicro()}}, living
	cols := columns
	if q.Brief {
		cols = strings.Replace(cols, "v", "NULL", 1)
	}
	switch {
	case q.Due:
		state = hasDue
	case q.Overdue:
		state = overdue
	case q.Either:
		state = ""
	}
	s.rows(cols, q, state)
	switch {
	case q.Due:
		s.WriteString(" ORDER BY due, k")
	case q.Key == "":
		s.WriteString(" ORDER BY k")
	}
	if q.Limit > 0 {
		s.add(limited, q.Limit)
	}
	return s, state
}

// search reads a range at a time.
func search(c *sqlite.Conn, q *kv.Range, now time.Time) (found kv.Found, err error) {
	s, state := selected(q, now)
	err = query(c, s.String(), func(row *sqlite.Stmt) error {
		found.Rows = append(found.Rows, scanRow(row))
		return nil
	}, s.args...)
	if found.Count = len(found.Rows); err != nil {
		return found, err
	}
	if q.Count && q.Limit > 0 && found.Count == q.Limit {
		s = &selection{args: s.args[:1]}
		s.count(q, state)
		count, err := integer(c, s.String(), s.args...)
		if found.Count = int(count); err != nil {
			return found, err
		}
	}
	if q.Beside == "" {
		return found, nil
	}
	found.Beside = make([]kv.Found, len(found.Rows))
	any, err := integer(c, someUnder, q.Beside, successor(q.Beside))
	for i := 0; i < len(found.Rows) && any > 0 && err == nil; i++ {
		prefix := q.BesideOf(found.Rows[i].Key)
		found.Beside[i], err = search(c, &kv.Range{Prefix: prefix, Limit: q.BesideLimit, Count: true}, now)
	}
	return found, err
}

// wide reports whether a range is one of keys that may be many: those of a group
// are few. What is overdue in it, and what lives with a lease,
// is then found among all that is.
func wide(q *kv.Range) bool {
	return q.Key == "" && q.Tag == "" && q.Lease == "" && !q.Due && !kv.IsGroup(q.Prefix)
}

// count adds a selection of how many rows are in a range and a state.
func (s *selection) count(q *kv.Range, state string) {
	if state != living || !wide(q) {
		s.WriteString("SELECT COUNT(*) FROM (")
		s.rows("1", q, state)
		s.WriteString(")")
		return
	}
	// Of most rows no more than the key is read.
	for i, some := range []string{
		"WHERE TRUE",
		"INDEXED BY editlock_row_due WHERE r.due <= ?1",
		"INDEXED BY editlock_row_lease WHERE r.lease IS NOT NULL AND (r.due IS NULL OR r.due > ?1) AND NOT (TRUE" + leased + ")",
	} {
		s.WriteString([]string{"SELECT (", ") - (", ") - ("}[i])
		s.WriteString("SELECT COUNT(*) FROM editlock_row r " + some)
		s.within(q)
	}
	s.WriteString(")")
}

// someUnder tells whether any key is between two.
const someUnder = "SELECT EXISTS (SELECT 1 FROM editlock_row WHERE k >= ?1 AND k < ?2)"

// integer is the one number that a statement answers.
func integer(c *sqlite.Conn, text string, args ...any) (n int64, err error) {
	err = query(c, text, func(s *sqlite.Stmt) error {
		n = s.ColumnInt64(0)
		return nil
	}, args...)
	return n, err
}
