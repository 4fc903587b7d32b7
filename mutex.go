package editlock

import (
	"time"
)

// Limits and defaults of a captured mutex.
const (
	DefaultIdle    = 300 * time.Second
	MinAutoRelease = time.Second
	MaxAutoRelease = 30 * 24 * time.Hour
	MaxStatusData  = 64 << 10 // bytes
)

// State is what Request finds.
type State int

// The states, with the values that m3-mutex gives them.
const (
	Free            State = 1
	CapturedByMe    State = 2
	CapturedByOther State = 3
)

func (s State) String() string {
	switch s {
	case Free:
		return "FREE"
	case CapturedByMe:
		return "CAPTURED_BY_ME"
	case CapturedByOther:
		return "CAPTURED_BY_OTHER"
	}
	return "UNKNOWN"
}

// Token is a fencing token. Each change of holder of a mutex gets a larger
// one, forever; all fit a JavaScript number. 0 is no token.
type Token uint64

// AutoRelease says when a captured mutex is freed by itself: Idle after the
// last refresh or MaxHold after the capture, whichever is first. The zero
// AutoRelease is "not said": DefaultIdle at a capture, no change at a refresh.
type AutoRelease struct {
	Idle    time.Duration // 0: DefaultIdle
	MaxHold time.Duration // 0: unlimited
}

// never is the Idle of Never.
const never time.Duration = -1

// Never holds until released.
var Never = AutoRelease{Idle: never}

// TimeoutAutoRelease frees a mutex that was not refreshed for idle.
func TimeoutAutoRelease(idle time.Duration) AutoRelease {
	return AutoRelease{Idle: idle}
}

// IsNever reports whether a holds until released.
func (a AutoRelease) IsNever() bool { return a.Idle == never }

// Validate reports the first field that is out of bounds, as *InvalidError.
func (a AutoRelease) Validate() error {
	if a.IsNever() && a.MaxHold != 0 {
		return invalid("auto_release", "never_with_max_hold", "says never and max_hold at once; give one of them")
	}
	if a.Idle != 0 && !a.IsNever() {
		if err := checkDuration("auto_release.idle", a.Idle); err != nil {
			return err
		}
	}
	if a.MaxHold != 0 {
		return checkDuration("auto_release.max_hold", a.MaxHold)
	}
	return nil
}

func checkDuration(field string, d time.Duration) error {
	if d < MinAutoRelease || d > MaxAutoRelease {
		return invalid(field, "lease_out_of_range", "is %v; between %v and %v (30 days) are allowed", d, MinAutoRelease, MaxAutoRelease)
	}
	return nil
}

// Mutex is a captured mutex, as it stood at AsOf. All times are the store's,
// in UTC.
type Mutex struct {
	ID          ID
	Owner       Owner
	StatusData  string
	AutoRelease AutoRelease
	Token       Token
	CapturedAt  time.Time
	RefreshedAt time.Time
	ExpiresAt   time.Time // zero: never
	AsOf        time.Time

	// GrantAfter is the holder's promise to waiters with a message: if the
	// holder does not answer for so long, the mutex passes to the first of
	// them. 0: it does not.
	GrantAfter time.Duration

	// Waiters are the first in the queue, at most 20; Waiting counts all.
	Waiters []Waiter
	Waiting int

	// Draining is the first who waits for something above the mutex, for which
	// nothing below is given out any more. nil: nobody, or it was not looked at:
	// Refresh, Request and a Capture of what the caller holds do, where nodes or parts
	// of the group are in use.
	Draining *Draining

	// Sharing is Exclusive or Shared. With a Limit it is SharingUnset: at most so
	// many hold the mutex at once.
	Sharing Sharing
	Limit   int
	// Beside is how many others hold it, too; List leaves it out. Others are the
	// first of them, oldest first, at most 19, without waiters: Request tells them.
	Beside int
	Others []Mutex
}

// ByToken is the hold with a token, of those that a Request told of: the mutex itself,
// or one of the others.
func (m Mutex) ByToken(token Token) (held Mutex, ok bool) {
	if m.Token == token {
		return m, true
	}
	for _, other := range m.Others {
		if other.Token == token {
			return other, true
		}
	}
	return Mutex{}, false
}

// ExpiresIn is how long the mutex was good for at AsOf; false: forever.
// Unlike a difference to a local clock it is right on every machine.
func (m Mutex) ExpiresIn() (time.Duration, bool) {
	if m.ExpiresAt.IsZero() {
		return 0, false
	}
	return m.ExpiresAt.Sub(m.AsOf), true
}

// Waiter is somebody in the queue of a mutex.
type Waiter struct {
	ID      string // names this wait, for Locker.Decline
	Owner   Owner
	Since   time.Time
	Message string    // what they ask of the holder
	GrantAt time.Time // when the mutex passes to them unless answered; zero: not by itself
}

// StartedBy reports whether the wait is that of a Capture of id, by the waiter's
// session, with this RequestID.
func (w Waiter) StartedBy(id ID, requestID string) bool {
	return requestID != "" && w.ID == scoped(requestID, "capture", w.Owner.key(), id)
}
