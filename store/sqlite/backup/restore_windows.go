package backup

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// sharingViolation is the system's error for a file that others have open.
const sharingViolation = syscall.Errno(32)

// lockBytes opens a file that SQLite can't read, if nobody else has it open;
// and nobody can until it is closed.
func lockBytes(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_EXISTING, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	switch {
	case errors.Is(err, sharingViolation):
		return nil, fmt.Errorf("sqlite: %s: %w", path, ErrInUse)
	case err != nil:
		return nil, fmt.Errorf("sqlite: %s: %w", path, err)
	}
	return os.NewFile(uintptr(h), path), nil
}

// owned has nothing to do: files have the rights of their folder.
func owned(string, string) error { return nil }

// hold has nothing to do: a file that is open can't be removed.
func hold(*os.File) error { return nil }

// removeUnheld removes a file that no process has open.
func removeUnheld(name string) { _ = os.Remove(name) }
