// Package mariadb keeps a store in a MariaDB or MySQL database.
//
// Guarantees: all laws of package kv, for the server's default durability
// (innodb_flush_log_at_trx_commit 1). Its clock is the server's. Writers of all
// processes take turns on one row, and share commits within a process. A call
// is one packet: a capture, a renewal and a release take one round trip.
//
// Weaknesses: news of other processes are polled for, ten times a second. A
// replica that is promoted must have received all that was acknowledged, or
// tokens can be given out twice: use semi-synchronous replication or a cluster
// that certifies (Galera), with all servers of editlock on one node.
package mariadb

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
)

//go:embed tables.sql
var tables string

// version is the form of the tables that this program knows.
const version = 2

// engine is a kv.Engine.
type engine struct {
	db *sql.DB
	id atomic.Pointer[string] // see sender
	// clock is the statement that sets @n to the time. Tests have another.
	clock func() string
	stop  context.CancelFunc
	ctx   context.Context // ends with Close

	listeners kv.Listeners
	mu        sync.Mutex
	told      uint64 // the highest number that listeners know of
	poller    sync.Once
	polls     sync.WaitGroup
}

// Open opens the store in a database, and makes its tables if they are not
// there. A URL of another form than mysql://USER:PASSWORD@HOST:PORT/DATABASE is
// an error that says so, without the password.
func Open(ctx context.Context, url string) (*core.Store, error) {
	e, err := open(ctx, url)
	if err != nil {
		return nil, err
	}
	return core.New(e), nil
}

func open(ctx context.Context, url string) (*engine, error) {
	db, address, err := database(url)
	if err != nil {
		return nil, err
	}
	e := &engine{db: db, clock: serverClock}
	e.db.SetMaxOpenConns(16)
	e.db.SetMaxIdleConns(8)
	e.newSender()
	e.ctx, e.stop = context.WithCancel(context.Background())
	if err := e.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("mariadb: %s: %w", address, explain(err)), e.Close())
	}
	return e, nil
}

// prepare makes the tables, unless they are there, and refuses a database that can't
// keep a store.
func (e *engine) prepare(ctx context.Context) error {
	if _, err := look(ctx, e.db); err != nil {
		return err
	}
	is, err := tablesVersion(ctx, e.db)
	if err == nil && is == 0 {
		err = e.makeTables(ctx)
	}
	if err != nil {
		return err
	}
	return e.db.QueryRowContext(ctx, "SELECT last FROM editlock_meta WHERE id=1").Scan(&e.told)
}

// makeTables makes the tables. The version is written last, so where one stands all
// are there, and nothing waits for those who use them.
func (e *engine) makeTables(ctx context.Context) error {
	for statement := range strings.SplitSeq(strings.ReplaceAll(tables, "@version@", strconv.Itoa(version)), ";") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		_, err := e.db.ExecContext(ctx, statement)
		for n := 1; n < retries && undone(err); n++ { // another process makes them, too
			_, err = e.db.ExecContext(ctx, statement)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// retries is how often a script is sent again that the server undid because of
// others: a deadlock, or a lock that took too long.
const retries = 5

// send sends a script, and reads its answers.
func (e *engine) send(ctx context.Context, script string, read func(*sql.Rows) error) error {
	for n := 1; ; n++ {
		err := e.with(ctx, func(conn *sql.Conn) error { return run(ctx, conn, script, read) })
		if n == retries || !undone(err) {
			return err
		}
	}
}

// with gives f a connection. After an error it is not used again: a
// transaction may be open.
func (e *engine) with(ctx context.Context, f func(*sql.Conn) error) error {
	if e.ctx.Err() != nil {
		return kv.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	conn, err := e.db.Conn(ctx)
	if err == nil {
		if err = f(conn); err != nil {
			_ = conn.Raw(func(any) error { return errDiscard })
		}
		_ = conn.Close()
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case e.ctx.Err() != nil:
		return kv.ErrClosed
	}
	return fmt.Errorf("mariadb: %w", explain(err))
}

// run sends a script over a connection and reads its answers, up to the end.
func run(ctx context.Context, conn *sql.Conn, script string, read func(*sql.Rows) error) error {
	rows, err := conn.QueryContext(ctx, script)
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := read(rows); err != nil {
		return err
	}
	for rows.NextResultSet() { // the commit may fail, too
	}
	return rows.Err()
}

// Close implements kv.Engine.
func (e *engine) Close() error {
	e.stop()
	e.polls.Wait()
	return e.db.Close()
}
