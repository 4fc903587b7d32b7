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

	"github.com/editlock/editlock/internal/fault"
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
		return At(path, fault.New("no_folder", "the folder %s does not exist", filepath.Dir(path)))
	}
	return nil
}

// CheckVersion refuses a file whose tables are of another editlock.
func CheckVersion(version int) error {
	switch {
	case version > Version:
		return fault.New("newer_tables", "its tables have version %d, this editlock knows version %d: use a newer editlock; the file was not changed",
			version, Version)
	case version < Version:
		return fault.New("older_tables", "its tables have version %d, of an older editlock, and this one begins at version %d: name a file that does not exist; "+
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

// At says which file an error is about.
func At(path string, err error) error { return fmt.Errorf("sqlite: %s: %w", path, err) }

// Explain says in plain words what is wrong with a file.
func Explain(path string, err error) error {
	if IsFull(err) {
		return At(path, fmt.Errorf("%w (%w, %w)", fault.New("disk_full", "the disk is full"), store.ErrFull, err))
	}
	if plain := plain(err); plain != nil {
		return At(path, fmt.Errorf("%w (%w)", plain, err))
	}
	return At(path, err)
}

// plain is what an error of the system or of SQLite means; nil: no more than it says.
func plain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New("no_such_file", "there is no such file; check the path")
	case errors.Is(err, syscall.ENOSPC):
		return fault.New("disk_full", "the disk is full")
	case code(err) == sqlite3.SQLITE_IOERR_SHMSIZE:
		return fault.New("disk_full_for_shm", "the disk is full: there is no room for the -shm file beside it")
	}
	switch code(err) & 0xff {
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fault.New("corrupt_file", "the file is corrupt or not an SQLite database; it was left as it is")
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return fault.New("read_only_file", "the file can't be written: check the rights of the file and of its folder")
	case sqlite3.SQLITE_CANTOPEN:
		return fault.New("unreadable_file", "the file can't be opened: check its path and rights")
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fault.New("locked_file", "another program has locked the file for more than %v", BusyTimeout)
	case sqlite3.SQLITE_IOERR:
		return fault.New("disk_failed", "the disk failed")
	}
	return nil
}
