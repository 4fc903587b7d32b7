// Package access says what a caller may do: rights by group and mode, ranks,
// and limits. [Control.For] wraps an [editlock.Locker] so that each of its calls
// is checked, for the HTTP interface and the lock manager alike.
package access

import (
	"fmt"
	"slices"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/auth"
)

// Policy is what an operator lets callers do. What no rule and no credential
// allows is refused.
type Policy struct {
	Rules []Rule
	Ranks Ranks
}

// Rule gives rights to callers. Users are compared as auth makes them, with
// the prefix of their issuer.
type Rule struct {
	Everyone bool     `toml:"everyone"` // all who are authenticated but back ends, whose keys say it
	Users    []string `toml:"users"`
	Groups   []string `toml:"groups"`
	auth.Grant
}

// Ranks order people: a takeover or a forced release needs at least the
// rank of the holder. The highest of a caller's ranks counts, 0 if they
// have none.
type Ranks struct {
	// HighestStated is the highest rank that a token or an API key may say of
	// itself; what says a higher one has this. 0: none counts. A server has to
	// know that there are ranks before it hears of any: of a holder whose rank
	// it has not heard, it must not let everybody take over.
	HighestStated int            `toml:"highest_stated"`
	Users         map[string]int `toml:"users"`
	Groups        map[string]int `toml:"groups"`
}

// Validate reports a rule that makes no sense.
func (p *Policy) Validate() error {
	for i := range p.Rules {
		r := &p.Rules[i]
		if !r.Everyone && len(r.Users) == 0 && len(r.Groups) == 0 {
			return fmt.Errorf("rule %d is for nobody: give users, groups or everyone", i+1)
		}
		if err := r.Grant.Validate(); err != nil {
			return fmt.Errorf("rule %d: %w", i+1, err)
		}
	}
	if n := p.Ranks.HighestStated; n < 0 {
		return fmt.Errorf("ranks.highest_stated: must be 0, for none, or more, not %d", n)
	}
	return nil
}

func (r *Rule) isFor(c *auth.Caller) bool {
	if c.Scope != nil {
		return false
	}
	return r.Everyone || slices.Contains(r.Users, c.Owner.UserID) ||
		slices.ContainsFunc(c.Groups, func(g string) bool { return slices.Contains(r.Groups, g) })
}

// May reports whether a caller has a right to a mutex.
func (p *Policy) May(c *auth.Caller, right auth.Right, id editlock.ID) bool {
	for i := range c.Grants {
		if c.Grants[i].Allows(right, id) {
			return true
		}
	}
	for i := range p.Rules {
		if r := &p.Rules[i]; r.Allows(right, id) && r.isFor(c) {
			return true
		}
	}
	return false
}

// areas are where a caller has a right.
func (p *Policy) areas(c *auth.Caller, right auth.Right) []editlock.Area {
	var out []editlock.Area
	add := func(g *auth.Grant) {
		if slices.Contains(g.Rights, right) || slices.Contains(g.Rights, auth.Admin) {
			out = append(out, editlock.Area{Group: string(g.Group), Mode: string(g.Mode)})
		}
	}
	for i := range c.Grants {
		add(&c.Grants[i])
	}
	for i := range p.Rules {
		if r := &p.Rules[i]; r.isFor(c) {
			add(&r.Grant)
		}
	}
	return out
}

// MayAny reports whether a caller has a right to any mutex at all.
func (p *Policy) MayAny(c *auth.Caller, right auth.Right) bool {
	has := func(g *auth.Grant) bool {
		return slices.Contains(g.Rights, right) || slices.Contains(g.Rights, auth.Admin)
	}
	for i := range c.Grants {
		if has(&c.Grants[i]) {
			return true
		}
	}
	for i := range p.Rules {
		if r := &p.Rules[i]; has(&r.Grant) && r.isFor(c) {
			return true
		}
	}
	return false
}

// rank is the highest that the caller, or the owner they act for, has.
func (p *Policy) rank(c *auth.Caller, o editlock.Owner) int {
	best := max(min(c.Rank, p.Ranks.HighestStated), p.Ranks.Users[o.UserID])
	for _, g := range c.Groups {
		best = max(best, p.Ranks.Groups[g])
	}
	return best
}

// top is the highest rank that anybody can have.
func (p *Policy) top() int {
	best := p.Ranks.HighestStated
	for _, ranks := range []map[string]int{p.Ranks.Users, p.Ranks.Groups} {
		for _, r := range ranks {
			best = max(best, r)
		}
	}
	return best
}
