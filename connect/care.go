package connect

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/editlock/editlock/store/sqlite/backup"
)

// ErrOtherTool is the error of Backup and Restore for stores that are not a
// file of ours: their own tools copy them.
var ErrOtherTool = errors.New("this kind of store is copied by its own tools")

// ErrInUse is the error of Restore while a process has the store open.
var ErrInUse = backup.ErrInUse

type (
	// BackupOptions adjusts Backup and Restore. Nil means defaults.
	BackupOptions = backup.Options
	// Description is what is in a store's file.
	Description = backup.Description
	// Restored is what Restore did.
	Restored = backup.Restored
)

// Engine is the kind of store that a URL names: the scheme, in one spelling.
func Engine(url string) string {
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "postgresql":
		return "postgres"
	case "mysql":
		return "mariadb"
	case "rediss":
		return "redis"
	case "https":
		return "http"
	}
	return scheme
}

// File is the path of the database file that a URL names. The error is
// ErrOtherTool if it names a store of another kind.
func File(url string) (string, error) {
	scheme, rest, err := split(url)
	switch {
	case err != nil:
		return "", err
	case scheme != "sqlite":
		return "", fmt.Errorf("%s: %w", scheme, ErrOtherTool)
	}
	return sqlitePath(rest)
}

// Backup copies a store that is a file to dst, which must not exist, while
// others use it; see backup.Create.
func Backup(ctx context.Context, url, dst string, o *BackupOptions) error {
	path, err := File(url)
	if err != nil {
		return err
	}
	return backup.Create(ctx, path, dst, o)
}

// Restore puts a copy of a backup in the place of a store that is a file and
// that nobody has open; see backup.Restore.
func Restore(ctx context.Context, from, url string, o *BackupOptions) (*Restored, error) {
	path, err := File(url)
	if err != nil {
		return nil, err
	}
	return backup.Restore(ctx, from, path, o)
}

// Describe tells what is in a store's file.
func Describe(ctx context.Context, path string) (*Description, error) {
	return backup.Describe(ctx, path)
}
