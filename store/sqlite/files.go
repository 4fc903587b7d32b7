package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/editlock/editlock/internal/fault"
)

// replaced is the error of a store whose files are no longer those that it
// opened. What it would write there, no other process and no restart would see.
func replaced(path string) error {
	return fault.New("file_replaced", "%s was removed or replaced while the store was open; "+
		"nothing more is read or written: see the runbook before you stop this process", path)
}

// files are the database, its WAL and its shared memory, as they were opened.
// SQLite keeps all three for as long as a connection is open.
type files struct {
	paths [3]string
	was   [3]fs.FileInfo
	gone  atomic.Pointer[error]
	wal   atomic.Int64 // size of the WAL when it was seen last
}

// note remembers the files that are open. before is what stood at the path
// before it was opened; nil: nothing.
func (f *files) note(path string, before fs.FileInfo) error {
	path, err := filepath.Abs(path) // the process may change its folder
	if err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(path) // SQLite does so for the other two
	if err != nil {
		real = path
	}
	f.paths = [...]string{path, real + "-wal", real + "-shm"}
	for i, p := range f.paths {
		if f.was[i], err = os.Stat(p); err != nil {
			return err
		}
	}
	if before != nil && !os.SameFile(before, f.was[0]) {
		return replaced(path)
	}
	return nil
}

// check looks whether the files are still in their places. Once one was not,
// it fails for good.
func (f *files) check() error {
	if err := f.lost(); err != nil {
		return err
	}
	for i, p := range f.paths {
		is, err := os.Stat(p)
		if err == nil && i == 1 {
			f.wal.Store(is.Size())
		}
		if err == nil && os.SameFile(is, f.was[i]) || err != nil && !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		lost := replaced(p)
		f.gone.CompareAndSwap(nil, &lost)
		return f.lost()
	}
	return nil
}

// lost is what check has found before.
func (f *files) lost() error {
	if err := f.gone.Load(); err != nil {
		return *err
	}
	return nil
}
