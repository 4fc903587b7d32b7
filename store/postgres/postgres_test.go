package postgres_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
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

// timed is a store on a clock that only the test moves. The database's own
// clock is replaced by a table, which is brought up to date before each call.
type timed struct {
	store.Store
	url   string
	clock *storetest.Clock
	hand  *hand
}

// hand moves the clock of one schema.
type hand struct {
	mu   sync.Mutex
	now  time.Time
	conn *pgx.Conn
	set  string
}

func newHand(t testing.TB, url, schema string) *hand {
	t.Helper()
	conn := connect(t, url)
	h := &hand{conn: conn, set: "UPDATE " + schema + ".test_clock SET now = $1"}
	script := `CREATE UNLOGGED TABLE IF NOT EXISTS ` + schema + `.test_clock (now bigint NOT NULL);
		INSERT INTO ` + schema + `.test_clock VALUES (0);
		CREATE OR REPLACE FUNCTION ` + schema + `.editlock_now() RETURNS bigint LANGUAGE sql AS 'SELECT now FROM ` + schema + `.test_clock'`
	if _, err := conn.PgConn().Exec(t.Context(), script).ReadAll(); err != nil {
		t.Fatal(err)
	}
	return h
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// move puts the database's clock to where the test's stands.
func (h *hand) move(ctx context.Context, clock *storetest.Clock) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := clock.Now()
	if now.Equal(h.now) {
		return nil
	}
	if _, err := h.conn.Exec(context.WithoutCancel(ctx), h.set, now.UnixMicro()); err != nil {
		return err
	}
	h.now = now
	return nil
}

func (s *timed) Swap(ctx context.Context, req store.Request) (store.Result, error) {
	if err := s.hand.move(ctx, s.clock); err != nil {
		return store.Result{}, err
	}
	return s.Store.Swap(ctx, req)
}

func (s *timed) Get(ctx context.Context, name string) (store.View, error) {
	if err := s.hand.move(ctx, s.clock); err != nil {
		return store.View{}, err
	}
	return s.Store.Get(ctx, name)
}

func (s *timed) List(ctx context.Context, q store.Query) (store.Page, error) {
	if err := s.hand.move(ctx, s.clock); err != nil {
		return store.Page{}, err
	}
	return s.Store.List(ctx, q)
}

func (s *timed) Beat(ctx context.Context, peer string, ttl time.Duration) ([]string, error) {
	if err := s.hand.move(ctx, s.clock); err != nil {
		return nil, err
	}
	return s.Store.Beat(ctx, peer, ttl)
}

func (s *timed) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	if err := s.hand.move(ctx, s.clock); err != nil {
		return 0, err
	}
	return s.Store.Sweep(ctx, keep)
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

func open(t testing.TB, url string) *postgres.Store {
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

func openTimed(t testing.TB, clock *storetest.Clock) store.Store {
	url, schema := start(t).Schema(t)
	st := open(t, url)
	return &timed{st, url, clock, newHand(t, server.URL, schema)}
}

// reopen opens the schema again; crashed, while the other store is open.
func reopen(t testing.TB, clock *storetest.Clock, st store.Store, crashed bool) store.Store {
	t.Helper()
	old := st.(*timed)
	if !crashed {
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return &timed{open(t, old.url), old.url, clock, old.hand}
}

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Harness{Open: openTimed, Reopen: reopen, Quick: race})
}

func TestStore_SharedByTwo(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Open: func(t testing.TB, clock *storetest.Clock) store.Store {
			one := openTimed(t, clock).(*timed)
			other := &timed{open(t, one.url), one.url, clock, one.hand}
			return storetest.Twin(one, other)
		},
		Quick: true,
	})
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) store.Store {
		url, _ := start(b).Schema(b)
		return open(b, url)
	})
}
