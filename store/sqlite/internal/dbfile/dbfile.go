// Package dbfile is what the engine and the operator's tools both know of a
// store's file: its version, the rows of its log, and what its errors mean.
package dbfile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"editlock/store"
)

const (
	// Version is the version of the tables that this editlock makes.
	Version = 2
	// BusyTimeout is how long a connection waits for another process's lock.
	BusyTimeout = 10 * time.Second
	// LastSeq is an expression over editlock_meta: the last number given out,
	// mostly an entry's.
	LastSeq = "max(seq, ifnull((SELECT max(seq) FROM editlock_log), 0))"
)

// NeedFolder refuses a file whose folder does not exist.
func NeedFolder(path string) error {
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sqlite: %s: the folder %s does not exist", path, filepath.Dir(path))
	}
	return nil
}

// CheckVersion refuses a file whose tables are of a newer editlock.
func CheckVersion(ctx context.Context, conn *sql.Conn) error {
	var version int
	if err := conn.QueryRowContext(ctx, "SELECT version FROM editlock_meta").Scan(&version); err != nil {
		return err
	}
	if version > Version {
		return fmt.Errorf("its tables have version %d, this editlock knows version %d: use a newer editlock; the file was not changed",
			version, Version)
	}
	return nil
}

// IsFull reports whether the disk has no room for what was written.
func IsFull(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL
}

// Explain says in plain words what is wrong with a file.
func Explain(path string, err error) error {
	var e *driver.Error
	switch {
	case IsFull(err):
		return fmt.Errorf("sqlite: %s: the disk is full (%w, %w)", path, store.ErrFull, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("sqlite: %s: there is no such file; check the path (%w)", path, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("sqlite: %s: the disk is full (%w)", path, err)
	case errors.As(err, &e) && e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE:
		return fmt.Errorf("sqlite: %s: the disk is full: there is no room for the -shm file beside it (%w)", path, err)
	case errors.As(err, &e):
		plain := ""
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			plain = "the file is corrupt or not an SQLite database; it was left as it is"
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
			plain = "the file can't be written: check the rights of the file and of its folder"
		case sqlite3.SQLITE_CANTOPEN:
			plain = "the file can't be opened: check its path and rights"
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			plain = fmt.Sprintf("another program has locked the file for more than %v", BusyTimeout)
		case sqlite3.SQLITE_IOERR:
			plain = "the disk failed"
		}
		if plain != "" {
			return fmt.Errorf("sqlite: %s: %s (%w)", path, plain, err)
		}
	}
	return fmt.Errorf("sqlite: %s: %w", path, err)
}
