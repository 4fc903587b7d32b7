//go:build unix

package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// lockBytes takes SQLite's exclusive lock on a file that SQLite itself can't
// read. Anybody who has it open holds a part of it.
func lockBytes(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	err = syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK, Start: lockFrom, Len: lockSize})
	if err == nil {
		return f, nil
	}
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
		err = fmt.Errorf("sqlite: %s: %w", path, ErrInUse)
	} else {
		err = fmt.Errorf("sqlite: %s: %w", path, err)
	}
	return nil, errors.Join(err, f.Close())
}

// owned gives a new file the owner and the mode of the one that it replaces,
// or else the owner of the folder: who restores is often root, who serves is
// not.
func owned(file, path string) error {
	like, err := os.Stat(path)
	switch {
	case err == nil:
		if err := os.Chmod(file, like.Mode().Perm()); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case os.Geteuid() != 0:
		return nil
	default:
		if like, err = os.Stat(filepath.Dir(path)); err != nil {
			return err
		}
	}
	has := like.Sys().(*syscall.Stat_t)
	return os.Chown(file, int(has.Uid), int(has.Gid))
}

// hold marks a file as in use by this process. It is no lock of SQLite's, which
// has another kind.
func hold(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// removeUnheld removes a file that no process holds.
func removeUnheld(name string) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	if hold(f) == nil {
		_ = os.Remove(name)
	}
}
