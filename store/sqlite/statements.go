package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"editlock/store/sqlite/internal/dbfile"
)

// writeStatements are prepared on the committer's connection.
type writeStatements struct {
	conn *sql.Conn

	begin, commit, version, head, peers, record, touch, setSeq, log, dropKey, dropRequest *sql.Stmt
	queue, wholeQueue, waiting, ticket, putTicket, dropTicket, mine, putPeer              *sql.Stmt
	records, requests                                                                     lookup
	put, drop, putKey, putRequest                                                         bulk
}

const ticketColumns = "id, name, seq, peer, session, user, value, data, idle, max_hold, " +
	"note_kind, note_session, note_user, note_value, note_reason, message, since, confirm, claim_after, claim, asked"

// close ends the statements. Those of one connection are its owner's to end:
// until then SQLite keeps the file open, whatever is closed beside them.
func (w *writeStatements) close() {
	all := []*sql.Stmt{
		w.begin, w.commit, w.version, w.head, w.peers, w.record, w.touch, w.setSeq, w.log, w.dropKey, w.dropRequest,
		w.queue, w.wholeQueue, w.waiting, w.ticket, w.putTicket, w.dropTicket, w.mine, w.putPeer,
	}
	for _, more := range [][]*sql.Stmt{
		w.records.stmts, w.requests.stmts, w.put.stmts, w.drop.stmts, w.putKey.stmts, w.putRequest.stmts,
	} {
		all = append(all, more...)
	}
	for _, stmt := range all {
		_ = stmt.Close()
	}
}

func prepareWrites(ctx context.Context, conn *sql.Conn) (*writeStatements, error) {
	w := &writeStatements{conn: conn}
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&w.begin, "BEGIN IMMEDIATE"},
		{&w.commit, "COMMIT"},
		{&w.version, "PRAGMA data_version"},
		{&w.head, "SELECT " + dbfile.LastSeq + ", indexed, EXISTS (SELECT 1 FROM editlock_ticket) FROM editlock_meta"},
		{&w.peers, "SELECT id, expires FROM editlock_peer"},
		{&w.record, "SELECT " + recordColumns + " FROM editlock_record WHERE name = ?"},
		{&w.touch, "UPDATE editlock_record SET touched = ?, expires = ? WHERE name = ?"},
		{&w.log, "INSERT INTO editlock_log (seq, entries, first, last, body) VALUES " + row(5)},
		{&w.dropRequest, "DELETE FROM editlock_request WHERE id = ? AND seq <= ?"},
		{&w.dropKey, "DELETE FROM editlock_log_key WHERE key = ? AND seq = ?"},
		{&w.setSeq, "UPDATE editlock_meta SET seq = ?"},
		{&w.queue, "SELECT " + ticketColumns + " FROM editlock_ticket WHERE peer IN " + alivePeers +
			" AND name = ? ORDER BY seq LIMIT ?"},
		{&w.wholeQueue, "SELECT " + ticketColumns + " FROM editlock_ticket WHERE name = ? ORDER BY seq"},
		{&w.waiting, "SELECT count(*) FROM editlock_ticket WHERE peer IN " + alivePeers + " AND name = ?"},
		{&w.ticket, "SELECT " + ticketColumns + " FROM editlock_ticket WHERE id = ?"},
		{&w.putTicket, "INSERT OR REPLACE INTO editlock_ticket (" + ticketColumns + ") VALUES " + row(21)},
		{&w.dropTicket, "DELETE FROM editlock_ticket WHERE id = ?"},
		{&w.mine, "SELECT id FROM editlock_ticket WHERE peer = ?"},
		{&w.putPeer, "INSERT OR REPLACE INTO editlock_peer (id, expires) VALUES (?, ?)"},
	} {
		var err error
		if *p.stmt, err = conn.PrepareContext(ctx, p.text); err != nil {
			return nil, err
		}
	}
	return w, errors.Join(
		w.records.prepare(ctx, conn, "SELECT "+recordColumns+" FROM editlock_record WHERE name IN "),
		w.requests.prepare(ctx, conn, "SELECT id, at FROM editlock_request WHERE id IN "),
		w.drop.prepare(ctx, conn, "DELETE FROM editlock_record WHERE name IN (", "?", 1, ")"),
		w.put.prepare(ctx, conn, "INSERT OR ROLLBACK INTO editlock_record ("+recordColumns+") VALUES ", row(12), 12, ""),
		w.putKey.prepare(ctx, conn, "INSERT OR IGNORE INTO editlock_log_key (key, seq) VALUES ", row(2), 2, ""),
		w.putRequest.prepare(ctx, conn, "INSERT OR REPLACE INTO editlock_request (id, seq, at) VALUES ", row(3), 3, ""),
	)
}

// exec runs a statement that is too rare to be kept prepared.
func (w *writeStatements) exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return w.conn.ExecContext(ctx, text, args...)
}

// alivePeers needs the present moment as its argument. The plus sign keeps
// the planner from walking the tickets by peer: by name they come in order.
const alivePeers = "(SELECT id FROM editlock_peer WHERE +expires > ?)"

func row(columns int) string { return "(?" + strings.Repeat(", ?", columns-1) + ")" }

// sizes are the numbers of rows that statements are prepared for. What comes
// in other numbers is put together from these.
var sizes = []int{64, 16, 4, 1}

// bulk writes many rows with few statements. They say OR ROLLBACK, as the
// whole batch is undone if one fails: SQLite then keeps no journal of each.
type bulk struct {
	stmts   []*sql.Stmt
	columns int
}

func (b *bulk) prepare(ctx context.Context, conn *sql.Conn, head, row string, columns int, foot string) error {
	b.columns = columns
	for _, n := range sizes {
		stmt, err := conn.PrepareContext(ctx, head+row+strings.Repeat(", "+row, n-1)+foot)
		if err != nil {
			return err
		}
		b.stmts = append(b.stmts, stmt)
	}
	return nil
}

// each executes on all rows, whose arguments stand one after the other.
func (b *bulk) each(ctx context.Context, args []any) error {
	for i, size := range sizes {
		for n := size * b.columns; len(args) >= n && n > 0; args = args[n:] {
			if _, err := b.stmts[i].ExecContext(ctx, args[:n]...); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookup reads many rows by their keys with few statements.
type lookup struct{ stmts []*sql.Stmt }

func (l *lookup) prepare(ctx context.Context, conn *sql.Conn, head string) error {
	for _, n := range sizes {
		stmt, err := conn.PrepareContext(ctx, head+row(n))
		if err != nil {
			return err
		}
		l.stmts = append(l.stmts, stmt)
	}
	return nil
}

func (l *lookup) each(ctx context.Context, keys []any, f func(*sql.Rows) error) error {
	for i, size := range sizes {
		for ; len(keys) >= size; keys = keys[size:] {
			rows, err := l.stmts[i].QueryContext(ctx, keys[:size]...)
			if err != nil {
				return err
			}
			for err == nil && rows.Next() {
				err = f(rows)
			}
			if err := errors.Join(err, rows.Err(), rows.Close()); err != nil {
				return err
			}
		}
	}
	return nil
}
