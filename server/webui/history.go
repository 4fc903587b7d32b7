package webui

import (
	"context"
	"errors"
	"net/http"

	"github.com/editlock/editlock"
)

const (
	// historyPage is how many entries a page of history shows.
	historyPage = 50
	// searchCalls bounds how often a store is asked for one page of entries that are
	// picked here.
	searchCalls = 10
)

// entries is a part of the history, newest first.
type entries struct {
	Entries   []event
	OfOne     bool   // all are of one lock, which is named above them
	Forbidden bool   // the reader has no right to them
	All       string // address of all of them; empty: these are all
	Older     string // address; empty: there are none
	Newest    string // address; empty: this is the newest page
	Farther   bool   // what is older has not been searched yet
}

// event is an entry of history, told as who did what to whom.
type event struct {
	editlock.Event
	Who, Whom *editlock.Owner
	NoAnswer  bool // a hand-over that nobody said
}

func eventOf(e editlock.Event) event {
	out := event{Event: e, Who: &e.Actor, Whom: &e.Other}
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
		if !e.Owner.SameHolder(e.Actor) {
			out.Whom = &e.Owner
		}
	case editlock.KindUpgraded: // of one's own hold
		out.Whom = &editlock.Owner{}
	default: // as it stands
	}
	if *out.Whom == (editlock.Owner{}) {
		out.Whom = nil
	}
	return out
}

// noAnswer is the reason of a hand-over by editlock.CaptureOptions.GrantAfter.
const noAnswer = "no_answer"

func eventsOf(all []editlock.Event) []event {
	var out []event
	for _, e := range all {
		out = append(out, eventOf(e))
	}
	return out
}

// remembers reports whether a reader is shown the history of a lock; of any, if id
// is nil.
func (i Identity) remembers(id *editlock.ID) bool {
	if i.History == nil {
		return true
	}
	for _, a := range i.History {
		if id == nil || a.Contains(*id, editlock.Owner{}) {
			return true
		}
	}
	return false
}

// newest is the latest of somebody's or a lock's history, and the first of it to be
// listed below what else a page tells. A reader without the right to it sees the rest
// of the page, and the store is not asked.
func (h *handler) newest(r *http.Request, q editlock.HistoryQuery, all historyFilter) ([]editlock.Event, bool, entries, error) {
	out := entries{OfOne: q.ID != nil}
	if !h.identify(r).remembers(q.ID) {
		out.Forbidden = true
		return nil, false, out, nil
	}
	q.Limit = drawn
	got, err := h.locker.History(r.Context(), q)
	if errors.Is(err, editlock.ErrForbidden) {
		out.Forbidden = true
		return nil, false, out, nil
	}
	if err != nil {
		return nil, false, out, err
	}
	out.Entries = eventsOf(got.Entries[:min(len(got.Entries), historyPage)])
	if more := got.Next != ""; more || len(got.Entries) > historyPage {
		out.All = all.address("")
	}
	return got.Entries, got.Next != "", out, nil
}

// historyView is the page of what happened to all locks.
type historyView struct {
	Filter   historyFilter
	Kinds    []editlock.EventKind
	Groups   []choice
	Modes    []choice
	People   []choice // by user ID
	Clear    string
	CSV      string
	JSON     string
	Entries  entries
	Filtered bool
}

// kinds are the events that a reader may choose.
var kinds = []editlock.EventKind{
	editlock.KindCaptured, editlock.KindReleased, editlock.KindExpired, editlock.KindTakenOver,
	editlock.KindForceReleased, editlock.KindHandedOver, editlock.KindWaiting, editlock.KindDeclined,
	editlock.KindShared, editlock.KindUpgraded,
}

// history shows what happened to all locks, or what a filter leaves of it.
func (h *handler) history(w http.ResponseWriter, r *http.Request) {
	if h.switchedLanguage(w, r) {
		return
	}
	f := readHistoryFilter(r.URL.Query())
	v := historyView{Filter: f, Kinds: kinds, Clear: historyPath, CSV: f.export("csv"), JSON: f.export("json"), Filtered: f.Narrows()}
	if known, _, err := h.seen(r); err == nil { // else there is nothing to offer
		v.Groups, v.Modes, v.People = known.groups, known.modes, users(known.people)
	}
	q, keep, err := f.query()
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	q.Cursor, q.Limit = f.before, historyPage
	got, err := h.picked(r.Context(), q, keep)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	v.Entries = entries{Entries: eventsOf(got.Entries), OfOne: q.ID != nil}
	if got.Next != "" {
		v.Entries.Older, v.Entries.Farther = f.address(got.Next), len(got.Entries) < historyPage
	}
	if f.before != "" {
		v.Entries.Newest = f.address("")
	}
	// A search goes through a long history, so it is not made again and again.
	live := f.before == "" && q.Text == ""
	h.render(w, r, page{Name: "history", Title: "history.title", Live: live, Nav: "history"}, v)
}

// picked reads the entries of a query that keep leaves; nil leaves all. The page may
// be shorter than asked for and not be the last, as any page of history.
func (h *handler) picked(ctx context.Context, q editlock.HistoryQuery, keep func(editlock.Event) bool) (editlock.HistoryPage, error) {
	var out editlock.HistoryPage
	limit := q.Limit
	for range searchCalls {
		q.Limit = limit - len(out.Entries)
		got, err := h.locker.History(ctx, q)
		if err != nil {
			return out, err
		}
		for _, e := range got.Entries {
			if keep == nil || keep(e) {
				out.Entries = append(out.Entries, e)
			}
		}
		out.Next = got.Next
		if keep == nil || out.Next == "" || len(out.Entries) == limit {
			break
		}
		q.Cursor = got.Next
	}
	return out, nil
}

// users are the people who have a user ID, by which the history knows them.
func users(people []choice) []choice {
	var out []choice
	for _, p := range people {
		if isUser, id, _ := cutPersonKey(p.Value); isUser {
			out = append(out, choice{Value: id, Label: p.Label})
		}
	}
	return out
}
