// Package guard rejects writes under a lost lock.
//
// A holder may not know that their lock is lost: their program was paused, the
// network was cut, somebody took over. A late write of theirs would overwrite
// the work of the next holder. If the application's tables are in the database
// of the store, its own transaction can check the token:
//
//	tx, err := db.BeginTx(ctx, nil)
//	…
//	if err := guard.Postgres("").Check(ctx, tx, id, token); err != nil {
//		return err // ErrLost: write nothing
//	}
//	_, err = tx.ExecContext(ctx, "UPDATE report SET text = $1 WHERE id = 42", text)
//	…
//	return tx.Commit()
//
// Check fails unless the token is the one in force, by the store's clock, of an
// exclusive hold of the mutex or of something above it (see [editlock.ID]). If it
// succeeds, nobody else gets the mutex until the transaction ends: a release, a
// takeover or an expiry of that mutex waits for it. So keep such transactions short.
//
// A writer without a lock may change the record although the lock is held.
// CheckRecord detects that: it compares the record's version, too.
//
// For records that are kept elsewhere, Middleware checks the token of an HTTP
// request. The lock may still be lost between that check and the write; see there.
package guard

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/fault"
)

// Tx is a transaction of database/sql: a *sql.Tx, or a *sql.Conn with a
// transaction begun by hand.
type Tx interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Row is a row of the answer, whatever the driver calls it.
type Row interface{ Scan(dest ...any) error }

// PgxTx is a pgx.Tx, without the import.
type PgxTx[R Row] interface {
	QueryRow(ctx context.Context, query string, args ...any) R
}

// staleState is the SQLSTATE with which editlock_guard fails.
const staleState = "EL001"

// Postgres is the schema of the store's tables in the application's own
// PostgreSQL database; empty: the search_path leads there.
//
// In SQL the check is SELECT editlock_guard('group/mode/id', 7), which fails
// with SQLSTATE EL001. It may name several mutexes, of which one must be held
// under the token: SELECT editlock_guard(ARRAY['group/mode/id', 'group/mode/'], 7). The transaction is then aborted: it can't write, even if
// its program overlooks the error.
type Postgres string

// Check checks the token within a transaction of database/sql. The error is
// editlock.ErrLost if the token is not the one in force.
func (p Postgres) Check(ctx context.Context, tx Tx, id editlock.ID, token editlock.Token) error {
	return p.check(id, token, func(query string, args ...any) Row { return tx.QueryRowContext(ctx, query, args...) })
}

// CheckPgx is Postgres.Check within a transaction of pgx.
func CheckPgx[R Row](ctx context.Context, p Postgres, tx PgxTx[R], id editlock.ID, token editlock.Token) error {
	return p.check(id, token, func(query string, args ...any) Row { return tx.QueryRow(ctx, query, args...) })
}

func (p Postgres) check(id editlock.ID, token editlock.Token, query func(query string, args ...any) Row) error {
	if err := valid(id, token); err != nil {
		return err
	}
	var ok bool
	names := names(id)
	args := make([]any, 1, 1+len(names))
	args[0] = int64(token)
	list := make([]string, len(names))
	for i, name := range names {
		args, list[i] = append(args, name), "$"+strconv.Itoa(2+i)+"::text"
	}
	err := query("SELECT "+dotted(string(p))+"editlock_guard(ARRAY["+strings.Join(list, ", ")+"], $1) IS NOT NULL", args...).Scan(&ok)
	var state interface{ SQLState() string }
	if errors.As(err, &state) && state.SQLState() == staleState {
		return &editlock.LostError{ID: id}
	}
	return failed(err)
}

// SQLite is the name under which the store's file is attached to the
// application's connection; empty: the application has its tables in the same
// file.
//
// Check takes SQLite's write lock on the store's file, so from then on nothing
// else is written there until the transaction ends: the store waits too, up to
// ten seconds. In SQL the check is the statement that SQLite.Query returns.
type SQLite string

// Query is the check as a plain statement, for any language: its arguments are
// the mutex in its canonical form and the token. It returns a row if the token
// is the one in force, else none.
func (s SQLite) Query() string {
	return "UPDATE " + dotted(string(s)) + "editlock_row SET rev = rev WHERE k = 'h' || ?1 AND rev = ?2 AND " +
		"(due IS NULL OR due > CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)) RETURNING rev"
}

// Check checks the token within a transaction. The error is editlock.ErrLost
// if it is not the one in force: roll back then, as SQLite does not do it by
// itself.
func (s SQLite) Check(ctx context.Context, tx Tx, id editlock.ID, token editlock.Token) error {
	if err := valid(id, token); err != nil {
		return err
	}
	for _, name := range names(id) {
		err := tx.QueryRowContext(ctx, s.Query(), name, int64(token)).Scan(new(int64))
		if !errors.Is(err, sql.ErrNoRows) {
			return failed(err)
		}
	}
	return &editlock.LostError{ID: id}
}

// MariaDB is the database of the store's tables, on the same MariaDB or MySQL
// server as the application's; empty: the application's own.
//
// Check locks a row that renewals don't touch. Let it be the
// first query of the transaction: in a REPEATABLE READ transaction that has read
// before, the mutex ends when it did then, and Check may fail although it was
// renewed since. After a failure roll back at once, as MariaDB does not do it by
// itself: locks may be left that keep others from capturing.
type MariaDB string

// Queries are the check as plain statements, for any language. The arguments of
// each are the mutex in its canonical form and the token. Each returns a row with
// the value 1 if the token is in force, else none. The first one looks, the
// second one guards.
func (m MariaDB) Queries() (looks, guards string) {
	base := ""
	if m != "" {
		base = "`" + strings.ReplaceAll(string(m), "`", "``") + "`."
	}
	return "SELECT 1 FROM " + base + "editlock_row WHERE k = CONCAT('h', ?) AND rev = ?" +
			" AND due > TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
		"SELECT 1 FROM " + base + "editlock_guard WHERE k = CONCAT('h', ?) AND rev = ? LOCK IN SHARE MODE"
}

// Check checks the token within a transaction. The error is editlock.ErrLost
// if it is not the one in force: roll back then.
func (m MariaDB) Check(ctx context.Context, tx Tx, id editlock.ID, token editlock.Token) error {
	if err := valid(id, token); err != nil {
		return err
	}
	looks, guards := m.Queries()
	for _, name := range names(id) {
		err := tx.QueryRowContext(ctx, looks, name, int64(token)).Scan(new(int64))
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err == nil {
			err = tx.QueryRowContext(ctx, guards, name, int64(token)).Scan(new(int64))
		}
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		return failed(err)
	}
	return &editlock.LostError{ID: id}
}

// names are those under which a hold of a mutex, or of something above it, stands.
func names(id editlock.ID) []string {
	names := []string{id.String()}
	for _, above := range id.Above() {
		names = append(names, above.String())
	}
	return names
}

func valid(id editlock.ID, token editlock.Token) error {
	if err := id.Validate(); err != nil {
		return err
	}
	if token == 0 || token > math.MaxInt64 {
		return invalid("token", "token_of_nothing", "must be that of a captured mutex, not %d", uint64(token))
	}
	return nil
}

func invalid(field, code, format string, args ...any) error {
	problem, texts := fault.Problem(format, args...)
	return &editlock.InvalidError{Field: field, Problem: problem, Code: code, Args: texts}
}

func failed(err error) error {
	if err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	return nil
}

// dotted quotes a schema, with the dot behind it.
func dotted(schema string) string {
	if schema == "" {
		return ""
	}
	return `"` + strings.ReplaceAll(schema, `"`, `""`) + `".`
}
