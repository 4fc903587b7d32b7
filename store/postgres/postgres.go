// Package postgres keeps a store in a PostgreSQL database, version 13 or newer:
// the store for several servers.
//
// Guarantees: all laws of package kv. A commit is one call of a function and
// one round trip; it is judged by the database's clock under a lock of the
// store, so that all of them are in one order, and is acknowledged when it is
// on the server's disk (also where synchronous_commit is off, whenever that is set). What
// arrives in a process while a commit is under way shares the next one; a
// refusal costs no commit. The tables and functions are made when the store is
// first opened, by whichever process is first; those of another version are refused.
//
// Weaknesses: with asynchronous replication a failover may lose the last
// commits, and the locks in them; with synchronous_standby_names set it
// doesn't. A long transaction elsewhere in the database keeps PostgreSQL from
// removing dead rows, which makes commits slower the longer it lasts. The clock is
// the database machine's, and another one's after a failover: a step forward ends
// holds early by as much, a step back lets them last longer; tokens rise
// regardless. Only a physical standby may take over: logical replication does
// not carry the sequence that tokens come from.
//
// Processes are told of each other's changes by NOTIFY, of the log's growth only
// if somebody reads on behind it, and look for themselves every second. Behind
// PgBouncer in transaction mode, which is noticed, LISTEN does not work: they
// look every 0.2 s then, unless the URL names another way in for listening.
package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
)

// answerWithin is how long the server may take to answer before it counts as
// away, whatever the caller's patience.
const answerWithin = 10 * time.Second

// engine is a kv.Engine.
type engine struct {
	target  *target
	pool    *pgxpool.Pool
	process []byte // tells this engine from others on the same tables
	types   types

	commit, read, page, trim, reindex, watcher, tail statement

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	work sync.WaitGroup // what goes on in the background

	listens  sync.Once
	watching atomic.Bool  // a lease to be told of the log's growth is fresh
	loose    atomic.Int64 // about so many log entries are not indexed
	indexing atomic.Bool

	listeners kv.Listeners
	mu        sync.Mutex
	told      uint64 // listeners know of numbers up to this one
}

// statement is the text of a statement, and its name where it is prepared.
type statement struct{ name, text string }

// Open opens the store in the database that url names, and makes it there if
// it is missing. The URL is PostgreSQL's (postgres://user:password@host/database,
// with sslmode, pool_max_conns and so on), and may also have
//
//	schema=NAME      where the tables are, made if missing; search_path=NAME
//	                 says the same. By default the one that the server takes
//	listen_url=URL   how to reach the server for LISTEN if the URL itself leads
//	                 through a pooler
//
// Open fails at once if the server can't be reached, refuses, is too old or a
// standby, or has tables of another version.
func Open(ctx context.Context, url string) (*core.Store, error) {
	e, err := open(ctx, url)
	if err != nil {
		return nil, err
	}
	return core.New(e), nil
}

func open(ctx context.Context, url string) (*engine, error) {
	t, err := parse(url)
	if err != nil {
		return nil, err
	}
	e := &engine{target: t, process: []byte(rand.Text())}
	if err := t.prepare(ctx, &e.types); err != nil {
		return nil, explain(err)
	}
	for _, s := range []struct {
		to         *statement
		name, text string
	}{
		{&e.commit, "editlock_commit", "SELECT @schema@.editlock_commit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"},
		{&e.read, "editlock_read", "SELECT @schema@.editlock_read($1)"},
		{&e.page, "editlock_page", "SELECT @schema@.editlock_page($1)"},
		{&e.trim, "editlock_trim", "SELECT @schema@.editlock_trim($1, $2, $3, $4)"},
		{&e.reindex, "editlock_reindex", "SELECT @schema@.editlock_reindex($1)"},
		{&e.watcher, "editlock_watch", "SELECT @schema@.editlock_watch($1, $2)"},
		{&e.tail, "editlock_tail", "SELECT @schema@.editlock_tail($1, $2)"},
	} {
		*s.to = statement{s.name, t.fill(s.text)}
	}
	if !t.pooled {
		t.config.AfterConnect = e.prepare
	}
	if e.pool, err = pgxpool.NewWithConfig(ctx, t.config); err != nil {
		return nil, explain(err)
	}
	e.ctx, e.stop = context.WithCancel(context.Background())
	if err := e.begin(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// prepare prepares the statements of a connection.
func (e *engine) prepare(ctx context.Context, conn *pgx.Conn) error {
	for _, s := range []statement{e.commit, e.read, e.page, e.trim, e.reindex, e.watcher, e.tail} {
		if _, err := conn.PgConn().Prepare(ctx, s.name, s.text, nil); err != nil {
			return err
		}
	}
	return nil
}

// Close implements kv.Engine.
func (e *engine) Close() error {
	e.stop()
	e.work.Wait()
	e.pool.Close()
	return nil
}

// call does a statement whose answer is one value. Where it may be repeated, it
// is sent once more if the connection turns out to be dead, as after a restart
// of the server.
func (e *engine) call(ctx context.Context, s statement, args [][]byte, again bool, read func(*answer) error) error {
	if e.ctx.Err() != nil {
		return kv.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	bound, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)()
	err := e.once(bound, s, args, read)
	if err != nil && bound.Err() == nil && disconnected(err) {
		e.pool.Reset()
		if again || pgconn.SafeToRetry(err) {
			err = e.once(bound, s, args, read)
		}
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case e.ctx.Err() != nil:
		return kv.ErrClosed
	}
	return explain(err)
}

// once sends a statement: a prepared one or, through a pooler, with all that a
// session would remember.
func (e *engine) once(ctx context.Context, s statement, args [][]byte, read func(*answer) error) error {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	pg := conn.Conn().PgConn()
	binary := []int16{pgx.BinaryFormatCode}
	if !e.target.pooled {
		return readOne(pg.ExecPrepared(ctx, s.name, args, binary, binary), read)
	}
	var b pgconn.Batch
	b.ExecParams("BEGIN ISOLATION LEVEL READ COMMITTED", nil, nil, nil, nil)
	b.ExecParams(settings, nil, nil, nil, nil)
	b.ExecParams(s.text, args, nil, binary, binary)
	b.ExecParams("COMMIT", nil, nil, nil, nil)
	results := pg.ExecBatch(ctx, &b)
	for n := 0; results.NextResult(); n++ {
		f := read
		if n != 2 {
			f = nil
		}
		if err = readOne(results.ResultReader(), f); err != nil {
			break
		}
	}
	if closed := results.Close(); closed != nil {
		err = closed
	}
	return err
}

// planning keeps plans from being made again for each call, which would take
// longer than the call, and from scanning tables that were small when they were made.
var planning = map[string]string{"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_bitmapscan": "off", "jit": "off"}

// settings does the same for a transaction.
var settings = func() string {
	text := "SELECT true"
	for name, value := range planning {
		text += ", set_config('" + name + "', '" + value + "', true)"
	}
	return text
}()

func readOne(r *pgconn.ResultReader, read func(*answer) error) error {
	var err error
	for r.NextRow() {
		if read != nil {
			err = read(&answer{b: r.Values()[0]})
		}
	}
	if _, closed := r.Close(); closed != nil {
		return closed
	}
	return err
}
