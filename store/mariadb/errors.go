package mariadb

import (
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

var (
	// errReadOnly is what a server says that takes no writes.
	errReadOnly = errors.New("the server is read-only (read_only is on): name the primary, which takes writes")
	// errDiscard makes database/sql close a connection.
	errDiscard = driver.ErrBadConn
)

// Numbers of the server's errors.
const (
	lockWaitTimeout = 1205
	deadlock        = 1213
	accessDenied    = 1045
	databaseDenied  = 1044
	tableDenied     = 1142
	unknownDatabase = 1049
	noTable         = 1146
	optionPrevents  = 1290 // --read-only
	certification   = 1180 // of a Galera cluster, at COMMIT
)

// undone reports whether the server rolled a script back because of others.
func undone(err error) bool {
	var my *mysql.MySQLError
	return errors.As(err, &my) && (my.Number == deadlock || my.Number == lockWaitTimeout)
}

// explain adds to the server's errors what to do about them.
func explain(err error) error {
	if errors.Is(err, mysql.ErrPktTooLarge) {
		return fmt.Errorf("the request writes more than the server takes at once (%w): name fewer mutexes in one call, or raise max_allowed_packet", err)
	}
	var my *mysql.MySQLError
	if !errors.As(err, &my) {
		return err
	}
	switch my.Number {
	case accessDenied, databaseDenied, tableDenied:
		return fmt.Errorf("%w: the user needs SELECT, INSERT, UPDATE, DELETE and, once, CREATE on the database", err)
	case unknownDatabase:
		return fmt.Errorf("%w: make it with CREATE DATABASE", err)
	case optionPrevents:
		return fmt.Errorf("%w: %w", errReadOnly, err)
	case certification:
		return fmt.Errorf("%w: another node of the cluster wrote at the same time; let all servers of editlock use one node", err)
	}
	return err
}
