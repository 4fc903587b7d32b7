package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/editlock/editlock/store/sqlite/internal/dbfile"
)

// maxFindings is how many faults Check tells of.
const maxFindings = 10

// Check reports what is wrong with the store in a file, such as a backup:
// SQLite's own integrity check, the version, and what must be true of any
// moment of a store that a Manager works on:
//
//   - no number in use (token, place in a queue, mark in the log) is above the
//     last one given out, or it would be given out again;
//   - the log rises, and its rows say of themselves what is in them;
//   - whatever is held has the entry that tells how it came to that, unless
//     it is pruned.
//
// It changes nothing and may run beside servers. The error names each fault,
// ten at most.
func Check(ctx context.Context, path string) (err error) {
	conn, closeFile, err := openExisting(ctx, path)
	if err != nil {
		return dbfile.Explain(path, err)
	}
	defer func() { err = errors.Join(err, closeFile()) }()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil { // one moment for all
		return dbfile.Explain(path, err)
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") }()
	if err := checkAll(ctx, conn); err != nil {
		return dbfile.Explain(path, err)
	}
	return nil
}

// checkAll does what Check does on a connection, within a transaction.
func checkAll(ctx context.Context, conn *sql.Conn) error {
	c := &checker{conn: conn}
	for _, step := range []func(context.Context) error{c.structure, c.version, c.numbers, c.log} {
		if err := step(ctx); err != nil {
			return err
		}
		if len(c.found) > 0 { // what comes next relies on what was checked
			return errors.Join(c.found...)
		}
	}
	return nil
}

// checker collects what is wrong with a file.
type checker struct {
	conn        *sql.Conn
	last, floor uint64
	found       []error
}

func (c *checker) fault(format string, args ...any) {
	if len(c.found) < maxFindings {
		c.found = append(c.found, fmt.Errorf(format, args...))
	}
}

// each calls f for every row of an answer, until something fails.
func (c *checker) each(ctx context.Context, query string, f func(*sql.Rows) error, args ...any) (err error) {
	rows, err := c.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// structure asks SQLite whether pages, indexes and columns are in order.
func (c *checker) structure(ctx context.Context) error {
	return c.each(ctx, "PRAGMA integrity_check(10)", func(rows *sql.Rows) error {
		var says string
		err := rows.Scan(&says)
		if err == nil && says != "ok" {
			c.fault("the file is damaged: %s", says)
		}
		return err
	})
}

func (c *checker) version(ctx context.Context) error {
	if err := checkTables(ctx, c.conn); err != nil {
		return err
	}
	var rows int
	if err := c.conn.QueryRowContext(ctx, "SELECT count(*) FROM editlock_meta").Scan(&rows); err != nil {
		return err
	}
	if rows != 1 {
		c.fault("editlock_meta has %d rows; one row is right", rows)
	}
	return nil
}

// numbers checks that none in use is above the last one given out.
func (c *checker) numbers(ctx context.Context) error {
	err := c.conn.QueryRowContext(ctx, "SELECT "+dbfile.LastSeq+", floor FROM editlock_meta").Scan(&c.last, &c.floor)
	if err != nil {
		return err
	}
	const used = `
		SELECT 'the number of the row ' || quote(k), rev FROM editlock_row WHERE rev > ?1
		UNION ALL SELECT 'the entry of the key ' || quote(key), seq FROM editlock_log_key WHERE seq > ?1
		UNION ALL SELECT 'the floor of the log', floor FROM editlock_meta WHERE floor > ?1
		UNION ALL SELECT 'the end of the indexed log', indexed FROM editlock_meta WHERE indexed > ?1`
	return c.each(ctx, used, func(rows *sql.Rows) error {
		var (
			what   string
			number uint64
		)
		err := rows.Scan(&what, &number)
		c.fault("%s is %d, but the last number given out is %d", what, number, c.last)
		return err
	}, int64(c.last))
}

// log checks its rows, and that what is held is told of there.
func (c *checker) log(ctx context.Context) error {
	untold := make(map[uint64]string) // names held, by token
	err := c.each(ctx, "SELECT rev, substr(k, 2) FROM editlock_row WHERE k >= 'h' AND k < 'i'", func(rows *sql.Rows) error {
		var (
			token uint64
			name  string
		)
		err := rows.Scan(&token, &name)
		if other, twice := untold[token]; twice {
			c.fault("%q and %q have the same token %d", other, name, token)
		}
		if token > c.floor {
			untold[token] = name
		}
		return err
	})
	if err != nil {
		return err
	}
	before, total := uint64(0), -1
	err = c.each(ctx, "SELECT seq, body, entries, total FROM editlock_log ORDER BY seq", func(rows *sql.Rows) error {
		var (
			seq       uint64
			body      []byte
			count, to int
		)
		if err := rows.Scan(&seq, &body, &count, &to); err != nil {
			return err
		}
		entries, err := dbfile.DecodeLog(seq, body)
		if err != nil || len(entries) != count || total >= 0 && to != total+count {
			c.fault("row %d of the log does not hold the %d entries that it should, the last of %d: %v", seq, count, to, err)
			return nil
		}
		total = to
		if entries[0].Number <= before {
			c.fault("entry %d of the log comes after entry %d", entries[0].Number, before)
		}
		before = seq
		for i := range entries {
			c.told(untold, &entries[i])
		}
		return nil
	})
	for token, name := range untold {
		c.fault("%q is held with token %d, but no entry of the log tells of it", name, token)
	}
	return err
}

// told takes what an entry tells of off the list. An entry under the number
// of a token is the one of its capture, and bears the name as a tag.
func (c *checker) told(untold map[uint64]string, e *dbfile.Entry) {
	name, held := untold[e.Number]
	if !held {
		return
	}
	delete(untold, e.Number)
	if !slices.Contains(e.Tags, "n"+name) {
		c.fault("%q is held with token %d, but entry %d of the log is not about it", name, e.Number, e.Number)
	}
}
