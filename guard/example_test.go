package guard_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/guard"
	"github.com/editlock/editlock/store/sqlite"
)

// Ann edits a report, stands still for too long, and Bob takes over. What she
// then saves is refused, and their text stays.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "guard")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "reports.db") // the reports, and the locks
	st, err := sqlite.Open(ctx, file, nil)
	if err != nil {
		log.Fatal(err)
	}
	locks := editlock.NewManager(st, nil)
	defer func() { _ = locks.Close() }()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, "CREATE TABLE report (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO report VALUES (42, 'Draft.')"); err != nil {
		log.Fatal(err)
	}

	id := editlock.ID{Group: "reports", ID: "42"}
	save := func(token editlock.Token, text string) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if err := guard.SQLite("").Check(ctx, tx, id, token); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE report SET text = ? WHERE id = 42", text); err != nil {
			return err
		}
		return tx.Commit()
	}

	ann, err := locks.Capture(editlock.WithOwner(ctx, editlock.Owner{Session: "ann", Name: "Ann"}), id, nil)
	if err != nil {
		log.Fatal(err)
	}
	bob, err := locks.Takeover(editlock.WithOwner(ctx, editlock.Owner{Session: "bob", Name: "Bob"}), id, ann.Token, "it is due today", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Bob saves:", save(bob.Token, "Bob's text."))
	err = save(ann.Token, "Ann's text.")
	fmt.Println("Ann's token is stale:", errors.Is(err, editlock.ErrLost))

	var text string
	if err := db.QueryRowContext(ctx, "SELECT text FROM report WHERE id = 42").Scan(&text); err != nil {
		log.Fatal(err)
	}
	fmt.Println("The report says:", text)
	// Output:
	// Bob saves: <nil>
	// Ann's token is stale: true
	// The report says: Bob's text.
}

// Ann edits a report and holds its lock. An import writes past it, and what she
// then saves is refused with both versions.
func ExampleSQLite_CheckRecord() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "guard")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "reports.db")
	st, err := sqlite.Open(ctx, file, nil)
	if err != nil {
		log.Fatal(err)
	}
	locks := editlock.NewManager(st, nil)
	defer func() { _ = locks.Close() }()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, "CREATE TABLE report (id INTEGER PRIMARY KEY, text TEXT, revision INTEGER); INSERT INTO report VALUES (42, 'Draft.', 1)"); err != nil {
		log.Fatal(err)
	}

	id := editlock.ID{Group: "reports", ID: "42"}
	save := func(token editlock.Token, seen, text string) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		record := guard.Record{Seen: seen, Query: "SELECT revision FROM report WHERE id = ?", Args: []any{42}}
		if err := guard.SQLite("").CheckRecord(ctx, tx, id, token, record); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE report SET text = ?, revision = revision + 1 WHERE id = 42", text); err != nil {
			return err
		}
		return tx.Commit()
	}

	ann, err := locks.Capture(editlock.WithOwner(ctx, editlock.Owner{Session: "ann", Name: "Ann"}), id, nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "UPDATE report SET text = 'Imported.', revision = revision + 1"); err != nil {
		log.Fatal(err)
	}
	err = save(ann.Token, "1", "Ann's text.")
	fmt.Println(err)
	fmt.Println("It changed:", errors.Is(err, guard.ErrChanged))
	fmt.Println("She saves what she made of both:", save(ann.Token, "2", "Imported, and Ann's text."))
	// Output:
	// the record of reports//42 changed: it is at version "2", and "1" was seen
	// It changed: true
	// She saves what she made of both: <nil>
}
