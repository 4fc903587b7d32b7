// Package editlocktest gives tests of programs that use editlock a real
// server, or a Locker, of their own.
package editlocktest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

// NewLocker returns a Locker on an empty store in memory, which the end of the
// test closes.
func NewLocker(t testing.TB) editlock.Locker {
	t.Helper()
	m := editlock.NewManager(memory.New(nil), nil)
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("closing the locker: %v", err)
		}
	})
	return m
}

// stopWithin is how long requests may take to end with the test.
const stopWithin = 10 * time.Second

// NewServer starts a server on a free port of the loopback interface, with an
// empty store in memory, and returns its URL. It is what `editlock serve` runs
// but for the store. The end of the test stops it.
func NewServer(t testing.TB) (url string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("no port for a server: %v", err)
	}
	handler := httpapi.New(NewLocker(t), &httpapi.Options{Logger: slog.New(slog.NewTextHandler(testLog{t}, nil))})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: stopWithin}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		handler.Drain()
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("stopping the server: %v", err)
			_ = server.Close()
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the server ended: %v", err)
		}
	})
	return "http://" + listener.Addr().String()
}

// testLog writes the server's log to the test's.
type testLog struct{ t testing.TB }

var _ io.Writer = testLog{}

func (l testLog) Write(line []byte) (int, error) {
	l.t.Logf("%s", line)
	return len(line), nil
}
