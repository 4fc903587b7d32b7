package locktest_test

import (
	"net/http/httptest"
	"testing"

	"github.com/editlock/editlock/locktest"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

func TestScenarios(t *testing.T) {
	locktest.Replay(t, "../testdata/scenarios", func(t *testing.T) locktest.Server {
		var clock locktest.Clock
		h := httpapi.New(manager(t, memory.New(&memory.Options{Now: clock.Now})), nil)
		server := httptest.NewServer(h)
		t.Cleanup(func() {
			h.Drain()
			server.Close()
		})
		return locktest.Server{URL: server.URL, Advance: clock.Advance}
	})
}
