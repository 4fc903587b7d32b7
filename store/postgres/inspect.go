package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Inspection is a look at a store that changes nothing. Make it with Inspect,
// and close it.
type Inspection struct {
	Version        string // the server's
	Tables, Newest int    // version of the tables (0: there are none), and the newest known here
	// Lazy is the setting by which commits are acknowledged before they are on
	// disk, which synchronous_commit can't do to this store; empty: there is none.
	Lazy string

	conn *pgx.Conn
}

// Inspect looks at the store that url names. It fails as Open does; with tables
// of a newer editlock, too.
func Inspect(ctx context.Context, url string) (*Inspection, error) {
	t, err := parse(url)
	if err != nil {
		return nil, err
	}
	once := t.config.ConnConfig.Copy()
	once.DefaultQueryExecMode = pgx.QueryExecModeExec // works through any pooler
	conn, err := pgx.ConnectConfig(ctx, once)
	if err != nil {
		return nil, explain(err)
	}
	i := &Inspection{Newest: schemaVersion, conn: conn}
	about, err := t.look(ctx, conn)
	if err == nil {
		i.Version = fmt.Sprintf("PostgreSQL %d.%d", about.version/10000, about.version%10000)
		var present bool
		if present, err = t.check(ctx, conn); present {
			i.Tables = schemaVersion
		}
	}
	if err == nil {
		err = conn.QueryRow(ctx, "SELECT CASE WHEN current_setting('fsync') = 'off' THEN 'fsync = off' ELSE '' END").Scan(&i.Lazy)
	}
	if err != nil {
		return nil, errors.Join(explain(err), i.Close())
	}
	return i, nil
}

// Clock tells the store's time.
func (i *Inspection) Clock(ctx context.Context) (now time.Time, err error) {
	if err := i.conn.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&now); err != nil {
		return now, explain(err)
	}
	return now, nil
}

// Close ends the connection.
func (i *Inspection) Close() error { return i.conn.Close(context.Background()) }
