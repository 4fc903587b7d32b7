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
	MaxHold time.Duration // this long after it was taken; 0: no such bound
}

// Record is what is held under a name. Times are the store's, in UTC, whole
// microseconds.
type Record struct {
	Name    string
	Token   uint64 // fencing token, minted when it was taken
	Holder  Party
	Data    string // replaced by any touch that gives one
	Terms   Terms
	Taken   time.Time
	Touched time.Time
	Expires time.Time // zero: never
	Request string    // ID of the request, or of the ticket, that took it

	// Waiters are the first live tickets, oldest first, at most MaxWaiters;
	// Waiting counts all. Filled in whenever an engine hands a record out.
	Waiters []Ticket
	Waiting int
}

// Live reports whether the record is in force at now.
func (r *Record) Live(now time.Time) bool {
	return r != nil && (r.Expires.IsZero() || now.Before(r.Expires))
}

// expire sets when the record dies if it is not touched again: by its terms,
// and within confirm of the last touch, if that is given.
func (r *Record) expire(confirm time.Duration) {
	r.Expires = r.Terms.expiry(r.Taken, r.Touched)
	if confirm > 0 {
		if soon := after(r.Touched, confirm); r.Expires.IsZero() || soon.Before(r.Expires) {
			r.Expires = soon
		}
	}
}

// Within is how soon after its last touch the record expires, where its terms
// alone would end it later; 0: its terms decide.
func (r *Record) Within() time.Duration {
	if r.Expires.IsZero() || r.Expires.Equal(r.Terms.expiry(r.Taken, r.Touched)) {
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
	// although the holder is alive, and Asked is his token: see ClaimOn. A
	// Join gives ClaimAfter; zero: never.
	Claim      time.Time
	Asked      uint64
	ClaimAfter time.Duration
}

// ClaimOn is when the ticket may claim the name from the holder of a record;
// zero: never. Only the hold that was asked is bound by its promise.
func (t Ticket) ClaimOn(rec *Record) time.Time {
	if rec == nil || rec.Token != t.Asked {
		return time.Time{}
	}
	return t.Claim
}

// Action is what a Swap does.
type Action uint8

// The actions.
const (
	Take  Action = iota + 1 // a new holder, a new token
	Touch                   // the same holder: extend, replace what is given
	Drop                    // vacate; the first live ticket is granted at once
	Join                    // put a ticket at the end of the queue of a held name
	Leave                   // take a ticket out of it
)

// Expect is the condition of a Swap. All that is given must hold of the live
// record. Leave may go without.
type Expect struct {
	Free    bool    // no live record (so, once settled, nobody waits either)
	Token   uint64  // this token
	Session *string // this holder's session
	Data    *string // this data
	Waiting bool    // somebody waits
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

	// Confirm bounds a Take or Touch: the record expires so soon after, unless it
	// is touched again, or its Terms end it sooner. 0: its Terms decide.
	Confirm time.Duration
}

// Request is one atomic step: all swaps or none. Names are distinct.
//
// Engines know an ID again by the log entries of its takes, touches and
// drops. Without any, a retry is a new write: so give an ID only with a Note.
// A retry of a join or leave is known by its ticket instead: a join finds its
// place or the record it was granted, a leave finds nothing and is refused.
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
		case sw.Do < Take || sw.Do > Leave:
			missing = "a known action"
		case sw.Do == Take && sw.Holder == nil:
			missing = "a holder"
		case sw.Do == Take && sw.Terms == nil:
			missing = "terms"
		case (sw.Do == Join || sw.Do == Leave) && (sw.Ticket == nil || sw.Ticket.ID == ""):
			missing = "a ticket with an ID"
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
	Now      time.Time
}

// Kinds of log entries that engines write by themselves.
const (
	KindExpired    = "expired"
	KindHandedOver = "handed_over"
	// ReasonNoAnswer is the reason of a hand-over that a Claim forced.
	ReasonNoAnswer = "no_answer"
)

// Note is what the caller wants logged of a change.
type Note struct {
	Kind   string
	Actor  Party
	Reason string
}

// Entry is one line of the log.
type Entry struct {
	Seq     uint64
	Kind    string
	Name    string
	Token   uint64
	At      time.Time
	Owner   Party // who holds, or held until this
	Actor   Party // who did it
	Other   Party // who lost it, got it, or was declined
	Reason  string
	Request string
}
