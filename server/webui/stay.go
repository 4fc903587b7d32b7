package webui

import (
	"slices"
	"time"

	"github.com/editlock/editlock"
)

// stay is a time in which somebody held a lock.
type stay struct {
	ID    editlock.ID
	Owner editlock.Owner
	Token editlock.Token
	From  time.Time // zero: before what was read of the history
	To    time.Time // zero: it is not known to have ended
	// Taken is set if it began with a takeover.
	Taken bool
	// End is how it ended, By who ended it if that was not the holder, and Reason why.
	End    editlock.EventKind
	By     *editlock.Owner
	Reason string
}

// isShared reports whether others may hold the lock of an entry, too.
func isShared(e editlock.Event) bool { return e.Sharing == editlock.Shared || e.Limit > 0 }

// staysOf makes stays of entries, which are newest first; the stays are oldest first.
func staysOf(all []editlock.Event) []stay {
	var out []*stay
	open := map[editlock.ID][]*stay{}
	begin := func(e editlock.Event) {
		s := &stay{ID: e.ID, Owner: e.Owner, Token: e.Token, From: e.At, Taken: e.Kind == editlock.KindTakenOver}
		open[e.ID] = append(open[e.ID], s)
		out = append(out, s)
	}
	end := func(e editlock.Event, holder editlock.Owner, token editlock.Token) {
		all := open[e.ID]
		i := slices.IndexFunc(all, func(s *stay) bool { return s.Token == token })
		if i < 0 && !isShared(e) {
			i = len(all) - 1 // the only one
		}
		s := &stay{ID: e.ID, Owner: holder}
		if i >= 0 {
			s = all[i]
			open[e.ID] = slices.Delete(all, i, i+1)
		} else {
			out = append(out, s)
		}
		s.To, s.End, s.Reason = e.At, e.Kind, e.Reason
		if e.Reason == noAnswer {
			s.Reason = ""
		}
		if e.Kind != editlock.KindExpired && e.Kind != editlock.KindHandedOver && !e.Actor.SamePerson(holder) {
			s.By = &e.Actor
		}
		if e.Kind == editlock.KindHandedOver && e.Other != (editlock.Owner{}) {
			s.By = &e.Other
		}
	}
	for _, e := range slices.Backward(all) {
		switch e.Kind {
		case editlock.KindCaptured:
			begin(e)
		case editlock.KindTakenOver:
			end(e, e.Other, e.Replaced)
			begin(e)
		case editlock.KindUpgraded: // it was the only one
			end(e, e.Owner, 0)
			begin(e)
		case editlock.KindReleased, editlock.KindExpired, editlock.KindForceReleased, editlock.KindHandedOver:
			end(e, e.Owner, e.Token)
		default: // changes no holder
		}
	}
	stays := make([]stay, len(out))
	for i, s := range out {
		stays[i] = *s
	}
	return stays
}
