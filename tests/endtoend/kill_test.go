package endtoend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"editlock"
)

// claim is what the server has acknowledged of one mutex.
type claim struct {
	token   uint64 // 0: released, or never captured
	unknown bool   // the last call got no answer
}

// TestKill_KeepsWhatWasAcknowledged kills the server at random moments under
// load. Each worker has mutexes of its own, sends each call once, and stops
// at the first without an answer: that one alone may have gone either way.
func TestKill_KeepsWhatWasAcknowledged(t *testing.T) {
	kills := 50
	if n, err := strconv.Atoi(os.Getenv("EDITLOCK_TEST_KILLS")); err == nil {
		kills = n
	}
	const workers, mutexes = 16, 8
	s := startServer(t)
	look := dial(t, s.url())
	claims := make([][mutexes]claim, workers)
	acknowledged := 0
	for range kills {
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() { work(t, s.url(), w, claims[w][:]) })
		}
		time.Sleep(20*time.Millisecond + rand.N(150*time.Millisecond))
		s.kill()
		wg.Wait()
		s.start()
		for w := range workers {
			acknowledged += check(t, look, w, claims[w][:])
		}
	}
	if acknowledged < kills*workers {
		t.Errorf("only %d acknowledged states were checked: no load", acknowledged)
	}
	t.Logf("%d kills, %d acknowledged states checked", kills, acknowledged)
}

// work captures and releases until the server is gone.
func work(t *testing.T, url string, worker int, claims []claim) {
	c := &http.Client{Timeout: 5 * time.Second}
	defer c.CloseIdleConnections()
	for {
		n := rand.IntN(len(claims))
		verb := "capture"
		if claims[n].token != 0 {
			verb = "release"
		}
		token, err := call(t, c, url, verb, worker, n)
		if err != nil {
			claims[n].unknown = true
			return
		}
		claims[n].token = token
	}
}

// call sends one request, once. An error means that there was no answer.
func call(t *testing.T, c *http.Client, url, verb string, worker, n int) (token uint64, err error) {
	body, _ := json.Marshal(map[string]any{
		"mutex": map[string]string{"mode": "kill", "id": fmt.Sprintf("%d-%d", worker, n)},
		"owner": map[string]string{"session": fmt.Sprint("worker-", worker)},
	})
	res, err := c.Post(url+"/v1/"+verb, "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		Mutex    struct{ Token uint64 }
		Released bool
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if res.StatusCode != http.StatusOK || verb == "release" && !answer.Released {
		t.Errorf("%s of one's own mutex: status %d, %+v", verb, res.StatusCode, answer)
	}
	return answer.Mutex.Token, nil
}

// check compares what the server knows with what it acknowledged, and starts
// the unknown ones anew.
func check(t *testing.T, look editlock.Locker, worker int, claims []claim) (checked int) {
	t.Helper()
	ctx := editlock.WithOwner(t.Context(), editlock.Owner{Session: fmt.Sprint("worker-", worker)})
	for n := range claims {
		id := editlock.ID{Mode: "kill", ID: fmt.Sprintf("%d-%d", worker, n)}
		state, m, err := look.Request(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		c := &claims[n]
		switch {
		case c.unknown:
		case c.token == 0 && state != editlock.Free:
			t.Errorf("%s was acknowledged as released; now it is %v, token %d", id, state, m.Token)
		case c.token != 0 && (state != editlock.CapturedByMe || uint64(m.Token) != c.token):
			t.Errorf("%s was acknowledged as captured with token %d; now it is %v, token %d", id, c.token, state, m.Token)
		}
		if !c.unknown {
			checked++
		}
		*c = claim{token: uint64(m.Token)}
	}
	return checked
}
