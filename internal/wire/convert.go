package wire

import (
	"time"

	"github.com/editlock/editlock"
)

// FromID returns the form of an ID.
func FromID(id editlock.ID) ID { return ID(id) }

// Root returns what the form means.
func (id ID) Root() editlock.ID { return editlock.ID(id) }

// FromIDs returns the forms of IDs, never nil.
func FromIDs(ids []editlock.ID) []ID {
	out := make([]ID, len(ids))
	for i, id := range ids {
		out[i] = ID(id)
	}
	return out
}

// RootIDs returns what forms mean.
func RootIDs(ids []ID) []editlock.ID {
	out := make([]editlock.ID, len(ids))
	for i, id := range ids {
		out[i] = editlock.ID(id)
	}
	return out
}

// FromOwner returns the form of an owner, nil for the zero Owner.
func FromOwner(o editlock.Owner) *Owner {
	if o == (editlock.Owner{}) {
		return nil
	}
	form := OwnerForm(o)
	return &form
}

// OwnerForm returns the form of an owner, also of the zero Owner.
func OwnerForm(o editlock.Owner) Owner {
	form := Owner{
		Session: o.Session, UserID: o.UserID, Login: o.Login, Name: o.Name, Host: o.Host, OnBehalfOf: o.OnBehalfOf,
	}
	if o.Kind != editlock.Person {
		form.Kind = o.Kind.String()
	}
	return form
}

// Root returns what the form means; nil is the zero Owner. A kind that only another
// version knows is a person.
func (o *Owner) Root() editlock.Owner {
	if o == nil {
		return editlock.Owner{}
	}
	out, _ := o.Stated()
	return out
}

// Stated is Root of an owner that a call states, and refuses a kind that is not
// known.
func (o *Owner) Stated() (out editlock.Owner, err error) {
	out = editlock.Owner{
		Session: o.Session, UserID: o.UserID, Login: o.Login, Name: o.Name, Host: o.Host, OnBehalfOf: o.OnBehalfOf,
	}
	if o.Kind != "" {
		out.Kind, err = editlock.ParseOwnerKind(o.Kind)
	}
	return out, err
}

// FromAutoRelease returns the form of an AutoRelease.
func FromAutoRelease(a editlock.AutoRelease) AutoRelease {
	if a.IsNever() {
		return AutoRelease{Never: true, MaxHold: durationOf(a.MaxHold)}
	}
	return AutoRelease{Idle: (*Idle)(durationOf(a.Idle)), MaxHold: durationOf(a.MaxHold)}
}

// Root returns what the form means, nil being "not said". What the library's
// type can't say is refused under the name of the field; its other limits are
// the library's to check.
func (a *AutoRelease) Root(field string) (editlock.AutoRelease, error) {
	if a == nil {
		return editlock.AutoRelease{}, nil
	}
	out := editlock.AutoRelease{}
	if a.MaxHold != nil {
		if out.MaxHold = time.Duration(*a.MaxHold); out.MaxHold == 0 {
			return out, outOfRange(field+".max_hold", out.MaxHold)
		}
	}
	switch {
	case a.Never && a.Idle != nil:
		return out, invalid(field, "never_with_idle", "says never and idle at once; give one of them")
	case a.Never, a.Idle != nil && *a.Idle == idleNever:
		out.Idle = editlock.Never.Idle
	case a.Idle != nil:
		out.Idle = time.Duration(*a.Idle)
		if out.Idle == 0 || out.IsNever() {
			return out, outOfRange(field+".idle", out.Idle)
		}
	}
	return out, nil
}

func outOfRange(field string, d time.Duration) error {
	return invalid(field, "lease_out_of_range", "is %v; between %v and %v (30 days) are allowed",
		d, editlock.MinAutoRelease, editlock.MaxAutoRelease)
}

// FromCondition returns the form of a condition, nil for none.
func FromCondition(c editlock.Condition) *Condition {
	if c.Free() {
		yes := true
		return &Condition{Free: &yes}
	}
	if data, ok := c.StatusData(); ok {
		return &Condition{StatusData: &data}
	}
	if token, ok := c.Token(); ok {
		return &Condition{Token: (*uint64)(&token)}
	}
	if request, ok := c.Request(); ok {
		return &Condition{Request: &request}
	}
	return nil
}

// Root returns what the form means; nil and the empty form are no condition.
func (c *Condition) Root() (editlock.Condition, error) {
	if c == nil {
		return editlock.Condition{}, nil
	}
	given := 0
	for _, is := range []bool{c.Free != nil, c.StatusData != nil, c.Token != nil, c.Request != nil} {
		if is {
			given++
		}
	}
	switch {
	case given > 1:
		return editlock.Condition{}, invalid("if", "several_conditions", "gives more than one of free, status_data, token and request; give one")
	case c.Free != nil && !*c.Free:
		return editlock.Condition{}, invalid("if.free", "not_true", "must be true, or absent")
	case c.Free != nil:
		return editlock.IfFree(), nil
	case c.StatusData != nil:
		return editlock.IfStatusData(*c.StatusData), nil
	case c.Token != nil:
		return editlock.IfToken(editlock.Token(*c.Token)), nil
	case c.Request != nil:
		return editlock.IfRequest(*c.Request), nil
	}
	return editlock.Condition{}, nil
}

var sharings = map[editlock.Sharing]string{editlock.Exclusive: "exclusive", editlock.Shared: "shared"}

// FromSharing returns the form of a sharing, empty if it is unsaid.
func FromSharing(s editlock.Sharing) string { return sharings[s] }

// RootSharing returns what the form means; empty is unsaid.
func RootSharing(form string) (editlock.Sharing, error) {
	for s, text := range sharings {
		if text == form {
			return s, nil
		}
	}
	if form == "" {
		return editlock.SharingUnset, nil
	}
	return 0, invalid("sharing", "unknown_sharing", "%q is not known; exclusive and shared are", form)
}

// FromMutex returns the form of a mutex.
func FromMutex(m editlock.Mutex) Mutex {
	out := Mutex{
		Mutex: ID(m.ID), Owner: OwnerForm(m.Owner), StatusData: m.StatusData,
		AutoRelease: FromAutoRelease(m.AutoRelease), Token: uint64(m.Token),
		CapturedAt: m.CapturedAt, RefreshedAt: m.RefreshedAt, ExpiresAt: timeOf(m.ExpiresAt),
		AsOf: m.AsOf, GrantAfter: durationOf(m.GrantAfter), Waiting: m.Waiting,
		Sharing: sharings[m.Sharing], Limit: m.Limit, Beside: m.Beside, Draining: fromDraining(m.Draining),
	}
	if left, ends := m.ExpiresIn(); ends {
		seconds := left.Seconds()
		out.ExpiresIn = &seconds
	}
	if len(m.Waiters) > 0 {
		out.Waiters = make([]Waiter, len(m.Waiters))
	}
	for i, w := range m.Waiters {
		out.Waiters[i] = Waiter{
			ID: w.ID, Owner: OwnerForm(w.Owner), Since: w.Since, Message: w.Message, GrantAt: timeOf(w.GrantAt),
		}
	}
	return out
}

// Root returns what the form means.
func (m *Mutex) Root() (editlock.Mutex, error) {
	auto, err := m.AutoRelease.Root("auto_release")
	if err != nil {
		return editlock.Mutex{}, err
	}
	sharing, err := RootSharing(m.Sharing)
	if err != nil {
		return editlock.Mutex{}, err
	}
	out := editlock.Mutex{
		ID: editlock.ID(m.Mutex), Owner: m.Owner.Root(), StatusData: m.StatusData,
		AutoRelease: auto, Token: editlock.Token(m.Token),
		CapturedAt: m.CapturedAt, RefreshedAt: m.RefreshedAt, AsOf: m.AsOf, Waiting: m.Waiting,
		Sharing: sharing, Limit: m.Limit, Beside: m.Beside, Draining: m.Draining.root(),
	}
	if m.ExpiresAt != nil {
		out.ExpiresAt = *m.ExpiresAt
	}
	if m.GrantAfter != nil {
		out.GrantAfter = time.Duration(*m.GrantAfter)
	}
	for _, w := range m.Waiters {
		waiter := editlock.Waiter{ID: w.ID, Owner: w.Owner.Root(), Since: w.Since, Message: w.Message}
		if w.GrantAt != nil {
			waiter.GrantAt = *w.GrantAt
		}
		out.Waiters = append(out.Waiters, waiter)
	}
	return out, nil
}

func fromDraining(d *editlock.Draining) *Draining {
	if d == nil {
		return nil
	}
	return &Draining{Mutex: FromID(d.ID), By: FromOwner(d.By), Since: d.Since, Message: d.Message}
}

func (d *Draining) root() *editlock.Draining {
	if d == nil {
		return nil
	}
	return &editlock.Draining{ID: d.Mutex.Root(), By: d.By.Root(), Since: d.Since, Message: d.Message}
}

// FromMutexes returns the forms of mutexes, never nil.
func FromMutexes(ms []editlock.Mutex) []Mutex {
	out := make([]Mutex, len(ms))
	for i, m := range ms {
		out[i] = FromMutex(m)
	}
	return out
}

// RootMutexes returns what forms mean; none is nil.
func RootMutexes(ms []Mutex) ([]editlock.Mutex, error) {
	var out []editlock.Mutex
	for i := range ms {
		m, err := ms[i].Root()
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// FromEntry returns the form of an entry.
func FromEntry(e editlock.Event) Entry {
	out := Entry{
		Seq: e.Seq, Kind: string(e.Kind), Owner: FromOwner(e.Owner), Actor: FromOwner(e.Actor),
		Other: FromOwner(e.Other), Token: uint64(e.Token), At: timeOf(e.At), Reason: e.Reason,
		Sharing: sharings[e.Sharing], Limit: e.Limit, Replaced: uint64(e.Replaced),
	}
	if e.ID != (editlock.ID{}) {
		out.Mutex = (*ID)(&e.ID)
	}
	return out
}

// Root returns what the form means.
func (e *Entry) Root() editlock.Event {
	out := editlock.Event{
		Seq: e.Seq, Kind: editlock.EventKind(e.Kind), Owner: e.Owner.Root(), Actor: e.Actor.Root(),
		Other: e.Other.Root(), Token: editlock.Token(e.Token), Reason: e.Reason,
		Limit: e.Limit, Replaced: editlock.Token(e.Replaced),
	}
	out.Sharing, _ = RootSharing(e.Sharing) // what a newer server says is not said
	if e.Mutex != nil {
		out.ID = editlock.ID(*e.Mutex)
	}
	if e.At != nil {
		out.At = *e.At
	}
	return out
}
