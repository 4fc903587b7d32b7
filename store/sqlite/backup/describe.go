package backup

import (
	"context"
	"database/sql"
	"errors"

	"github.com/editlock/editlock/store/sqlite/internal/dbfile"
)

// SchemaVersion is the version of the tables that this package makes.
const SchemaVersion = dbfile.Version

// Description is what is in a file.
type Description struct {
	Version  int    // of its tables
	Engine   string // SQLite's version
	Mutexes  int    // records, those included that expired and were not swept yet
	Waiting  int
	Entries  int    // of the history
	Last     uint64 // number given out
	FileSize int64  // bytes
}

// Describe reads what is in a file, which may be in use, and changes nothing.
func Describe(ctx context.Context, path string) (d *Description, err error) {
	conn, closeFile, err := openExisting(ctx, path)
	if err != nil {
		return nil, dbfile.Explain(path, err)
	}
	defer func() { err = errors.Join(err, closeFile()) }()
	d = &Description{FileSize: size(path)}
	if err := d.read(ctx, conn); err != nil {
		return d, dbfile.Explain(path, err)
	}
	return d, nil
}

// read fills in what it can: of a newer version, its number only.
func (d *Description) read(ctx context.Context, conn *sql.Conn) error {
	if err := conn.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&d.Engine); err != nil {
		return err
	}
	if err := checkTables(ctx, conn); err != nil {
		return err
	}
	const counts = `SELECT version, ` + dbfile.LastSeq + `,
		(SELECT count(*) FROM editlock_row WHERE k >= 'h' AND k < 'i'),
		(SELECT count(*) FROM editlock_row WHERE k >= 'q' AND k < 'r'),
		ifnull((SELECT max(total) FROM editlock_log) - (SELECT total - entries FROM editlock_log ORDER BY seq LIMIT 1), 0)
		FROM editlock_meta`
	return conn.QueryRowContext(ctx, counts).Scan(&d.Version, &d.Last, &d.Mutexes, &d.Waiting, &d.Entries)
}
