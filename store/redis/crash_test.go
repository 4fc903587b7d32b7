package redis_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/redis"
)

// crashSwap is what a worker sends as its nth request: it takes its name and
// drops it in turn.
func crashSwap(worker, n int) store.Txn {
	name := fmt.Sprint("name of ", worker)
	who := store.Party{Session: "worker"}
	sw := store.Op{
		Name: name, Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Terms: &store.Terms{},
		Event: &store.Event{Kind: "captured", Actor: who},
	}
	if n%2 == 1 {
		sw = store.Op{
			Name: name, Do: store.Release, Expect: store.Expect{Session: &who.Session},
			Event: &store.Event{Kind: "released", Actor: who},
		}
	}
	return store.Txn{ID: fmt.Sprintf("%s#%d", name, n), Ops: []store.Op{sw}}
}

// TestCrash kills the server in the midst of work, with the settings that make
// it safe: what was acknowledged must be there afterwards, and what was under
// way must be there or not, as its retry finds out.
func TestCrash(t *testing.T) {
	const workers = 8
	rounds := 10
	if testing.Short() {
		rounds = 2
	}
	server := enginetest.StartRedis(t, enginetest.Durable...)
	url := server.Store()
	st := openStore(t, url)
	var next [workers]int // requests by worker: all before are acknowledged
	var token [workers]uint64
	for range rounds {
		killed := make(chan struct{})
		time.AfterFunc(time.Duration(50+rand.IntN(100))*time.Millisecond, func() {
			server.Kill()
			close(killed)
		})
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for {
					res, err := st.Commit(t.Context(), crashSwap(w, next[w]))
					if err != nil {
						if errors.Is(err, store.ErrClosed) {
							t.Errorf("the store says it is closed: %v", err)
						}
						return
					}
					if !res.Done {
						t.Errorf("request %d of worker %d was refused: %+v", next[w], w, res)
						return
					}
					if rec := res.Records[0]; rec != nil {
						if rec.Token <= token[w] && !res.Replayed {
							t.Errorf("worker %d got token %d after %d", w, rec.Token, token[w])
						}
						token[w] = max(token[w], rec.Token)
					}
					next[w]++
				}
			})
		}
		wg.Wait()
		<-killed
		server.Start()
		for w := range workers { // the same store: it finds the server again by itself
			retried(t, st, crashSwap(w, next[w]))
			next[w]++
		}
	}
	total := 0
	for w, n := range next {
		total += n
		page, err := st.Log(t.Context(), store.LogQuery{Name: fmt.Sprint("name of ", w), Limit: n + 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Entries) != n {
			t.Errorf("%d entries for %d requests of worker %d", len(page.Entries), n, w)
			continue
		}
		for i, e := range page.Entries {
			if want := crashSwap(w, i).ID; e.Request != want {
				t.Errorf("entry %d is of request %q; want %q", i, e.Request, want)
				break
			}
		}
	}
	t.Logf("%d kills, %d requests", rounds, total)
}

// retried sends a request until it is answered, which must be done.
func retried(t *testing.T, st store.Store, req store.Txn) store.Result {
	t.Helper()
	var last error
	for range 100 {
		res, err := st.Commit(t.Context(), req)
		if err == nil {
			if !res.Done {
				t.Fatalf("the retry of %s was refused: %+v", req.ID, res)
			}
			return res
		}
		last = err
		time.Sleep(20 * time.Millisecond) // as any client would
	}
	t.Fatalf("no answer to %s: %v", req.ID, last)
	return store.Result{}
}

func openStore(t *testing.T, url string) store.Store {
	t.Helper()
	st, err := redis.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}
