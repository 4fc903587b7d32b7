package access

import (
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/auth"
)

// ranks remembers with what rank mutexes are held, as they do not say it.
type ranks struct {
	mu sync.Mutex            // of what is read and then written
	by *lru.Cache[hold, int] // the highest that was proved for it

	warn sync.Once // of a stated rank that has no effect
}

// maxHolds bounds how many are remembered; those not heard of for longest are
// forgotten first.
const maxHolds = 50_000

func newRanks() *ranks {
	by, _ := lru.New[hold, int](maxHolds) // fails for sizes below 1
	return &ranks{by: by}
}

// hold is one hold of a mutex: what somebody has by one capture. What was heard
// of a person in another may be old, or of a weaker credential.
type hold struct {
	id    editlock.ID
	token editlock.Token
}

// remember notes the rank with which a caller captured or refreshed a mutex;
// it never falls while that is held. A back end's key is the word on what it
// captures itself, and on nothing that it finds held: the holder may have
// proved more to another server.
func (g *Control) remember(c *auth.Caller, m editlock.Mutex, captured bool) {
	if highest := g.policy.Ranks.HighestStated; c.Rank > highest {
		g.ranks.warn.Do(func() {
			g.audit.Warn("a rank that a token or key states is higher than ranks.highest_stated lets it be",
				"caller", c.Name, "states", c.Rank, "highest_stated", highest)
		})
	}
	if g.policy.top() == 0 {
		return // nobody has one
	}
	key, rank := hold{m.ID, m.Token}, g.policy.rank(c, m.Owner)
	g.ranks.mu.Lock()
	defer g.ranks.mu.Unlock()
	known, heard := g.ranks.by.Get(key)
	if heard || c.Scope == nil || captured {
		g.ranks.by.Add(key, max(known, rank))
	}
}

// outranks reports whether a caller may end a hold, by rank. The rank of one
// that was not heard of since this process began is not known; then only the
// highest rank suffices.
func (g *Control) outranks(c *auth.Caller, as editlock.Owner, held editlock.Mutex) bool {
	theirs, known := g.ranks.by.Get(hold{held.ID, held.Token})
	listed := g.policy.Ranks.Users[held.Owner.UserID]
	switch {
	case known:
		theirs = max(theirs, listed)
	case len(g.policy.Ranks.Groups) == 0 && g.policy.Ranks.HighestStated == 0:
		theirs = listed // nobody can have another
	default:
		theirs = g.policy.top()
	}
	return g.policy.rank(c, as) >= theirs
}
