package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/editlock/editlock/store/kv"
)

// hand moves the clock of a schema: the database's own is replaced by a table,
// which is brought up to date before each call.
type hand struct {
	kv.Engine
	now func() time.Time

	*shows
	conn *pgx.Conn
	set  string
}

// CanBroadcast implements kv.Caster.
func (h *hand) CanBroadcast() bool { return h.Engine.(*engine).CanBroadcast() }

// Cast implements kv.Caster.
func (h *hand) Broadcast(ctx context.Context, text string) error {
	return h.Engine.(*engine).Broadcast(ctx, text)
}

// shows is what the clock of a schema shows. It is the same for all engines on it.
type shows struct {
	mu sync.Mutex
	at time.Time
}

var clocks sync.Map // of shows, by their schemas

// OpenEngine opens an engine on a clock of the test's, if there is one. direct
// is a way to the server without a pooler.
func OpenEngine(ctx context.Context, url, direct string, now func() time.Time) (kv.Engine, error) {
	e, err := open(ctx, url)
	if err != nil || now == nil {
		return e, err
	}
	at, _ := clocks.LoadOrStore(e.target.schema, new(shows))
	h := &hand{Engine: e, now: now, shows: at.(*shows), set: e.target.fill("UPDATE @schema@.test_clock SET now = $1")}
	if h.conn, err = pgx.Connect(ctx, direct); err != nil {
		return nil, err
	}
	_, err = h.conn.PgConn().Exec(ctx, e.target.fill(`SELECT pg_advisory_lock(@lock@);
		CREATE UNLOGGED TABLE IF NOT EXISTS @schema@.test_clock (now bigint NOT NULL);
		INSERT INTO @schema@.test_clock SELECT 0 WHERE NOT EXISTS (SELECT FROM @schema@.test_clock);
		CREATE OR REPLACE FUNCTION @schema@.editlock_now(p_read boolean) RETURNS bigint LANGUAGE sql AS 'SELECT now FROM @schema@.test_clock';
		SELECT pg_advisory_unlock(@lock@)`)).ReadAll()
	return h, err
}

func (h *hand) move() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	if now.Equal(h.at) || h.conn.IsClosed() {
		return nil
	}
	_, err := h.conn.Exec(context.Background(), h.set, now.UnixMicro())
	if err == nil {
		h.at = now
	}
	return err
}

func (h *hand) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	if err := h.move(); err != nil {
		return nil, err
	}
	return h.Engine.Commit(ctx, txns)
}

func (h *hand) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	if err := h.move(); err != nil {
		return kv.Answer{}, err
	}
	return h.Engine.Read(ctx, ranges...)
}

func (h *hand) Log(ctx context.Context, queries ...kv.LogQuery) ([]kv.LogPage, error) {
	if err := h.move(); err != nil {
		return nil, err
	}
	return h.Engine.Log(ctx, queries...)
}

func (h *hand) Trim(ctx context.Context, keep kv.Keep) error {
	if err := h.move(); err != nil {
		return err
	}
	return h.Engine.Trim(ctx, keep)
}

func (h *hand) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.conn.Close(context.Background())
	return h.Engine.Close()
}

// Planning is how connections have statements planned.
var Planning = planning

// Hash is what a tag is found by.
func Hash(tag string) []byte { return hash(tag) }
