package auth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/editlock/editlock"
)

// Right is a permission.
type Right string

// The rights. None includes another, but Admin all.
const (
	// Read is to list mutexes, ask about any and follow events.
	Read Right = "read"
	// Use is to capture and release for oneself, and to ask who is in the way.
	Use Right = "use"
	// Takeover is to take a mutex over from somebody else.
	Takeover Right = "takeover"
	// ForceRelease is to end somebody else's hold.
	ForceRelease Right = "force_release"
	// History is to read what happened.
	History Right = "history"
	// Admin is everything, and to act by token alone.
	Admin Right = "admin"
)

// Rights are all there are.
var Rights = []Right{Read, Use, Takeover, ForceRelease, History, Admin}

// Grant gives rights to the mutexes whose group and mode fit. An empty Group
// or Mode is the empty name, as in IDs; "*" is all.
type Grant struct {
	Rights []Right `json:"rights" toml:"rights"`
	Group  Pattern `json:"group" toml:"group"`
	Mode   Pattern `json:"mode" toml:"mode"`
}

// Allows reports whether the grant gives a right to a mutex. That to all of a
// group is a right to all modes.
func (g *Grant) Allows(right Right, id editlock.ID) bool {
	if !slices.Contains(g.Rights, right) && !slices.Contains(g.Rights, Admin) || !g.Group.Match(id.Group) {
		return false
	}
	if id.Below && id.Mode == "" {
		return g.Mode == "*"
	}
	return g.Mode.Match(id.Mode)
}

// Validate reports what is wrong with a grant that a file or claim states.
func (g *Grant) Validate() error {
	if len(g.Rights) == 0 {
		return fmt.Errorf("rights must name at least one of %s", rightNames())
	}
	for _, r := range g.Rights {
		if !slices.Contains(Rights, r) {
			return fmt.Errorf("rights: there is no %q; there are %s", r, rightNames())
		}
	}
	for _, p := range []struct {
		name string
		p    Pattern
	}{{"group", g.Group}, {"mode", g.Mode}} {
		if err := p.p.Validate(); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// Validate reports a * that is not at the end.
func (p Pattern) Validate() error {
	if strings.Contains(strings.TrimSuffix(string(p), "*"), "*") {
		return fmt.Errorf("%q has a * that is not at its end", string(p))
	}
	return nil
}

func rightNames() string {
	names := make([]string, len(Rights))
	for i, r := range Rights {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}
