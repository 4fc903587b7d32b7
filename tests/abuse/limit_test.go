package abuse

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// answer is what a caller got to one call.
type answer struct {
	status     int
	media      string
	retryAfter string
	body       []byte
}

func (s *server) list(ctx context.Context, credential string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/v1/mutexes?group=abuse", nil)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+credential)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header.Get("Content-Type"), res.Header.Get("Retry-After"), body}, err
}

// A caller who calls more often than allowed is told so, as the documents say, and
// when to come again; nobody else is.
func TestCallerOverTheLimitIsRefused_OthersAreServed(t *testing.T) {
	t.Parallel()
	s := startServer(t, "[limits]\nrequests_per_second = 10\n")
	greedy, modest := s.token(t, "mallory"), s.token(t, "alice")
	var (
		callers sync.WaitGroup
		mu      sync.Mutex
		refused []answer
		served  int
	)
	// 20 at once and 10 a second are allowed: of so many calls some are too
	// many, unless they take two minutes.
	const each = 150
	for range 8 {
		callers.Go(func() {
			for range each {
				got, err := s.list(t.Context(), greedy)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if got.status == http.StatusOK {
					served++
				} else {
					refused = append(refused, got)
				}
				mu.Unlock()
			}
		})
	}
	callers.Go(func() {
		for range 10 {
			if got, err := s.list(t.Context(), modest); err != nil || got.status != http.StatusOK {
				t.Errorf("another person: %d %s %v", got.status, got.body, err)
			}
			if err := s.work(t.Context(), "a back end's", 1); err != nil {
				t.Errorf("a back end: %v", err)
			}
		}
	})
	callers.Wait()

	if served < 20 || len(refused) == 0 {
		t.Fatalf("%d were served and %d refused", served, len(refused))
	}
	for _, got := range refused {
		var problem map[string]any
		if err := json.Unmarshal(got.body, &problem); err != nil {
			t.Fatalf("%v: %s", err, got.body)
		}
		want := map[string]any{
			"type": "urn:editlock:problem:limited", "title": "This is over a limit", "status": 429.0, "code": "limited",
			"detail": "this is over the limit requests_per_second, which is 10 here",
		}
		if diff := cmp.Diff(want, problem); diff != "" {
			t.Fatalf("the body (-want +got):\n%s", diff)
		}
		if got.status != http.StatusTooManyRequests || got.media != "application/problem+json" || got.retryAfter != "1" {
			t.Fatalf("got %d, %s, Retry-After %q", got.status, got.media, got.retryAfter)
		}
	}
	seconds, _ := strconv.Atoi(refused[0].retryAfter)
	time.Sleep(time.Duration(seconds) * time.Second) // what they are told to do
	if got, err := s.list(t.Context(), greedy); err != nil || got.status != http.StatusOK {
		t.Errorf("after the time they were told: %d %s %v", got.status, got.body, err)
	}
}
