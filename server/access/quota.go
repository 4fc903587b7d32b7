package access

import (
	"context"
	"sync"
	"time"

	"github.com/editlock/editlock"
)

// quotas hold sessions and users to a number of mutexes. Counting in the store
// at each capture would cost a round trip, so a count is good for some captures
// more: a quarter of the limit, or what is left of it. On several servers a
// limit may so be passed by a quarter for each of them but one.
type quotas struct {
	limit string // its name
	max   int
	query func(who string) editlock.Query

	mu sync.Mutex
	by map[string]*quota
}

// quota is of one session or user.
type quota struct {
	turn    chan struct{} // holds one token; guards the two that follow
	left    int           // captures that need no count
	pending int           // captures under way, which a count may miss

	mu       sync.Mutex // guards what follows
	full     time.Time  // until when a refusal needs no count
	releases int        // of which this process has heard
}

// fullFor is how long a count that found no room is good for: it reads all that is
// held, and a refusal must not cost more than a capture.
const fullFor = time.Second

// isFull reports whether a count is good that found no room, and how many releases
// came before this.
func (q *quota) isFull() (full bool, releases int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return time.Now().Before(q.full), q.releases
}

// foundFull notes a count that found no room, unless a release came meanwhile.
func (q *quota) foundFull(releases int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.releases == releases {
		q.full = time.Now().Add(fullFor)
	}
}

func (q *quota) freed() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.full = time.Time{}
	q.releases++
}

func (q *quotas) of(who string) *quota {
	q.mu.Lock()
	defer q.mu.Unlock()
	if one := q.by[who]; one != nil {
		return one
	}
	if len(q.by) >= maxKnown || q.by == nil {
		q.by = make(map[string]*quota) // to be counted again
	}
	one := &quota{turn: make(chan struct{}, 1)}
	one.turn <- struct{}{}
	q.by[who] = one
	return one
}

// take allows n captures more, or refuses them. done tells how many of them
// came about.
func (q *quotas) take(ctx context.Context, l editlock.Locker, c *Counters, who string, n int) (done func(got int), err error) {
	if q.max <= 0 || who == "" || n == 0 {
		return func(int) {}, nil
	}
	one := q.of(who)
	select {
	case <-one.turn:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { one.turn <- struct{}{} }()
	if one.left < n {
		full, releases := one.isFull()
		if full {
			return nil, c.limited(q.limit, q.max, 10*time.Second)
		}
		held, err := count(ctx, l, q.query(who), q.max)
		if err != nil {
			return nil, err
		}
		room := q.max - held - one.pending
		if room < 1 {
			one.foundFull(releases)
		}
		if n > room {
			return nil, c.limited(q.limit, q.max, 10*time.Second)
		}
		one.left = min(room, max(q.max/4, n))
	}
	one.left -= n
	one.pending += n
	return func(got int) {
		<-one.turn
		one.pending -= n
		one.left += n - got
		one.turn <- struct{}{}
	}, nil
}

// freed tells that something of somebody's was released.
func (q *quotas) freed(who string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if one := q.by[who]; one != nil {
		one.freed()
	}
}

// count is how many mutexes a query finds, up to limit.
func count(ctx context.Context, l editlock.Locker, q editlock.Query, limit int) (int, error) {
	n := 0
	for {
		q.Limit = min(limit-n+1, editlock.MaxPage)
		page, err := l.List(ctx, q)
		if err != nil {
			return 0, err
		}
		n += len(page.Mutexes)
		if q.Cursor = page.Next; q.Cursor == "" || n >= limit {
			return n, nil
		}
	}
}

// charge counts captures of an owner against their session's and their user's
// limit. done tells how many of them they got.
func (g *Control) charge(ctx context.Context, l editlock.Locker, o editlock.Owner, n int) (done func(got int), err error) {
	session, err := g.bySession.take(ctx, l, g.Counters, o.Session, n)
	if err != nil {
		return nil, err
	}
	user, err := g.byUser.take(ctx, l, g.Counters, o.UserID, n)
	if err != nil {
		session(0)
		return nil, err
	}
	return func(got int) {
		session(got)
		user(got)
	}, nil
}

// freed tells that something of an owner's was released.
func (g *Control) freed(o editlock.Owner) {
	g.bySession.freed(o.Session)
	g.byUser.freed(o.UserID)
}
