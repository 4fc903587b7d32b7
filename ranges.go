package editlock

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/editlock/editlock/store"
)

// span is one range of a list: an area's names, from the store. It is read only
// when all names before it have been taken, so that ranges which don't overlap
// cost nothing before their turn.
type span struct {
	area  Area
	q     store.RecordQuery
	user  string // of the holders that are wanted; empty: all that the store selects
	whole bool   // all that the store selects is wanted
	some  int    // how many records are read next to search among them

	read bool // recs holds what comes next, and is all there is if it is empty
	last bool // there is nothing behind recs
	recs []store.Record
	now  time.Time // of recs
}

// spot is where a record stands in a list: its name, and behind it its token. Spots
// sort as records do. A name alone stands behind all records of it.
type spot string

func spotOf(rec *store.Record) spot { return spot(fmt.Sprintf("%s\x00%016x", rec.Name, rec.Token)) }

func (s spot) parts() (name string, token uint64) {
	name, number, _ := strings.Cut(string(s), "\x00")
	token, _ = strconv.ParseUint(number, 16, 64)
	return name, token
}

// ranges are the spans of a query behind a spot, in which a mutex may stand more
// than once.
type ranges struct{ spans []*span }

// ranges plans a list: one span for each area, two for what an owner holds, by
// session and by user. A session that is asked for is one of each kind.
func (q Query) ranges(after spot) *ranges {
	out := &ranges{}
	for _, a := range narrowed(q.Visible, q.Group, q.Mode) {
		prefix, whole := a.prefix()
		whole = whole && exact(q.Group, q.Mode)
		sq := store.RecordQuery{Prefix: prefix, User: q.UserID}
		sq.After, sq.AfterToken = after.parts()
		if id := a.Holder.Session; id != "" && (q.Session == "" || q.Session == id) {
			by := sq
			by.Session = a.Holder.key()
			out.add(a, by, whole)
		}
		if a.Holder != (Owner{}) {
			if a.Holder.UserID == "" || q.UserID != "" && q.UserID != a.Holder.UserID {
				continue
			}
			sq.User = a.Holder.UserID
		}
		for _, sq.Session = range sessionKeys(q.Session) {
			out.add(a, sq, whole)
		}
	}
	return out
}

// add adds a span. No store has an index of sessions and users together: the records
// of both are picked here from those of the session or of the user. All of these count
// as read.
func (r *ranges) add(a Area, q store.RecordQuery, whole bool) {
	s := &span{area: a, q: q, whole: whole, some: scanFirst}
	if q.Session != "" && q.User != "" {
		s.user, s.q.User, s.whole = q.User, "", false
	}
	r.spans = append(r.spans, s)
}

// at is a spot before which the span has nothing more.
func (s *span) at() spot {
	switch {
	case len(s.recs) > 0:
		return spotOf(&s.recs[0])
	case s.q.After < s.q.Prefix:
		return spot(s.q.Prefix)
	case s.q.AfterToken > 0:
		return spotOf(&store.Record{Name: s.q.After, Token: s.q.AfterToken})
	}
	return spot(s.q.After)
}

// first is the span whose next name comes first, nil if there is none. One that
// must be read to know comes before others.
func (r *ranges) first() *span {
	r.spans = slices.DeleteFunc(r.spans, func(s *span) bool { return s.read && len(s.recs) == 0 && s.last })
	var first *span
	for _, s := range r.spans {
		if first == nil || s.at() < first.at() || s.at() == first.at() && !s.read {
			first = s
		}
	}
	return first
}

// fill reads the next page, and returns what it costs beside readCosts.
func (s *span) fill(ctx context.Context, st store.Store, limit int) (read int, err error) {
	s.q.Limit = limit
	page, err := st.List(ctx, s.q)
	if err != nil {
		return 0, err
	}
	read = page.Examined
	if s.user != "" && page.Next != "" { // the user may hold fewer
		byUser := s.q
		byUser.Session, byUser.User = "", s.user
		other, err := st.List(ctx, byUser)
		if err != nil {
			return read, err
		}
		if read += other.Examined + readCosts; other.Next == "" || behind(&page) < behind(&other) {
			page = other
		}
	}
	s.now, s.last = page.Now, page.Next == ""
	for i := range page.Records {
		if rec := &page.Records[i]; rec.Name != cursorKey && s.wants(rec) {
			s.recs = append(s.recs, *rec)
		}
	}
	s.some = min(2*s.some, scanPage)
	if !s.last {
		s.q.After, s.q.AfterToken = page.Next, page.NextToken
	}
	if !s.whole && !s.last {
		if next := s.area.seek(s.q.After); next != s.q.After {
			if largeGroups(&page) { // of the next one little may be wanted, too
				s.some = scanFirst
			}
			s.q.After, s.q.AfterToken = next, 0
		}
	}
	s.read = len(s.recs) > 0 || s.last
	return read, nil
}

// wants reports whether a record is one of those that are picked here.
func (s *span) wants(rec *store.Record) bool {
	return s.whole || s.area.seek(rec.Name) == rec.Name &&
		(s.user == "" || rec.Holder.User == s.user && rec.Holder.Session == s.q.Session)
}

// behind is the spot behind which the page after this one begins.
func behind(page *store.RecordPage) spot {
	return spotOf(&store.Record{Name: page.Next, Token: page.NextToken})
}

// largeGroups reports whether few groups have all names on a page.
func largeGroups(page *store.RecordPage) bool {
	groups, inGroup := 0, "/"
	for i := range page.Records {
		if name := page.Records[i].Name; !strings.HasPrefix(name, inGroup) {
			group, _, _ := strings.Cut(name, "/")
			groups, inGroup = groups+1, group+"/"
		}
	}
	return groups*32 < len(page.Records)
}

// pop takes the next record of a span, and of all others that have it.
func (r *ranges) pop(from *span) *store.Record {
	rec := from.recs[0]
	for _, s := range r.spans {
		for len(s.recs) > 0 && s.recs[0].Name == rec.Name && s.recs[0].Token == rec.Token {
			s.recs = s.recs[1:]
		}
		s.read = len(s.recs) > 0 || s.last
	}
	return &rec
}
