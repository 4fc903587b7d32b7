package sqlite

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/sqlite/internal/dbfile"
)

// Log implements kv.Engine.
func (e *engine) Log(ctx context.Context, queries ...kv.LogQuery) (pages []kv.LogPage, err error) {
	for stale := true; stale && err == nil; {
		err = e.snapshot(ctx, func(c *sqlite.Conn, h head) (err error) {
			now, known := e.clock(), make(map[int64]*logRow)
			pages, stale = make([]kv.LogPage, len(queries)), false
			for i := 0; i < len(queries) && err == nil && !stale; i++ {
				r := logReader{c: c, known: known, q: queries[i], page: kv.LogPage{Floor: h.floor, Last: h.last, Now: now}}
				stale, err = r.read(&e.tail, h)
				pages[i] = r.page
			}
			return err
		})
	}
	return pages, err
}

// logReader collects a page.
type logReader struct {
	c     *sqlite.Conn
	known map[int64]*logRow // rows that tags led to, for all pages of a call
	q     kv.LogQuery
	page  kv.LogPage
}

// logRow is a row of the log: what was logged by one commit.
type logRow struct {
	at      time.Time
	entries []dbfile.Entry
	asked   bool             // for a tag, once
	tagged  map[string][]int // which entries have a tag; nil: not asked for a second time
}

// with returns which entries have a tag, oldest first.
func (r *logRow) with(tag string) (found []int) {
	if !r.asked {
		r.asked = true
		for i := range r.entries {
			if slices.Contains(r.entries[i].Tags, tag) {
				found = append(found, i)
			}
		}
		return found
	}
	if r.tagged == nil {
		r.tagged = make(map[string][]int)
		for i := range r.entries {
			for _, tag := range r.entries[i].Tags {
				if at := r.tagged[tag]; len(at) == 0 || at[len(at)-1] != i {
					r.tagged[tag] = append(at, i)
				}
			}
		}
	}
	return r.tagged[tag]
}

var errPageEnds = errors.New("the page ends")

// read reads the page, as of one moment. stale: the moment has passed at which
// the tail began where the file's index ends; read at another.
func (r *logReader) read(t *tail, h head) (stale bool, err error) {
	after, last := int64(min(r.q.After, math.MaxInt64)), int64(h.last)
	if r.q.Before > 0 { // the row with the number Before-1 may end behind it, but none after that
		last, err = r.rowAt(int64(min(r.q.Before, math.MaxInt64))-1, last)
	}
	if err != nil || r.q.Limit <= 0 {
		return false, err
	}
	order := ""
	if r.q.Newest {
		order = " DESC"
	}
	if r.q.Tag == "" {
		err = query(r.c, "SELECT seq, at, body FROM editlock_log WHERE seq > ? AND seq <= ? ORDER BY seq"+order, r.take, after, last)
	} else {
		var fresh []uint64
		if fresh, stale, err = t.find(r.c, h, tagKey(r.q.Tag)); stale || err != nil {
			return stale, err
		}
		indexed := func() error {
			return query(r.c, "SELECT seq FROM editlock_log_key WHERE key = ? AND seq > ? AND seq <= ? ORDER BY seq"+order, func(s *sqlite.Stmt) error {
				return r.visit(s.ColumnInt64(0))
			}, tagKey(r.q.Tag), after, min(last, int64(h.indexed)))
		}
		if r.q.Newest {
			slices.Reverse(fresh)
		} else {
			err = indexed()
		}
		for i := 0; i < len(fresh) && err == nil; i++ {
			if seq := int64(fresh[i]); seq > after && seq <= last {
				err = r.visit(seq)
			}
		}
		if r.q.Newest && err == nil {
			err = indexed()
		}
	}
	if errors.Is(err, errPageEnds) {
		err = nil
	}
	return false, err
}

// rowAt is the seq of the row that has an entry, or comes first behind it;
// there is none: the default.
func (r *logReader) rowAt(entry, otherwise int64) (seq int64, err error) {
	seq = otherwise
	err = query(r.c, "SELECT seq FROM editlock_log WHERE seq >= ? ORDER BY seq LIMIT 1", func(s *sqlite.Stmt) error {
		seq = s.ColumnInt64(0)
		return nil
	}, entry)
	return seq, err
}

// visit takes what the query selects of a row that its tag leads to.
func (r *logReader) visit(seq int64) error {
	row := r.known[seq]
	if row == nil {
		err := query(r.c, "SELECT seq, at, body FROM editlock_log WHERE seq = ?", func(s *sqlite.Stmt) (err error) {
			row, err = readRow(s)
			return err
		}, seq)
		if err != nil || row == nil {
			return err
		}
		r.known[seq] = row
	}
	tagged := row.with(r.q.Tag)
	for i := range tagged {
		if r.q.Newest {
			i = len(tagged) - 1 - i
		}
		if err := r.add(row.at, &row.entries[tagged[i]]); err != nil {
			return err
		}
	}
	return nil
}

// take takes what the query selects of any row.
func (r *logReader) take(s *sqlite.Stmt) error {
	row, err := readRow(s)
	if err != nil {
		return err
	}
	for i := range row.entries {
		if r.q.Newest {
			i = len(row.entries) - 1 - i
		}
		if err := r.add(row.at, &row.entries[i]); err != nil {
			return err
		}
	}
	return nil
}

// add adds an entry to the page, if it is within the query's bounds.
func (r *logReader) add(at time.Time, e *dbfile.Entry) error {
	if e.Number <= r.q.After || r.q.Before > 0 && e.Number >= r.q.Before {
		return nil
	}
	r.page.Entries = append(r.page.Entries, kv.Logged{Number: e.Number, At: at, Value: e.Value})
	if len(r.page.Entries) == r.q.Limit {
		return errPageEnds
	}
	return nil
}

// readRow reads a row's seq, at and body.
func readRow(s *sqlite.Stmt) (*logRow, error) {
	entries, err := decodeBody(s, 2)
	return &logRow{at: moment(s.ColumnInt64(1)), entries: entries}, err
}

// decodeBody reads the entries in a column of a row whose first is its seq.
func decodeBody(s *sqlite.Stmt, col int) ([]dbfile.Entry, error) {
	body := make([]byte, s.ColumnLen(col))
	s.ColumnBytes(col, body)
	return dbfile.DecodeLog(uint64(s.ColumnInt64(0)), body)
}

// trimmed is how many rows of the log are removed at a time.
const trimmed = 100

// Trim implements kv.Engine. It looks before it takes the write lock.
func (e *engine) Trim(ctx context.Context, keep kv.Keep) error {
	for n := trimmed; n == trimmed; {
		var cut int64
		err := e.snapshot(ctx, func(c *sqlite.Conn, _ head) (err error) {
			cut, n, err = e.old(c, keep)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
		if err := e.transact(ctx, func(w *writer) error { return w.trim(cut) }); err != nil {
			return err
		}
	}
	return nil
}

// old are the oldest rows of the log that need not be kept: the seq of the last
// of them, and how many there are, up to trimmed.
func (e *engine) old(c *sqlite.Conn, keep kv.Keep) (cut int64, n int, err error) {
	young, before := e.clock().Add(-kv.Window).UnixMicro(), int64(math.MinInt64)
	if !keep.Before.IsZero() {
		before = keep.Before.UnixMicro()
	}
	err = query(c, "SELECT seq, at, (SELECT total FROM editlock_log ORDER BY seq DESC LIMIT 1) - total FROM editlock_log ORDER BY seq"+limited,
		func(s *sqlite.Stmt) error {
			at, behind := s.ColumnInt64(1), s.ColumnInt64(2)
			if at >= young || at >= before && (keep.MaxEntries <= 0 || behind < keep.MaxEntries) {
				return errPageEnds
			}
			cut, n = s.ColumnInt64(0), n+1
			return nil
		}, trimmed)
	if errors.Is(err, errPageEnds) {
		err = nil
	}
	return cut, n, err
}

// trim removes the rows of the log up to cut, with what leads there.
func (w *writer) trim(cut int64) error {
	var keys []keyed
	err := query(w.c, "SELECT seq, body FROM editlock_log WHERE seq <= ?", func(s *sqlite.Stmt) error {
		entries, err := decodeBody(s, 1)
		keys = appendKeys(keys, uint64(s.ColumnInt64(0)), entries)
		return err
	}, cut)
	if err != nil {
		return err
	}
	for _, k := range sorted(keys) {
		if err := run(w.c, "DELETE FROM editlock_log_key WHERE key = ? AND seq = ?", k.key, int64(k.seq)); err != nil {
			return err
		}
	}
	if err := run(w.c, "DELETE FROM editlock_log WHERE seq <= ?", cut); err != nil {
		return err
	}
	w.head.floor, w.head.indexed = max(w.head.floor, uint64(cut)), max(w.head.indexed, uint64(cut))
	// Numbers rise, although the last one may have been removed.
	return run(w.c, "UPDATE editlock_meta SET floor = ?1, seq = max(seq, ?1), indexed = ?2", int64(w.head.floor), int64(w.head.indexed))
}
