package webui

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/editlock/editlock"
)

const (
	// quick is how many locks are looked through without a turn.
	quick = 2000
	// longestRest bounds what a machine that is slow for other reasons adds.
	longestRest = time.Second
)

var errTurn = fmt.Errorf("%w: too many pages of many locks at once", editlock.ErrLimited)

// turns let one request at a time look through many locks, and then rest as long
// as that took: pages never take more than half of one processor from the API.
// Readers come next in the order in which they asked, with one request of each.
type turns struct {
	all chan struct{}

	mu  sync.Mutex
	own map[string]*ownTurn // of those who have asked
}

// ownTurn is for the requests of one reader.
type ownTurn struct {
	turn  chan struct{}
	asked int // requests that have it or want it
}

func newTurns() *turns {
	return &turns{all: make(chan struct{}, 1), own: map[string]*ownTurn{}}
}

// take calls look, at once for few locks. The error is ErrLimited for a request
// whose turn did not come within patience.
func (t *turns) take(ctx context.Context, reader string, locks int, look func()) error {
	if locks <= quick {
		look()
		return nil
	}
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	own := t.enter(reader)
	defer t.exit(reader, own)
	for _, turn := range []chan struct{}{own.turn, t.all} {
		select {
		case turn <- struct{}{}:
		case <-within.Done():
			if turn == t.all {
				<-own.turn
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return errTurn
		}
	}
	defer func() { <-own.turn }()
	begun := time.Now()
	defer func() { time.AfterFunc(min(time.Since(begun), longestRest), func() { <-t.all }) }()
	look()
	return nil
}

func (t *turns) enter(reader string) *ownTurn {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.own[reader]
	if own == nil {
		own = &ownTurn{turn: make(chan struct{}, 1)}
		t.own[reader] = own
	}
	own.asked++
	return own
}

func (t *turns) exit(reader string, own *ownTurn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own.asked--; own.asked == 0 {
		delete(t.own, reader)
	}
}
