package endtoend

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
)

// Behind a proxy that cuts requests off, here after a second, a wait is many
// requests, and its place is the same in all of them.
func TestProxy_ThatCutsWaitsOffChangesNoPlaceInTheQueue(t *testing.T) {
	s := startServer(t, "sqlite:"+filepath.Join(t.TempDir(), "locks.db"))
	proxy := "http://" + enginetest.StartNginx(t, s.address, time.Second)
	look := dial(t, s.url())
	hold(t, look, "holder")
	const many = 5
	grants := make(chan grant, many)
	for n := range many {
		queueUp(t, dial(t, proxy), look, record, fmt.Sprint("waiter-", n), n+1, grants)
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		_, m, err := look.Request(as(t.Context(), "holder"), record)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Waiters) != many {
			t.Fatalf("%d of %d wait", len(m.Waiters), many)
		}
		for n, w := range m.Waiters {
			if want := fmt.Sprint("waiter-", n); w.Owner.Name != want {
				t.Fatalf("place %d is of %s, want %s", n+1, w.Owner.Name, want)
			}
		}
	}
	release(t, look, "holder")
	for n := range many {
		g := receive(t, grants)
		if want := fmt.Sprint("waiter-", n); g.who != want {
			t.Fatalf("turn %d went to %s, want %s", n, g.who, want)
		}
		if left, _ := g.mutex.ExpiresIn(); left < time.Minute {
			t.Errorf("%s was answered with a mutex that expires in %v", g.who, left)
		}
		release(t, look, g.who)
	}
}
