package webui

import (
	"cmp"
	"math"
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

// The orders of the list.
const (
	byName    = ""
	bySince   = "since"   // held longest first
	byUntil   = "until"   // soonest to end first
	byWaiting = "waiting" // most waited for first
)

// filter is what the reader wants to see, as the address of the page says.
type filter struct {
	Text   string
	Group  string
	Mode   string
	Person string // a personKey
	Mine   bool
	Waited bool // only what somebody waits for
	Sort   string
	after  string // the position that the page begins behind
}

func readFilter(q url.Values) filter {
	f := filter{
		Text: strings.TrimSpace(q.Get("q")), Group: q.Get("group"), Mode: q.Get("mode"), Person: q.Get("person"),
		Mine: q.Get("mine") != "", Waited: q.Get("waited") != "", Sort: q.Get("sort"), after: q.Get("after"),
	}
	if f.Sort != bySince && f.Sort != byUntil && f.Sort != byWaiting {
		f.Sort = byName
	}
	return f
}

// query is the filter as part of an address, without a position.
func (f filter) query() url.Values {
	q := url.Values{}
	for key, value := range map[string]string{
		"q": f.Text, "group": f.Group, "mode": f.Mode, "person": f.Person, "sort": f.Sort,
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

// address is the list under this filter, behind a position.
func (f filter) address(after string) string {
	q := f.query()
	if after != "" {
		q.Set("after", after)
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

// Narrows reports whether the filter leaves anything out, Mine aside, which
// is a page of its own.
func (f filter) Narrows() bool {
	return f.Text != "" || f.Group != "" || f.Mode != "" || f.Person != "" || f.Waited
}

// selection is what a filter leaves of a scan.
type selection struct {
	locks   []*lock // in the filter's order
	people  int
	waiting int
}

// of selects. What has expired since the scan is free, and so left out.
func (f filter) of(s *scan, me Identity, now time.Time) selection {
	var out selection
	text, people := fold(f.Text), map[string]bool{}
	if !f.Narrows() && !f.Mine {
		out.locks = make([]*lock, 0, len(s.locks))
	}
	for _, l := range s.locks {
		if f.Group != "" && l.ID.Group != f.Group || f.Mode != "" && l.ID.Mode != f.Mode ||
			f.Person != "" && l.who != f.Person ||
			f.Mine && !me.owns(l.Owner) || f.Waited && l.Waiting == 0 ||
			!l.ExpiresAt.IsZero() && !l.ExpiresAt.After(now) || text != "" && !l.contains(text) {
			continue
		}
		out.locks = append(out.locks, l)
		out.waiting += l.Waiting
		people[l.who] = true
	}
	out.people = len(people)
	if f.Sort != byName {
		slices.SortFunc(out.locks, func(a, b *lock) int {
			if c := cmp.Compare(f.rank(a), f.rank(b)); c != 0 {
				return c
			}
			return strings.Compare(a.Name, b.Name)
		})
	}
	return out
}

// contains looks where editlock.Query.Text does.
func (l *lock) contains(folded string) bool {
	for _, s := range []string{
		l.ID.Group + "/" + l.ID.Mode + "/" + l.ID.ID, l.StatusData, l.Owner.Name, l.Owner.Login,
		l.Owner.UserID, l.Owner.Host, l.Owner.Session,
	} {
		if strings.Contains(fold(s), folded) {
			return true
		}
	}
	return false
}

func fold(s string) string {
	return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, s)
}

// rank is what the list is ordered by, before the name.
func (f filter) rank(l *lock) int64 {
	switch f.Sort {
	case bySince:
		return l.CapturedAt.UnixNano()
	case byUntil:
		if l.ExpiresAt.IsZero() {
			return math.MaxInt64
		}
		return l.ExpiresAt.UnixNano()
	case byWaiting:
		return -int64(l.Waiting)
	}
	return 0
}

// position says where a lock stands in the order, even if it is gone by the
// time the next page is asked for.
func (f filter) position(l *lock) string {
	return strconv.FormatInt(f.rank(l), 36) + "." + l.Name
}

// page returns the part of the selection that this page shows, the number of
// locks before it, and the positions of its neighbours; ok is false where
// there is none.
func (f filter) page(all []*lock) (rows []*lock, before int, prev, next string, hasPrev, hasNext bool) {
	if text, name, ok := strings.Cut(f.after, "."); ok {
		rank, _ := strconv.ParseInt(text, 36, 64)
		before, _ = slices.BinarySearchFunc(all, 0, func(l *lock, _ int) int {
			if r := f.rank(l); r < rank || r == rank && l.Name <= name {
				return -1
			}
			return 1
		})
	}
	if before == len(all) && before > 0 { // the last page has emptied
		before = (before - 1) / pageSize * pageSize
	}
	end := min(before+pageSize, len(all))
	if before > 0 {
		hasPrev = true
		if before > pageSize {
			prev = f.position(all[before-pageSize-1])
		}
	}
	if end < len(all) {
		hasNext, next = true, f.position(all[end-1])
	}
	return all[before:end], before, prev, next, hasPrev, hasNext
}

// personKey tells people apart: by user, or by session where the owner names
// no user.
func personKey(o editlock.Owner) string {
	if o.UserID != "" {
		return "u:" + o.UserID
	}
	return "s:" + o.Session
}
