package mcp

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
)

// who is how an owner is called in a sentence.
func who(o editlock.Owner) string {
	p := partyOf(o)
	switch {
	case p == nil:
		return "somebody"
	case o.Kind == editlock.Person:
		return line(p.Name)
	case o.OnBehalfOf == "":
		return fmt.Sprintf("%s (%s)", line(p.Name), p.Kind)
	}
	return fmt.Sprintf("%s (%s for %s)", line(p.Name), p.Kind, line(o.OnBehalfOf))
}

// name is how a lock is called in a sentence.
func name(id editlock.ID) string { return strings.TrimLeft(id.String(), "/") }

// editing says who holds a lock.
func editing(m editlock.Mutex) string {
	verb := "editing"
	if m.Sharing == editlock.Shared {
		verb = "reading"
	}
	return fmt.Sprintf("%s has been %s %s since %s%s.", who(m.Owner), verb, name(m.ID), moment(m.CapturedAt), expiry(m))
}

func expiry(m editlock.Mutex) string {
	left, ends := m.ExpiresIn()
	if !ends {
		return ""
	}
	return fmt.Sprintf("; it is free in %s unless it is refreshed", span(left))
}

// problemOf is what an agent is told of an error.
func problemOf(err error) *problem {
	p := wire.FromError(err)
	out := &problem{Code: string(p.Code), Message: p.Detail, Field: field(p.Field), How: p.How, Reason: line(p.Reason), By: partyOf(p.By.Root())}
	if out.Message == "" {
		out.Message = p.Title
	}
	if p.Holder != nil {
		if m, err := p.Holder.Root(); err == nil {
			out.Holder = lockOf(m, false)
		}
	}
	out.Advice = advice(err, p.Code)
	return out
}

// field is an argument as tools name it.
func field(name string) string {
	switch name = strings.TrimPrefix(name, "items[0]."); name {
	case "auto_release.idle":
		return "idle_s"
	case "auto_release.max_hold":
		return "max_hold_s"
	case "wait":
		return "wait_s"
	case "kind":
		return "kinds"
	case "owner.name":
		return "agent"
	case "owner.on_behalf_of":
		return "on_behalf_of"
	}
	return strings.TrimPrefix(name, "mutex.")
}

// advice is what to do about an error.
func advice(err error, code wire.Code) string {
	var (
		busy   *editlock.BusyError
		person *editlock.HeldByPersonError
		lost   *editlock.LostError
	)
	switch {
	case errors.As(err, &person):
		return ofPerson
	case errors.As(err, &busy) && busy.Holder.Owner.Kind == editlock.Person:
		return ofPerson
	case errors.As(err, &busy):
		return "Ask with ask_holder, or come back later. Don't call capture in a loop."
	case errors.As(err, &lost):
		return "Stop: don't save what you have changed. Tell the user how the lock was lost. Before you go on, capture it again and read the record again."
	}
	switch code {
	case wire.Conflict:
		return "Ask for the same sharing or limit as those who hold it."
	case wire.Invalid, wire.TooLarge:
		return "Correct the argument."
	case wire.Unauthenticated:
		return "The user has to give this program a valid API key or token. Calling again does not help."
	case wire.Forbidden:
		return "The user has to ask for the right. Calling again does not help."
	case wire.Limited:
		return "Wait some seconds before the next call."
	default:
		return "Try again in some seconds; until it works, nothing is locked."
	}
}

const ofPerson = "A person holds it, and you can't take it over. Ask with ask_holder, do something else, or come back later. Don't call capture in a loop."

// duration is a number of seconds within bounds.
func duration(field string, seconds float64, least, most time.Duration) (time.Duration, error) {
	if !(seconds >= least.Seconds() && seconds <= most.Seconds()) { // nor is it no number
		return 0, &editlock.InvalidError{Field: field, Problem: fmt.Sprintf("is %g; between %g and %g is allowed", seconds, least.Seconds(), most.Seconds())}
	}
	return time.Duration(seconds * float64(time.Second)), nil
}
