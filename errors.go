package editlock

import (
	"errors"
	"fmt"
	"time"

	"github.com/editlock/editlock/internal/fault"
)

// The errors a caller can tell apart with errors.Is. Busy, lost, not held and
// invalid calls return *BusyError, *LostError, *NotHeldError and *InvalidError,
// which say more.
var (
	ErrBusy            = errors.New("held by another")
	ErrLost            = errors.New("the lock is lost")
	ErrNotHeld         = errors.New("held by nobody")
	ErrConflict        = errors.New("held in another way")
	ErrInvalid         = errors.New("invalid argument")
	ErrForbidden       = errors.New("not allowed")
	ErrUnauthenticated = errors.New("not authenticated")
	ErrLimited         = errors.New("over a limit")
	ErrUnavailable     = errors.New("the lock store is unavailable")
)

// BusyError says who is in the way.
type BusyError struct {
	Holder Mutex
	// Holders are all in the way, Holder the first: of a CaptureAll the first
	// holder of each mutex, of a mutex that several hold the first 20 of them,
	// and then Total counts all. Nil: there is one.
	Holders []Mutex
	Total   int
	// Self reports that the caller is the holder: the same session or the same
	// user, perhaps in another tab.
	Self bool
	// Draining is the first who waits for something above the mutex, for which
	// nothing below is given out; nil: nobody does.
	Draining *Draining
	// Declined is the answer of the holder who was asked, if that ended the
	// wait.
	Declined *Refusal
}

// Draining is a wait for all that is below a group, or a group and mode, or for an
// object with its parts.
type Draining struct {
	ID      ID
	By      Owner
	Since   time.Time
	Message string
}

// Refusal is a holder's answer to a waiter: they keep the mutex.
type Refusal struct {
	By      Owner
	At      time.Time
	Message string
}

func (e *BusyError) Error() string {
	who := e.Holder.Owner.title()
	if e.Self {
		who += " (yourself)"
	}
	text := fmt.Sprintf("%s is held by %s since %s", e.Holder.ID, who, e.Holder.CapturedAt.Format(time.RFC3339))
	if n := len(e.Holders); n > 1 {
		text += fmt.Sprintf(", and %d more are held", n-1)
	}
	if d := e.Draining; d != nil {
		text += fmt.Sprintf("; %s waits for %s since %s", d.By.title(), d.ID, d.Since.Format(time.RFC3339))
	}
	if e.Declined != nil {
		text += fmt.Sprintf("; %s declined", e.Declined.By.title())
		if e.Declined.Message != "" {
			text += ": " + e.Declined.Message
		}
	}
	return text
}

// Is makes errors.Is(err, ErrBusy) true.
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// ConflictError says that a mutex is held, or waited for, in a way that does not
// go with what the caller asks for: by a limit instead of exclusive or shared, or by
// another limit.
type ConflictError struct{ Holder Mutex }

func (e *ConflictError) Error() string {
	how := "without a limit"
	if n := e.Holder.Limit; n > 0 {
		how = fmt.Sprintf("with the limit %d", n)
	}
	return fmt.Sprintf("%s is held %s by %s: ask for the same", e.Holder.ID, how, e.Holder.Owner.title())
}

// Is makes errors.Is(err, ErrConflict) true.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// LostError says that a lock is no longer the caller's, who has it now and
// how it went.
type LostError struct {
	ID     ID
	Holder *Mutex    // who has it now; nil: it is free
	How    EventKind // expired, taken_over, force_released, …; empty: not known
	By     Owner     // who ended it
	At     time.Time
	Reason string
	// Code is the stable name of a Reason that the library gives, as that of an
	// InvalidError: "not_confirmed". Empty: a person gave the reason.
	Code string
}

func (e *LostError) Error() string {
	text := fmt.Sprintf("the lock on %s is lost", e.ID)
	switch e.How {
	case KindTakenOver:
		text += fmt.Sprintf(": %s took it over at %s", e.By.title(), e.At.Format(time.RFC3339))
	case KindForceReleased:
		text += fmt.Sprintf(": %s released it by force at %s", e.By.title(), e.At.Format(time.RFC3339))
	case KindExpired:
		text += fmt.Sprintf(": it was not refreshed and expired at %s", e.At.Format(time.RFC3339))
	case KindHandedOver:
		text += fmt.Sprintf(": it was handed over at %s", e.At.Format(time.RFC3339))
	default: // its holder's own doing, or not known
	}
	if e.Reason != "" {
		text += fmt.Sprintf(" (%s)", e.Reason)
	}
	if e.Holder != nil {
		return text + fmt.Sprintf("; now held by %s", e.Holder.Owner.title())
	}
	return text + "; nobody holds it now"
}

// Is makes errors.Is(err, ErrLost) true.
func (e *LostError) Is(target error) bool { return target == ErrLost }

// HeldByPersonError says that an agent asked to end the hold of a person, which no
// agent may. It is ErrForbidden.
type HeldByPersonError struct{ Holder Mutex }

func (e *HeldByPersonError) Error() string {
	return fmt.Sprintf("%s is held by %s since %s, and an agent ends no person's hold: ask the holder, or wait until it is free",
		e.Holder.ID, e.Holder.Owner.title(), e.Holder.CapturedAt.Format(time.RFC3339))
}

// Is makes errors.Is(err, ErrForbidden) true.
func (e *HeldByPersonError) Is(target error) bool { return target == ErrForbidden }

// NotHeldError says that there is no holder whose place the caller could take,
// or whose hold they could end.
type NotHeldError struct{ ID ID }

func (e *NotHeldError) Error() string { return fmt.Sprintf("nobody holds %s", e.ID) }

// Is makes errors.Is(err, ErrNotHeld) true.
func (e *NotHeldError) Is(target error) bool { return target == ErrNotHeld }

// InvalidError says which argument is wrong and what is allowed. Field is
// named as in the JSON forms, such as "mutex.id".
type InvalidError struct {
	Field   string
	Problem string // for people, in English; it may be reworded
	// Code is the stable name of the problem, such as "too_long", and Args are
	// what its sentence names: for "too_long" the length and the maximum.
	// docs/problems.md lists the codes. Empty: the problem has no code.
	Code string
	Args []string
}

func (e *InvalidError) Error() string { return e.Field + " " + e.Problem }

// Is makes errors.Is(err, ErrInvalid) true.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// invalid returns an *InvalidError; durations are written as people do.
func invalid(field, code, format string, args ...any) error {
	problem, texts := fault.Problem(format, args...)
	return &InvalidError{Field: field, Problem: problem, Code: code, Args: texts}
}
