package sqlite

import (
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/editlock/editlock/store/kv"
)

// asked counts what SQLite asks while it parses statements.
type asked int

func (a *asked) Authorize(sqlite.Action) sqlite.AuthResult {
	*a++
	return sqlite.AuthResultOK
}

func TestASearchIsParsedOnce(t *testing.T) {
	c, err := sqlite.OpenConn(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := migrate(c); err != nil {
		t.Fatal(err)
	}
	var n asked
	if err := c.SetAuthorizer(&n); err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]*kv.Range{
		"by prefix":  {Prefix: "g", Limit: 3},
		"counted":    {Prefix: "g", Limit: 1, Count: true},
		"by tag":     {Tag: "t", Limit: 2},
		"with lease": {Lease: "l", Limit: 2},
		"due":        {Prefix: "g", Due: true, Limit: 2},
		"overdue":    {Prefix: "g", Overdue: true, Limit: 2},
	} {
		var after [3]asked
		for i := range after {
			q.Limit++
			if _, err := search(c, q, time.Now()); err != nil {
				t.Fatal(err)
			}
			after[i] = n
		}
		if after[2] != after[0] {
			t.Errorf("%s: the second and third search asked %d times", name, after[2]-after[0])
		}
	}
}
