package sqlite

import (
	"context"
	"math"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/sqlite/internal/dbfile"
)

const (
	// maxBatch bounds how many transactions share a commit.
	maxBatch = 256
	// firstPause and maxPause bound how long a commit waits for room on a full
	// disk.
	firstPause = time.Millisecond
	maxPause   = 100 * time.Millisecond
	// maxWAL is the size from which the WAL is emptied by force: twice what a
	// checkpoint lets it grow to.
	maxWAL = 2 * checkpointPages * 4096
	// notesLast is how long notes are kept for other processes.
	notesLast = time.Minute
	// othersLast is how long the bell is rung for a process after it has written.
	// One that waits writes more often; the bell wakes its ringer too.
	othersLast = time.Minute
)

// Limits implements kv.Engine: SQLite has one writer at a time.
func (e *engine) Limits() kv.Limits { return kv.Limits{Txns: maxBatch, Bytes: math.MaxInt, Calls: 1} }

// Commit implements kv.Engine.
func (e *engine) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	answers := make([]kv.Answer, len(txns))
	shared := false
	err := e.transact(ctx, func(w *writer) (err error) {
		for i := range txns {
			if answers[i], err = w.perform(&txns[i]); err != nil {
				return err
			}
		}
		shared = w.shared
		return nil
	})
	if err != nil {
		return nil, err
	}
	if told := e.tell(txns, answers); told && shared {
		e.bell.ring()
	}
	return answers, nil
}

// transact lets f write in one transaction. It is on disk, and in the file that
// others read, when transact returns.
func (e *engine) transact(ctx context.Context, f func(w *writer) error) error {
	leave, err := e.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	w := e.write
	err = w.transact(ctx, f)
	// What the WAL holds already needs no more room once the database has it:
	// renewals go on. A reader may be in the way for a moment.
	patience := maxPause
	if time.Since(w.full) < time.Second { // it was not worth the wait just now
		patience = 2 * firstPause
	}
	for pause := firstPause; dbfile.IsFull(err) && pause < patience; pause *= 2 {
		_ = run(w.c, "PRAGMA wal_checkpoint(PASSIVE)") // the next try tells
		if err = w.transact(ctx, f); dbfile.IsFull(err) {
			time.Sleep(pause)
		}
	}
	if dbfile.IsFull(err) {
		w.full = time.Now()
	}
	if err == nil && e.files.wal.Load() > maxWAL {
		e.emptyWAL(ctx)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	return dbfile.Explain(e.path, err)
}

// emptyWAL empties the WAL while this process reads nothing. SQLite checkpoints
// it beside readers, but begins it over only when there is none; where reads
// overlap all the time, it would grow without bound. Reads of other processes
// may be in the way.
func (e *engine) emptyWAL(ctx context.Context) {
	w := e.write
	if time.Since(w.emptied) < time.Second { // it did not help
		return
	}
	w.emptied = time.Now()
	var taken []*sqlite.Conn
	defer func() {
		for _, c := range taken {
			e.read <- c
		}
	}()
	for range readers {
		select {
		case c := <-e.read:
			taken = append(taken, c)
		case <-ctx.Done():
			return
		}
	}
	_ = run(w.c, "PRAGMA wal_checkpoint(TRUNCATE)") // the next commits try again
}

// writer has the one connection that writes.
type writer struct {
	e *engine
	c *sqlite.Conn

	begin, commit, changed, get, insert, update, touch, remove, log, key, sixteen *sqlite.Stmt

	// What is known of the file since this process, and no other, wrote
	// last: true while SQLite's data_version stays the same.
	version      int64     // 0: nothing is known
	met          time.Time // when another process was last seen to have written
	head         head
	logged       uint64 // number of the last log entry
	total        int64  // how many entries were logged
	rows         map[string]*kv.Row
	bytes        int // that rows had when they became known, roughly
	keys, leases letters

	// Of the transaction under way.
	shared   bool // others may wait for its news
	now      time.Time
	entries  []dbfile.Entry
	draining draining

	full    time.Time // when there was no room last
	emptied time.Time // when emptyWAL was called last
}

const addKeys = "INSERT OR IGNORE INTO editlock_log_key (key, seq) VALUES (?,?)"

func (w *writer) prepare() (err error) {
	for _, p := range []struct {
		stmt **sqlite.Stmt
		text string
	}{
		{&w.begin, "BEGIN IMMEDIATE"},
		{&w.commit, "COMMIT"},
		{&w.changed, "PRAGMA data_version"},
		{&w.get, "SELECT " + columns + " FROM editlock_row WHERE k = ?"},
		// OR ROLLBACK: all is undone if one fails, so SQLite need not keep a journal of each.
		{&w.insert, "INSERT OR ROLLBACK INTO editlock_row (" + columns + ") VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)"},
		{&w.update, "UPDATE OR ROLLBACK editlock_row SET v=?2,d=?3,t1=?4,t2=?5,lease=?6,rev=?7,ver=?8,at=?9,seen=?10,due=?11,ttl=?12,mx=?13 WHERE k=?1"},
		{&w.touch, "UPDATE OR ROLLBACK editlock_row SET seen=?2,due=?3 WHERE k=?1"},
		{&w.remove, "DELETE FROM editlock_row WHERE k=?"},
		{&w.log, "INSERT OR ROLLBACK INTO editlock_log (seq, entries, total, at, body) VALUES (?,?,?,?,?)"},
		{&w.key, addKeys},
		{&w.sixteen, addKeys + strings.Repeat(",(?,?)", indexRows-1)},
	} {
		if *p.stmt, err = w.c.Prepare(p.text); err != nil {
			return err
		}
	}
	w.c.SetBusyTimeout(busyPiece)
	return nil
}

// do runs a prepared statement that answers nothing.
func do(s *sqlite.Stmt) error {
	_, err := s.Step()
	if err == nil {
		err = s.Reset()
	}
	return err
}

// busyPiece is how long the writer waits for another process's lock before it
// looks whether it is still wanted.
const busyPiece = 50 * time.Millisecond

func (w *writer) transact(ctx context.Context, f func(w *writer) error) (err error) {
	for n := time.Duration(1); ; n++ {
		if err = do(w.begin); err == nil {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !dbfile.IsBusy(err) || n*busyPiece > dbfile.BusyTimeout {
			return err
		}
	}
	defer func() {
		if err != nil {
			w.version = 0
			_ = run(w.c, "ROLLBACK") // there may be nothing left to roll back
		}
	}()
	if err := w.refresh(); err != nil {
		return err
	}
	// The clock is read under the write lock: times follow the order of commits.
	before := w.head.last
	w.now, w.entries = w.e.clock(), w.entries[:0]
	w.draining.n, w.draining.last = 0, false
	if err := f(w); err != nil {
		return err
	}
	if err := w.flush(before); err != nil {
		return err
	}
	if err := do(w.commit); err != nil {
		return err
	}
	if err := w.e.files.check(); err != nil { // it may be in a file that nobody will read
		return err
	}
	w.drained()
	w.e.committed(before, w.head.last)
	return nil
}

// maxKnown and maxKnownBytes bound how many rows the writer knows.
const (
	maxKnown      = 1 << 15
	maxKnownBytes = 16 << 20
)

// refresh forgets what another process may have changed.
func (w *writer) refresh() error {
	var version int64
	if _, err := w.changed.Step(); err != nil {
		return err
	}
	version = w.changed.ColumnInt64(0)
	if err := w.changed.Reset(); err != nil {
		return err
	}
	if version != w.version && w.version != 0 {
		w.met = time.Now()
	}
	w.shared = version != w.version || time.Since(w.met) < othersLast
	if version == w.version && len(w.rows) <= maxKnown && w.bytes <= maxKnownBytes {
		return nil
	}
	w.rows, w.bytes = make(map[string]*kv.Row), 0
	if version == w.version {
		return nil
	}
	w.keys, w.leases = letters{}, letters{}
	var err error
	if w.head, err = readHead(w.c); err != nil {
		return err
	}
	w.logged, w.total = 0, 0
	err = query(w.c, "SELECT seq, total FROM editlock_log ORDER BY seq DESC LIMIT 1", func(s *sqlite.Stmt) error {
		w.logged, w.total = uint64(s.ColumnInt64(0)), s.ColumnInt64(1)
		return nil
	})
	if err != nil {
		return err
	}
	w.version = version
	return nil
}

// perform does one transaction.
func (w *writer) perform(t *kv.Txn) (a kv.Answer, err error) {
	a.Now = w.now
	if t.Once != "" {
		if a.Replayed, err = w.replayed(t.Once); err != nil {
			return a, err
		}
	}
	a.Done = !a.Replayed && !a.Now.Before(t.Since)
	for i := 0; i < len(t.If) && a.Done; i++ {
		if a.Done, err = w.holds(&t.If[i]); err != nil {
			return a, err
		}
	}
	if a.Done {
		a.First = w.head.last + 1
		w.head.last += uint64(t.Numbers)
		for i := range t.Then {
			if err := w.write(&t.Then[i], a.First-1); err != nil {
				return a, err
			}
		}
		for i := range t.Log {
			in := &t.Log[i]
			w.entries = append(w.entries, dbfile.Entry{Number: a.First - 1 + uint64(in.Number), ID: in.ID, Value: in.Value, Tags: in.Tags})
		}
		if err := w.note(t.Messages); err != nil {
			return a, err
		}
	}
	a.Found = make([]kv.Found, len(t.Read))
	for i := range t.Read {
		if a.Found[i], err = w.find(&t.Read[i]); err != nil {
			return a, err
		}
	}
	return a, nil
}

// flush writes the log entries as one row, and the last number if no entry has
// it.
func (w *writer) flush(before uint64) error {
	last := before
	if n := len(w.entries); n > 0 {
		last = w.entries[n-1].Number
		w.total += int64(n)
		w.log.BindInt64(1, int64(last))
		w.log.BindInt64(2, int64(n))
		w.log.BindInt64(3, w.total)
		w.log.BindInt64(4, w.now.UnixMicro())
		w.log.BindBytes(5, dbfile.EncodeLog(w.entries))
		if err := do(w.log); err != nil {
			return err
		}
		if err := w.drain(n); err != nil {
			return err
		}
	}
	if w.head.last == last {
		return nil // the log itself tells
	}
	return run(w.c, "UPDATE editlock_meta SET seq = ?", int64(w.head.last))
}

// note keeps notes for other processes.
func (w *writer) note(notes []kv.Message) error {
	for _, n := range notes {
		err := run(w.c, "INSERT INTO editlock_note (at, sender, who, what) VALUES (?,?,?,?)", w.now.UnixMicro(), w.e.id, n.To, n.Text)
		if err != nil {
			return err
		}
	}
	if len(notes) == 0 {
		return nil
	}
	return run(w.c, "DELETE FROM editlock_note WHERE id IN (SELECT id FROM editlock_note WHERE at < ? ORDER BY id LIMIT 100)",
		w.now.Add(-notesLast).UnixMicro())
}
