package editlock

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// OwnerKind says what sort of owner captures. It decides with the session who a
// holder is, and who may end whose hold:
//
//   - an agent never ends the hold of a person, by a takeover or by force, and no
//     promise of a person (GrantAfter) is for agents: they ask, and wait;
//   - a person takes over from an agent without a right to take over;
//   - what an agent captures is bounded by MaxAgentIdle and MaxAgentHold, and an agent
//     does not wait for all of a type or group, as nobody would get any of it meanwhile.
//
// All else about who may end whose hold is up to rights and ranks.
type OwnerKind uint8

// The kinds.
const (
	Person OwnerKind = iota
	// Agent is a program that decides by itself what it edits.
	Agent
	// Job is a program that does what it was written for, such as an import.
	Job
)

// The leases of agents. An agent that says nothing has DefaultAgentIdle and MaxAgentHold.
const (
	DefaultAgentIdle = 2 * time.Minute
	MaxAgentIdle     = 5 * time.Minute
	MaxAgentHold     = 30 * time.Minute
)

var kindNames = [...]string{Person: "person", Agent: "agent", Job: "job"}

// String is person, agent or job.
func (k OwnerKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("OwnerKind(%d)", uint8(k))
}

// ParseOwnerKind is the inverse of String.
func ParseOwnerKind(name string) (OwnerKind, error) {
	k := slices.Index(kindNames[:], name)
	if k < 0 {
		if len(name) > 40 {
			name = strings.ToValidUTF8(name[:40], "") + "…"
		}
		return 0, invalid("owner.kind", "unknown_owner_kind", "%q is not known; person, agent and job are", name)
	}
	return OwnerKind(k), nil
}

// MarshalText implements encoding.TextMarshaler.
func (k OwnerKind) MarshalText() ([]byte, error) { return []byte(k.String()), k.validate() }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *OwnerKind) UnmarshalText(text []byte) error {
	known := slices.Index(kindNames[:], string(text))
	if known < 0 {
		return fmt.Errorf("must be person, agent or job, not %.40q", text)
	}
	*k = OwnerKind(known)
	return nil
}

func (k OwnerKind) validate() error {
	if int(k) >= len(kindNames) {
		return invalid("owner.kind", "unknown_owner_kind", "%d is not known; person, agent and job are", uint8(k))
	}
	return nil
}

// YieldsTo reports whether other may take over from o without a right to take
// over: a person from an agent.
func (o Owner) YieldsTo(other Owner) bool { return o.Kind == Agent && other.Kind == Person }

// title is the owner's label, with what they are unless they are a person.
func (o Owner) title() string {
	switch {
	case o.Kind == Person:
		return o.Label()
	case o.OnBehalfOf == "":
		return fmt.Sprintf("%s (%v)", o.Label(), o.Kind)
	}
	return fmt.Sprintf("%s (%v for %s)", o.Label(), o.Kind, o.OnBehalfOf)
}

// MayEnd reports whether the kind of o lets it end a hold of another's.
func (o Owner) MayEnd(hold Owner) bool { return o.Kind != Agent || hold.Kind != Person }

// kindMark ends the kind in the session of an owner who is no person, as stores know
// it. No session that somebody states contains it, so none is that of another kind.
const kindMark = "\x1f"

// key is the owner's identity in stores.
func (o Owner) key() string { return o.Kind.key(o.Session) }

func (k OwnerKind) key(session string) string {
	if k == Person || session == "" {
		return session
	}
	return k.String() + kindMark + session
}

// ofKey is the inverse of key. A kind that only another version knows is a person,
// whose hold no agent ends.
func ofKey(key string) (OwnerKind, string) {
	name, session, ok := strings.Cut(key, kindMark)
	if !ok {
		return Person, key
	}
	kind, err := ParseOwnerKind(name)
	if err != nil {
		return Person, key
	}
	return kind, session
}

// sessionKeys are those of a session that o may end as a whole: of all kinds, for
// an agent of its own. Of the empty session it is the empty key.
func (o Owner) sessionKeys(session string) []string {
	if o.Kind == Agent {
		return []string{o.Kind.key(session)}
	}
	return sessionKeys(session)
}

// sessionKeys are those of a session, by kind.
func sessionKeys(session string) []string {
	if session == "" {
		return []string{""}
	}
	keys := make([]string, len(kindNames))
	for k := range kindNames {
		keys[k] = OwnerKind(k).key(session)
	}
	return keys
}

// checkLease refuses an auto release that is longer than the kind may have.
func (k OwnerKind) checkLease(a AutoRelease) error {
	switch {
	case k != Agent:
	case a.IsNever():
		return invalid("auto_release", "never_for_agent", "says never; an agent may hold for %v, and for %v without a refresh", MaxAgentHold, MaxAgentIdle)
	case a.Idle > MaxAgentIdle:
		return invalid("auto_release.idle", "agent_out_of_range", "is %v; between %v and %v are allowed for an agent", a.Idle, MinAutoRelease, MaxAgentIdle)
	case a.MaxHold > MaxAgentHold:
		return invalid("auto_release.max_hold", "agent_out_of_range", "is %v; between %v and %v are allowed for an agent", a.MaxHold, MinAutoRelease, MaxAgentHold)
	}
	return nil
}

// checkWait refuses a wait that would keep people from all of a type.
func (k OwnerKind) checkWait(id ID, wait time.Duration) error {
	if k == Agent && id.Below && wait > 0 {
		return invalid("wait", "below_for_waiting_agent", "does not go with below for an agent: while it waits, nobody gets anything below")
	}
	return nil
}

// lease is the auto release of a new hold by an owner of the kind.
func (k OwnerKind) lease(a AutoRelease) AutoRelease {
	if k != Agent {
		return a
	}
	if a.Idle == 0 {
		a.Idle = DefaultAgentIdle
	}
	if a.MaxHold == 0 {
		a.MaxHold = MaxAgentHold
	}
	return a
}
