package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"editlock/store"
	"editlock/store/sqlite/internal/dbfile"
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
	var rows, version int
	if err := c.conn.QueryRowContext(ctx, "SELECT count(*), ifnull(max(version), 0) FROM editlock_meta").Scan(&rows, &version); err != nil {
		return err
	}
	if rows != 1 || version < 1 {
		c.fault("editlock_meta has %d rows, with version %d; one row with a version from 1 to %d is right", rows, version, dbfile.Version)
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
		SELECT 'the token of the record ' || quote(name), token FROM editlock_record WHERE token > ?1
		UNION ALL SELECT 'the place of the ticket ' || quote(id), seq FROM editlock_ticket WHERE seq > ?1
		UNION ALL SELECT 'the entry of the request ' || quote(id), seq FROM editlock_request WHERE seq > ?1
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
	err := c.each(ctx, "SELECT token, name FROM editlock_record", func(rows *sql.Rows) error {
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
	before := uint64(0)
	err = c.each(ctx, "SELECT seq, body, entries FROM editlock_log ORDER BY seq", func(rows *sql.Rows) error {
		var (
			row   dbfile.Chunk
			count int
		)
		if err := rows.Scan(&row.Seq, &row.Body, &count); err != nil {
			return err
		}
		entries, err := row.Entries()
		if err != nil || len(entries) != count || count == 0 || entries[count-1].Seq != uint64(row.Seq) {
			c.fault("row %d of the log does not hold the %d entries that it should: %v", row.Seq, count, err)
			return nil
		}
		for _, e := range entries {
			if e.Seq <= before {
				c.fault("entry %d of the log comes after entry %d", e.Seq, before)
			}
			before = e.Seq
			c.told(untold, e)
		}
		return nil
	})
	for token, name := range untold {
		c.fault("%q is held with token %d, but no entry of the log tells of it", name, token)
	}
	return err
}

// told takes what an entry tells of off the list. An entry under the number
// of a token is the one of its capture.
func (c *checker) told(untold map[uint64]string, e store.Entry) {
	name, held := untold[e.Seq]
	if !held {
		return
	}
	delete(untold, e.Seq)
	if e.Name != name || e.Token != e.Seq {
		c.fault("%q is held with token %d, but entry %d of the log is about %q and token %d", name, e.Seq, e.Seq, e.Name, e.Token)
	}
}
