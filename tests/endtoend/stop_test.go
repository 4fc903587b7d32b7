package endtoend

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/editlock/editlock"
)

// A crowd captures with patience while the server is asked to end: what is
// answered is the truth, and says to ask again where it is no capture.
func stopsWithTrueAnswers(t *testing.T, w *world) {
	s, other := w.servers(t)
	look := dial(t, other.url())
	hold(t, look, "holder")
	const crowd = 400
	transport := &http.Transport{MaxIdleConnsPerHost: crowd}
	defer transport.CloseIdleConnections()
	type answer struct {
		id     editlock.ID
		who    string
		status int // 0: none
		after  string
		code   string
	}
	answers := make([]answer, crowd)
	var all sync.WaitGroup
	for n := range crowd {
		all.Go(func() {
			a := &answers[n]
			a.id, a.who = record, fmt.Sprint("c", n)
			if n%2 == 0 {
				a.id.ID = fmt.Sprint("free-", n)
			}
			body := fmt.Sprintf(`{"mutex":{"group":%q,"mode":%q,"id":%q},"owner":{"session":"session-%s"},"wait":"1m"}`, a.id.Group, a.id.Mode, a.id.ID, a.who)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url()+"/v1/capture", strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Idempotency-Key", "k")
			res, err := transport.RoundTrip(req)
			if err != nil {
				return // not answered: asks again
			}
			defer func() { _ = res.Body.Close() }()
			data, err := io.ReadAll(res.Body)
			if err != nil {
				return
			}
			var problem struct{ Code string }
			_ = json.Unmarshal(data, &problem)
			a.status, a.after, a.code = res.StatusCode, res.Header.Get("Retry-After"), problem.Code
		})
	}
	eventually(t, "the crowd begins to queue", func() bool { return waiting(t.Context(), look, record) >= crowd/20 })
	s.stop()
	all.Wait()
	count := map[int]int{}
	for _, a := range answers {
		count[a.status]++
		if a.status == 0 {
			continue
		}
		state, _, err := look.Request(as(t.Context(), a.who), a.id)
		if err != nil {
			t.Fatal(err)
		}
		captured := state == editlock.CapturedByMe
		switch {
		case a.status == http.StatusOK && captured:
		case a.status == http.StatusServiceUnavailable && a.code == "unavailable" && a.after != "" && !captured:
		default:
			t.Errorf("%s was answered %d %s (Retry-After %q); holds it: %v", a.who, a.status, a.code, a.after, captured)
		}
	}
	t.Logf("answers by status: %v", count)
}
