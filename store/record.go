package store

import (
	"fmt"
	"time"
)

// Party is somebody a record or an entry speaks of. Session and User are
// index keys, compared byte for byte; Value is opaque to engines.
type Party struct {
	Session string
	User    string
	Value   string
}

// Terms say when a record dies by itself.
type Terms struct {
	Idle    time.Duration // this long after the last renewal; 0: not by idleness
	MaxHold time.Duration // this long after it was acquired, or let others share; 0: no such bound
}

// Share says who may hold a name beside a holder: nobody, all who share it, or
// any up to a limit.
type Share int64

// The shares that are no limits. A positive one is the number of those who may
// hold the name at once.
const (
	Alone  Share = 0
	Shared Share = -1
)

// Mixes reports whether holders and waiters with these shares may meet at one
// name: a limit goes with the same limit, or with resize with any.
func (s Share) Mixes(t Share, resize bool) bool {
	return max(s, 0) == max(t, 0) || resize && s > 0 && t > 0
}

// Room reports whether one more may hold a name with this share beside so many
// holders and what they have agreed on.
func (s Share) Room(agreed Share, holders int) bool {
	switch {
	case holders == 0:
		return true
	case s > 0:
		return agreed > 0 && holders < int(s)
	}
	return s == Shared && agreed == Shared
}

// MaxHolders is how many holds of one name a Record tells of at most, with
// itself; its Beside field counts all others.
const MaxHolders = 20

// Record is a hold of a name. Times are the store's, in UTC, whole
// microseconds.
type Record struct {
	Name     string
	Token    uint64 // fencing token, minted when it was acquired
	Share    Share
	Holder   Party
	Data     string // replaced by any renewal that gives one
	Terms    Terms
	Acquired time.Time
	Renewed  time.Time
	Expires  time.Time // zero: never
	Request  string    // ID of the request, or of the waiter, that took it

	// Place is where it stands among several holds, if that is not its Token: a
	// number that was drawn when it let others share. That was at Placed, from
	// which MaxHold counts then.
	Place  uint64
	Placed time.Time

	// Waiters are the first live waiters, oldest first, at most MaxWaiters;
	// Waiting counts all. Filled in whenever an engine hands a record out.
	Waiters []Waiter
	Waiting int
	// Others are the first other live holds of the name, oldest first, at most
	// MaxHolders-1; Beside counts all. List leaves them out.
	Others []*Record
	Beside int
	// Drains is the first who waits for a name above; nil: nobody, or it was not
	// looked at, as in List.
	Drains *Waiter
	// Agreed is the share in force, where it is not that of all who hold the name:
	// the last limit. List leaves it out.
	Agreed Share
}

// Live reports whether the record is in force at now.
func (r *Record) Live(now time.Time) bool {
	return r != nil && (r.Expires.IsZero() || now.Before(r.Expires))
}

// expire sets when the record dies if it is not renewed again: by its terms,
// and within confirm of the last renewal, if that is given.
func (r *Record) expire(confirm time.Duration) {
	r.Expires = r.Terms.expiry(r.began(), r.Renewed)
	if confirm > 0 {
		if soon := after(r.Renewed, confirm); r.Expires.IsZero() || soon.Before(r.Expires) {
			r.Expires = soon
		}
	}
}

// began is from when MaxHold counts.
func (r *Record) began() time.Time {
	if r.Place != 0 {
		return r.Placed
	}
	return r.Acquired
}

// Within is how soon after its last renewal the record expires, where its terms
// alone would end it later; 0: its terms decide.
func (r *Record) Within() time.Duration {
	if r.Expires.IsZero() || r.Expires.Equal(r.Terms.expiry(r.began(), r.Renewed)) {
		return 0
	}
	return r.Expires.Sub(r.Renewed)
}

// expiry is when a record with these terms dies if it is not renewed again.
func (t Terms) expiry(acquired, renewed time.Time) time.Time {
	var at time.Time
	if t.Idle > 0 {
		at = after(renewed, t.Idle)
	}
	if t.MaxHold > 0 {
		if end := after(acquired, t.MaxHold); at.IsZero() || end.Before(at) {
			at = end
		}
	}
	return at
}

// after is so much later, in whole microseconds, as engines keep times.
func after(t time.Time, d time.Duration) time.Time {
	return t.Add(d).Truncate(time.Microsecond)
}

// merge is t with what a Renew gives: zero fields keep, negative ones clear.
func (t Terms) merge(given Terms) Terms {
	if given.Idle != 0 {
		t.Idle = max(given.Idle, 0)
	}
	if given.MaxHold != 0 {
		t.MaxHold = max(given.MaxHold, 0)
	}
	return t
}

// Waiter is a place in the queue of a name, and what to write there when its
// turn comes. When its process dies it is gone for good, whether or not an engine
// has removed it yet: it is not granted, can't leave, and a Join under its ID
// gets a new place.
type Waiter struct {
	ID      string // unique; becomes the Request of the record it is granted
	Name    string
	Seq     uint64 // place: lower is earlier
	Process string // the process that waits; the waiter lives while the process does
	Share   Share
	Holder  Party
	Data    string
	Terms   Terms
	Event   *Event // of the grant
	Value   string
	Since   time.Time

	// ConfirmWithin bounds a fresh grant: it expires so soon after unless renewed,
	// so that a waiter who died unnoticed blocks nobody for long.
	ConfirmWithin time.Duration
	// GrantAt is when the name passes to this waiter, if it is first by then,
	// although the holders are alive, and Asked is the largest of their tokens:
	// only holds that were asked are bound by a promise. See State.GrantAt. A
	// Join gives GrantAfter; zero: never. Where it gives no Asked, that is the
	// token of the newest hold.
	GrantAt    time.Time
	Asked      uint64
	GrantAfter time.Duration
}

// Action is what an Op does.
type Action uint8

// The actions.
const (
	Acquire Action = iota + 1 // a new hold with a new token, in place of the one expected if there is one
	Renew                     // the same hold: extend, replace what is given
	Release                   // end a hold; waiters for which there is room then are granted at once
	Join                      // put a waiter at the end of the queue of a name that has no room for it
	Leave                     // take a waiter out of it
	Revoke                    // change nothing, and let nothing of this request's ID be done from now on; goes alone
)

// Expect is the condition of an Op. It speaks of one hold: the one with the
// Token, else the oldest one of the Session, else the oldest. All that is given
// must be true of that hold, which must be live. Leave may go without.
type Expect struct {
	Free    bool    // there is room for the Share, nobody waits, and the Holder has no hold of the name
	Token   uint64  // this token
	Session *string // this holder's session
	Data    *string // this data
	Waiting bool    // somebody waits
	Sole    bool    // there is no other hold, and nobody waits
	Here    bool    // of a Join: its waiter waits at no other living process
}

// Op is one compare-and-swap under one name.
type Op struct {
	Name   string
	Expect Expect
	Do     Action

	Holder *Party  // Acquire: required. Renew: nil keeps
	Data   *string // nil: empty at Acquire, kept at Renew
	Terms  *Terms  // Acquire: required. Renew: nil and zero fields keep, negative ones clear
	Waiter *Waiter // Join: the waiter. Leave: its ID, and its process unless any will do
	Event  *Event  // nil: nothing is logged

	// Share is that of an Acquire; nil: Alone, or that of the hold it replaces. A
	// Renew may give Shared to a hold that is Alone, with all of its Terms; nil
	// keeps.
	Share *Share
	// Resize lets a limit take the place of another one, at Acquire and Join.
	Resize bool

	// ConfirmWithin bounds an Acquire or Renew: the record expires so soon after, unless it
	// is renewed again, or its Terms end it sooner. 0: its Terms decide.
	ConfirmWithin time.Duration
}

// Txn is one atomic step: all operations or none. Names are distinct.
//
// Engines know an ID again by the log entries of its acquisitions, renewals and
// releases. Without any, a retry is a new write: so give an ID only with an Event.
// A retry of a join or leave is known by its waiter instead: a join finds its
// place or the record it was granted, a leave finds nothing and is refused. A
// Revoke of an ID makes all that comes under it later a retry of something done.
type Txn struct {
	ID  string // unique per logical write; empty: a retry is a new write
	Ops []Op
}

// Validate reports what is wrong with a transaction. Engines refuse such a transaction
// with this error before they do anything.
func (r Txn) Validate() error {
	for i, sw := range r.Ops {
		missing := ""
		switch {
		case sw.Do < Acquire || sw.Do > Revoke:
			missing = "a known action"
		case sw.Do == Acquire && sw.Holder == nil:
			missing = "a holder"
		case sw.Do == Acquire && sw.Terms == nil:
			missing = "terms"
		case (sw.Do == Join || sw.Do == Leave) && (sw.Waiter == nil || sw.Waiter.ID == ""):
			missing = "a waiter with an ID"
		case sw.Do == Revoke && r.ID == "":
			missing = "the ID that it revokes"
		case sw.Do == Revoke && len(r.Ops) > 1:
			missing = "a transaction of its own"
		case sw.Share != nil && *sw.Share < Shared, sw.Waiter != nil && sw.Waiter.Share < Shared:
			missing = "a known share"
		case sw.Do == Renew && sw.Share != nil && (sw.Terms == nil || sw.Terms.Idle == 0 || sw.Terms.MaxHold == 0):
			missing = "all terms"
		}
		if missing != "" {
			return fmt.Errorf("store: operation %d of the transaction, on %q: missing %s", i+1, sw.Name, missing)
		}
	}
	if len(r.Ops) < 2 {
		return nil
	}
	seen := make(map[string]bool, len(r.Ops))
	for _, sw := range r.Ops {
		if seen[sw.Name] {
			return fmt.Errorf("store: the transaction names %q twice", sw.Name)
		}
		seen[sw.Name] = true
	}
	return nil
}

// Result is what an Op came to.
type Result struct {
	Done     bool // performed, now or (Replayed) when it was first sent
	Replayed bool
	Records  []*Record // in force after the step, one per operation; nil: free
	Paths    []*Path   // of each operation that was refused, if anything stands there
	Now      time.Time
}

// Kinds of log entries that engines write by themselves.
const (
	KindExpired    = "expired"
	KindHandedOver = "handed_over"
	// KindRevoked is that of an entry by which a request is known that was
	// revoked. It is no name's, and says nothing else.
	KindRevoked = "revoked"
	// ReasonNoAnswer is the reason of a hand-over that a Claim forced.
	ReasonNoAnswer = "no_answer"
)

// Event is what the caller wants logged of a change.
type Event struct {
	Kind   string
	Actor  Party
	Reason string
}

// Ended reports whether an entry of the name, of a kind that ends holds, tells of
// the end of a hold before it: of its own, of one whose place it took, or of any
// where somebody holds the name alone after it.
func (e *LogEntry) Ended(token uint64) bool {
	return e.Token == token || e.Replaced == token || e.Share == Alone
}

// LogEntry is one line of the log.
type LogEntry struct {
	Seq   uint64
	Kind  string
	Name  string
	Token uint64
	Share Share // of the hold
	At    time.Time
	Owner Party // who holds, or held until this
	Actor Party // who did it
	Other Party // who lost it, got it, or was declined
	// Replaced is the token of the hold whose place this one took, where others
	// may hold the name beside it.
	Replaced uint64
	Reason   string
	Request  string
}
