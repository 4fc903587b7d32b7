package words

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/bidi"
)

// Name is the shortest text form of an ID, which editlock.ParseID reads back, or
// editlock.ParseBelow: task/1 for what is canonically /task/1.
func Name(id editlock.ID) string {
	if id.Below {
		return id.String()
	}
	// Slashes within the parts are escaped, so these are empty parts.
	return strings.TrimLeft(id.String(), "/")
}

// Named is Name for a sentence or a table: what is written from right to left
// keeps to itself, so that it may not be read back.
func Named(id editlock.ID) string { return bidi.Isolate(Name(id)) }

// Plain makes text from others fit for one line of a terminal or a log:
// characters that are not to be seen, and the control sequences that they
// begin, become spaces; what is written from right to left keeps to itself.
func Plain(text string) string {
	return bidi.Isolate(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.TrimSpace(text)))
}

// Error tells in plain words what went wrong.
func (p *Printer) Error(err error) string {
	var (
		busy *editlock.BusyError
		kind *editlock.ConflictError
		held *editlock.HeldByPersonError
		lost *editlock.LostError
		free *editlock.NotHeldError
		bad  *editlock.InvalidError
	)
	switch {
	case errors.As(err, &busy):
		return p.busy(busy)
	case errors.As(err, &kind):
		h := kind.Holder
		if h.Limit > 0 {
			return p.Text("conflict.limit", p.Who(h.Owner), p.Object(h.ID), strconv.Itoa(h.Limit))
		}
		return p.Text("conflict.sharing", p.Who(h.Owner), p.Object(h.ID))
	case errors.As(err, &held):
		h := held.Holder
		return p.Text("held_by_person", p.Who(h.Owner), p.Object(h.ID), p.Moment(h.CapturedAt, h.AsOf))
	case errors.As(err, &lost):
		return p.lost(lost)
	case errors.As(err, &free):
		return p.Text("not_held", Named(free.ID))
	case errors.As(err, &bad):
		return p.invalid(bad)
	case errors.Is(err, editlock.ErrUnauthenticated):
		return p.Text("error.unauthenticated")
	case errors.Is(err, editlock.ErrLimited):
		return p.Text("error.limited", p.cause(err, editlock.ErrLimited))
	case errors.Is(err, editlock.ErrForbidden):
		return p.Text("error.forbidden", p.cause(err, editlock.ErrForbidden))
	case errors.Is(err, syscall.ECONNREFUSED):
		return p.Text("error.refused", p.cause(err, editlock.ErrUnavailable))
	case errors.Is(err, editlock.ErrUnavailable):
		return p.Text("error.unavailable", p.cause(err, editlock.ErrUnavailable))
	case errors.Is(err, context.Canceled):
		return p.Text("error.interrupted")
	}
	return Plain(p.Explain(err))
}

// cause is what an error says besides the sentinel it wraps.
func (p *Printer) cause(err, sentinel error) string {
	return Plain(strings.TrimPrefix(p.Explain(err), sentinel.Error()+": "))
}

// ByHolder is one of two texts about a holder: one who shares a mutex reads.
func ByHolder(m editlock.Mutex, edits, reads string) string {
	if m.Sharing == editlock.Shared {
		return reads
	}
	return edits
}

// byHold is one of three: one who holds all of a type or group keeps others out.
func byHold(m editlock.Mutex, edits, reads, closes string) string {
	if m.ID.Below {
		edits = closes
	}
	return ByHolder(m, edits, reads)
}

// Editing says who holds a mutex and since when: "Ivanov has been editing
// task/1 since 12:04", or "Ivanov has kept all of task closed since 12:04".
func (p *Printer) Editing(m editlock.Mutex) string {
	key := byHold(m, "editing", "editing.shared", "editing.all")
	return p.Text(key, p.Who(m.Owner), p.Object(m.ID), p.Moment(m.CapturedAt, m.AsOf))
}

// Who is how an owner is called: one that is no person with what it is, and for whom.
func (p *Printer) Who(o editlock.Owner) string {
	name, of := Plain(o.Label()), Plain(o.OnBehalfOf)
	switch {
	case o.Kind == editlock.Agent && of != "":
		return p.Text("who.agent_for", name, of)
	case o.Kind == editlock.Agent:
		return p.Text("who.agent", name)
	case o.Kind == editlock.Job && of != "":
		return p.Text("who.job_for", name, of)
	case o.Kind == editlock.Job:
		return p.Text("who.job", name)
	}
	return name
}

func (p *Printer) busy(e *editlock.BusyError) string {
	h := e.Holder
	key := byHold(h, "busy", "busy.shared", "busy.all")
	if e.Self {
		key = byHold(h, "busy.self", "busy.self.shared", "busy.self.all")
	}
	text := p.Text(key, p.Who(h.Owner), p.Object(h.ID), p.Moment(h.CapturedAt, h.AsOf))
	if others := p.others(e); others != "" {
		text += "; " + others
	}
	if e.Draining != nil {
		text += "; " + p.Draining(e.Draining, e.Holder.AsOf)
	}
	if no := e.Declined; no != nil {
		text += "; " + p.Text("busy.declined", p.Who(no.By))
		if no.Message != "" {
			text += ": " + Plain(no.Message)
		}
	}
	return text
}

func (p *Printer) lost(e *editlock.LostError) string {
	text := p.Text("lost", Named(e.ID))
	asOf := e.At
	if e.Holder != nil {
		asOf = e.Holder.AsOf
	}
	at := p.Moment(e.At, asOf)
	switch e.How {
	case editlock.KindTakenOver:
		text += ": " + p.Text("lost.taken_over", p.Who(e.By), at)
	case editlock.KindForceReleased:
		text += ": " + p.Text("lost.force_released", p.Who(e.By), at)
	case editlock.KindHandedOver:
		text += ": " + p.Text("lost.handed_over", at)
	case editlock.KindReleased:
		text += ": " + p.Text("lost.released", at)
	case editlock.KindExpired:
		text += ": " + p.Text("lost.expired", at)
	default: // not known
	}
	if e.Reason != "" {
		text += " (" + Plain(p.coded(e.Code, nil, e.Reason)) + ")"
	}
	switch {
	case e.Holder == nil:
		return text + "; " + p.Text("lost.free")
	case e.How == editlock.KindTakenOver && e.By.SameHolder(e.Holder.Owner):
		return text // who took it over has it
	}
	return text + "; " + p.Text(ByHolder(*e.Holder, "lost.holder", "lost.reader"), p.Who(e.Holder.Owner))
}

// Kind names what happened, for history and events.
func (p *Printer) Kind(k editlock.EventKind) string {
	if _, known := catalogue["kind."+string(k)]; !known {
		return Plain(string(k))
	}
	return p.Text("kind." + string(k))
}
