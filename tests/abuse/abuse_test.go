package abuse

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// Everybody else is served while the crowd is there, and once it is gone the
// server is as it was: it keeps nothing of them.
func TestOthersAreServed_AndNothingIsKept(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	if err := s.work(t.Context(), "before", 50); err != nil {
		t.Fatal(err)
	}
	before := s.used(t)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	crowd := &Crowd{Address: s.address, Credential: s.token(t, "mallory")}
	gone := make(chan struct{})
	go func() {
		crowd.Run(ctx)
		close(gone)
	}()
	during := 12 * time.Second // longer than a body or a head may take
	if os.Getenv("EDITLOCK_LONG") != "" {
		during = 3 * time.Minute
	}
	var others sync.WaitGroup
	for i := range 4 {
		others.Go(func() {
			for end, n := time.Now().Add(during), 0; time.Now().Before(end); n++ {
				if err := s.work(ctx, fmt.Sprintf("during-%d-%d", i, n), 1); err != nil {
					t.Errorf("one who behaves: %v", err)
					return
				}
			}
		})
	}
	others.Wait()
	most := s.used(t)
	cancel()
	<-gone
	for name, n := range crowd.Tries() {
		if n == 0 {
			t.Errorf("nobody ever %s", name)
		}
	}
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge} {
		if crowd.Answers()[status] == 0 {
			t.Errorf("nobody was ever answered %d; the answers were %v", status, crowd.Answers())
		}
	}
	// The crowd's own part: what is open at once, with what a connection may
	// have sent before it is refused.
	if most.heap > before.heap+256<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before.heap, most.heap)
	}
	var after usage
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		after = s.used(t)
		if after.goroutines <= before.goroutines+10 && after.files <= before.files+10 && after.heap <= before.heap+32<<20 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("a minute after, the server has %+v; before it had %+v", after, before)
		}
	}
	t.Logf("before %+v, at the end of the abuse %+v, after %+v; %v, answered %v", before, most, after, crowd.Tries(), crowd.Answers())
	if err := s.work(t.Context(), "after", 50); err != nil {
		t.Fatal(err)
	}
	if log := s.log.String(); strings.Contains(log, "panic") {
		t.Error(log)
	}
}
