package access

import (
	"context"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/auth"
)

// Look refuses a caller who may not ask who holds a mutex: they are neither told
// who looks at its record, nor shown to those who are.
func (g *Control) Look(ctx context.Context, c *auth.Caller, id editlock.ID) error {
	if g.May(c, auth.Use, id) || g.May(c, auth.Read, id) {
		return nil
	}
	return g.deny(ctx, c, "look", id, "you have no right "+string(auth.Read)+" to "+id.String())
}

// Looks is how many records a caller's pages may be present at; 0: any number.
func (g *Control) Looks(c *auth.Caller) int {
	if c.Scope != nil {
		return g.limits.BackendLooks
	}
	return g.limits.Looks
}

// TooManyLooks is the refusal of a look beyond Looks, and counts it.
func (g *Control) TooManyLooks(c *auth.Caller) error {
	if c.Scope != nil {
		return g.Counters.limited(backendLooks, g.limits.BackendLooks, 10*time.Second)
	}
	return g.Counters.limited(looks, g.limits.Looks, 10*time.Second)
}
