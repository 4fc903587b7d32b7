// Package sqlite keeps a store in one SQLite file: the embedded store of
// editlock.
//
// Guarantees: all laws of package kv. What was acknowledged is on disk (WAL,
// synchronous=FULL), so neither a crash of the process nor a power failure
// loses it, if the disk keeps its word on fsync. Calls that arrive together
// share one commit.
//
// Several processes on one machine may open one file. Each commit takes
// SQLite's write lock first, so all laws hold among them too. A process hears of
// its own changes at once. Of another's it hears at once on Linux, if it has
// written within a minute, as all do that listen; else within [pollEvery]. Not over
// a network file system: SQLite's locks and shared memory don't work there.
//
// The clock is the machine's. If it is set forward, leases end sooner by that
// much, and later if it is set back; tokens rise regardless.
package sqlite

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/editlock/editlock/internal/fault"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/sqlite/internal/dbfile"
)

//go:embed schema.sql
var schema string

const (
	// pollEvery is how late another process's changes are noticed where the bell
	// is not heard.
	pollEvery = 100 * time.Millisecond
	// checkpointPages is how long the WAL grows before it is checkpointed, in
	// pages of 4 KiB: 8 MiB, which a volume must have beside the database.
	// SQLite's own 1000 are full after some ten shared commits.
	checkpointPages = 2048
	// readers is how many reads go on at once.
	readers = 4
)

// Options adjusts a store. Nil means defaults.
type Options struct {
	// Now is the store's clock, for tests, which may be in a synctest bubble:
	// with it the store does not wait for files, and polls. Nil means time.Now.
	Now func() time.Time

	every time.Duration // between polls; 0: pollEvery
}

// Store is a store in a SQLite file. Make it with Open.
type Store struct {
	*core.Store
	engine *engine
}

// Pause implements store.Pauser.
func (s *Store) Pause() (resume func()) {
	s.engine.gate.Lock()
	return s.engine.gate.Unlock
}

// engine is a kv.Engine.
type engine struct {
	path  string
	files files
	now   func() time.Time
	id    int64 // tells the notes of this process from those of others

	// gate is held to read by who may have a transaction open, to write by
	// Pause and Close.
	gate  sync.RWMutex
	ctx   context.Context // ends with Close
	stop  context.CancelFunc
	polls sync.WaitGroup
	every time.Duration // between polls
	bell  bell
	deaf  bool // the bell is not heard

	turn   chan struct{} // holds one: the right to use write
	write  *writer
	read   chan *sqlite.Conn
	poller *sqlite.Conn
	tail   tail

	listeners kv.Listeners

	mu    sync.Mutex
	told  uint64 // the highest number that listeners know of
	noted int64  // the note that poll has seen last
}

// Open opens a file, creating it if it does not exist. A file that is
// corrupt, read-only, on a full disk or of another version of editlock is
// refused, and left as it is.
func Open(ctx context.Context, path string, o *Options) (*Store, error) {
	e, err := open(ctx, path, o)
	if err != nil {
		return nil, err
	}
	return &Store{core.New(e), e}, nil
}

func open(ctx context.Context, path string, o *Options) (*engine, error) {
	if path == "" {
		return nil, fmt.Errorf("sqlite: %w", fault.New("empty_path", "the path of the database file must not be empty"))
	}
	if path == ":memory:" {
		return nil, fmt.Errorf("sqlite: %w", fault.New("memory_file", "needs a file; the memory store needs none"))
	}
	if err := errors.Join(ctx.Err(), dbfile.NeedFolder(path)); err != nil {
		return nil, err
	}
	makePrivate(path)
	before, _ := os.Stat(path) // none: SQLite makes it, or tells why not
	e := &engine{
		path: path, now: time.Now, every: pollEvery, id: rand.Int64(), turn: make(chan struct{}, 1), read: make(chan *sqlite.Conn, readers),
	}
	e.ctx, e.stop = context.WithCancel(context.Background())
	if o != nil && o.Now != nil {
		e.now, e.deaf = o.Now, true
	}
	if o != nil && o.every > 0 {
		e.every = o.every
	}
	if err := e.start(before); err != nil {
		return nil, errors.Join(dbfile.Explain(path, err), e.Close())
	}
	return e, nil
}

// makePrivate makes a file that does not exist, empty and for the present user
// only: it will name people. SQLite would let everybody read it; what it makes
// beside the file, it gives the same mode. The file gets its name in one step
// and is never opened here: closing it would end the locks of another Store of
// this process. Where that can't be, SQLite tells why, or makes the file.
func makePrivate(path string) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return
	}
	_ = f.Close()
	_ = os.Link(f.Name(), path)
	_ = os.Remove(f.Name())
}

func (e *engine) start(before fs.FileInfo) error {
	c, err := e.connect("PRAGMA synchronous = FULL")
	if err != nil {
		return err
	}
	e.write = &writer{e: e, c: c}
	if err := migrate(c); err != nil {
		return err
	}
	if err := e.files.note(e.path, before); err != nil {
		return err
	}
	if err := e.write.prepare(); err != nil {
		return err
	}
	for range readers {
		if c, err = e.connect("PRAGMA query_only = 1"); err != nil {
			return err
		}
		e.read <- c
	}
	if e.poller, err = e.connect("PRAGMA query_only = 1"); err != nil {
		return err
	}
	h, err := readHead(e.poller)
	if err != nil {
		return err
	}
	e.told, e.tail.from, e.tail.upto = h.last, h.indexed, h.indexed
	if e.noted, err = integer(e.poller, "SELECT ifnull(max(id), 0) FROM editlock_note"); err != nil {
		return err
	}
	if !e.deaf {
		e.bell.hang(e.files.paths[2])
	}
	e.polls.Go(e.poll)
	return nil
}

func (e *engine) connect(pragma string) (*sqlite.Conn, error) {
	c, err := sqlite.OpenConn(e.path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return nil, err
	}
	c.SetBusyTimeout(dbfile.BusyTimeout)
	for _, p := range []string{pragma, fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", checkpointPages)} {
		if err := run(c, p); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// run runs a statement that answers nothing of interest. It is prepared once
// for each connection.
func run(c *sqlite.Conn, text string, args ...any) error { return query(c, text, nil, args...) }

// query runs a statement, and calls row with each row of its answer.
func query(c *sqlite.Conn, text string, row func(s *sqlite.Stmt) error, args ...any) error {
	return sqlitex.Execute(c, text, &sqlitex.ExecOptions{Args: args, ResultFunc: row})
}

// migrate creates the tables, or checks that they are ours. It writes in any
// case, so that a file that can't be written is found out now.
func migrate(c *sqlite.Conn) (err error) {
	if _, err := tables(c); err != nil {
		return err
	}
	err = query(c, "PRAGMA encoding", func(s *sqlite.Stmt) error {
		if is := s.ColumnText(0); is != "UTF-8" { // else keys are in another order, and some can't be kept
			return fault.New("other_encoding", "its text encoding is %s, which an application chose; only UTF-8 is supported: name another file; the file was not changed", is)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := run(c, "PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	end, err := sqlitex.ImmediateTransaction(c)
	if err != nil {
		return err
	}
	defer end(&err)
	// Another process may have been quicker.
	present, err := tables(c)
	if err != nil {
		return err
	}
	if !present {
		return sqlitex.ExecuteScript(c, schema, nil)
	}
	return run(c, "UPDATE editlock_meta SET version = version")
}

// tables reports whether a file has them. Those of another version are an error.
func tables(c *sqlite.Conn) (present bool, err error) {
	version := func(s *sqlite.Stmt) error { return dbfile.CheckVersion(s.ColumnInt(0)) }
	err = query(c, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'editlock_meta'", func(*sqlite.Stmt) error {
		present = true
		return nil
	})
	if err == nil && present {
		err = query(c, "SELECT version FROM editlock_meta", version)
	}
	return present, err
}

// enter refuses calls that can't be served, and keeps Pause and Close waiting
// until leave is called.
func (e *engine) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.gate.RLock()
	if e.ctx.Err() != nil {
		err = kv.ErrClosed
	} else if lost := e.files.lost(); lost != nil {
		err = dbfile.Explain(e.path, lost)
	}
	if err != nil {
		e.gate.RUnlock()
		return nil, err
	}
	return e.gate.RUnlock, nil
}

// Close implements kv.Engine. What the WAL holds is moved into the file, so
// that the file alone is whole after a clean stop, unless another process uses
// it.
func (e *engine) Close() (err error) {
	if e.ctx.Err() != nil {
		return nil
	}
	_ = e.drainAll() // else the next process does
	e.stop()
	e.bell.take()
	e.polls.Wait()
	e.gate.Lock()
	defer e.gate.Unlock()
	close(e.read)
	for c := range e.read {
		err = errors.Join(err, c.Close())
	}
	if e.poller != nil {
		err = errors.Join(err, e.poller.Close())
	}
	if e.write == nil {
		return err
	}
	if e.poller != nil && e.files.check() == nil { // else the WAL may be another's by now
		e.write.c.SetBusyTimeout(0)
		_ = run(e.write.c, "PRAGMA wal_checkpoint(TRUNCATE)") // the next start does what this leaves
	}
	return errors.Join(err, e.write.c.Close())
}
