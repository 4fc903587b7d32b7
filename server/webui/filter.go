package webui

import (
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/editlock/editlock"
)

// pageSize is how many locks a page shows.
const pageSize = 50

// filter is what the reader wants to see, as the address of the page says.
type filter struct {
	Text   string
	Group  string
	Mode   string
	Person string // a personKey
	Mine   bool
	Waited bool   // only what somebody waits for
	Sort   string // a column
	Turned bool   // its order is turned round

	after string // the position that the page begins behind
	page  int    // else its number, from 1
}

func readFilter(q url.Values) filter {
	f := filter{
		Text: strings.TrimSpace(q.Get("q")), Group: q.Get("group"), Mode: q.Get("mode"), Person: q.Get("person"),
		Mine: q.Get("mine") != "", Waited: q.Get("waited") != "", after: q.Get("after"),
	}
	f.page, _ = strconv.Atoi(q.Get("page"))
	f.page = min(max(f.page, 1), maxLocks)
	f.Sort, f.Turned = readSort(q.Get("sort"))
	return f
}

func readSort(text string) (column string, isTurned bool) {
	column, isTurned = strings.CutPrefix(text, turned)
	switch {
	case text == turnedName:
		return byName, true
	case column == byWho, column == bySince, column == byUntil, column == byWaiting:
		return column, isTurned
	}
	return byName, false
}

// Order is the column and its direction as an address has them.
func (f filter) Order() string {
	switch {
	case !f.Turned:
		return f.Sort
	case f.Sort == byName:
		return turnedName
	}
	return turned + f.Sort
}

// query is the filter as part of an address, without a position.
func (f filter) query() url.Values {
	q := url.Values{}
	for key, value := range map[string]string{
		"q": f.Text, "group": f.Group, "mode": f.Mode, "person": f.Person, "sort": f.Order(),
	} {
		if value != "" {
			q.Set(key, value)
		}
	}
	if f.Mine {
		q.Set("mine", "1")
	}
	if f.Waited {
		q.Set("waited", "1")
	}
	return q
}

// address is the first page of the list under this filter.
func (f filter) address() string { return f.addressOf("", "") }

// addressOf is a page of the list: behind a position, or by its number.
func (f filter) addressOf(key, value string) string {
	q := f.query()
	if value != "" {
		q.Set(key, value)
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

// here is the page that this filter was read from.
func (f filter) here() string {
	switch {
	case f.after != "":
		return f.addressOf("after", f.after)
	case f.page > 1:
		return f.addressOf("page", strconv.Itoa(f.page))
	}
	return f.address()
}

// Narrows reports whether the filter leaves anything out, Mine aside, which
// is a page of its own.
func (f filter) Narrows() bool {
	return f.Text != "" || f.Group != "" || f.Mode != "" || f.Person != "" || f.Waited
}

// selection is what a filter leaves of what a reader sees.
type selection struct {
	locks   int // in all
	people  int
	waiting int

	rows       []*lock // of one page
	before     int     // locks on the pages before it
	prev, next string  // what the neighbours begin behind; empty: at the first lock, or there is none
}

// of selects a page of at most so many rows, and counts the rest. What has expired
// since the scan is free, and so left out. It keeps no more than it returns, however
// many locks there are.
func (f filter) of(p *part, me Identity, now time.Time, most int) selection {
	var out selection
	text, people, names := fold(f.Text), newBits(p.scan.people), newBits(p.names)
	begins, behind := max(f.page-1, 0)*pageSize, position{}
	if at, ok := parsePosition(f.after); ok {
		begins, behind = -1, at // not known yet
	}
	latest := make([]*lock, 0, pageSize+1) // before the page, as a ring
	for l := range f.inOrder(p) {
		if !f.leaves(p, l, me, now, text) {
			continue
		}
		if begins < 0 && f.direction()*behind.compare(l, f.Sort) < 0 {
			begins = out.locks
		}
		switch {
		case begins < 0 || out.locks < begins:
			if len(latest) <= pageSize {
				latest = append(latest, l)
			} else {
				latest[out.locks%(pageSize+1)] = l
			}
		case len(out.rows) < most:
			out.rows = append(out.rows, l)
		}
		out.locks++
		if names.add(l.name) { // all who hold it have the same queue
			out.waiting += l.Waiting
		}
		if people.add(l.person) {
			out.people++
		}
	}
	if len(out.rows) == 0 && out.locks > 0 { // the last page has emptied
		f.after, f.page = "", (out.locks-1)/pageSize+1
		return f.of(p, me, now, most)
	}
	out.before = max(begins, 0)
	if out.before > pageSize {
		out.prev = f.position(latest[(out.before-pageSize-1)%(pageSize+1)])
	}
	if end := out.before + len(out.rows); end < out.locks {
		out.next = f.position(out.rows[len(out.rows)-1])
	}
	return out
}

// inOrder yields all locks of a part's scan.
func (f filter) inOrder(p *part) iter.Seq[*lock] {
	locks := p.by(f.Sort)
	if !f.Turned {
		return slices.Values(locks)
	}
	return func(yield func(*lock) bool) {
		for _, l := range slices.Backward(locks) {
			if !yield(l) {
				return
			}
		}
	}
}

// direction is 1, or -1 if the order is turned round.
func (f filter) direction() int {
	if f.Turned {
		return -1
	}
	return 1
}

func (f filter) position(l *lock) string {
	return position{rankOf(f.Sort, l), l.Name, l.Token}.String()
}

// leaves reports whether a lock is among what the reader wants to see.
func (f filter) leaves(p *part, l *lock, me Identity, now time.Time, text string) bool {
	return p.shows(l) &&
		(f.Group == "" || l.ID.Group == f.Group) && (f.Mode == "" || l.ID.Mode == f.Mode) &&
		(f.Person == "" || l.who == f.Person) && (!f.Mine || me.owns(l.Owner)) && (!f.Waited || l.Waiting > 0) &&
		l.stands(now) && (text == "" || l.contains(text))
}

// contains looks where editlock.Query.Text does.
func (l *lock) contains(folded string) bool {
	for _, s := range []string{
		searched(l.ID), l.StatusData, l.Owner.Name, l.Owner.Login,
		l.Owner.UserID, l.Owner.Host, l.Owner.Session, l.Owner.OnBehalfOf,
	} {
		if strings.Contains(fold(s), folded) {
			return true
		}
	}
	return l.Owner.Kind != editlock.Person && strings.Contains(l.Owner.Kind.String(), folded)
}

func fold(s string) string {
	return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, s)
}

// personKey tells people apart: by user, or by session where the owner names
// no user.
func personKey(o editlock.Owner) string {
	if o.UserID != "" {
		return "u:" + o.UserID
	}
	return "s:" + o.Session
}
