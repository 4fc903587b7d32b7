package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/editlock/editlock/store/sqlite/internal/dbfile"
)

// claimed is the file to be replaced, which nobody else can read until it is
// released.
type claimed struct {
	path    string
	file    *os.File  // nil: there is none
	conn    *sql.Conn // nil: SQLite can't read it
	sound   bool      // last is what it gave out
	last    uint64    // as far as is known
	release func() error
}

// claimWithin is how long a command that is about to end is waited for.
const claimWithin = time.Second

// claim takes a store's file for this process alone. SQLite itself tells: who
// has a file open in WAL mode keeps a shared lock on it, and the lock for
// exclusive use is refused. With that lock the WAL is written back, and goes.
func claim(ctx context.Context, path string) (*claimed, error) {
	c := &claimed{path: path}
	switch _, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		c.release = func() error { return nil }
		return c, nil
	case err != nil:
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	conn, closeFile, err := openExisting(ctx, path)
	if err != nil {
		return nil, dbfile.Explain(path, err)
	}
	err = exclusive(ctx, conn)
	if err == nil {
		// Closing any other handle of the file would end SQLite's lock, so this
		// one is closed last.
		if c.file, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
			return nil, errors.Join(fmt.Errorf("sqlite: %w", err), closeFile())
		}
		c.release = func() error { return errors.Join(closeFile(), c.file.Close()) }
		c.conn = conn
		c.examine(ctx)
		if err := ctx.Err(); err != nil {
			return nil, errors.Join(err, c.release())
		}
		return c, nil
	}
	if err := errors.Join(closeFile(), ctx.Err()); err != nil {
		return nil, dbfile.Explain(path, err)
	}
	var e *driver.Error
	if !errors.As(err, &e) {
		return nil, dbfile.Explain(path, err)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return nil, fmt.Errorf("sqlite: %s: %w", path, ErrInUse)
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT: // a server may have opened it before it broke
		if c.file, err = lockBytes(path); err != nil {
			return nil, err
		}
		c.release = c.file.Close
		return c, nil
	}
	return nil, dbfile.Explain(path, err)
}

// appear gives the name, which is free, to a file in one step. What a file that
// is gone left beside it would be taken for the new one's and must go first;
// but while the name is free, that may be a server's which has just begun. So
// the name is taken meanwhile by a file that no server can read. If the restore
// fails then, that stays: a server that found none would make an empty store,
// whose tokens begin at 1.
func (c *claimed) appear(with, was string) error {
	if err := owned(with, c.path); err != nil {
		return err
	}
	left := false
	for _, end := range []string{"-wal", "-journal", "-shm"} {
		_, err := os.Lstat(c.path + end)
		left = left || !errors.Is(err, fs.ErrNotExist)
	}
	if !left {
		return c.link(with)
	}
	place, err := newPart(c.path)
	if err != nil {
		return err
	}
	defer place.remove()
	if err := errors.Join(os.WriteFile(place.name, noHead(), 0o600), owned(place.name, c.path)); err != nil {
		return err
	}
	if err := c.link(place.name); err != nil {
		return err
	}
	if c.file, err = lockBytes(c.path); err != nil {
		return err
	}
	c.release = c.file.Close
	if err := c.aside(was); err != nil {
		return err
	}
	return overwrite(c.file, with)
}

// link gives the store's name to a file; unlike Rename it refuses what has come
// into being.
func (c *claimed) link(file string) error {
	err := os.Link(file, c.path)
	if errors.Is(err, fs.ErrExist) {
		return ErrInUse
	}
	return err
}

// exclusive makes a connection the only one to a file.
func exclusive(ctx context.Context, conn *sql.Conn) error {
	for _, text := range []string{
		fmt.Sprintf("PRAGMA busy_timeout = %d", claimWithin.Milliseconds()),
		"PRAGMA locking_mode = EXCLUSIVE", // keeps each lock from now on
		"PRAGMA journal_mode = DELETE",
		"BEGIN EXCLUSIVE",
	} {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// examine finds out which numbers were given out.
func (c *claimed) examine(ctx context.Context) {
	c.sound = checkAll(ctx, c.conn) == nil
	if c.conn.QueryRowContext(ctx, "SELECT "+dbfile.LastSeq+" FROM editlock_meta").Scan(&c.last) != nil {
		c.sound = false
	}
}

// follows tells whether the file is sound and came out of the store that was
// copied: it has the newest row of the copy's log, word for word. Where that is
// pruned it is not known, and the answer is no.
func (c *claimed) follows(ctx context.Context, copied *sql.Conn) (bool, error) {
	if !c.sound {
		return false, nil
	}
	var seq int64
	var newest, has string
	err := copied.QueryRowContext(ctx, "SELECT seq, body FROM editlock_log ORDER BY seq DESC LIMIT 1").Scan(&seq, &newest)
	if err == nil {
		err = c.conn.QueryRowContext(ctx, "SELECT body FROM editlock_log WHERE seq = ?", seq).Scan(&has)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil && has == newest, err
}
