package auth

import (
	"slices"
	"strings"

	"github.com/editlock/editlock"
)

// Kinds are which kinds of owner a credential may act as. A call that states none
// acts as a person, or as the first of them if that may not be. Nil is all kinds.
type Kinds []editlock.OwnerKind

// Allow reports whether kind is one of them.
func (k Kinds) Allow(kind editlock.OwnerKind) bool { return k == nil || slices.Contains(k, kind) }

// OrAll is k, or all kinds if it is empty, as files have it that say nothing.
func (k Kinds) OrAll() Kinds {
	if len(k) == 0 {
		return nil
	}
	return k
}

func (k Kinds) byDefault() editlock.OwnerKind {
	if k.Allow(editlock.Person) {
		return editlock.Person
	}
	return k[0]
}

func (k Kinds) String() string {
	names := make([]string, len(k))
	for i, kind := range k {
		names[i] = kind.String()
	}
	return strings.Join(names, ", ")
}

// StateKind refuses a kind that the credentials may not act as: ActAs takes an owner
// who is a person for one that states no kind.
func (c *Caller) StateKind(kind editlock.OwnerKind) error {
	if c.Kinds.Allow(kind) {
		return nil
	}
	return forbidden("owner.kind", "is "+kind.String()+"; your credentials are for: "+c.Kinds.String())
}

// acting is the owner of the credentials as a call acts for them: as they are, or by
// an agent or a job of theirs. That one may have another name.
func (c *Caller) acting(as editlock.Owner) editlock.Owner {
	owner := c.Owner
	if as.Kind == editlock.Person || as.Kind == owner.Kind {
		return owner
	}
	if owner.OnBehalfOf == "" {
		owner.OnBehalfOf = owner.Label()
	}
	if owner.Kind = as.Kind; as.Name != "" {
		owner.Name = as.Name
	}
	return owner
}

// Acting returns the owner of the credentials as ActAs does, of one that it may have
// returned: another one is refused, or is the credentials' own.
func (c *Caller) Acting(as editlock.Owner) (editlock.Owner, error) {
	if c.Scope != nil {
		return as, c.Confirm(as)
	}
	if as.Session != c.Owner.Session {
		return c.Owner, nil
	}
	return c.acting(as), c.StateKind(c.acting(as).Kind)
}
