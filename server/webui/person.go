package webui

import (
	"net/http"
	"strings"

	"github.com/editlock/editlock"
)

// personView is what somebody holds and waits for, and their history.
type personView struct {
	Owner     editlock.Owner
	Key       string
	known     bool  // somebody said who they are
	Rows      []row // at most pageSize
	Columns   columns
	Locks     int
	TakesOver bool // some of the rows may be taken over
	Waits     []wait
	Timeline  *timeline
	All       string // address of the list of all their locks
	History   *entries
	Back      string
}

// wait is somebody's place in a queue.
type wait struct {
	editlock.Waiter
	Lock  *lock
	Place int
}

// waitsOf are somebody's places in the queues of a part.
func (p *part) waitsOf(key string) []wait {
	var out []wait
	for _, l := range p.locks {
		if len(l.Waiters) == 0 || !l.first || !p.shows(l) {
			continue
		}
		for place, waiter := range l.Waiters {
			if personKey(waiter.Owner) == key {
				out = append(out, wait{waiter, l, place + 1})
			}
		}
	}
	return out
}

// tokensOf adds those of what somebody holds.
func (p *part) tokensOf(key string, to map[editlock.Token]bool) {
	for _, l := range p.locks {
		if l.who == key && p.shows(l) {
			to[l.Token] = true
		}
	}
}

// cutPersonKey tells what a personKey names.
func cutPersonKey(key string) (user bool, id string, ok bool) {
	kind, id, ok := strings.Cut(key, ":")
	return kind == "u", id, ok && id != "" && (kind == "u" || kind == "s")
}

func (h *handler) person(w http.ResponseWriter, r *http.Request) {
	if h.switchedLanguage(w, r) {
		return
	}
	key := r.URL.Query().Get("who")
	user, id, ok := cutPersonKey(key)
	if !ok {
		h.fail(w, r, http.StatusNotFound, "error.page")
		return
	}
	s, now, err := h.seen(r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	me, f := h.identify(r), filter{Person: key, page: 1}
	v := personView{Key: key, All: f.address(), Back: here(r)}
	var past []editlock.Event
	more := false
	if user {
		v.Owner.UserID = id
		var list entries
		if past, more, list, err = h.newest(r, editlock.HistoryQuery{UserID: id}, historyFilter{User: id}); err != nil {
			h.refuse(w, r, err)
			return
		}
		v.History = &list
		for _, e := range past {
			v.know(e.Owner, e.Actor, e.Other)
		}
	} else {
		v.Owner.Session = id
	}
	var found selection
	holds := map[editlock.Token]bool{}
	err = h.look(r.Context(), me, s, func() {
		found, v.Waits = f.of(s, me, now, pageSize), s.waitsOf(key)
		s.tokensOf(key, holds)
	})
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	v.Timeline = timelineOf(past, more, key, now, func(t editlock.Token) bool { return holds[t] })
	v.Locks = found.locks
	for _, l := range found.rows {
		v.Rows = append(v.Rows, rowOf(l, me))
		v.know(l.Owner)
	}
	v.TakesOver = takesOver(v.Rows, me)
	for _, one := range v.Waits {
		v.know(one.Owner)
	}
	h.render(w, r, page{Name: "person", Title: "person." + v.Owner.Kind.String(), Titled: v.Owner.Label(), Live: true}, v)
}

// know learns how somebody is called from owners that are that person. Agents and jobs
// of the same user have names of their own.
func (v *personView) know(owners ...editlock.Owner) {
	for _, o := range owners {
		if personKey(o) != v.Key {
			continue
		}
		if !v.known || o.Kind < v.Owner.Kind || o.Kind == v.Owner.Kind && (v.Owner.Name == "" || o.Name != "") {
			v.Owner, v.known = o, true
		}
	}
}
