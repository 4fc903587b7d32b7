package guard

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/editlock/editlock"
)

// MaxVersion is the greatest length of a version, in bytes.
const MaxVersion = 200

// ErrChanged says that a record is not at the version that its editor saw.
var ErrChanged = errors.New("the record changed")

// ChangedError says at which version a record is instead of the one that was
// seen. It names no holder: the other writer had no lock.
type ChangedError struct {
	ID      editlock.ID // of the mutex that guards the record; the zero ID if it is not known
	Seen    string
	Current string // empty if the record is gone
	Gone    bool
}

func (e *ChangedError) Error() string {
	of := "the record"
	if e.ID != (editlock.ID{}) {
		of += " of " + e.ID.String()
	}
	if e.Gone {
		return fmt.Sprintf("%s is gone; version %q of it was seen", of, e.Seen)
	}
	return fmt.Sprintf("%s changed: it is at version %q, and %q was seen", of, e.Current, e.Seen)
}

// Is makes errors.Is(err, ErrChanged) true.
func (e *ChangedError) Is(target error) bool { return target == ErrChanged }

// Record says which version of a record an editor saw, and how to read the one
// that it has now.
//
// A version is a text of the application's: a revision, the time of the last
// change, a digest. It has up to MaxVersion bytes, no control characters, and is
// compared exactly. Whatever writes the record must give it another version, the
// writers that know no locks, too; a trigger can see to that.
type Record struct {
	// Seen is the version that was read together with what the editor was shown.
	Seen string
	// Query is a SELECT of the record's version, as a text, in the
	// application's own table: "SELECT revision::text FROM report WHERE id = $1".
	// On PostgreSQL and MariaDB the guard adds FOR UPDATE to it, so it ends without a
	// semicolon, and has no GROUP BY. No row means that the record is gone.
	Query string
	Args  []any
	// Save lets this save pass though earlier saves of its own editor changed the record,
	// such as one whose answer was lost, or is on its way. It is the number of the save: its
	// page gives each a greater one. Query then has three columns more, of the save
	// that made the version: its token, the version that it said it had seen, and its
	// number, all NULL if another writer made it. 0: Query has the version only.
	//
	// It passes only if that save has the same token, had seen the same version and has
	// a smaller number, so an old save that comes late is refused.
	Save int64
}

// row is what a Record's query reads.
type row struct {
	version string
	token   sql.NullInt64
	seen    sql.NullString
	save    sql.NullInt64
}

// matches compares what the query read.
func (r *Record) matches(id editlock.ID, token editlock.Token, now row) error {
	own := r.Save > 0 && now.token.Valid && editlock.Token(now.token.Int64) == token && //nolint:gosec // tokens are not negative
		now.seen.Valid && now.seen.String == r.Seen && now.save.Valid && now.save.Int64 < r.Save
	switch err := validVersion("the version that the query returned", now.version); {
	case err != nil:
		return failed(err)
	case now.version == r.Seen || own:
		return nil
	}
	return &ChangedError{ID: id, Seen: r.Seen, Current: now.version}
}

// check checks the token, and then the version, which it reads by a query that is
// locked by a clause.
func (r *Record) check(id editlock.ID, token editlock.Token, held func() error, lock string, query func(query string, args ...any) Row) error {
	if err := r.valid(); err != nil {
		return err
	}
	if err := held(); err != nil {
		return err
	}
	var now row
	dest := []any{&now.version}
	if r.Save > 0 {
		dest = append(dest, &now.token, &now.seen, &now.save)
	}
	err := query(r.Query+lock, r.Args...).Scan(dest...)
	// pgx has an error of its own for this, which is database/sql's, too.
	if errors.Is(err, sql.ErrNoRows) {
		return &ChangedError{ID: id, Seen: r.Seen, Gone: true}
	}
	if err != nil {
		return failed(err)
	}
	return r.matches(id, token, now)
}

func (r *Record) valid() error {
	if strings.TrimSpace(r.Query) == "" {
		return invalid("query", "empty", "must not be empty")
	}
	if r.Save < 0 {
		return invalid("save", "negative", "must not be negative")
	}
	return validVersion("version", r.Seen)
}

func validVersion(field, version string) error {
	switch {
	case version == "":
		return invalid(field, "empty", "must not be empty")
	case len(version) > MaxVersion:
		return invalid(field, "too_long", "is %d bytes long; at most %d are allowed", len(version), MaxVersion)
	case !utf8.ValidString(version):
		return invalid(field, "not_utf8", "is not valid UTF-8")
	}
	if at := strings.IndexFunc(version, unicode.IsControl); at >= 0 {
		return invalid(field, "control_character", "has a control character at byte %d; none is allowed", at)
	}
	return nil
}

// forUpdate keeps others from writing the row until the transaction ends, and
// reads what is stored now, whatever the transaction has read before.
const forUpdate = " FOR UPDATE"

// CheckRecord checks the token, as Check does, and then the version of the
// record. The error is ErrChanged if the record is not at the version that was
// seen: roll back then. If there is none, nobody else changes the record until the
// transaction ends.
func (p Postgres) CheckRecord(ctx context.Context, tx Tx, id editlock.ID, token editlock.Token, r Record) error {
	return r.check(id, token, func() error { return p.Check(ctx, tx, id, token) }, forUpdate, rows(ctx, tx))
}

// CheckRecordPgx is Postgres.CheckRecord within a transaction of pgx.
func CheckRecordPgx[R Row](ctx context.Context, p Postgres, tx PgxTx[R], id editlock.ID, token editlock.Token, r Record) error {
	return r.check(id, token, func() error { return CheckPgx(ctx, p, tx, id, token) }, forUpdate, func(query string, args ...any) Row { return tx.QueryRow(ctx, query, args...) })
}

// CheckRecord checks the token, as Check does, and then the version of the
// record. The error is ErrChanged if the record is not at the version that was
// seen: roll back then.
//
// SQLite lets one program at a time write a file. If the application's tables are in
// another file than the store's, a write after this check fails with SQLITE_BUSY
// where somebody changed that file since; a transaction that begins by BEGIN
// IMMEDIATE waits instead.
func (s SQLite) CheckRecord(ctx context.Context, tx Tx, id editlock.ID, token editlock.Token, r Record) error {
	return r.check(id, token, func() error { return s.Check(ctx, tx, id, token) }, "", rows(ctx, tx))
}

// CheckRecord checks the token, as Check does, and then the version of the
// record. The error is ErrChanged if the record is not at the version that was
// seen: roll back then. If there is none, nobody else changes the record until the
// transaction ends.
func (m MariaDB) CheckRecord(ctx context.Context, tx Tx, id editlock.ID, token editlock.Token, r Record) error {
	return r.check(id, token, func() error { return m.Check(ctx, tx, id, token) }, forUpdate, rows(ctx, tx))
}

func rows(ctx context.Context, tx Tx) func(query string, args ...any) Row {
	return func(query string, args ...any) Row { return tx.QueryRowContext(ctx, query, args...) }
}
