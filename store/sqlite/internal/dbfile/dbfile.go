// Package dbfile is what the engine and the operator's tools both know of a
// store's file: its version, the rows of its log, and what its errors mean.
package dbfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
	"zombiezen.com/go/sqlite"

	"github.com/editlock/editlock/store"
)

const (
	// Version is the version of the tables that this editlock makes.
	Version = 3
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

// CheckVersion refuses a file whose tables are of another editlock.
func CheckVersion(version int) error {
	switch {
	case version > Version:
		return fmt.Errorf("its tables have version %d, this editlock knows version %d: use a newer editlock; the file was not changed",
			version, Version)
	case version < Version:
		return fmt.Errorf("its tables have version %d, of an older editlock, and this one begins at version %d: name a file that does not exist; "+
			"the older program can write the history with \"editlock history --json\"; the file was not changed", version, Version)
	}
	return nil
}

// code is SQLite's, of an error of either driver.
func code(err error) int {
	if err == nil {
		return sqlite3.SQLITE_OK
	}
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	if is := sqlite.ErrCode(err); is != sqlite.ResultError {
		return int(is)
	}
	return sqlite3.SQLITE_OK
}

// IsFull reports whether the disk has no room for what was written.
func IsFull(err error) bool { return code(err)&0xff == sqlite3.SQLITE_FULL }

// IsBusy reports whether another process has the lock.
func IsBusy(err error) bool { return code(err)&0xff == sqlite3.SQLITE_BUSY }

// Explain says in plain words what is wrong with a file.
func Explain(path string, err error) error {
	switch {
	case IsFull(err):
		return fmt.Errorf("sqlite: %s: the disk is full (%w, %w)", path, store.ErrFull, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("sqlite: %s: there is no such file; check the path (%w)", path, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("sqlite: %s: the disk is full (%w)", path, err)
	case code(err) == sqlite3.SQLITE_IOERR_SHMSIZE:
		return fmt.Errorf("sqlite: %s: the disk is full: there is no room for the -shm file beside it (%w)", path, err)
	default:
		plain := ""
		switch code(err) & 0xff {
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
