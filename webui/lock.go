package webui

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/editlock/editlock"
)

// historyPage is how many entries a page of history shows.
const historyPage = 50

// entries is a page of history.
type entries struct {
	Entries []event
	Older   string // address; empty: there are none
	Newest  string // address; empty: this is the newest page
	OfOne   bool   // all are of one lock, which is named above them
}

// event is an entry of history, told as who did what to whom.
type event struct {
	editlock.Entry
	Who, Whom *editlock.Owner
	NoAnswer  bool // a hand-over that nobody said
}

func eventOf(e editlock.Entry) event {
	out := event{Entry: e, Who: &e.Actor, Whom: &e.Other}
	switch e.Kind {
	case editlock.KindExpired:
		out.Who = &e.Owner
	case editlock.KindHandedOver:
		out.Who = &e.Owner
		if e.Reason == noAnswer {
			out.NoAnswer, out.Reason = true, ""
		}
	case editlock.KindForceReleased, editlock.KindWaiting:
		out.Whom = &e.Owner
	case editlock.KindReleased:
		if e.Owner.Session != e.Actor.Session {
			out.Whom = &e.Owner
		}
	default: // as it stands
	}
	if *out.Whom == (editlock.Owner{}) {
		out.Whom = nil
	}
	return out
}

// noAnswer is the reason of a hand-over by editlock.CaptureOptions.GrantAfter.
const noAnswer = "no_answer"

// entriesOf reads a page of history for the page at path and query.
func (h *handler) entriesOf(r *http.Request, path string, keep url.Values, q editlock.HistoryQuery) (entries, error) {
	q.Cursor, q.Limit = r.URL.Query().Get("before"), historyPage
	got, err := h.locker.History(r.Context(), q)
	if errors.Is(err, editlock.ErrForbidden) && path != "/ui/history" {
		return entries{OfOne: q.ID != nil}, nil // the rest of the page he may see
	}
	if err != nil {
		return entries{}, err
	}
	address := func(before string) string {
		v := url.Values{}
		for key := range keep {
			v.Set(key, keep.Get(key))
		}
		if before != "" {
			v.Set("before", before)
		}
		if len(v) == 0 {
			return path
		}
		return path + "?" + v.Encode()
	}
	out := entries{OfOne: q.ID != nil}
	for _, e := range got.Entries {
		out.Entries = append(out.Entries, eventOf(e))
	}
	if got.Next != "" {
		out.Older = address(got.Next) + "#history"
	}
	if q.Cursor != "" {
		out.Newest = address("") + "#history"
	}
	return out, nil
}

// lockView is one lock, held or free, and its history.
type lockView struct {
	ID      editlock.ID
	Row     *row // nil: it is free
	History entries
	Back    string
}

func (h *handler) lock(w http.ResponseWriter, r *http.Request) {
	if h.switchedLanguage(w, r) {
		return
	}
	id, err := editlock.ParseID(r.URL.Query().Get("id"))
	if err == nil {
		err = id.Validate()
	}
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	state, m, err := h.locker.Request(editlock.AsStranger(r.Context()), id)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	v := lockView{ID: id, Back: here(r)}
	if state != editlock.Free {
		now := rowOf(lockOf(m), h.identify(r))
		v.Row = &now
	}
	if v.History, err = h.entriesOf(r, "/ui/lock", url.Values{"id": {id.String()}}, editlock.HistoryQuery{ID: &id}); err != nil {
		h.refuse(w, r, err)
		return
	}
	h.render(w, r, page{Name: "lock", Title: "lock.title", Titled: id.ID, Live: true}, v)
}

// personView is what somebody holds and waits for, and his history.
type personView struct {
	Owner   editlock.Owner
	Key     string
	Rows    []row // at most pageSize
	Columns columns
	Locks   int
	Waits   []wait
	All     string // address of the list of all his locks
	History *entries
	Back    string
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
		if len(l.Waiters) == 0 || !p.shows(l) {
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
	if user {
		v.Owner.UserID = id
		got, err := h.entriesOf(r, "/ui/person", url.Values{"who": {key}}, editlock.HistoryQuery{UserID: id})
		if err != nil {
			h.refuse(w, r, err)
			return
		}
		v.History = &got
		for _, e := range got.Entries {
			v.know(e.Owner, e.Actor, e.Other)
		}
	} else {
		v.Owner.Session = id
	}
	var found selection
	if err := h.look(r.Context(), me, s, func() { found, v.Waits = f.of(s, me, now, pageSize), s.waitsOf(key) }); err != nil {
		h.refuse(w, r, err)
		return
	}
	v.Locks = found.locks
	for _, l := range found.rows {
		v.Rows = append(v.Rows, rowOf(l, me))
		v.know(l.Owner)
	}
	for _, one := range v.Waits {
		v.know(one.Owner)
	}
	h.render(w, r, page{Name: "person", Title: "person.title", Titled: v.Owner.Label(), Live: true}, v)
}

// know learns how somebody is called from owners that are him.
func (v *personView) know(owners ...editlock.Owner) {
	for _, o := range owners {
		if personKey(o) == v.Key && (v.Owner.Name == "" || o.Name != "") {
			v.Owner = o
		}
	}
}

// history shows what happened to all locks.
func (h *handler) history(w http.ResponseWriter, r *http.Request) {
	if h.switchedLanguage(w, r) {
		return
	}
	got, err := h.entriesOf(r, "/ui/history", nil, editlock.HistoryQuery{})
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	h.render(w, r, page{Name: "history", Title: "history.title", Live: true, Nav: "history"}, got)
}
