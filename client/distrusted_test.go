package client_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
)

// Who is not trusted now will not be in some seconds.
func TestDistrusted_ServersAreNotAskedAgain(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	c, err := client.New(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = c.Capture(ctx, doc, nil)
	if !errors.Is(err, editlock.ErrUnavailable) || !strings.Contains(err.Error(), "is not trusted") {
		t.Errorf("Capture: %v", err)
	}
	for _, err := range c.Watch(ctx, editlock.WatchQuery{}) {
		if !errors.Is(err, editlock.ErrUnavailable) || !strings.Contains(err.Error(), "is not trusted") {
			t.Errorf("Watch: %v", err)
		}
		break
	}
	if ctx.Err() != nil {
		t.Error("it goes on forever")
	}
}
