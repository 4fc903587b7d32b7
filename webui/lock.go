package webui

import (
	"net/http"

	"github.com/editlock/editlock"
)

// lockView is one lock, held or free, and its history.
type lockView struct {
	ID       editlock.ID
	Row      *row // nil: it is free
	Timeline *timeline
	History  entries
	Back     string
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
	all, more, list, err := h.newest(r, editlock.HistoryQuery{ID: &id}, historyOf(id))
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	v.History, v.Timeline = list, timelineOf(all, more, "", m.AsOf, func(t editlock.Token) bool { return t == m.Token })
	h.render(w, r, page{Name: "lock", Title: "lock.title", Titled: id.ID, Live: true}, v)
}
