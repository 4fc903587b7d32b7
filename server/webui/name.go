package webui

import (
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock"
)

// parseName reads the canonical name of a lock, as pages and forms have it: a slash
// at its end stands for all that is below.
func parseName(text string) (editlock.ID, error) {
	if strings.HasSuffix(text, "/") && !strings.Contains(text, "#") {
		return editlock.ParseBelow(text)
	}
	return editlock.ParseID(text)
}

// named is what people call a lock: 2417, 2417#address, all of contract. What it
// belongs to stands beside it: see placeOf.
func (w words) named(id editlock.ID) string {
	switch {
	case id == editlock.ID{Below: true}:
		return w["name.nogroup"]
	case id.Below:
		text, _ := w.text("name.all", "name", last(id)) // the key is there
		return text
	case id.Part != "":
		return id.ID + "#" + id.Part
	}
	return id.ID
}

// last is the last name of a path of groups and modes.
func last(id editlock.ID) string {
	if id.Mode != "" {
		return id.Mode
	}
	return id.Group
}

// place is what a lock belongs to.
type place struct{ Group, Mode string }

// placeOf is what stands beside a lock's name; nil: nothing.
func placeOf(id editlock.ID) *place {
	p := place{id.Group, id.Mode}
	if id.Below {
		p.Mode = ""
		if id.Mode == "" {
			p.Group = ""
		}
	}
	if p == (place{}) {
		return nil
	}
	return &p
}

// namesBelow is how the names of all locks begin that are below one; empty: there are
// none.
func namesBelow(id editlock.ID) string {
	switch {
	case id.Below:
		return id.String()
	case id.Part != "":
		return ""
	}
	return id.String() + "#"
}

// below are the locks below one that a part shows, and that have not expired.
func (p *part) below(id editlock.ID, now time.Time) []*lock {
	prefix := namesBelow(id)
	if prefix == "" {
		return nil
	}
	var out []*lock
	from, _ := slices.BinarySearchFunc(p.locks, prefix, func(l *lock, name string) int { return strings.Compare(l.Name, name) })
	for _, l := range p.locks[from:] {
		if !strings.HasPrefix(l.Name, prefix) {
			break
		}
		if l.ID != id && p.shows(l) && l.stands(now) {
			out = append(out, l)
		}
	}
	return out
}

// stands reports whether a lock has not expired.
func (l *lock) stands(now time.Time) bool { return l.ExpiresAt.IsZero() || l.ExpiresAt.After(now) }

// searched is a lock's name as a search looks through it.
func searched(id editlock.ID) string {
	switch {
	case id.Below && id.Mode == "":
		return id.Group + "/"
	case id.Part != "":
		return id.Group + "/" + id.Mode + "/" + id.ID + "#" + id.Part
	}
	return id.Group + "/" + id.Mode + "/" + id.ID
}
