package store

import (
	"fmt"
	"time"
)

// Party is an owner in a record or a log entry. Session and User are index keys,
// compared byte for byte. Value is the encoded owner, opaque to a store.
type Party struct {
	Session string
	User    string
	Value   string
}

// Terms say when a record expires unless it is renewed.
type Terms struct {
	Idle    time.Duration // this long after the last renewal; 0: no such bound
	MaxHold time.Duration // this long after it was acquired, or changed to Shared; 0: no such bound
}

// Share says who may hold a name at the same time as a holder: nobody (Alone), all
// that share it (Shared), or any up to a limit (a positive number).
type Share int64

// The shares that are not limits. A positive Share is the largest number of holds of
// the name at one time.
const (
	Alone  Share = 0
	Shared Share = -1
)

// Mixes reports whether holders and waiters with these shares may be at one name. A
// limit goes with the same limit only, or, with resize, with any limit.
func (s Share) Mixes(t Share, resize bool) bool {
	return max(s, 0) == max(t, 0) || resize && s > 0 && t > 0
}

// Room reports whether one more hold with this share may begin beside this number of
// holders, whose share in force is agreed.
func (s Share) Room(agreed Share, holders int) bool {
	switch {
	case holders == 0:
		return true
	case s > 0:
		return agreed > 0 && holders < int(s)
	}
	return s == Shared && agreed == Shared
}

// MaxHolders is how many holds of one name a Record carries at most, itself
// included. Its Beside field counts all others.
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
	Request  string    // ID of the transaction, or of the waiter, that acquired it

	// Place is the position among several holds, if that is not the Token: a number
	// drawn when the hold changed to Shared. Placed is the time of that change, from
	// which MaxHold counts then. 0: the Token is the position.
	Place  uint64
	Placed time.Time

	// Waiters are the first live waiters, oldest first, at most MaxWaiters;
	// Waiting counts all. They are set in records that a Store returns.
	Waiters []Waiter
	Waiting int
	// Others are the first other live holds of the name, oldest first, at most
	// MaxHolders-1; Beside counts all. List leaves them out.
	Others []*Record
	Beside int
	// Drains is the first waiter for a name above; nil: none, or not read, as in
	// List.
	Drains *Waiter
	// Agreed is the share in force. With limits it is the last one given, which may
	// differ from Share. List leaves it out.
	Agreed Share
}

// Live reports whether the record is in force at now.
func (r *Record) Live(now time.Time) bool {
	return r != nil && (r.Expires.IsZero() || now.Before(r.Expires))
}

// expire sets Expires by the terms, and by confirm after the last renewal if confirm
// is positive.
func (r *Record) expire(confirm time.Duration) {
	r.Expires = r.Terms.expiry(r.began(), r.Renewed)
	if confirm > 0 {
		if soon := after(r.Renewed, confirm); r.Expires.IsZero() || soon.Before(r.Expires) {
			r.Expires = soon
		}
	}
}

// began returns the time from which MaxHold counts.
func (r *Record) began() time.Time {
	if r.Place != 0 {
		return r.Placed
	}
	return r.Acquired
}

// Within returns how soon after its last renewal the record expires, if its terms
// alone would end it later. 0: the terms decide.
func (r *Record) Within() time.Duration {
	if r.Expires.IsZero() || r.Expires.Equal(r.Terms.expiry(r.began(), r.Renewed)) {
		return 0
	}
	return r.Expires.Sub(r.Renewed)
}

// expiry returns when a record with these terms expires unless it is renewed.
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

// after returns t+d in whole microseconds, as engines keep times.
func after(t time.Time, d time.Duration) time.Time {
	return t.Add(d).Truncate(time.Microsecond)
}

// merge returns t changed by the terms of a Renew: zero fields keep, negative ones
// clear.
func (t Terms) merge(given Terms) Terms {
	if given.Idle != 0 {
		t.Idle = max(given.Idle, 0)
	}
	if given.MaxHold != 0 {
		t.MaxHold = max(given.MaxHold, 0)
	}
	return t
}

// Waiter is a place in the queue of a name, and what to write when the name is
// granted to it. It is lost for good when the lease of its process expires, whether
// or not an engine has removed it yet: it is not granted, can't leave, and a Join
// with its ID gets a new place.
type Waiter struct {
	ID      string // unique; becomes the Request of the record it is granted
	Name    string
	Seq     uint64 // place: lower is earlier
	Process string // the process that waits; the waiter is live while the process is
	Share   Share
	Holder  Party
	Data    string
	Terms   Terms
	Event   *Event // logged at the grant; nil: nothing is logged
	Value   string
	Since   time.Time

	// ConfirmWithin bounds a new grant: it expires this long after unless it is
	// renewed, so that a waiter whose caller is gone blocks nobody for long.
	ConfirmWithin time.Duration
	// GrantAt is when the name passes to this waiter, if it is first by then, although
	// the holders are live: they were asked and have not answered. Asked is the
	// largest of their tokens: a newer hold was not asked, and keeps the name. See
	// State.GrantAt. A Join gives GrantAfter, from which GrantAt follows; zero:
	// never. If it gives no Asked, that is the token of the newest hold.
	GrantAt    time.Time
	Asked      uint64
	GrantAfter time.Duration
}

// Action is what an Op does.
type Action uint8

// The actions.
const (
	Acquire Action = iota + 1 // begin a hold with a new token, in place of the expected one if there is one
	Renew                     // extend a hold, and replace what is given
	Release                   // end a hold; waiters that have room then are granted the name at once
	Join                      // put a waiter at the end of the queue of a name that has no room for it
	Leave                     // remove a waiter from the queue
	Revoke                    // log the transaction's ID, so that no later transaction with it is done; the only operation of its Txn
)

// Expect is the condition of an Op. It is about one hold: the one with the Token,
// else the oldest one of the Session, else the oldest. That hold must be live, and
// all fields that are set must be true of it. A Leave, and a Join, may have none.
type Expect struct {
	Free    bool    // there is room for the Share, no waiter, and no hold of the name by the Holder
	Token   uint64  // this token
	Session *string // this holder's session
	Data    *string // this data
	Waiting bool    // there is a waiter
	Sole    bool    // there is no other hold, and no waiter
	Here    bool    // of a Join: its waiter is not in the queue for another live process
}

// Op is one operation of a Txn: a compare-and-swap of what is under one name.
type Op struct {
	Name   string
	Expect Expect
	Do     Action

	Holder *Party  // Acquire: required. Renew: nil keeps
	Data   *string // nil: empty at Acquire, kept at Renew
	Terms  *Terms  // Acquire: required. Renew: nil and zero fields keep, negative ones clear
	Waiter *Waiter // Join: the waiter. Leave: its ID, and its Process; empty: any process
	Event  *Event  // nil: nothing is logged

	// Share is that of an Acquire; nil: Alone, or that of the hold it replaces. A
	// Renew may give Shared to a hold that is Alone, with all of its Terms; nil
	// keeps.
	Share *Share
	// Resize lets an Acquire or a Join replace the limit in force by its own.
	Resize bool

	// ConfirmWithin bounds an Acquire or Renew: the record expires this long after,
	// unless it is renewed again, or its Terms end it sooner. 0: its Terms decide.
	ConfirmWithin time.Duration
}

// Txn is a transaction: all its operations are done, or none. Names are distinct.
//
// A store recognizes a retry by the ID in the log entries of the transaction's
// acquisitions, renewals and releases. Without such an entry a retry is a new
// write, so give an ID only with an Event. A retry of a join or leave is recognized
// by its waiter instead: a join finds its place or the record it was granted, a
// leave finds nothing and is refused. After a Revoke of an ID, every
// transaction with the ID is answered as a retry for RetryWindow, and does nothing.
type Txn struct {
	ID  string // unique per logical write; empty: a retry is a new write
	Ops []Op
}

// Validate returns an error that says what is wrong with the transaction, or nil.
// Commit returns it before it does anything.
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

// Result is the result of a Txn.
type Result struct {
	Done     bool // the transaction was done: now or, if Replayed, when it was first sent; false: refused
	Replayed bool
	Records  []*Record // in force after the transaction, one per operation; nil: free
	Paths    []*Path   // what blocks each operation of a refused transaction; nil: nothing
	Now      time.Time
}

// Kinds and reasons of log entries that no Event gives.
const (
	KindExpired    = "expired"
	KindHandedOver = "handed_over"
	// KindRevoked marks the ID of a transaction as revoked. The entry has no name.
	KindRevoked = "revoked"
	// ReasonNoAnswer is the reason of a hand-over at Waiter.GrantAt.
	ReasonNoAnswer = "no_answer"
)

// Event is what the caller of an operation adds to its log entry.
type Event struct {
	Kind   string
	Actor  Party
	Reason string
}

// Ended reports whether an entry, of a kind that ends holds, records the end of the
// hold with a token: it is about that hold, about the hold that replaced it, or
// about a hold that is Alone, which ends all earlier ones.
func (e *LogEntry) Ended(token uint64) bool {
	return e.Token == token || e.Replaced == token || e.Share == Alone
}

// LogEntry is one entry of the log.
type LogEntry struct {
	Seq   uint64
	Kind  string
	Name  string
	Token uint64
	Share Share // of the hold
	At    time.Time
	Owner Party // the holder; for an end, the former holder
	Actor Party // the owner who made the change
	Other Party // the owner who lost the hold, was handed it, or was declined
	// Replaced is the token of the hold that this one replaced, unless this one is
	// Alone.
	Replaced uint64
	Reason   string
	Request  string // ID of the transaction, or of the waiter
}
