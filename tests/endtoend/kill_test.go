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

	"github.com/editlock/editlock"
)

// claim is what the server has acknowledged of one mutex.
type claim struct {
	token   uint64 // 0: released, or never captured
	unknown bool   // the last call got no answer
	life    int    // counts the mutexes that this one replaced
}

// id is the n-th mutex of a worker. One whose state is not known is left for a
// new one: a database may go on with what a dead server asked of it.
func (c claim) id(worker, n int) string { return fmt.Sprintf("%d-%d-%d", worker, n, c.life) }

// keepsWhatWasAcknowledged kills one of the servers at random moments under
// load. Each worker has mutexes of its own, sends each call once, and stops
// at the first without an answer: that one alone may have gone either way.
func keepsWhatWasAcknowledged(t *testing.T, w *world) {
	kills := w.kills
	if n, err := strconv.Atoi(os.Getenv("EDITLOCK_TEST_KILLS")); err == nil {
		kills = n
	}
	const workers, mutexes = 16, 8
	s, other := w.servers(t)
	look := dial(t, other.url())
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
		token, err := call(t, c, url, verb, worker, claims[n].id(worker, n))
		if err != nil {
			claims[n].unknown = true
			return
		}
		claims[n].token = token
	}
}

// call sends one request, once. An error means that there was no answer.
func call(t *testing.T, c *http.Client, url, verb string, worker int, id string) (token uint64, err error) {
	body, _ := json.Marshal(map[string]any{
		"mutex": map[string]string{"mode": "kill", "id": id},
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

// check compares what the server knows with what it acknowledged, and replaces
// the unknown ones.
func check(t *testing.T, look editlock.Locker, worker int, claims []claim) (checked int) {
	t.Helper()
	ctx := editlock.WithOwner(t.Context(), editlock.Owner{Session: fmt.Sprint("worker-", worker)})
	for n := range claims {
		c := &claims[n]
		if c.unknown {
			*c = claim{life: c.life + 1}
			continue
		}
		id := editlock.ID{Mode: "kill", ID: c.id(worker, n)}
		state, m, err := look.Request(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case c.token == 0 && state != editlock.Free:
			t.Errorf("%s was acknowledged as released; now it is %v, token %d", id, state, m.Token)
		case c.token != 0 && (state != editlock.CapturedByMe || uint64(m.Token) != c.token):
			t.Errorf("%s was acknowledged as captured with token %d; now it is %v, token %d", id, c.token, state, m.Token)
		}
		checked++
		c.token = uint64(m.Token)
	}
	return checked
}
