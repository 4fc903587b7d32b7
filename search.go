package editlock

import (
	"context"
	"time"

	"github.com/editlock/editlock/store"
)

// searchMost is how many records or entries one call looks at before it answers
// with what it has found so far, and where to read on: so that what a caller may
// cost is bounded by how often the caller may call.
const searchMost = 100_000

// searchFor bounds in the same way how long a call looks, where a store is slow or
// many search at a time: callers and proxies give up some time.
const searchFor = 2 * time.Second

// longestRest bounds what a store that is slow for other reasons adds.
const longestRest = time.Second

// searches are the long reads of a process, which no index answers. They take
// turns, and after each piece all of them rest as long as it took: together they
// never take more than half of one processor, or of a store's time for one client.
type searches struct{ turn chan struct{} }

func newSearches() searches { return searches{make(chan struct{}, 1)} }

// piece reads one piece. The first one of a call needs no turn: most calls end
// with it.
func (s searches) piece(ctx context.Context, more bool, read func() error) error {
	if !more {
		return read()
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	begun := time.Now()
	err := read()
	time.AfterFunc(min(time.Since(begun), longestRest), func() { <-s.turn })
	return err
}

// newest finds the newest entries that a query selects, among searchMost.
func (m *Manager) newest(ctx context.Context, q store.LogQuery) (page store.LogPage, err error) {
	for read := 0; read < searchMost; {
		page, err = m.store.Log(ctx, q)
		if err != nil || len(page.Entries) > 0 || page.Next == 0 {
			return page, err
		}
		read += page.Examined
		q.Before = page.Next
	}
	return page, nil
}
