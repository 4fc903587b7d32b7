package webui

import (
	"maps"
	"net/http"
	"slices"

	"github.com/editlock/editlock"
)

// confirmView asks before something is done.
type confirmView struct {
	Do       string
	Rows     []row    // as they stand now
	Gone     []target // no longer held as the reader saw them
	Back     string
	Waiting  int  // who gets them, on release
	Kept     bool // others hold some of them, too, who keep them
	Below    int  // locks below these that may be released, too, and are not chosen
	Full     bool // no more can be chosen at once
	Reasoned bool // a reason is needed: they are not all this session's own
	Reason   string
	Wrong    bool // the reason is missing or too long
}

func (h *handler) confirm(w http.ResponseWriter, r *http.Request) {
	wanted, ok := h.chosen(w, r)
	if !ok {
		return
	}
	h.ask(w, r, wanted, http.StatusOK)
}

// ask renders the page that asks, with what the locks are like by now.
func (h *handler) ask(w http.ResponseWriter, r *http.Request, wanted []target, status int) {
	me := h.identify(r)
	v := confirmView{
		Do: doing(r), Back: localPath(r.PostForm.Get("back")), Reason: r.PostForm.Get("reason"),
		Wrong: status != http.StatusOK,
	}
	found, err := h.held(r, me, wanted)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	chosen := map[editlock.ID]int{}
	for _, t := range wanted {
		l := found[t]
		switch {
		case l == nil:
			v.Gone = append(v.Gone, t)
			continue
		case !me.may(v.Do, l.ID, l.Owner):
			h.fail(w, r, http.StatusForbidden, "error.may_not")
			return
		}
		v.Rows = append(v.Rows, rowOf(l, me))
		v.Reasoned = v.Reasoned || needsReason(v.Do, me, l.Owner)
		chosen[t.ID]++
	}
	for _, row := range v.Rows {
		n := chosen[row.ID]
		delete(chosen, row.ID)
		if n == 0 {
			continue // it is counted
		}
		v.Kept = v.Kept || n < row.Holders
		if row.Waiting > 0 && (n == row.Holders || row.Limit > 0) {
			v.Waiting++
		}
	}
	if v.Do == release {
		below, err := h.below(r, me, wanted)
		if err != nil {
			h.refuse(w, r, err)
			return
		}
		v.Below, v.Full = len(below), len(wanted) >= editlock.MaxBatch
	}
	h.render(w, r, page{Name: "confirm", Title: "confirm." + v.Do, Status: status, At: v.Back}, v)
}

// below are the locks below some targets that are not among these, and may be released.
func (h *handler) below(r *http.Request, me Identity, of []target) (found []target, err error) {
	p, now, err := h.seen(r)
	if err != nil {
		return nil, err
	}
	known := map[target]bool{}
	for _, t := range of {
		known[t] = true
	}
	err = h.look(r.Context(), me, p, func() {
		for _, t := range of {
			for _, l := range p.below(t.ID, now) {
				if one := (target{l.ID, l.Token}); !known[one] && me.may(release, l.ID, l.Owner) {
					known[one] = true
					found = append(found, one)
				}
			}
		}
	})
	return found, err
}

// held are those of some targets that stand as the reader saw them.
func (h *handler) held(r *http.Request, me Identity, wanted []target) (map[target]*lock, error) {
	found, far := map[target]*lock{}, map[target]bool{}
	for _, t := range wanted {
		_, m, err := h.locker.Request(editlock.WithoutOwner(r.Context()), t.ID)
		if err != nil {
			return nil, err
		}
		for _, l := range locksOf(m) {
			if l.ID == t.ID && l.Token == t.Token {
				found[t] = l
			}
		}
		// A Request tells of the first who share a lock only.
		far[t] = found[t] == nil && m.ID == t.ID && m.Beside > len(m.Others)
	}
	if !slices.Contains(slices.Collect(maps.Values(far)), true) {
		return found, nil
	}
	p, _, err := h.seen(r)
	if err != nil {
		return nil, err
	}
	err = h.look(r.Context(), me, p, func() {
		for _, l := range p.locks {
			if t := (target{l.ID, l.Token}); far[t] && p.shows(l) {
				found[t] = l
			}
		}
	})
	return found, err
}

func doing(r *http.Request) string {
	if r.Form.Get("do") == takeOver {
		return takeOver
	}
	return release
}

func needsReason(do string, me Identity, o editlock.Owner) bool {
	return do == takeOver || !me.Owner.SameHolder(o)
}
