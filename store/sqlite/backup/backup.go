// Package backup has the operator's tools for a store in a SQLite file: they
// copy it, put a copy back, check it and describe it, while servers use it or
// not. The engine, package sqlite, knows nothing of them.
package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/editlock/editlock/internal/fault"
	"github.com/editlock/editlock/store/sqlite/internal/dbfile"
)

// Options adjusts Create and Restore. Nil means defaults.
type Options struct {
	// Progress is called about once a second while bytes are copied, with how
	// many there are to copy, about, and once when all are.
	Progress func(copied, total int64)
	// Replace lets a backup take the place of a file that exists, once it is
	// good: in one step. Restore knows no such choice.
	Replace bool
}

// Create copies the store in the file path to dst while others, of this
// process or not, go on writing to it. The copy is one moment of the store:
// everything acknowledged before the call is in it, and every step is in it
// whole or not at all. It is checked as by [Check], and on disk, before it
// gets its name; readable by the present user only, since it names people. A
// file that exists already is refused, unless it may be replaced.
//
// To put it back, see [Restore].
func Create(ctx context.Context, path, dst string, o *Options) (err error) {
	if err := o.free(path, dst); err != nil {
		return err
	}
	part, err := newPart(dst)
	if err != nil {
		return err
	}
	defer part.remove()
	temp := part.name
	if err := o.watched(path, temp, func() error { return snapshot(ctx, path, temp) }); err != nil {
		return dbfile.Explain(path, err)
	}
	if err := Check(ctx, temp); err != nil {
		return dbfile.At(path, fault.New("unsound_copy", "the copy is not sound: %w", err))
	}
	if err := syncFile(temp); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	part.release() // not everywhere can a file be renamed that is open
	if err := os.Rename(temp, dst); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return syncFolder(filepath.Dir(dst))
}

// free tells whether a backup may have the name dst. What is, or may be, a
// store in use is never replaced.
func (o *Options) free(path, dst string) error {
	for _, end := range []string{"-wal", "-shm", "-journal"} {
		if strings.HasSuffix(dst, end) {
			return dbfile.At(dst, fault.New("name_of_part", "is a name that SQLite gives to a part of a store; choose one that does not end in %s", end))
		}
	}
	there, err := os.Lstat(dst)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("sqlite: %w", err)
	case o == nil || !o.Replace:
		return dbfile.At(dst, fault.New("backup_exists", "exists already; a backup overwrites nothing"))
	}
	store, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if !there.Mode().IsRegular() || os.SameFile(store, there) {
		return dbfile.At(dst, fault.New("not_a_backup", "is no backup, and is not replaced"))
	}
	if _, err := os.Lstat(dst + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return dbfile.At(dst, fault.New("store_in_use", "is a store in use (it has a -wal file), and is not replaced"))
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// progressEvery is how often Progress is told.
const progressEvery = time.Second

// watched tells Progress how much of a file is in its copy, while f copies.
func (o *Options) watched(path, to string, f func() error) error {
	if o == nil || o.Progress == nil {
		return f()
	}
	done := make(chan error, 1)
	go func() { done <- f() }()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			o.Progress(min(size(to), size(path)), size(path))
		case err := <-done:
			if err == nil {
				o.Progress(size(to), size(to))
			}
			return err
		}
	}
}

// size is a file's, 0 if it is not there.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// snapshot writes what a file holds at one moment to another, which is empty.
//
// VACUUM INTO reads in one transaction, which in WAL mode keeps no writer
// waiting. SQLite's backup API would copy page by page and start over whenever
// another process has written in between: under load it never ends.
func snapshot(ctx context.Context, path, to string) (err error) {
	conn, closeFile, err := openExisting(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeFile()) }()
	if err := checkTables(ctx, conn); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "VACUUM INTO ?", to)
	return err
}

// openExisting opens a file for one connection, and creates none.
func openExisting(ctx context.Context, path string) (conn *sql.Conn, closeFile func() error, err error) {
	if _, err := os.Stat(path); err != nil {
		return nil, nil, err
	}
	q := url.Values{"mode": {"rw"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", dbfile.BusyTimeout.Milliseconds())}}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, nil, err
	}
	if conn, err = db.Conn(ctx); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return conn, func() error { return errors.Join(conn.Close(), db.Close()) }, nil
}

// checkTables reports whether a file is an editlock store of a known version.
func checkTables(ctx context.Context, conn *sql.Conn) error {
	var tables int
	const find = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'editlock_meta'"
	if err := conn.QueryRowContext(ctx, find).Scan(&tables); err != nil {
		return err
	}
	if tables == 0 {
		return fault.New("not_a_store", "the file is no editlock store: it has no table editlock_meta")
	}
	var version int
	if err := conn.QueryRowContext(ctx, "SELECT version FROM editlock_meta").Scan(&version); err != nil {
		return err
	}
	return dbfile.CheckVersion(version)
}

// syncFolder makes a new name in a folder outlast a power failure, where the
// system can.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	_ = dir.Sync() // Windows has no such thing, and does it by itself
	return dir.Close()
}
