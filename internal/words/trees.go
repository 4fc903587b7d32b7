package words

import (
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock"
)

// Object is how a sentence calls what a mutex names: "task/42", "address of
// task/42", or "all of crm/task".
func (p *Printer) Object(id editlock.ID) string {
	switch {
	case id == editlock.ID{Below: true}:
		return p.Text("object.nogroup")
	case id.Below:
		return p.Text("object.all", strings.TrimSuffix(Name(id), "/"))
	case id.Part != "":
		whole := id
		whole.Part = ""
		return p.Text("object.part", Plain(id.Part), Named(whole))
	}
	return Named(id)
}

// others names those in the way beside the holder that a refusal tells of.
func (p *Printer) others(e *editlock.BusyError) string {
	const most = 3 // as many as a line has room for
	several := slices.ContainsFunc(e.Holders, func(m editlock.Mutex) bool { return m.ID != e.Holder.ID })
	switch n := len(e.Holders); {
	case e.Total == 0 && n > 1: // of several that were to be captured
		return p.Count("busy.more", n-1)
	case e.Total < 2:
		return ""
	case !several:
		return p.Count("busy.beside", e.Total-1)
	}
	var held []string
	for _, m := range e.Holders[1:min(1+most, len(e.Holders))] {
		held = append(held, p.Text("busy.also.held", p.Object(m.ID), p.Who(m.Owner)))
	}
	text := p.Text("busy.also", strings.Join(held, ", "))
	if rest := e.Total - 1 - len(held); rest > 0 {
		text += " " + p.Count("busy.rest", rest)
	}
	return text
}

// Draining says who waits for something above, and what they said.
func (p *Printer) Draining(d *editlock.Draining, asOf time.Time) string {
	text := p.Text("busy.draining", p.Who(d.By), p.Object(d.ID), p.Moment(d.Since, asOf))
	if d.Message != "" {
		text += ": " + Plain(d.Message)
	}
	return text
}
