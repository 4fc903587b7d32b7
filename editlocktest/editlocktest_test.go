package editlocktest_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/editlocktest"
)

// The server outlives everything that a test leaves open: a lock, a waiter
// and a watcher.
func TestNewServer_StopsWithTheTest(t *testing.T) {
	id := editlock.ID{ID: "42"}
	ended := make(chan error, 2)
	var url string
	t.Run("used by a test", func(t *testing.T) {
		url = editlocktest.NewServer(t)
		c, err := client.New(url, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		ctx := t.Context()
		if _, err := c.Capture(editlock.WithOwner(ctx, editlock.Owner{Session: "a"}), id, nil); err != nil {
			t.Fatal(err)
		}
		events := make(chan editlock.Event, 8)
		after := uint64(0)
		go func() {
			for e, err := range c.Watch(ctx, editlock.WatchQuery{After: &after}) {
				if err != nil {
					ended <- err
					return
				}
				events <- e
			}
		}()
		go func() {
			_, err := c.Capture(editlock.WithOwner(ctx, editlock.Owner{Session: "b"}), id, &editlock.CaptureOptions{Wait: time.Hour})
			ended <- err
		}()
		for e := range events {
			if e.Kind == editlock.KindWaiting {
				break
			}
		}
	})
	for range 2 {
		if err := <-ended; err == nil {
			t.Error("a call went on without its server")
		}
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
		_ = conn.Close()
		t.Error("the server still listens")
	}
}

func TestNewLocker_IsEmptyForEachTest(t *testing.T) {
	for range 2 {
		page, err := editlocktest.NewLocker(t).List(t.Context(), editlock.Query{})
		if err != nil || len(page.Mutexes) != 0 {
			t.Errorf("List = %+v, %v", page, err)
		}
	}
}
