package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
// changes nothing, if the backup fails [Check] or is of a newer editlock. What
// was there is kept beside it, with the time (UTC) in its name.
//
// The content is replaced, not the file: SQLite finds the WAL by the file's
// name, so a process that starts meanwhile would join another file's WAL to the
// one put aside. Now it waits for the file's lock, and finds the new content.
// If a power failure cuts the work short, the file is one that SQLite refuses,
// never half a store; Restore again.
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
		_ = os.Remove(temp)
		_ = os.Remove(temp + "-journal")
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

// claimed is the file to be replaced, which nobody else can read until it is
// released.
type claimed struct {
	path    string
	file    *os.File // nil: there is none
	sound   bool     // last is what it gave out
	last    uint64   // as far as is known
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
	conn, closeFile, err := openExisting(ctx, path)
	if err != nil {
		return nil, explain(path, err)
	}
	err = exclusive(ctx, conn)
	if err == nil {
		// Closing any other handle of the file would end SQLite's lock, so this
		// one is closed last.
		if c.file, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
			return nil, errors.Join(fmt.Errorf("sqlite: %w", err), closeFile())
		}
		c.release = func() error { return errors.Join(closeFile(), c.file.Close()) }
		c.examine(ctx, conn)
		if err := ctx.Err(); err != nil {
			return nil, errors.Join(err, c.release())
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
		if c.file, err = lockBytes(path); err != nil {
			return nil, err
		}
		c.release = c.file.Close
		return c, nil
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

// replace keeps a copy of the file's content, and gives it that of another.
func (c *claimed) replace(with string, now time.Time) (kept string, err error) {
	kept = c.path + now.UTC().Format(".replaced-20060102-150405.000")
	if c.file != nil {
		if err := c.keep(kept); err != nil {
			return "", err
		}
	}
	// What a file that is gone or can't be read left beside it would be taken
	// for the new one's.
	for _, end := range []string{"-wal", "-journal"} {
		if err := os.Rename(c.path+end, kept+end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if err := os.Remove(c.path + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if c.file == nil {
		if err := errors.Join(owned(with, c.path), syncFile(with)); err != nil {
			return "", err
		}
		return "", os.Link(with, c.path) // unlike Rename, it refuses what has come into being
	}
	if err := overwrite(c.file, with); err != nil {
		return "", fmt.Errorf("%w; the store can't be used now, what it was is in %s: restore again", err, kept)
	}
	return kept, nil
}

// keep copies the file's content.
func (c *claimed) keep(kept string) (err error) {
	f, err := os.OpenFile(kept, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	info, err := c.file.Stat()
	if err == nil {
		_, err = io.Copy(f, io.NewSectionReader(c.file, 0, info.Size()))
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(kept))
	}
	return owned(kept, c.path)
}

// Where SQLite locks a file, whatever is in it: from the pending byte to the
// end of the shared range. The page with these bytes is never used.
const (
	lockFrom = 0x40000000
	lockSize = 512
)

// headSize is how much of a file is written last: without its header it is
// none that SQLite reads.
const headSize = 512

// overwrite gives a file the content of another.
func overwrite(f *os.File, with string) (err error) {
	src, err := os.Open(with)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	head := make([]byte, headSize)
	if _, err := src.ReadAt(head, 0); err != nil {
		return err
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xff}, headSize), 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	for _, part := range [][2]int64{{headSize, min(lockFrom, info.Size())}, {lockFrom + lockSize, info.Size()}} {
		if part[0] >= part[1] {
			continue
		}
		if _, err := io.Copy(io.NewOffsetWriter(f, part[0]), io.NewSectionReader(src, part[0], part[1]-part[0])); err != nil {
			return err
		}
	}
	if err := errors.Join(f.Truncate(info.Size()), f.Sync()); err != nil {
		return err
	}
	if _, err := f.WriteAt(head, 0); err != nil {
		return err
	}
	return f.Sync()
}
