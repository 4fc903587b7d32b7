package editlock

import (
	"context"
	"slices"

	"github.com/editlock/editlock/store"
)

// endings are the kinds of entries that end somebody's hold.
var endings = []string{
	string(KindReleased), string(KindExpired), string(KindTakenOver),
	string(KindForceReleased), string(KindHandedOver), string(KindUpgraded),
}

// lost says who has a mutex now, and looks up how the caller lost it: by the
// token that was named, or else by the session. What the history no longer holds
// stays unsaid, as does how others' holds ended: that takes the right to history.
func (m *Manager) lost(ctx context.Context, name string, caller Owner, token Token, rec *store.Record, res store.Result) *LostError {
	e := lostTo(name, rec, res)
	if token == 0 {
		m.tellHowOf(ctx, name, caller, e)
	} else {
		m.tellHow(ctx, caller, []loss{{hold: store.Hold{Name: name, Token: uint64(token)}, err: e}})
	}
	return e
}

// lostTo says who has a mutex now.
func lostTo(name string, rec *store.Record, res store.Result) *LostError {
	id := parseName(name)
	e := &LostError{ID: id}
	if rec != nil {
		holder := mutex(rec, res.Now)
		e.Holder = &holder
	}
	return e
}

// tell adds how a hold ended.
func (e *LostError) tell(raw store.LogEntry) {
	how := entry(raw)
	e.How, e.By, e.At, e.Reason = how.Kind, how.Actor, how.At, how.Reason
}

// loss is a hold that was lost, and the error that shall tell how.
type loss struct {
	hold    store.Hold
	byToken bool // the token alone says that it was the caller's
	err     *LostError
}

// tellHow looks up how a caller's holds ended, all at once.
func (m *Manager) tellHow(ctx context.Context, caller Owner, losses []loss) {
	var holds []store.Hold
	at := make(map[store.Hold]int, len(losses))
	for _, l := range losses {
		if _, known := at[l.hold]; !known {
			at[l.hold] = len(holds)
			holds = append(holds, l.hold)
		}
	}
	if len(holds) == 0 || ctx.Err() != nil {
		return
	}
	ends, err := m.store.Ends(ctx, holds, endings)
	if err != nil {
		return
	}
	for _, l := range losses {
		end := ends.Entries[at[l.hold]]
		// The first takeover after the token ended its hold, unless entries
		// between the two are pruned.
		ended := end != nil && (end.Token == l.hold.Token || end.Replaced == l.hold.Token ||
			ends.Floor <= l.hold.Token && (EventKind(end.Kind) == KindTakenOver || EventKind(end.Kind) == KindUpgraded))
		if !ended {
			continue
		}
		if who, _ := owner(loser(end)); l.byToken || who.SamePerson(caller) {
			l.err.tell(*end)
		}
	}
}

// loser is whose hold an entry ended.
func loser(e *store.LogEntry) store.Party {
	if EventKind(e.Kind) == KindTakenOver || EventKind(e.Kind) == KindUpgraded {
		return e.Other
	}
	return e.Owner
}

// tellHowOf looks up how a session lost a mutex, among its latest endings.
func (m *Manager) tellHowOf(ctx context.Context, name string, caller Owner, e *LostError) {
	page, err := m.store.Log(ctx, store.LogQuery{Name: name, Kinds: endings, Newest: true, Limit: store.MaxWaiters})
	if err != nil {
		return
	}
	i := slices.IndexFunc(page.Entries, func(en store.LogEntry) bool {
		return loser(&en).Session == caller.key()
	})
	if i >= 0 {
		e.tell(page.Entries[i])
	}
}
