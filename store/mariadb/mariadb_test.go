package mariadb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock/guard"
	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/kv/kvtest"
	"github.com/editlock/editlock/store/mariadb"
	"github.com/editlock/editlock/store/storetest"
)

// server is one for all tests of this package that don't stop it.
var server struct {
	once sync.Once
	*enginetest.MariaDB
}

func TestMain(m *testing.M) {
	code := m.Run()
	if server.MariaDB != nil && server.Process != nil {
		server.Kill()
	}
	os.Exit(code)
}

// forever is a test that ends with the process.
type forever struct{ testing.TB }

func (forever) Cleanup(func())           {}
func (forever) Context() context.Context { return context.Background() }

func database(t testing.TB) string {
	t.Helper()
	server.once.Do(func() { server.MariaDB = enginetest.StartMariaDB(forever{t}) })
	if server.MariaDB == nil {
		t.Fatal("the server did not start")
	}
	return server.Database(t)
}

func open(t testing.TB, url string, now func() time.Time) kv.Engine {
	t.Helper()
	e, err := mariadb.OpenEngine(t.Context(), url, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// guarded is an engine, and an application beside it that guards its rows.
type guarded struct {
	kv.Engine
	db    *sql.DB
	clock *kvtest.Clock
}

// Guard implements kvtest.Guarder.
func (e *guarded) Guard(t testing.TB, key string, rev uint64) (is bool, end func()) {
	t.Helper()
	tx, err := e.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	end = func() { _ = tx.Rollback() }
	looks, guards := guard.MariaDB("").Queries()
	looks = strings.Replace(looks, "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))", fmt.Sprint(e.clock.Now().UnixMicro()), 1)
	for _, query := range []string{looks, guards} {
		switch err := tx.QueryRowContext(t.Context(), query, strings.TrimPrefix(key, "h"), rev).Scan(new(int)); {
		case errors.Is(err, sql.ErrNoRows):
			end()
			return false, nil
		case err != nil:
			t.Fatal(err)
		}
	}
	return true, end
}

func TestEngine(t *testing.T) {
	kvtest.Run(t, func(t testing.TB, clock *kvtest.Clock) kv.Engine {
		url := database(t)
		return &guarded{open(t, url, clock.Now), connect(t, url), clock}
	})
}

// connect opens a database as an application does.
func connect(t testing.TB, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", enginetest.MariaDBSource(url))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestStore(t *testing.T) {
	urls := sync.Map{}
	storetest.Run(t, storetest.Harness{
		Open: func(t testing.TB, clock *storetest.Clock) store.Store {
			url := database(t)
			st := core.New(open(t, url, clock.Now))
			urls.Store(st, url)
			return st
		},
		Reopen: func(t testing.TB, clock *storetest.Clock, st store.Store, crashed bool) store.Store {
			if !crashed {
				if err := st.Close(); err != nil {
					t.Fatal(err)
				}
			}
			url, _ := urls.Load(st)
			next := core.New(open(t, url.(string), clock.Now)) //nolint:forcetypeassert // as stored above
			urls.Store(next, url)
			return next
		},
		Parallel: true, Quick: os.Getenv("EDITLOCK_LONG") == "",
	})
}

func TestSettingsOfTheServerDoNotMatter(t *testing.T) {
	// Without autocommit a statement of its own would leave a lock behind.
	s := enginetest.StartMariaDB(t, "autocommit=0", "sql_mode=ANSI", "innodb_lock_wait_timeout=3")
	url := s.Database(t)
	one, other := open(t, url, nil), open(t, url, nil)
	for _, e := range []kv.Engine{one, other, one} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		answers, err := e.Commit(ctx, []kv.Txn{{
			Numbers: 1,
			Then:    []kv.Write{{Key: "hx", Number: 1, Value: []byte("v"), TTL: time.Hour}},
			Read:    []kv.Range{{Key: "hx"}},
		}})
		cancel()
		if err != nil || !answers[0].Done || len(answers[0].Found[0].Rows) != 1 {
			t.Errorf("%+v, %v", answers, err)
		}
	}
}

func TestStore_SaysWhatIsTooLarge(t *testing.T) {
	st := core.New(open(t, database(t), nil))
	capture := func(names int) (store.Result, error) {
		swaps, data, who := make([]store.Op, names), strings.Repeat("x", 60_000), store.Party{Session: "ann"}
		for i := range swaps {
			swaps[i] = store.Op{
				Name: fmt.Sprint("large ", i), Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Data: &data, Terms: &store.Terms{},
			}
		}
		return st.Commit(t.Context(), store.Txn{Ops: swaps})
	}
	if _, err := capture(1000); err == nil || !strings.Contains(err.Error(), "name fewer mutexes in one call") {
		t.Errorf("60 MB in one call: %v", err)
	}
	if res, err := capture(100); err != nil || !res.Done {
		t.Errorf("6 MB, after it: %v, %v", res.Done, err)
	}
}

func BenchmarkTree(b *testing.B) {
	kvtest.BenchTree(b, func(b *testing.B) kv.Engine { return open(b, database(b), nil) })
}
