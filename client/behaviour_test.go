package client_test

import (
	"net/http/httptest"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/locktest"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

// TestBehaviour holds the client and the server to what the library does.
func TestBehaviour(t *testing.T) {
	locktest.Run(t, locktest.Harness{Open: func(t *testing.T) locktest.System {
		var clock locktest.Clock
		m := editlock.NewManager(memory.New(&memory.Options{Now: clock.Now}), nil)
		h := httpapi.New(m, nil)
		server := httptest.NewServer(h)
		t.Cleanup(func() {
			h.Drain()
			server.Close()
			_ = m.Close()
		})
		return locktest.System{Locker: dial(t, server.URL), Second: dial(t, server.URL), Advance: clock.Advance}
	}})
}

func dial(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
