package editlock

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/editlock/editlock/store"
)

// person is what a store keeps of an owner beside the keys, and of the promise
// that the owner gave to those who ask.
type person struct {
	Login      string        `json:"l,omitempty"`
	Name       string        `json:"n,omitempty"`
	Host       string        `json:"h,omitempty"`
	GrantAfter time.Duration `json:"g,omitempty"`
	OnBehalfOf string        `json:"b,omitempty"`
}

func party(o Owner, grantAfter time.Duration) store.Party {
	p := store.Party{Session: o.key(), User: o.UserID}
	if more := (person{o.Login, o.Name, o.Host, grantAfter, o.OnBehalfOf}); more != (person{}) {
		value, _ := json.Marshal(more) // strings and a number: can't fail
		p.Value = string(value)
	}
	return p
}

func owner(p store.Party) (Owner, time.Duration) {
	var more person
	if p.Value != "" {
		// What another version wrote and this one can't read is left out.
		_ = json.Unmarshal([]byte(p.Value), &more)
	}
	kind, session := ofKey(p.Session)
	return Owner{
		Session: session, UserID: p.User, Kind: kind,
		Login: more.Login, Name: more.Name, Host: more.Host, OnBehalfOf: more.OnBehalfOf,
	}, more.GrantAfter
}

// terms is what a capture of a free mutex stores.
func (a AutoRelease) terms() store.Terms {
	switch {
	case a.IsNever():
		return store.Terms{}
	case a.Idle == 0:
		return store.Terms{Idle: DefaultIdle, MaxHold: a.MaxHold}
	}
	return store.Terms{Idle: a.Idle, MaxHold: a.MaxHold}
}

// change is what a refresh stores: nil if nothing is said.
func (a AutoRelease) change() *store.Terms {
	switch {
	case a == (AutoRelease{}):
		return nil
	case a.IsNever():
		return &store.Terms{Idle: -1, MaxHold: -1}
	}
	return &store.Terms{Idle: a.Idle, MaxHold: a.MaxHold}
}

func autoRelease(t store.Terms) AutoRelease {
	if t.Idle == 0 {
		return AutoRelease{Idle: never, MaxHold: t.MaxHold}
	}
	return AutoRelease{Idle: t.Idle, MaxHold: t.MaxHold}
}

func mutex(rec *store.Record, now time.Time) Mutex {
	id := parseName(rec.Name) // names are canonical forms
	m := Mutex{
		ID:          id,
		StatusData:  rec.Data,
		AutoRelease: autoRelease(rec.Terms),
		Token:       Token(rec.Token),
		CapturedAt:  rec.Acquired,
		RefreshedAt: rec.Renewed,
		ExpiresAt:   rec.Expires,
		AsOf:        now,
		Waiting:     rec.Waiting,
		Beside:      rec.Beside,
	}
	m.Sharing, m.Limit = sharing(rec.Share)
	m.Owner, m.GrantAfter = owner(rec.Holder)
	m.Waiters = waiters(rec)
	if rec.Drains != nil {
		m.Draining = draining(*rec.Drains)
	}
	return m
}

func waiters(rec *store.Record) (out []Waiter) {
	for _, t := range rec.Waiters {
		w := Waiter{ID: t.ID, Since: t.Since, Message: t.Value, GrantAt: t.GrantAt}
		w.Owner, _ = owner(t.Holder)
		out = append(out, w)
	}
	return out
}

func entry(e store.LogEntry) Event {
	id := parseName(e.Name)
	out := Event{
		Seq: e.Seq, Kind: EventKind(e.Kind), ID: id, Token: Token(e.Token), At: e.At, Reason: e.Reason,
		Replaced: Token(e.Replaced),
	}
	out.Sharing, out.Limit = sharing(e.Share)
	out.Owner, _ = owner(e.Owner)
	out.Actor, _ = owner(e.Actor)
	out.Other, _ = owner(e.Other)
	return out
}

// busy says who is in the way of a caller. The caller's own hold, which is the
// record's, is left out if there are others, unless own says that it is in the way.
func busy(rec *store.Record, now time.Time, caller Owner, own bool) *BusyError {
	holders, total := holdings(rec), rec.Beside+1
	if !own && len(holders) > 1 && rec.Holder.Session == caller.key() {
		holders, total = holders[1:], total-1
	}
	e := &BusyError{Holder: mutex(holders[0], now)}
	e.Holder.Waiters, e.Holder.Waiting = waiters(rec), rec.Waiting
	e.Self = e.Holder.Owner.SamePerson(caller)
	if total > 1 {
		e.Total = total
		e.Holders = append(e.Holders, e.Holder)
		for _, r := range holders[1:] {
			e.Holders = append(e.Holders, mutex(r, now))
		}
	}
	return e
}

// unavailable wraps an engine's error for callers; the end of a context stays
// what it is.
func unavailable(err error) error {
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
