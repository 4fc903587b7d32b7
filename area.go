package editlock

import (
	"slices"
	"strings"
)

// Area is a part of all mutexes, as a right is given to it: those whose group
// and mode fit, each a name, or the beginning of names and a "*". Left out they
// are the empty name.
type Area struct {
	Group, Mode string
	// Holder leaves only what this owner holds, in whatever session, and what agents
	// and jobs of the same user hold. The zero Owner leaves everybody's.
	Holder Owner
}

// Contains reports whether a mutex that an owner holds is in the area.
func (a Area) Contains(id ID, holder Owner) bool {
	return a.hasID(id) &&
		(a.Holder == Owner{} || a.Holder.Session != "" && (a.Holder.SamePerson(holder) || a.Holder.sameUser(holder)))
}

// hasID reports whether an area has a mutex, and with it all that is below.
func (a Area) hasID(id ID) bool {
	if id.Below && id.Mode == "" { // all of the group
		return fits(a.Group, id.Group) && a.Mode == "*"
	}
	return fits(a.Group, id.Group) && fits(a.Mode, id.Mode)
}

// of reports whether a filter by group and mode, each empty or an exact name,
// leaves a mutex.
func of(id ID, group, mode string) bool {
	return (group == "" || id.Group == group) && (mode == "" || id.Mode == mode)
}

// exact reports whether such a filter narrows areas to what [of] leaves.
func exact(group, mode string) bool {
	return !strings.HasSuffix(group, "*") && !strings.HasSuffix(mode, "*")
}

func fits(pattern, name string) bool {
	if front, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, front)
	}
	return pattern == name
}

// covers reports whether what fits other fits pattern, too.
func covers(pattern, other string) bool {
	if front, ok := strings.CutSuffix(other, "*"); ok && !strings.HasSuffix(pattern, "*") {
		return false
	} else if ok {
		return fits(pattern, front)
	}
	return fits(pattern, other)
}

func (a Area) covers(other Area) bool {
	return covers(a.Group, other.Group) && covers(a.Mode, other.Mode) && (a.Holder == Owner{} || a.Holder == other.Holder)
}

// narrowed are the parts of areas that a filter by group and mode leaves, each
// once. A name that ends in "*" narrows as a pattern does, so [of] decides. Nil areas are everything; an empty filter leaves all.
func narrowed(areas []Area, group, mode string) []Area {
	if areas == nil {
		areas = []Area{{Group: "*", Mode: "*"}}
	}
	out := []Area{}
	for _, a := range areas {
		if group != "" && !fits(a.Group, group) || mode != "" && !fits(a.Mode, mode) {
			continue
		}
		if group != "" {
			a.Group = group
		}
		if mode != "" {
			a.Mode = mode
		}
		if slices.ContainsFunc(out, func(o Area) bool { return o.covers(a) }) {
			continue
		}
		out = slices.DeleteFunc(out, a.covers)
		out = append(out, a)
	}
	return out
}

// prefix is what the names of the area's mutexes begin with. whole tells that
// all names which begin so are in the area, no matter who holds them.
func (a Area) prefix() (prefix string, whole bool) {
	group, anyGroup := strings.CutSuffix(a.Group, "*")
	if anyGroup {
		return escape(group), a.Mode == "*"
	}
	mode, anyMode := strings.CutSuffix(a.Mode, "*")
	prefix = escape(group) + "/" + escape(mode)
	if !anyMode {
		prefix += "/"
	}
	return prefix, true
}

// seek is the name behind which the next one of the area may be, if name, which
// begins as those of the area do, is none of them; else it is name.
func (a Area) seek(name string) string {
	group, rest, _ := strings.Cut(name, "/")
	mode, _, _ := strings.Cut(rest, "/")
	front, ok := strings.CutSuffix(a.Mode, "*")
	front = escape(front)
	if !ok {
		front += "/"
	}
	switch mode += "/"; {
	case strings.HasPrefix(mode, front):
		return name
	case mode < front:
		return group + "/" + front
	}
	return group + "0" // which comes next to the slash: behind all names of the group
}
