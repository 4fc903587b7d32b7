package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// plain says in plain words what some of PostgreSQL's error codes mean here.
var plain = map[string]string{
	"28P01": "password refused",
	"28000": "the server refuses this user, database or way of connecting (pg_hba.conf)",
	"3D000": "the database does not exist",
	"42501": "the role lacks a right: it needs CREATE on the schema (or on the database, to make the schema), or must own the tables",
	"42P01": "the tables of editlock are gone; reopen the store to make them again",
	"42883": "the functions of editlock are gone",
	"25006": "the server only reads: it is a standby (name the primary, or add target_session_attrs=read-write), or default_transaction_read_only is on",
	"53100": "the server's disk is full",
	"53300": "the server has no connection left",
	"57P01": "the server is shutting down",
	"57P03": "the server is starting or stopping",
	"54000": "a name is longer than the server's index takes (about 2,690 bytes)",
}

// explain says in plain words what is wrong. No password is in what it says:
// the driver's errors have none.
func explain(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		if text, ok := plain[pg.Code]; ok {
			return fmt.Errorf("postgres: %s (%w)", text, err)
		}
		return fmt.Errorf("postgres: %w", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("postgres: the server does not answer (%w)", err)
	}
	return fmt.Errorf("postgres: %w", err)
}

// unreadable says what is wrong with a URL, without it and its values: what the
// driver takes for no password may be one.
func unreadable(err error) error {
	var p *pgconn.ParseConfigError
	if !errors.As(err, &p) {
		return errors.New("the URL can't be read")
	}
	var file *fs.PathError
	if errors.As(err, &file) { // of a certificate or key
		return fmt.Errorf("the URL can't be read: %w", file)
	}
	bare := *p
	bare.ConnString = ""
	what := strings.TrimPrefix(bare.Error(), "cannot parse ``: ")
	if inner := bare.Unwrap(); inner != nil {
		what = strings.TrimSuffix(what, " ("+inner.Error()+")")
	}
	return fmt.Errorf("the URL can't be read: %s", what)
}

// disconnected reports whether a call failed by its connection rather than by
// what it asked for. What it asked for may have been done.
func disconnected(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Severity != "ERROR" || pg.Code == "25006" // a primary that became a standby
	}
	return true
}

// duplicate reports whether a row that was to be made is there.
func duplicate(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}
