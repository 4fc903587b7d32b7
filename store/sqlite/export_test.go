package sqlite

import (
	"context"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/editlock/editlock/store/kv"
)

// OpenEngine opens a file as Open does, without a store on it.
func OpenEngine(ctx context.Context, path string, o *Options) (kv.Engine, error) {
	return open(ctx, path, o)
}

// Seldom returns options for a process that polls so seldom that no test sees
// it.
func Seldom() *Options { return &Options{every: 24 * time.Hour} }

// Indexed is how many keys the index of a file's log has.
func Indexed(t *testing.T, path string) int64 {
	t.Helper()
	c, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	n, err := integer(c, "SELECT count(*) FROM editlock_log_key")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Known is how many bytes of rows an engine remembers. Nothing must be under way.
func Known(e kv.Engine) (bytes int) {
	for key, r := range e.(*engine).write.rows {
		if bytes += len(key); r != nil {
			bytes += len(r.Value) + len(r.Data)
		}
	}
	return bytes
}

// Plan is how SQLite reads a range of a file, step by step.
func Plan(t *testing.T, path string, q kv.Range) (steps []string) {
	t.Helper()
	c, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	s, _ := selected(&q, time.Now())
	err = query(c, "EXPLAIN QUERY PLAN "+s.String(), func(row *sqlite.Stmt) error {
		steps = append(steps, row.ColumnText(3))
		return nil
	}, s.args...)
	if err != nil {
		t.Fatal(err)
	}
	return steps
}
