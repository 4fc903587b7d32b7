package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the driver that store/sqlite uses
)

// bare is the least that a durable lock on this driver must do: a row in, a
// row out, one writer, WAL, synchronous=FULL.
type bare struct {
	db     *sql.DB
	conn   *sql.Conn
	insert *sql.Stmt
	remove *sql.Stmt

	mu         sync.Mutex     // the one writer, where each statement commits
	statements chan statement // nil unless grouped
	stopped    chan struct{}
}

type statement struct {
	name string // of the row
	take bool   // INSERT, else DELETE
	done chan error
}

// bareHolder is about as long as what a store keeps of an owner.
const bareHolder = `{"session":"3f1c9a52e8","user":"1042","login":"ivanov","name":"Ivan Ivanov","host":"desk-17.example"}`

// newBare opens a database whose statements commit one by one, or, grouped,
// share the commit with whatever waits.
func newBare(ctx context.Context, dir, name string, grouped bool) (*bare, error) {
	dsn := "file:" + filepath.Join(dir, name+".db") +
		"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=busy_timeout(5000)"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	s := &bare{db: db}
	if s.conn, err = db.Conn(ctx); err != nil {
		return nil, err
	}
	if _, err = s.conn.ExecContext(ctx, `CREATE TABLE lease (
		name TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL, expires INTEGER NOT NULL
	) WITHOUT ROWID`); err != nil {
		return nil, err
	}
	if s.insert, err = s.conn.PrepareContext(ctx, `INSERT INTO lease VALUES (?, ?, ?, ?)`); err != nil {
		return nil, err
	}
	if s.remove, err = s.conn.PrepareContext(ctx, `DELETE FROM lease WHERE name = ?`); err != nil {
		return nil, err
	}
	if grouped {
		s.statements, s.stopped = make(chan statement, 1024), make(chan struct{})
		go s.commitGroups(ctx)
	}
	return s, nil
}

// Close closes the database.
func (s *bare) Close() error {
	if s.statements != nil {
		close(s.statements)
		<-s.stopped
	}
	return s.db.Close()
}

// pair puts a row in and takes it out, each durable before it goes on.
func (s *bare) pair(ctx context.Context, name string) error {
	for _, take := range []bool{true, false} {
		st := statement{name, take, make(chan error, 1)}
		if s.statements != nil {
			s.statements <- st
			if err := <-st.done; err != nil {
				return err
			}
			continue
		}
		s.mu.Lock()
		err := s.exec(ctx, st)
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// put puts a row in, durably.
func (s *bare) put(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exec(ctx, statement{name: name, take: true})
}

func (s *bare) exec(ctx context.Context, st statement) error {
	if st.take {
		_, err := s.insert.ExecContext(ctx, st.name, bareHolder, 1, 1)
		return err
	}
	_, err := s.remove.ExecContext(ctx, st.name)
	return err
}

func (s *bare) commitGroups(ctx context.Context) {
	defer close(s.stopped)
	for st := range s.statements {
		group := []statement{st}
		for more := len(s.statements); more > 0; more-- {
			group = append(group, <-s.statements)
		}
		err := s.commit(ctx, group)
		for _, st := range group {
			st.done <- err
		}
	}
}

func (s *bare) commit(ctx context.Context, group []statement) error {
	if _, err := s.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, st := range group {
		if err := s.exec(ctx, st); err != nil {
			return err
		}
	}
	_, err := s.conn.ExecContext(ctx, "COMMIT")
	return err
}
