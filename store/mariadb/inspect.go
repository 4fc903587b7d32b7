package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Inspection is a look at a store that changes nothing. Make it with Inspect,
// and close it.
type Inspection struct {
	Version        string // the server's
	Tables, Newest int    // version of the tables (0: there are none), and the newest known here
	// Lazy is the setting by which commits are acknowledged before they are on
	// disk; empty: there is none.
	Lazy string

	db *sql.DB
}

// Inspect looks at the store that url names. It fails as Open does.
func Inspect(ctx context.Context, url string) (*Inspection, error) {
	db, address, err := database(url)
	if err != nil {
		return nil, err
	}
	i := &Inspection{Newest: version, db: db}
	i.db.SetMaxOpenConns(1)
	if i.Version, err = look(ctx, i.db); err == nil {
		i.Tables, err = tablesVersion(ctx, i.db)
	}
	if err == nil {
		var flush int
		if err = i.db.QueryRowContext(ctx, "SELECT @@global.innodb_flush_log_at_trx_commit").Scan(&flush); flush != 1 {
			i.Lazy = fmt.Sprintf("innodb_flush_log_at_trx_commit = %d", flush)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mariadb: %s: %w", address, explain(err)), i.Close())
	}
	return i, nil
}

// look tells the server's version, and refuses one that won't do.
func look(ctx context.Context, db *sql.DB) (is string, err error) {
	var readOnly bool
	if err := db.QueryRowContext(ctx, "SELECT VERSION(),@@global.read_only").Scan(&is, &readOnly); err != nil {
		return "", err
	}
	if readOnly {
		return is, errReadOnly
	}
	return is, nil
}

// tablesVersion is the version of the tables; 0: there are none.
func tablesVersion(ctx context.Context, db *sql.DB) (is int, err error) {
	err = db.QueryRowContext(ctx, "SELECT version FROM editlock_meta WHERE id=1").Scan(&is)
	var my *mysql.MySQLError
	if errors.Is(err, sql.ErrNoRows) || errors.As(err, &my) && my.Number == noTable {
		return 0, nil
	}
	switch {
	case err != nil || is == version:
	case is < version:
		err = fmt.Errorf("the tables have version %d, those of an older editlock: drop the tables editlock_* to start over (its own \"history --json\" keeps the history)", is)
	default:
		err = fmt.Errorf("the tables have version %d, this editlock knows version %d: use a newer editlock; nothing was changed", is, version)
	}
	return is, err
}

// Clock tells the store's time.
func (i *Inspection) Clock(ctx context.Context) (time.Time, error) {
	var now int64
	err := i.db.QueryRowContext(ctx, "SELECT TIMESTAMPDIFF(MICROSECOND,'1970-01-01',UTC_TIMESTAMP(6))").Scan(&now)
	if err != nil {
		return time.Time{}, fmt.Errorf("mariadb: %w", explain(err))
	}
	return moment(now), nil
}

// Close ends the connection.
func (i *Inspection) Close() error { return i.db.Close() }
