package postgres_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/kv/kvtest"
	"github.com/editlock/editlock/store/postgres"
	"github.com/editlock/editlock/store/storetest"
)

// server is one for all tests of this package that don't stop it.
var server struct {
	once sync.Once
	*enginetest.Postgres
}

func TestMain(m *testing.M) {
	code := m.Run()
	if server.Postgres != nil && server.Process != nil {
		server.Kill()
	}
	os.Exit(code)
}

// start returns the shared server.
func start(t testing.TB) *enginetest.Postgres {
	t.Helper()
	server.once.Do(func() { server.Postgres = enginetest.StartPostgres(forever{t}) })
	if server.Postgres == nil {
		t.Fatal("the server did not start")
	}
	return server.Postgres
}

// forever is a test that ends with the process.
type forever struct{ testing.TB }

func (forever) Cleanup(func())           {}
func (forever) Context() context.Context { return context.Background() }

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func open(t testing.TB, url string) store.Store {
	t.Helper()
	st, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return st
}

func openEngine(t testing.TB, url, direct string, now func() time.Time) kv.Engine {
	t.Helper()
	e, err := postgres.OpenEngine(t.Context(), url, direct, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// guarded is an engine, and an application beside it that guards its rows.
type guarded struct {
	kv.Engine
	url, schema string
}

// CanBroadcast implements kv.Caster.
func (e *guarded) CanBroadcast() bool { return e.Engine.(kv.Broadcaster).CanBroadcast() }

// Cast implements kv.Caster.
func (e *guarded) Broadcast(ctx context.Context, text string) error {
	return e.Engine.(kv.Broadcaster).Broadcast(ctx, text)
}

// Guard implements kvtest.Guarder.
func (e *guarded) Guard(t testing.TB, key string, rev uint64) (is bool, end func()) {
	t.Helper()
	// The clock is moved before each call of the engine.
	if _, err := e.Read(t.Context(), kv.Range{Key: key}); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, e.url)
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	end = func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }
	_, err = tx.Exec(t.Context(), "SELECT "+e.schema+".editlock_guard($1, $2)", key[1:], int64(rev))
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "EL001" {
		end()
		return false, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return true, end
}

func TestEngine(t *testing.T) {
	kvtest.Run(t, func(t testing.TB, clock *kvtest.Clock) kv.Engine {
		url, schema := start(t).Schema(t)
		return &guarded{openEngine(t, url, server.URL, clock.Now), server.URL, schema}
	})
}

func TestStore(t *testing.T) {
	urls := sync.Map{}
	storetest.Run(t, storetest.Harness{
		Open: func(t testing.TB, clock *storetest.Clock) store.Store {
			url, _ := start(t).Schema(t)
			st := core.New(openEngine(t, url, server.URL, clock.Now))
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
			next := core.New(openEngine(t, url.(string), server.URL, clock.Now)) //nolint:forcetypeassert // as stored above
			urls.Store(next, url)
			return next
		},
		Parallel: true, Quick: race && os.Getenv("EDITLOCK_LONG") == "",
	})
}

func TestStore_SharedByTwo(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Open: func(t testing.TB, clock *storetest.Clock) store.Store {
			url, _ := start(t).Schema(t)
			one := core.New(openEngine(t, url, server.URL, clock.Now))
			return storetest.Twin(one, core.New(openEngine(t, url, server.URL, clock.Now)))
		},
		Parallel: true, Quick: true,
	})
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) store.Store {
		url, _ := start(b).Schema(b)
		return open(b, url)
	})
}

func BenchmarkTree(b *testing.B) {
	kvtest.BenchTree(b, func(b *testing.B) kv.Engine {
		url, _ := start(b).Schema(b)
		return openEngine(b, url, server.URL, nil)
	})
}
