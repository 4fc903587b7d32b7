package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"editlock/store"
	"editlock/store/sqlite/internal/dbfile"
)

// readStatements are those that are worth keeping prepared.
type readStatements struct {
	get *sql.Stmt
}

func (r *readStatements) prepare(ctx context.Context, db *sql.DB) (err error) {
	r.get, err = db.PrepareContext(ctx, "SELECT "+recordColumns+
		", EXISTS (SELECT 1 FROM editlock_ticket t WHERE t.name = r.name) FROM editlock_record r WHERE name = ?")
	return err
}

func (s *Store) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, name string) (store.View, error) {
	if err := s.readable(); err != nil {
		return store.View{}, err
	}
	var queued bool
	rec, err := scanRecord(s.stmts.get.QueryRowContext(ctx, name), &queued)
	now := s.clock() // not sooner: what was read must not be later than now
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.View{Now: now}, nil
	case err != nil:
		return store.View{}, s.readError(err)
	case !rec.Live(now):
		return store.View{Now: now}, nil
	case !queued:
		return store.View{Record: rec, Now: now}, nil
	}
	// Who waits must be of the same moment as who holds.
	page, err := s.List(ctx, store.Query{Prefix: name, Limit: 1})
	if err != nil {
		return store.View{}, err
	}
	view := store.View{Now: page.Now}
	if len(page.Records) == 1 && page.Records[0].Name == name {
		view.Record = &page.Records[0]
	}
	return view, nil
}

// readable refuses reads where the files are not those of the store any more.
func (s *Store) readable() error {
	if s.jobs.Closed() {
		return store.ErrClosed
	}
	if err := s.files.lost(); err != nil {
		return dbfile.Explain(s.path, err)
	}
	return nil
}

func (s *Store) readError(err error) error {
	if s.jobs.Closed() {
		return store.ErrClosed
	}
	return err
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, q store.Query) (page store.Page, err error) {
	if err := s.readable(); err != nil {
		return page, err
	}
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return page, s.readError(err)
	}
	defer func() { _ = tx.Rollback() }() // it only reads

	// The first read fixes what the transaction sees, the clock comes after.
	var queues bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM editlock_ticket)").Scan(&queues); err != nil {
		return page, s.readError(err)
	}
	page.Now = s.clock()
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	w := where{from: "editlock_record"}
	w.prefix(q.Prefix)
	w.add("name > ?", q.After, q.After != "")
	w.add("session = ?", q.Session, q.Session != "")
	w.add("user = ? AND user <> ''", q.User, q.User != "")
	w.add("(expires IS NULL OR expires > ?)", page.Now.UnixMicro(), true)
	rows, err := tx.QueryContext(ctx, "SELECT "+recordColumns+" FROM "+w.String()+
		" ORDER BY name LIMIT ?", append(w.args, limit)...)
	if err != nil {
		return page, s.readError(err)
	}
	if page.Records, err = readRecords(rows); err != nil {
		return page, err
	}
	if queues {
		err = addWaiters(ctx, tx, page)
	}
	return page, err
}

func readRecords(rows *sql.Rows) (recs []store.Record, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		rec, err := scanRecord(rows)
		if err != nil {
			return nil, err
		}
		recs = append(recs, *rec)
	}
	return recs, rows.Err()
}

// addWaiters fills in who waits for the records of a page.
func addWaiters(ctx context.Context, tx *sql.Tx, page store.Page) error {
	now := page.Now.UnixMicro()
	for i := range page.Records {
		rec := &page.Records[i]
		rows, err := tx.QueryContext(ctx, "SELECT "+ticketColumns+" FROM editlock_ticket WHERE peer IN "+alivePeers+
			" AND name = ? ORDER BY seq LIMIT ?", now, rec.Name, store.MaxWaiters)
		if err != nil {
			return err
		}
		if rec.Waiters, err = readTickets(rows); err != nil {
			return err
		}
		for i, t := range rec.Waiters {
			rec.Waiters[i].Claim = t.ClaimOn(rec)
		}
		if rec.Waiting = len(rec.Waiters); rec.Waiting < store.MaxWaiters {
			continue
		}
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM editlock_ticket WHERE peer IN "+alivePeers+
			" AND name = ?", now, rec.Name).Scan(&rec.Waiting); err != nil {
			return err
		}
	}
	return nil
}

// where collects the conditions of a query.
type where struct {
	from  string
	texts []string
	args  []any
}

func (w *where) add(text string, arg any, wanted bool) {
	if wanted {
		w.texts, w.args = append(w.texts, text), append(w.args, arg)
	}
}

// prefix selects names that begin so, as a range that the index knows.
func (w *where) prefix(p string) {
	if p == "" {
		return
	}
	w.add("name >= ?", p, true)
	// Names are UTF-8, in which the byte 0xFF never occurs.
	end := []byte(p)
	end[len(end)-1]++
	w.add("name < CAST(? AS TEXT)", end, true)
}

func (w *where) String() string {
	if len(w.texts) == 0 {
		return w.from
	}
	return w.from + " WHERE " + strings.Join(w.texts, " AND ")
}
