package presence

import (
	"cmp"
	"slices"
	"time"

	"github.com/editlock/editlock"
)

const (
	// MaxShown is how many people are told of; the others are counted.
	MaxShown = 20
	// crowd is how many look at a record whose company is worked out once in
	// crowdFor: else each of them would cost as much as there are.
	crowd    = 64
	crowdFor = time.Second
)

// Person is somebody who looks at a record, on one page or several.
type Person struct {
	Owner editlock.Owner
	State State
	Since time.Time
}

// Company is who else looks at a record: the first MaxShown, those with unsaved
// edits before others, and how many there are.
type Company struct {
	People []Person
	Count  int
}

// record is what is looked at.
type record struct {
	looks map[*visit]*look
	told  *told // of a crowd, a moment ago; nil: not worked out yet
}

// told is the company of a record at one moment.
type told struct {
	at     time.Time
	first  []Person // MaxShown and one more: the reader may be among them
	people map[who]bool
}

// who tells people apart as editlock.Owner.SamePerson does: by session, where the
// user is not known.
type who struct {
	kind          editlock.OwnerKind
	user, session string
}

func personOf(o *editlock.Owner) who {
	if o.UserID != "" {
		return who{kind: o.Kind, user: o.UserID}
	}
	return who{kind: o.Kind, session: o.Session}
}

// See tells who looks at a record beside a reader, whom the zero Owner stands for
// if it is nobody.
func (b *Board) See(reader editlock.Owner, id editlock.ID) Company {
	if b.off(id) {
		return Company{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.records[id]
	if r == nil {
		return Company{}
	}
	t := b.company(r, time.Now())
	me := personOf(&reader)
	out := Company{Count: len(t.people)}
	if t.people[me] {
		out.Count--
	}
	for i := range t.first {
		if len(out.People) < MaxShown && personOf(&t.first[i].Owner) != me {
			out.People = append(out.People, t.first[i])
		}
	}
	return out
}

// company is who looks at a record now; of many, as it was a moment ago.
func (b *Board) company(r *record, now time.Time) *told {
	if r.told != nil && len(r.looks) > crowd && now.Sub(r.told.at) < crowdFor {
		return r.told
	}
	all := make(map[who]Person, len(r.looks))
	for v, l := range r.looks {
		if !b.lives(v, l, now) {
			continue
		}
		as := personOf(&v.owner)
		p := Person{Owner: v.owner, State: l.state, Since: l.since}
		if known, ok := all[as]; ok {
			p = together(known, p)
		}
		all[as] = p
	}
	t := &told{at: now, people: make(map[who]bool, len(all)), first: make([]Person, 0, len(all))}
	for as, p := range all {
		t.people[as] = true
		t.first = append(t.first, p)
	}
	slices.SortFunc(t.first, func(a, b Person) int {
		return cmp.Or(cmp.Compare(a.State.rank(), b.State.rank()), a.Since.Compare(b.Since), cmp.Compare(a.Owner.Session, b.Owner.Session))
	})
	t.first = slices.Clone(t.first[:min(len(t.first), MaxShown+1)])
	if len(r.looks) > crowd {
		r.told = t
	}
	return t
}

// together is a person with two pages.
func together(a, b Person) Person {
	if b.State.rank() < a.State.rank() || b.State == a.State && b.Since.Before(a.Since) {
		a, b = b, a
	}
	if b.Since.Before(a.Since) {
		a.Since = b.Since
	}
	return a
}
