package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"editlock/store"
	"editlock/store/internal/groupcommit"
	"editlock/store/sqlite/internal/dbfile"
)

// maxBatch bounds how many steps share a commit.
const maxBatch = 256

// maxPause bounds how long a step waits for room on a full disk.
const maxPause = 100 * time.Millisecond

// job is one step, to be done by the committer.
type job struct {
	groupcommit.Job
	swap *store.Request // a swap, or
	run  func(ctx context.Context, b *batch) error

	res store.Result
}

// Size implements groupcommit.Item: what a commit writes may be as large as it is.
func (*job) Size() (swaps, bytes int) { return 1, 0 }

// Swap implements store.Store.
func (s *Store) Swap(ctx context.Context, req store.Request) (store.Result, error) {
	if err := req.Validate(); err != nil {
		return store.Result{}, err
	}
	j := &job{swap: &req}
	err := s.jobs.Do(ctx, j)
	if err != nil {
		return store.Result{}, err
	}
	return j.res, nil
}

// committer performs jobs on the one writing connection. What arrives while
// one commit is on its way to the disk shares the next.
type committer struct {
	s    *Store
	conn *sql.Conn
	st   *writeStatements

	// What is known of the file since this process, and no other, wrote
	// last: true while SQLite's data_version stays the same.
	version int64 // 0: nothing is known
	seq     uint64
	indexed uint64
	queues  bool
	left    bool                 // a ticket went: there may be none
	peers   map[string]time.Time // nil: not known
	lines   *lines
	records map[string]*store.Record // nil: free

	// keys are those of all log entries above keysFrom that this process, and
	// no other, has written: what index needs.
	keys     []keyed
	keysFrom uint64
}

// maxKnown bounds how many names the committer knows by heart.
const maxKnown = 1 << 15

func newCommitter(ctx context.Context, s *Store) (*committer, error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	st, err := prepareWrites(ctx, conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &committer{s: s, conn: conn, st: st}, nil
}

func (c *committer) run() {
	defer c.close()
	c.s.jobs.Run(c.perform)
}

// perform commits a batch. If that fails, and it is several jobs, each gets
// its own try, so that none fails for another's fault.
func (c *committer) perform(jobs []*job) {
	err := c.commit(jobs)
	// What the WAL holds already needs no more room once the database has it:
	// renewals go on. A reader may be in the way for a moment.
	for pause := time.Millisecond; dbfile.IsFull(err) && pause < maxPause; pause *= 2 {
		_, _ = c.st.exec(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)") // the next try tells
		if err = c.commit(jobs); dbfile.IsFull(err) {
			time.Sleep(pause)
		}
	}
	for i, j := range jobs {
		if err != nil && len(jobs) > 1 {
			if j.Dropped() {
				continue
			}
			j.Finish(c.explained(c.commit(jobs[i : i+1])))
		} else {
			j.Finish(c.explained(err))
		}
	}
}

// explained says what a failure means to an operator.
func (c *committer) explained(err error) error {
	if err == nil {
		return nil
	}
	return dbfile.Explain(c.s.path, err)
}

// close moves what the WAL holds into the file, so that the file alone is
// whole after a clean stop, unless another process uses it.
func (c *committer) close() {
	ctx := context.Background()
	c.st.close()
	defer func() { _ = c.conn.Close() }()
	if c.s.files.check() != nil {
		return // the WAL may be another's by now
	}
	if _, err := c.conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err == nil {
		_, _ = c.conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)") // the next start does what this leaves
	}
}

// commit performs jobs in one transaction, all or none.
func (c *committer) commit(jobs []*job) (err error) {
	ctx := context.Background() // steps of several callers: none may cut it short
	c.s.gate.RLock()
	defer c.s.gate.RUnlock()
	if err := c.s.files.lost(); err != nil {
		return err
	}
	if _, err := c.st.begin.ExecContext(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = c.conn.ExecContext(ctx, "ROLLBACK")
			c.version = 0
		}
	}()
	b, err := c.batch(ctx, jobs)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.swap != nil {
			j.res, err = b.swap(ctx, *j.swap)
		} else {
			err = j.run(ctx, b)
		}
		if err != nil {
			return err
		}
	}
	if err := b.flush(ctx); err != nil {
		return err
	}
	if b.seq-b.indexed > indexEvery {
		keys := append(c.keys, b.keys()...)
		if err := b.index(ctx, keys, c.keysFrom == b.indexed); err != nil {
			return err
		}
	}
	if _, err := c.st.commit.ExecContext(ctx); err != nil {
		return err
	}
	if err := c.s.files.check(); err != nil { // it may be in a file that nobody will read
		return err
	}
	c.remember(b)
	c.s.published(b.seqBefore, b.seq)
	for i := range b.news {
		if b.news[i].Granted.Record != nil {
			b.news[i].Granted.Now = c.s.clock() // its time to live went on during the commit
		}
	}
	if len(b.news) > 0 || len(b.entries) > 0 {
		c.s.Publish(b.news, len(b.entries) > 0)
	}
	return nil
}

// batch begins a batch, with what it needs read or known.
func (c *committer) batch(ctx context.Context, jobs []*job) (*batch, error) {
	var version int64
	if err := c.st.version.QueryRowContext(ctx).Scan(&version); err != nil {
		return nil, err
	}
	if version != c.version || c.left {
		if err := c.st.head.QueryRowContext(ctx).Scan(&c.seq, &c.indexed, &c.queues); err != nil {
			return nil, err
		}
	}
	if version != c.version {
		c.keys, c.keysFrom = nil, c.seq
		c.peers = nil
	}
	if version != c.version || c.lines.size() > maxKnown {
		c.lines = newLines()
	}
	if version != c.version || len(c.records) > maxKnown {
		c.version, c.records = version, make(map[string]*store.Record)
	}
	// The clock is read under the write lock: times follow the order of steps.
	b := &batch{
		st: c.st, now: c.s.clock(), seq: c.seq, seqBefore: c.seq, indexed: c.indexed, queues: c.queues,
		peers: c.peers, lines: c.lines,
	}
	return b, b.load(ctx, jobs, c.records)
}

// remember keeps what a batch has made true.
func (c *committer) remember(b *batch) {
	if b.indexed == b.seq {
		c.keys, c.keysFrom = c.keys[:0], b.seq
	} else {
		c.keys = append(c.keys, b.keys()...)
	}
	c.seq, c.indexed, c.queues, c.left, c.peers = b.seq, b.indexed, b.queues, b.left, b.peers
	for name, st := range b.states {
		c.records[name] = st.Record
	}
}
