// Command contender is one side of "bench -compare". It opens the store that its
// argument names, measures calls on it as the lines on its standard input ask,
// and answers each with a line of JSON:
//
//	pairs CLIENTS NANOSECONDS    capture and release, by clients side by side
//	fill N                       capture N mutexes that stay held
//	allocs N                     count the allocations of N captures
//	capture CLIENT               wait for the baton
//	release CLIENT               pass the baton on to a waiter
//
// It is built in the tree of each commit that is compared, so it uses only what
// commits have in common: the library's Locker, opened by a URL.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
)

// answer is a line of the output.
type answer struct {
	Error  string          `json:",omitempty"`
	Took   []time.Duration `json:",omitempty"` // pairs: of each
	Wall   time.Duration   `json:",omitempty"` // pairs: of all
	Allocs float64         `json:",omitempty"` // allocs: of a capture
	At     int64           `json:",omitempty"` // capture: end, release: begin; nanoseconds since 1970
}

func main() {
	if err := serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "contender:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context) error {
	if len(os.Args) != 2 {
		return errors.New("usage: contender URL")
	}
	locks, err := connect.Open(ctx, os.Args[1], nil)
	if err != nil {
		return err
	}
	defer locks.Close()
	c := &contender{locks: locks}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(answer{}); err != nil { // it is open
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		a, err := c.answer(ctx, lines.Text())
		if err != nil {
			a.Error = fmt.Sprintf("%s: %v", lines.Text(), err)
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return nil
}

type contender struct {
	locks editlock.Locker
	done  int // pairs of each client so far
	kept  int // captures counted so far
}

// answer does what a line asks: a word, a number, and for pairs how long.
func (c *contender) answer(ctx context.Context, line string) (answer, error) {
	var (
		word string
		n    int
		d    time.Duration
	)
	if _, err := fmt.Sscan(line, &word, &n); err != nil {
		return answer{}, err
	}
	switch word {
	case "pairs":
		if _, err := fmt.Sscan(line, &word, &n, (*int64)(&d)); err != nil {
			return answer{}, err
		}
		return c.pairs(ctx, n, d)
	case "fill":
		return answer{}, c.fill(ctx, n)
	case "allocs":
		return c.allocs(ctx, n)
	case "capture":
		return c.capture(ctx, n)
	case "release":
		return c.release(ctx, n)
	}
	return answer{}, errors.New("unknown")
}

// person is the owner with a number; all its fields are filled as in life.
func person(n int) editlock.Owner {
	return editlock.Owner{
		Session: fmt.Sprintf("3f1c9a52e8-%d", n), UserID: fmt.Sprint(1000 + n),
		Login: "ivanov", Name: "Ivan Ivanov", Host: "desk-17.example",
	}
}

// invoice is a mutex with a number, of a client.
func invoice(client, n int) editlock.ID {
	return editlock.ID{Group: "shop", Mode: "invoice", ID: fmt.Sprintf("%d-%d", client, n%1000)}
}

// pairs lets clients capture and release mutexes of their own for a time.
func (c *contender) pairs(ctx context.Context, clients int, d time.Duration) (a answer, err error) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		most = c.done
	)
	start := time.Now()
	for client := range clients {
		wg.Go(func() {
			ctx, n := editlock.WithOwner(ctx, person(client)), c.done
			var took []time.Duration
			var failed error
			for now := start; now.Sub(start) < d; n++ {
				id := invoice(client, n)
				if _, failed = c.locks.Capture(ctx, id, nil); failed != nil {
					break
				}
				if _, failed = c.locks.Release(ctx, id, editlock.Condition{}); failed != nil {
					break
				}
				done := time.Now()
				took = append(took, done.Sub(now))
				now = done
			}
			mu.Lock()
			defer mu.Unlock()
			a.Took = append(a.Took, took...)
			most = max(most, n)
			if failed != nil {
				err = failed
			}
		})
	}
	wg.Wait()
	a.Wall = time.Since(start)
	c.done = most
	return a, err
}

// perSession is how many mutexes each session of a filled store holds.
const perSession = 50

// fill captures n mutexes that stay held.
func (c *contender) fill(ctx context.Context, n int) error {
	const workers = 64
	var (
		wg     sync.WaitGroup
		next   atomic.Int64
		failed = make(chan error, workers)
	)
	opts := &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(24 * time.Hour)}
	for range workers {
		wg.Go(func() {
			for {
				session := int(next.Add(1) - 1)
				first := session * perSession
				if first >= n {
					return
				}
				var ids []editlock.ID
				for i := first; i < min(first+perSession, n); i++ {
					ids = append(ids, editlock.ID{Group: "archive", Mode: "document", ID: fmt.Sprintf("%08d", i)})
				}
				if _, err := c.locks.CaptureAll(editlock.WithOwner(ctx, person(session)), ids, opts); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed // nil if none
}

// allocs counts the allocations of a capture of a free mutex, all goroutines
// together.
func (c *contender) allocs(ctx context.Context, n int) (a answer, err error) {
	ctx = editlock.WithOwner(ctx, person(0))
	a.Allocs = testing.AllocsPerRun(n, func() {
		_, failed := c.locks.Capture(ctx, editlock.ID{Group: "shop", Mode: "order", ID: fmt.Sprint(c.kept)}, nil)
		if failed != nil {
			err = failed
		}
		c.kept++
	})
	return a, err
}

// baton is what the two processes of a hand-off pass on.
var baton = editlock.ID{Group: "shop", Mode: "invoice", ID: "baton"}

// capture waits for the baton. It returns when the call returned.
func (c *contender) capture(ctx context.Context, client int) (answer, error) {
	_, err := c.locks.Capture(editlock.WithOwner(ctx, person(client)), baton, &editlock.CaptureOptions{Wait: time.Minute})
	return answer{At: time.Now().UnixNano()}, err
}

// release passes the baton on, once somebody waits for it. It returns when the
// call began.
func (c *contender) release(ctx context.Context, client int) (answer, error) {
	ctx = editlock.WithOwner(ctx, person(client))
	for queued := false; !queued; {
		_, held, err := c.locks.Request(ctx, baton)
		if err != nil {
			return answer{}, err
		}
		queued = held.Waiting > 0
		time.Sleep(5 * time.Millisecond) // what queueing set off comes to rest
	}
	at := time.Now().UnixNano()
	_, err := c.locks.Release(ctx, baton, editlock.Condition{})
	return answer{At: at}, err
}
