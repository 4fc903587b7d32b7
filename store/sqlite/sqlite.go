// Package sqlite keeps records in one SQLite file: the embedded store of
// editlock.
//
// Guarantees: all laws of package store. What was acknowledged is on disk
// (WAL, synchronous=FULL), so neither a crash of the process nor a power
// failure loses it, if the disk keeps its word on fsync. Swaps that arrive
// together share one commit.
//
// Several processes on one machine may open one file. Each of their steps is
// a transaction that takes SQLite's write lock first, so all laws hold among
// them too; a process hears of another's changes within [pollEvery], and of
// its own at once. Not over a network file system: SQLite's locks and shared
// memory don't work there.
//
// The store's clock is the machine's. If somebody sets it forward, leases end
// sooner by that much, and later if he sets it back; tokens rise regardless.
package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"editlock/store"
	"editlock/store/internal/groupcommit"
	"editlock/store/sqlite/internal/dbfile"
)

var (
	//go:embed schema.sql
	schema string
	//go:embed ticket.sql
	ticketTable string
)

const (
	// pollEvery is how late another process's changes are noticed.
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
	// Now is the store's clock, for tests. Nil means time.Now.
	Now func() time.Time
}

// Store is a store in a SQLite file. Make it with Open.
type Store struct {
	store.Hub
	path  string
	files files
	now   func() time.Time
	gate  sync.RWMutex // held to write by Pause
	write *sql.DB      // one connection, used by the committer only
	read  *sql.DB
	stmts readStatements
	tail  tail

	jobs   *groupcommit.Queue[*job]
	closed sync.Once
	done   sync.WaitGroup

	mu        sync.Mutex
	seen      uint64 // log entries up to this one were published
	lastPrune time.Time
}

// Open opens a file, creating it if it does not exist. A file that is
// corrupt, read-only, on a full disk or of a newer editlock is refused, and
// left as it is.
func Open(ctx context.Context, path string, o *Options) (*Store, error) {
	if path == "" {
		return nil, errors.New("sqlite: the path of the database file must not be empty")
	}
	if path == ":memory:" {
		return nil, errors.New("sqlite: needs a file; the memory store needs none")
	}
	if err := dbfile.NeedFolder(path); err != nil {
		return nil, err
	}
	makePrivate(path)
	before, _ := os.Stat(path) // none: SQLite makes it, or tells why not
	s := &Store{path: path, now: time.Now, jobs: groupcommit.New[*job](maxBatch, math.MaxInt)}
	if o != nil && o.Now != nil {
		s.now = o.Now
	}
	var err error
	if s.write, err = sql.Open("sqlite", dsn(path, "synchronous(FULL)")); err != nil {
		return nil, dbfile.Explain(path, err)
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite", dsn(path, "query_only(1)")); err != nil {
		return nil, errors.Join(dbfile.Explain(path, err), s.write.Close())
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	if err := s.start(ctx, before); err != nil {
		return nil, errors.Join(dbfile.Explain(path, err), s.read.Close(), s.write.Close())
	}
	return s, nil
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

func dsn(path, pragma string) string {
	q := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", dbfile.BusyTimeout.Milliseconds()), pragma,
		fmt.Sprintf("wal_autocheckpoint(%d)", checkpointPages),
	}}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	return u.String()
}

func (s *Store) start(ctx context.Context, before fs.FileInfo) error {
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if err := s.files.note(s.path, before); err != nil {
		return err
	}
	if err := s.stmts.prepare(ctx, s.read); err != nil {
		return err
	}
	c, err := newCommitter(ctx, s)
	if err != nil {
		return err
	}
	if err := s.read.QueryRowContext(ctx, "SELECT "+dbfile.LastSeq+" FROM editlock_meta").Scan(&s.seen); err != nil {
		return err
	}
	s.done.Go(c.run)
	s.done.Go(s.poll)
	return nil
}

// migrate creates the tables, or checks that they are ours. It writes in any
// case, so that a file that can't be written is found out now.
func (s *Store) migrate(ctx context.Context) (err error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var present int
	const find = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'editlock_meta'"
	if err := conn.QueryRowContext(ctx, find).Scan(&present); err != nil {
		return err
	}
	if present == 1 {
		if err := dbfile.CheckVersion(ctx, conn); err != nil {
			return err
		}
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	// Another process may have been quicker.
	if err := conn.QueryRowContext(ctx, find).Scan(&present); err != nil {
		return err
	}
	if present == 0 {
		if _, err := conn.ExecContext(ctx, schema+ticketTable); err != nil {
			return err
		}
	}
	if err := upgrade(ctx, conn); err != nil {
		return err
	}
	if err := dbfile.CheckVersion(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "UPDATE editlock_meta SET version = version"); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

// upgrade brings the tables of an older editlock up to date, within the
// transaction that migrate has begun.
func upgrade(ctx context.Context, conn *sql.Conn) error {
	// Version 2 keeps tickets in columns. Who waited under version 1 is gone
	// with his process, which had to stop for the upgrade.
	const from1 = `DROP TABLE editlock_ticket; UPDATE editlock_meta SET version = 2;`
	var version int
	if err := conn.QueryRowContext(ctx, "SELECT version FROM editlock_meta").Scan(&version); err != nil || version != 1 {
		return err
	}
	_, err := conn.ExecContext(ctx, from1+ticketTable)
	return err
}

// Close implements store.Store. What is under way is finished first.
func (s *Store) Close() error {
	var err error
	s.closed.Do(func() {
		s.jobs.Close()
		s.done.Wait()
		err = errors.Join(s.read.Close(), s.write.Close())
	})
	return err
}

// Pause implements store.Pauser.
func (s *Store) Pause() (resume func()) {
	s.gate.Lock() // neither the committer nor poll is in a transaction
	var idle []*sql.Conn
	for range readers - 1 { // poll has one
		if conn, err := s.read.Conn(context.Background()); err == nil { // else the store is closed
			idle = append(idle, conn)
		}
	}
	return func() {
		for _, conn := range idle {
			_ = conn.Close()
		}
		s.gate.Unlock()
	}
}

// poll publishes what other processes wrote, and looks after the files.
func (s *Store) poll() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for last := int64(-1); ; {
		select {
		case <-s.jobs.Closing():
			return
		case <-tick.C:
		}
		if s.files.check() != nil {
			return
		}
		s.gate.RLock()
		last = s.catchUp(ctx, conn, last)
		s.gate.RUnlock()
	}
}

// catchUp publishes what was written since the file had SQLite's data_version
// last, and returns the one up to which all is published.
func (s *Store) catchUp(ctx context.Context, conn *sql.Conn, last int64) int64 {
	var version int64
	if conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version) != nil || version == last {
		return last
	}
	s.mu.Lock()
	after := s.seen
	s.mu.Unlock()
	page, err := s.Log(ctx, store.LogQuery{After: after, Limit: 1000})
	if err != nil {
		return last // and look again
	}
	if len(page.Entries) == 0 {
		return version
	}
	// Whose tickets these were is not known here: everybody is asked.
	var news []store.Signal
	for _, e := range page.Entries {
		if e.Request != "" {
			news = append(news, store.Signal{Ticket: e.Request})
		}
	}
	seen := page.Last
	if len(page.Entries) == 1000 {
		seen, version = page.Entries[999].Seq, -1
	}
	s.published(after, seen)
	s.Publish(news, true)
	return version
}

// published notes that all entries above from and up to to are known here. If
// some before them are not, it leaves them for poll.
func (s *Store) published(from, to uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen >= from {
		s.seen = max(s.seen, to)
	}
}
