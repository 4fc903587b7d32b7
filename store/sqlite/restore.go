package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// stride is how many numbers are left out when it is not known how many the
// replaced store gave out: a million a second for twelve days. Numbers stay
// below 2^53, where JavaScript's end, for eight thousand such restores.
const stride = 1 << 40

// ErrInUse is the error of Restore while a process has the store open.
var ErrInUse = errors.New("another process has the store open; stop all servers first")

// Restored is what Restore did.
type Restored struct {
	// Kept is the name that the replaced file has now; empty: there was none.
	Kept string
	// Last is the number that counts as the last one given out: every token
	// from now on is greater.
	Last uint64
	// Jumped tells that the replaced file could not say which numbers it gave
	// out, so a great many were left out.
	Jumped bool
}

// Restore puts a copy of a backup in the place of the store in the file path,
// which no process may have open; the backup stays as it is. It refuses, and
// changes nothing, if the backup fails [Check] or is of a newer editlock. The
// replaced file stays beside the new one, with the time (UTC) in its name.
//
// No number that the replaced store gave out is given out again: the new one
// begins behind its last. If the replaced file is missing or fails Check, it
// begins 2^40 numbers behind what is known.
func Restore(ctx context.Context, backup, path string, o *BackupOptions) (r *Restored, err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if err := differ(backup, path); err != nil {
		return nil, err
	}
	if err := Check(ctx, backup); err != nil {
		return nil, err
	}
	temp, err := tempFile(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp)
			_ = os.Remove(temp + "-journal")
		}
	}()
	if err := o.watched(backup, temp, func() error { return snapshot(ctx, backup, temp) }); err != nil {
		return nil, explain(backup, err)
	}
	old, err := claim(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, old.release()) }()
	r = &Restored{Jumped: !old.sound}
	if r.Last, err = raise(ctx, temp, old); err != nil {
		return nil, explain(temp, err)
	}
	if err := Check(ctx, temp); err != nil {
		return nil, fmt.Errorf("sqlite: the copy is not sound: %w", err)
	}
	if err := owned(temp, path); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if err := syncFile(temp); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if r.Kept, err = old.replace(temp, time.Now()); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	return r, syncFolder(filepath.Dir(path))
}

// differ refuses to restore a file from itself.
func differ(backup, path string) error {
	from, err := os.Stat(backup)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if to, err := os.Stat(path); err == nil && os.SameFile(from, to) {
		return fmt.Errorf("sqlite: %s: is the store itself", backup)
	}
	return nil
}

// raise sets the last number given out in a copy, above all that the replaced
// store may have given out.
func raise(ctx context.Context, copied string, old *claimed) (last uint64, err error) {
	conn, closeFile, err := openExisting(ctx, copied)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, closeFile()) }()
	if err := conn.QueryRowContext(ctx, "SELECT "+lastSeq+" FROM editlock_meta").Scan(&last); err != nil {
		return 0, err
	}
	last = max(last, old.last)
	if !old.sound {
		last += stride
	}
	_, err = conn.ExecContext(ctx, "UPDATE editlock_meta SET seq = ?", int64(last))
	return last, err
}

// claimed is the file to be replaced, which nobody else can open until it is
// released.
type claimed struct {
	path    string
	there   bool
	sound   bool   // last is what it gave out
	last    uint64 // as far as is known
	release func() error
}

// claimWithin is how long a command that is about to end is waited for.
const claimWithin = time.Second

// claim takes a store's file for this process alone. SQLite itself tells: who
// has a file open in WAL mode keeps a shared lock on it, and the lock for
// exclusive use is refused. With that lock the WAL is written back, and goes.
func claim(ctx context.Context, path string) (*claimed, error) {
	c := &claimed{path: path, release: func() error { return nil }}
	switch _, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return c, nil
	case err != nil:
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	c.there = true
	conn, closeFile, err := openExisting(ctx, path)
	if err != nil {
		return nil, explain(path, err)
	}
	err = exclusive(ctx, conn)
	if err == nil {
		c.release = closeFile
		c.examine(ctx, conn)
		if err := ctx.Err(); err != nil {
			return nil, errors.Join(err, closeFile())
		}
		return c, nil
	}
	if err := errors.Join(closeFile(), ctx.Err()); err != nil {
		return nil, explain(path, err)
	}
	var e *driver.Error
	if !errors.As(err, &e) {
		return nil, explain(path, err)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return nil, fmt.Errorf("sqlite: %s: %w", path, ErrInUse)
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT: // a server may have opened it before it broke
		c.release, err = lockBytes(path)
		return c, err
	}
	return nil, explain(path, err)
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
func (c *claimed) examine(ctx context.Context, conn *sql.Conn) {
	c.sound = checkAll(ctx, conn) == nil
	if conn.QueryRowContext(ctx, "SELECT "+lastSeq+" FROM editlock_meta").Scan(&c.last) != nil {
		c.sound = false
	}
}

// replace gives the file another name, and its own to the new one.
func (c *claimed) replace(with string, now time.Time) (kept string, err error) {
	if runtime.GOOS == "windows" { // what is open can't be renamed there, by anybody
		if err := c.release(); err != nil {
			return "", err
		}
		c.release = func() error { return nil }
	}
	kept = c.path + now.UTC().Format(".replaced-20060102-150405.000")
	// What a file that can't be read left beside it would be taken for the
	// new one's.
	for _, end := range []string{"-wal", "-journal"} {
		if err := os.Rename(c.path+end, kept+end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if err := os.Remove(c.path + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if !c.there { // Link, unlike Rename, refuses what has come into being
		if err := os.Link(with, c.path); err != nil {
			return "", err
		}
		return "", os.Remove(with)
	}
	// A second name first: at no time is there no file.
	if err := os.Link(c.path, kept); err != nil {
		return "", err
	}
	return kept, os.Rename(with, c.path)
}
