package guard_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/guard"
	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store/mariadb"
	"github.com/editlock/editlock/store/postgres"
	"github.com/editlock/editlock/store/sqlite"
)

// world is a store and an application's table that a transaction guards.
type world struct {
	locks *editlock.Manager
	db    *sql.DB
	// write writes a text under a token, in a transaction of its own that
	// calls between after the check.
	write func(ctx context.Context, token editlock.Token, text string, between func()) error
	// all checks tokens of several parts within a transaction.
	all  func(ctx context.Context, tx *sql.Tx, held []guard.Held) error
	text func() string
}

// writer is how database/sql does it.
func writer(db *sql.DB, update string, check func(ctx context.Context, tx guard.Tx, id editlock.ID, token editlock.Token) error) func(context.Context, editlock.Token, string, func()) error {
	return func(ctx context.Context, token editlock.Token, text string, between func()) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if err := check(ctx, tx, report, token); err != nil {
			return err
		}
		between()
		if _, err := tx.ExecContext(ctx, update, text); err != nil {
			return err
		}
		return tx.Commit()
	}
}

func newWorld(t *testing.T, locks *editlock.Manager, db *sql.DB) *world {
	t.Helper()
	t.Cleanup(func() {
		_ = locks.Close()
		_ = db.Close()
	})
	for _, q := range []string{"CREATE TABLE report (text TEXT NOT NULL)", "INSERT INTO report VALUES ('first')"} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	return &world{locks: locks, db: db, text: func() string {
		var text string
		if err := db.QueryRowContext(t.Context(), "SELECT text FROM report").Scan(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}}
}

func onSQLite(t *testing.T, attached bool) *world {
	path := filepath.Join(t.TempDir(), "editlock.db")
	st, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	file, g := path, guard.SQLite("")
	if attached {
		file, g = filepath.Join(t.TempDir(), "app.db"), guard.SQLite("locks")
	}
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	w := newWorld(t, editlock.NewManager(st, nil), db)
	if attached {
		if _, err := db.ExecContext(t.Context(), "ATTACH ? AS locks", path); err != nil {
			t.Fatal(err)
		}
	}
	w.write = writer(db, "UPDATE report SET text = ?", g.Check)
	w.all = func(ctx context.Context, tx *sql.Tx, held []guard.Held) error { return g.CheckAll(ctx, tx, held) }
	return w
}

func onPostgres(t *testing.T, server *enginetest.Postgres, native bool) *world {
	url, schema := server.Schema(t)
	st, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	config, err := pgx.ParseConfig(enginetest.With(server.URL, "search_path="+schema))
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	w := newWorld(t, editlock.NewManager(st, nil), db)
	w.all = func(ctx context.Context, tx *sql.Tx, held []guard.Held) error {
		return guard.Postgres("").CheckAll(ctx, tx, held)
	}
	if !native {
		w.write = writer(db, "UPDATE report SET text = $1", guard.Postgres("").Check)
		return w
	}
	w.write = func(ctx context.Context, token editlock.Token, text string, between func()) error {
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if err := guard.CheckPgx(ctx, guard.Postgres(schema), tx, report, token); err != nil {
				return err
			}
			between()
			_, err := tx.Exec(ctx, "UPDATE report SET text = $1", text)
			return err
		})
	}
	return w
}

func onMariaDB(t *testing.T, server *enginetest.MariaDB) *world {
	url := server.Database(t)
	st, err := mariadb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", enginetest.MariaDBSource(url))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, editlock.NewManager(st, nil), db)
	_, base, _ := strings.Cut(strings.TrimPrefix(url, "mysql://"), "/")
	w.write = writer(db, "UPDATE report SET text = ?", guard.MariaDB(base).Check)
	w.all = func(ctx context.Context, tx *sql.Tx, held []guard.Held) error {
		return guard.MariaDB(base).CheckAll(ctx, tx, held)
	}
	return w
}

func TestGuard(t *testing.T) {
	server, maria := enginetest.StartPostgres(t), enginetest.StartMariaDB(t)
	for _, tt := range []struct {
		name string
		open func(t *testing.T) *world
	}{
		{"PostgreSQL by database/sql", func(t *testing.T) *world { return onPostgres(t, server, false) }},
		{"PostgreSQL by pgx", func(t *testing.T) *world { return onPostgres(t, server, true) }},
		{"MariaDB", func(t *testing.T) *world { return onMariaDB(t, maria) }},
		{"SQLite in one file", func(t *testing.T) *world { return onSQLite(t, false) }},
		{"SQLite attached", func(t *testing.T) *world { return onSQLite(t, true) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Run("the token in force writes, a stale one leaves every byte", func(t *testing.T) { testStale(t, tt.open(t)) })
			t.Run("a takeover waits until the guarded transaction ends", func(t *testing.T) { testKeeps(t, tt.open(t)) })
			t.Run("a hold of what is above writes, one of a part does not", func(t *testing.T) { testAbove(t, tt.open(t)) })
			t.Run("a save of several parts needs the token of each", func(t *testing.T) { testSeveral(t, tt.open(t)) })
			t.Run("racing writers and takeovers never mix", func(t *testing.T) { testRace(t, tt.open(t)) })
		})
	}
	for name, open := range map[string]func(t *testing.T) *world{
		"PostgreSQL": func(t *testing.T) *world { return onPostgres(t, server, false) },
		"MariaDB":    func(t *testing.T) *world { return onMariaDB(t, maria) },
	} {
		t.Run("a shared hold writes nothing on "+name, func(t *testing.T) { testShared(t, open(t)) })
		t.Run("others go on while a transaction guards one on "+name, func(t *testing.T) { testOthers(t, open(t)) })
		t.Run("an expired hold stays where it is while it is guarded on "+name, func(t *testing.T) { testExpiry(t, open(t)) })
	}
}

func capture(t *testing.T, l editlock.Locker, session string, id editlock.ID) editlock.Mutex {
	t.Helper()
	m, err := l.Capture(editlock.WithOwner(t.Context(), owner(session)), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func testStale(t *testing.T, w *world) {
	ann := capture(t, w.locks, "ann", report)
	if err := w.write(t.Context(), ann.Token, "ann's", func() {}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.locks.Takeover(editlock.WithOwner(t.Context(), owner("bob")), report, ann.Token, "urgent", nil); err != nil {
		t.Fatal(err)
	}
	for _, token := range []editlock.Token{ann.Token, ann.Token + 1000} {
		if err := w.write(t.Context(), token, "stale", func() {}); !errors.Is(err, editlock.ErrLost) {
			t.Errorf("token %d: %v, want ErrLost", token, err)
		}
	}
	if got := w.text(); got != "ann's" {
		t.Errorf("the text is %q", got)
	}
}

// testAbove writes under a hold of all reports, and of a part of one.
func testAbove(t *testing.T, w *world) {
	all := capture(t, w.locks, "ann", editlock.ID{Group: report.Group, Mode: report.Mode, Below: true})
	if err := w.write(t.Context(), all.Token, "ann's", func() {}); err != nil {
		t.Errorf("a write under a hold of all reports: %v", err)
	}
	one := capture(t, w.locks, "ann", report)
	for _, m := range []editlock.Mutex{one, all} {
		if err := w.write(t.Context(), m.Token, "ann's", func() {}); err != nil {
			t.Errorf("a write under one's own hold of %v: %v", m.ID, err)
		}
	}
	for _, id := range []editlock.ID{report, all.ID} {
		if ok, err := w.locks.Release(editlock.WithOwner(t.Context(), owner("ann")), id, editlock.Condition{}); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	part := report
	part.Part = "summary"
	for _, m := range []editlock.Mutex{one, all, capture(t, w.locks, "ann", part)} {
		if err := w.write(t.Context(), m.Token, "stale", func() {}); !errors.Is(err, editlock.ErrLost) {
			t.Errorf("a write of a report under a hold of %v that ended, or of a part: %v", m.ID, err)
		}
	}
}

func testShared(t *testing.T, w *world) {
	ctx := editlock.WithOwner(t.Context(), owner("ann"))
	hold := func(sharing editlock.Sharing) editlock.Mutex {
		m, err := w.locks.Capture(ctx, report, &editlock.CaptureOptions{Sharing: sharing})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	write := func(m editlock.Mutex, want error) {
		t.Helper()
		if err := w.write(t.Context(), m.Token, "ann's", func() {}); !errors.Is(err, want) {
			t.Errorf("a write under %+v: %v, want %v", m, err, want)
		}
	}
	write(hold(editlock.Shared), editlock.ErrLost)
	alone := hold(editlock.Exclusive)
	write(alone, nil)
	write(hold(editlock.Shared), editlock.ErrLost) // the same token
	write(alone, editlock.ErrLost)
	write(hold(editlock.Exclusive), nil)
}

func testKeeps(t *testing.T, w *world) {
	ann := capture(t, w.locks, "ann", report)
	over := make(chan error, 1)
	err := w.write(t.Context(), ann.Token, "ann's", func() {
		go func() {
			_, err := w.locks.Takeover(editlock.WithOwner(t.Context(), owner("bob")), report, ann.Token, "urgent", nil)
			over <- err
		}()
		select {
		case err := <-over:
			t.Errorf("taken over while it was guarded: %v", err)
		case <-time.After(200 * time.Millisecond):
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-over; err != nil {
		t.Errorf("Takeover: %v", err)
	}
}

// testRace lets two take the mutex from each other, each writing twice under
// their token: no writer may see another's text between their own two.
func testRace(t *testing.T, w *world) {
	var wg sync.WaitGroup
	for _, session := range []string{"ann", "bob"} {
		ctx := editlock.WithOwner(t.Context(), owner(session))
		wg.Go(func() {
			for range 15 {
				m, err := w.locks.Capture(ctx, report, nil)
				var busy *editlock.BusyError
				if errors.As(err, &busy) {
					m, err = w.locks.Takeover(ctx, report, busy.Holder.Token, "a race", nil)
				}
				if errors.Is(err, editlock.ErrBusy) || errors.Is(err, editlock.ErrLost) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				err = w.write(t.Context(), m.Token, session, func() {
					_, now, err := w.locks.Request(editlock.WithoutOwner(t.Context()), report)
					if err != nil || now.Token != m.Token {
						t.Errorf("%s is guarded with token %d, but in force is %d, %v", session, m.Token, now.Token, err)
					}
				})
				if err != nil && !errors.Is(err, editlock.ErrLost) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func testOthers(t *testing.T, w *world) {
	ann := capture(t, w.locks, "ann", report)
	err := w.write(t.Context(), ann.Token, "ann's", func() {
		ctx := editlock.WithOwner(t.Context(), owner("ann"))
		other := editlock.ID{ID: "another"}
		capture(t, w.locks, "ann", other)
		if _, err := w.locks.Release(ctx, other, editlock.Condition{}); err != nil {
			t.Errorf("Release of another: %v", err)
		}
		res, err := w.locks.Refresh(ctx, []editlock.RefreshItem{{ID: report, Token: ann.Token}})
		if err != nil || res[0].Err != nil {
			t.Errorf("Refresh of the guarded one: %+v, %v", res, err)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func testExpiry(t *testing.T, w *world) {
	ctx := editlock.WithOwner(t.Context(), owner("ann"))
	ann, err := w.locks.Capture(ctx, report, &editlock.CaptureOptions{AutoRelease: editlock.AutoRelease{Idle: time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	next := make(chan editlock.Mutex, 1)
	err = w.write(t.Context(), ann.Token, "ann's", func() {
		go func() {
			m, err := w.locks.Capture(editlock.WithOwner(t.Context(), owner("bob")), report, &editlock.CaptureOptions{Wait: time.Minute})
			if err != nil {
				t.Errorf("Capture: %v", err)
			}
			next <- m
		}()
		select {
		case m := <-next:
			t.Errorf("captured with token %d while it was guarded", m.Token)
		case <-time.After(1500 * time.Millisecond): // the lease ends
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if m := <-next; m.Token <= ann.Token {
		t.Errorf("captured with token %d after %d", m.Token, ann.Token)
	}
	if err := w.write(t.Context(), ann.Token, "stale", func() {}); !errors.Is(err, editlock.ErrLost) {
		t.Errorf("the expired token: %v", err)
	}
	if got := w.text(); got != "ann's" {
		t.Errorf("the text is %q", got)
	}
}
