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
	Idle    time.Duration // this long after the last touch; 0: not by idleness
	MaxHold time.Duration // this long after it was taken, or let others share; 0: no such bound
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
	Name    string
	Token   uint64 // fencing token, minted when it was taken
	Share   Share
	Holder  Party
	Data    string // replaced by any touch that gives one
	Terms   Terms
	Taken   time.Time
	Touched time.Time
	Expires time.Time // zero: never
	Request string    // ID of the request, or of the ticket, that took it

	// Place is where it stands among several holds, if that is not its Token: a
	// number that was drawn when it let others share. That was at Placed, from
	// which MaxHold counts then.
	Place  uint64
	Placed time.Time

	// Waiters are the first live tickets, oldest first, at most MaxWaiters;
	// Waiting counts all. Filled in whenever an engine hands a record out.
	Waiters []Ticket
	Waiting int
	// Others are the first other live holds of the name, oldest first, at most
	// MaxHolders-1; Beside counts all. List leaves them out.
	Others []*Record
	Beside int
	// Drains is the first who waits for a name above; nil: nobody, or it was not
	// looked at, as in List.
	Drains *Ticket
	// Agreed is the share in force, where it is not that of all who hold the name:
	// the last limit. List leaves it out.
	Agreed Share
}

// Live reports whether the record is in force at now.
func (r *Record) Live(now time.Time) bool {
	return r != nil && (r.Expires.IsZero() || now.Before(r.Expires))
}

// expire sets when the record dies if it is not touched again: by its terms,
// and within confirm of the last touch, if that is given.
func (r *Record) expire(confirm time.Duration) {
	r.Expires = r.Terms.expiry(r.began(), r.Touched)
	if confirm > 0 {
		if soon := after(r.Touched, confirm); r.Expires.IsZero() || soon.Before(r.Expires) {
			r.Expires = soon
		}
	}
}

// began is from when MaxHold counts.
func (r *Record) began() time.Time {
	if r.Place != 0 {
		return r.Placed
	}
	return r.Taken
}

// Within is how soon after its last touch the record expires, where its terms
// alone would end it later; 0: its terms decide.
func (r *Record) Within() time.Duration {
	if r.Expires.IsZero() || r.Expires.Equal(r.Terms.expiry(r.began(), r.Touched)) {
		return 0
	}
	return r.Expires.Sub(r.Touched)
}

// expiry is when a record with these terms dies if it is not touched again.
func (t Terms) expiry(taken, touched time.Time) time.Time {
	var at time.Time
	if t.Idle > 0 {
		at = after(touched, t.Idle)
	}
	if t.MaxHold > 0 {
		if end := after(taken, t.MaxHold); at.IsZero() || end.Before(at) {
			at = end
		}
	}
	return at
}

// after is so much later, in whole microseconds, as engines keep times.
func after(t time.Time, d time.Duration) time.Time {
	return t.Add(d).Truncate(time.Microsecond)
}

// merge is t with what a Touch gives: zero fields keep, negative ones clear.
func (t Terms) merge(given Terms) Terms {
	if given.Idle != 0 {
		t.Idle = max(given.Idle, 0)
	}
	if given.MaxHold != 0 {
		t.MaxHold = max(given.MaxHold, 0)
	}
	return t
}

// Ticket is a place in the queue of a name, and what to write there when its
// turn comes. When its peer dies it is gone for good, whether or not an engine
// has removed it yet: it is not granted, can't leave, and a Join under its ID
// gets a new place.
type Ticket struct {
	ID     string // unique; becomes the Request of the record it is granted
	Name   string
	Seq    uint64 // place: lower is earlier
	Peer   string // the process that waits; the ticket lives while its beats do
	Share  Share
	Holder Party
	Data   string
	Terms  Terms
	Note   *Note // of the grant
	Value  string
	Since  time.Time

	// Confirm bounds a fresh grant: it expires so soon after unless touched,
	// so that a waiter who died unnoticed blocks nobody for long.
	Confirm time.Duration
	// Claim is when the name passes to this ticket, if it is first by then,
	// although the holders are alive, and Asked is the largest of their tokens:
	// only holds that were asked are bound by a promise. See State.Claim. A
	// Join gives ClaimAfter; zero: never. Where it gives no Asked, that is the
	// token of the newest hold.
	Claim      time.Time
	Asked      uint64
	ClaimAfter time.Duration
}

// Action is what a Swap does.
type Action uint8

// The actions.
const (
	Take   Action = iota + 1 // a new hold with a new token, in place of the one expected if there is one
	Touch                    // the same hold: extend, replace what is given
	Drop                     // end a hold; tickets for which there is room then are granted at once
	Join                     // put a ticket at the end of the queue of a name that has no room for it
	Leave                    // take a ticket out of it
	Revoke                   // change nothing, and let nothing of this request's ID be done from now on; goes alone
)

// Expect is the condition of a Swap. It speaks of one hold: the one with the
// Token, else the oldest one of the Session, else the oldest. All that is given
// must be true of that hold, which must be live. Leave may go without.
type Expect struct {
	Free    bool    // there is room for the Share, nobody waits, and the Holder has no hold of the name
	Token   uint64  // this token
	Session *string // this holder's session
	Data    *string // this data
	Waiting bool    // somebody waits
	Sole    bool    // there is no other hold, and nobody waits
	Here    bool    // of a Join: its ticket waits at no other living peer
}

// Swap is one compare-and-swap under one name.
type Swap struct {
	Name   string
	Expect Expect
	Do     Action

	Holder *Party  // Take: required. Touch: nil keeps
	Data   *string // nil: empty at Take, kept at Touch
	Terms  *Terms  // Take: required. Touch: nil and zero fields keep, negative ones clear
	Ticket *Ticket // Join: the ticket. Leave: its ID, and its peer unless any will do
	Note   *Note   // nil: nothing is logged

	// Share is that of a Take; nil: Alone, or that of the hold it replaces. A
	// Touch may give Shared to a hold that is Alone, with all of its Terms; nil
	// keeps.
	Share *Share
	// Resize lets a limit take the place of another one, at Take and Join.
	Resize bool

	// Confirm bounds a Take or Touch: the record expires so soon after, unless it
	// is touched again, or its Terms end it sooner. 0: its Terms decide.
	Confirm time.Duration
}

// Request is one atomic step: all swaps or none. Names are distinct.
//
// Engines know an ID again by the log entries of its takes, touches and
// drops. Without any, a retry is a new write: so give an ID only with a Note.
// A retry of a join or leave is known by its ticket instead: a join finds its
// place or the record it was granted, a leave finds nothing and is refused. A
// Revoke of an ID makes all that comes under it later a retry of something done.
type Request struct {
	ID    string // unique per logical write; empty: a retry is a new write
	Swaps []Swap
}

// Validate reports what is wrong with a request. Engines refuse such a request
// with this error before they do anything.
func (r Request) Validate() error {
	for i, sw := range r.Swaps {
		missing := ""
		switch {
		case sw.Do < Take || sw.Do > Revoke:
			missing = "a known action"
		case sw.Do == Take && sw.Holder == nil:
			missing = "a holder"
		case sw.Do == Take && sw.Terms == nil:
			missing = "terms"
		case (sw.Do == Join || sw.Do == Leave) && (sw.Ticket == nil || sw.Ticket.ID == ""):
			missing = "a ticket with an ID"
		case sw.Do == Revoke && r.ID == "":
			missing = "the ID that it revokes"
		case sw.Do == Revoke && len(r.Swaps) > 1:
			missing = "a request of its own"
		case sw.Share != nil && *sw.Share < Shared, sw.Ticket != nil && sw.Ticket.Share < Shared:
			missing = "a known share"
		case sw.Do == Touch && sw.Share != nil && (sw.Terms == nil || sw.Terms.Idle == 0 || sw.Terms.MaxHold == 0):
			missing = "all terms"
		}
		if missing != "" {
			return fmt.Errorf("store: swap %d of the request, on %q, lacks %s", i+1, sw.Name, missing)
		}
	}
	if len(r.Swaps) < 2 {
		return nil
	}
	seen := make(map[string]bool, len(r.Swaps))
	for _, sw := range r.Swaps {
		if seen[sw.Name] {
			return fmt.Errorf("store: the request names %q twice", sw.Name)
		}
		seen[sw.Name] = true
	}
	return nil
}

// Result is what a Swap came to.
type Result struct {
	Done     bool // performed, now or (Replayed) when it was first sent
	Replayed bool
	Records  []*Record // in force after the step, one per swap; nil: free
	Paths    []*Path   // of each swap that was refused, if anything stands there
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

// Note is what the caller wants logged of a change.
type Note struct {
	Kind   string
	Actor  Party
	Reason string
}

// Ended reports whether an entry of the name, of a kind that ends holds, tells of
// the end of a hold before it: of its own, of one whose place it took, or of any
// where somebody holds the name alone after it.
func (e *Entry) Ended(token uint64) bool {
	return e.Token == token || e.Replaced == token || e.Share == Alone
}

// Entry is one line of the log.
type Entry struct {
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
