package editlock

import (
	"context"
	"slices"
	"time"

	"github.com/editlock/editlock/store"
)

// span is one range of a list: an area's names, from the store. It is read only
// when all names before it have been taken, so that ranges which don't overlap
// cost nothing before their turn.
type span struct {
	area  Area
	q     store.Query
	user  string // of the holders that are wanted; empty: all that the store selects
	whole bool   // all that the store selects is wanted

	read bool // recs holds what comes next, and is all there is if it is empty
	last bool // there is nothing behind recs
	recs []store.Record
	now  time.Time // of recs
}

// ranges are the spans of a query behind a name, in which a mutex may stand more
// than once.
type ranges struct{ spans []*span }

// ranges plans a list: one span for each area, two for what an owner holds, by
// session and by user.
func (q Query) ranges(after string) *ranges {
	out := &ranges{}
	for _, a := range narrowed(q.Visible, q.Group, q.Mode) {
		prefix, whole := a.prefix()
		whole = whole && exact(q.Group, q.Mode)
		sq := store.Query{Prefix: prefix, Session: q.Session, User: q.UserID, After: after}
		if a.Holder == (Owner{}) {
			out.add(a, sq, whole)
			continue
		}
		if id := a.Holder.Session; id != "" && (q.Session == "" || q.Session == id) {
			by := sq
			by.Session = id
			out.add(a, by, whole)
		}
		if id := a.Holder.UserID; id != "" && (q.UserID == "" || q.UserID == id) {
			by := sq
			by.User = id
			out.add(a, by, whole)
		}
	}
	return out
}

// add adds a span. No store has an index of sessions and users together: of what
// a session holds the user's is picked here, where it counts as read.
func (r *ranges) add(a Area, q store.Query, whole bool) {
	s := &span{area: a, q: q, whole: whole}
	if q.Session != "" && q.User != "" {
		s.user, s.q.User, s.whole = q.User, "", false
	}
	r.spans = append(r.spans, s)
}

// at is a name before which the span has nothing more.
func (s *span) at() string {
	if len(s.recs) > 0 {
		return s.recs[0].Name
	}
	return max(s.q.Prefix, s.q.After)
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

// fill reads what comes next, and returns how many records it looked at.
func (s *span) fill(ctx context.Context, st store.Store, limit int) (found int, err error) {
	s.q.Limit = limit
	page, err := st.List(ctx, s.q)
	if err != nil {
		return 0, err
	}
	s.now, s.last = page.Now, len(page.Records) < limit
	for i := range page.Records {
		rec := &page.Records[i]
		s.q.After = rec.Name
		if rec.Name != cursorKey && (s.user == "" || rec.Holder.User == s.user) && (s.whole || s.area.seek(rec.Name) == rec.Name) {
			s.recs = append(s.recs, *rec)
		}
	}
	if !s.whole && !s.last {
		s.q.After = s.area.seek(s.q.After)
	}
	s.read = len(s.recs) > 0 || s.last
	return len(page.Records), nil
}

// take takes the next record of a span, and of all others that have it.
func (r *ranges) take(from *span) *store.Record {
	rec := from.recs[0]
	for _, s := range r.spans {
		for len(s.recs) > 0 && s.recs[0].Name == rec.Name {
			s.recs = s.recs[1:]
		}
		s.read = len(s.recs) > 0 || s.last
	}
	return &rec
}
