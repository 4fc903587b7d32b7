package mariadb

import (
	"context"
	"sync"
	"time"

	"github.com/editlock/editlock/store/kv"
)

// hand moves the clock of an engine under test: a table, that each script
// reads where it would read the server's clock.
type hand struct {
	e   *engine
	now func() time.Time
	*shows
}

// shows is what the clock of a database shows. It is the same for all engines on it:
// one that has been left must not set it back.
type shows struct {
	mu sync.Mutex
	at time.Time
}

var clocks sync.Map // of shows, by the URLs of databases

// OpenEngine opens an engine on a clock of the test's; nil: the server's.
func OpenEngine(ctx context.Context, url string, now func() time.Time) (kv.Engine, error) {
	e, err := open(ctx, url)
	if err != nil || now == nil {
		return e, err
	}
	if _, err := e.db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS test_clock (id INT PRIMARY KEY, now BIGINT NOT NULL)"); err != nil {
		return nil, err
	}
	at, _ := clocks.LoadOrStore(url, new(shows))
	e.clock = (&hand{e: e, now: now, shows: at.(*shows)}).move //nolint:forcetypeassert // as stored above
	return e, nil
}

func (h *hand) move() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.now(); !now.Equal(h.at) {
		_, err := h.e.db.Exec("REPLACE INTO test_clock VALUES (1, " + num(now.UnixMicro()) + ")")
		if err == nil {
			h.at = now
		}
	}
	return "SELECT now INTO @n FROM test_clock WHERE id=1;"
}
