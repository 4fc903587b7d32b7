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
	End    editlock.Kind
	By     *editlock.Owner
	Reason string
}

// staysOf makes stays of entries, which are newest first; the stays are oldest first.
func staysOf(all []editlock.Entry) []stay {
	var out []*stay
	open := map[editlock.ID]*stay{}
	begin := func(e editlock.Entry) {
		open[e.ID] = &stay{ID: e.ID, Owner: e.Owner, Token: e.Token, From: e.At, Taken: e.Kind == editlock.KindTakenOver}
		out = append(out, open[e.ID])
	}
	end := func(e editlock.Entry, holder editlock.Owner) {
		s := open[e.ID]
		if s == nil {
			s = &stay{ID: e.ID, Owner: holder}
			out = append(out, s)
		}
		delete(open, e.ID)
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
			end(e, e.Other)
			begin(e)
		case editlock.KindReleased, editlock.KindExpired, editlock.KindForceReleased, editlock.KindHandedOver:
			end(e, e.Owner)
		default: // changes no holder
		}
	}
	stays := make([]stay, len(out))
	for i, s := range out {
		stays[i] = *s
	}
	return stays
}
