package webui

import (
	"net/http"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/presence"
)

// lockView is one lock, held or free, and its history.
type lockView struct {
	ID       editlock.ID
	Rows     []row              // who holds it; none: it is free
	Path     []row              // free itself: who holds what is above or below it
	PathMore int                // how many do beyond those
	Draining *editlock.Draining // who waits for it as something below is held, or for what is above
	Below    int                // locks below it that may be released
	Looking  []looker
	Looks    int // how many look
	Timeline *timeline
	History  entries
	Back     string
}

// looker is somebody who looks at a lock's record.
type looker struct {
	presence.Person
	Mine bool
}

// More is how many look beyond those who are shown.
func (v lockView) More() int { return v.Looks - len(v.Looking) }

// Beyond is how many hold it beyond those who are shown.
func (v lockView) Beyond() int {
	if len(v.Rows) == 0 {
		return 0
	}
	return v.Rows[0].Holders - len(v.Rows)
}

func lookersOf(c presence.Company, me Identity) ([]looker, int) {
	out := make([]looker, len(c.People))
	for i, p := range c.People {
		out[i] = looker{p, me.owns(p.Owner)}
	}
	return out, c.Count
}

func (h *handler) lock(w http.ResponseWriter, r *http.Request) {
	if h.switchedLanguage(w, r) {
		return
	}
	id, err := parseName(r.URL.Query().Get("id"))
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	state, m, err := h.locker.Request(editlock.WithoutOwner(r.Context()), id)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	v, me := lockView{ID: id, Draining: m.Draining, Back: here(r)}, h.identify(r)
	if state != editlock.Free {
		for _, l := range locksOf(m) {
			if l.ID == id {
				v.Rows = append(v.Rows, rowOf(l, me))
			} else {
				v.Path = append(v.Path, rowOf(l, me))
			}
		}
		if len(v.Path) > 0 {
			v.PathMore = v.Path[0].Holders - len(v.Path)
		}
	}
	below, err := h.below(r, me, []target{{ID: id}})
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	v.Below = len(below)
	if h.presence != nil {
		v.Looking, v.Looks = lookersOf(h.presence.See(editlock.Owner{}, id), me)
	}
	all, more, list, err := h.newest(r, editlock.HistoryQuery{ID: &id}, historyOf(id, alone))
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	v.History, v.Timeline = list, timelineOf(all, more, "", m.AsOf, func(t editlock.Token) bool {
		_, named := m.ByToken(t)
		return named || v.Beyond() > 0 // nothing is known of those
	})
	h.render(w, r, page{Name: "lock", Title: "lock.title", Titled: h.pages[languageOf(r)].words.named(id), Live: true}, v)
}
