package webui

import (
	"net/http"
	"slices"

	"github.com/editlock/editlock"
)

// listView is one page of the list of locks.
type listView struct {
	Filter  filter
	Rows    []row
	Locks   int // that the filter leaves
	People  int
	Waiting int
	Held    int  // locks in all
	Cut     bool // there are more in all
	From    int  // the numbers of the first and the last row
	To      int

	Columns       columns
	Orders        []choice
	Pager         pager
	Groups, Modes []choice
	Persons       []choice
	TakesOver     bool // some of the rows may be taken over
	All           bool // all that match may be acted on at once
	Clear         string
	Back          string
}

// row is a lock in a table.
type row struct {
	*lock
	Key  string // name and token: who takes it over makes it another row
	Mine bool
	Next editlock.Owner // who is first in the queue

	// What the reader may do to it; AtOnce: without being asked for a reason.
	Release, TakeOver, AtOnce bool
}

// Called is the lock's name, with its holder's where it may have several.
func (r row) Called() string {
	if r.IsShared() || r.Limit > 0 {
		return r.Name + " (" + r.Owner.Label() + ")"
	}
	return r.Name
}

func rowOf(l *lock, me Identity) row {
	r := row{
		lock: l, Key: target{l.ID, l.Token}.String(), Mine: me.owns(l.Owner), Release: me.may(release, l.ID, l.Owner),
		TakeOver: !me.Owner.SameHolder(l.Owner) && me.may(takeOver, l.ID, l.Owner), AtOnce: me.takesFromAgent(l.ID, l.Owner),
	}
	if len(l.Waiters) > 0 {
		r.Next = l.Waiters[0].Owner
	}
	return r
}

// list shows what is held.
func (h *handler) list(w http.ResponseWriter, r *http.Request) {
	if h.switchedLanguage(w, r) {
		return
	}
	s, now, err := h.seen(r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	f, me := readFilter(r.URL.Query()), h.identify(r)
	p := page{Name: "list", Title: "list.title", Live: true, Nav: "list"}
	if f.Mine {
		p.Title, p.Nav = "mine.title", "mine"
	}
	var found selection
	if err := h.look(r.Context(), me, s, func() { found = f.of(s, me, now, pageSize) }); err != nil {
		h.refuse(w, r, err)
		return
	}
	h.render(w, r, p, listOf(s, f, found, me))
}

func listOf(s *part, f filter, found selection, me Identity) listView {
	v := listView{
		Filter: f, Locks: found.locks, People: found.people, Waiting: found.waiting,
		Held: s.count, Cut: s.cut, From: found.before + 1, To: found.before + len(found.rows),
		Columns: f.columns(), Orders: orders, Pager: f.pager(found),
		Groups: offered(s.groups, f.Group, f.Group), Modes: offered(s.modes, f.Mode, f.Mode),
		Clear: filter{Mine: f.Mine, Sort: f.Sort, Turned: f.Turned}.address(), Back: f.here(),
	}
	_, label, _ := cutPersonKey(f.Person)
	v.Persons = offered(s.people, f.Person, label)
	v.All = (f.Narrows() || f.Mine) && found.locks > len(found.rows) && found.locks <= editlock.MaxBatch
	for _, l := range found.rows {
		v.Rows = append(v.Rows, rowOf(l, me))
	}
	v.TakesOver = takesOver(v.Rows, me)
	return v
}

// takesOver reports whether a reader may take over any of some rows.
func takesOver(rows []row, me Identity) bool {
	return me.MayTakeOver || slices.ContainsFunc(rows, func(r row) bool { return r.TakeOver })
}

// offered are the choices of a filter, with what is chosen among them even
// if nothing has it any more.
func offered(all []choice, chosen, label string) []choice {
	if chosen == "" {
		return all
	}
	for _, c := range all {
		if c.Value == chosen {
			return all
		}
	}
	return append([]choice{{Value: chosen, Label: label}}, all...)
}
