package access

import (
	"context"
	"errors"
	"slices"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/meant"
	"github.com/editlock/editlock/server/auth"
)

// Takeover implements editlock.Locker. One's own, in another tab or from a
// login before, takes no more than Use, and neither does an agent's for a person.
func (w *guarded) Takeover(ctx context.Context, id editlock.ID, seen editlock.Token, reason string, opts *editlock.CaptureOptions) (editlock.Mutex, error) {
	ctx, c, held, err := w.stepIn(ctx, id, seen, auth.Takeover, "take over")
	if gone(err) && (editlock.AttemptFrom(ctx).Key != "" || opts != nil && opts.RequestID != "") {
		// Its retry is known by its key; nothing else comes of this token.
		if m, again := w.inner.Takeover(ctx, id, neverInForce, reason, opts); again == nil || errors.Is(again, editlock.ErrLost) {
			return m, again
		}
	}
	if err != nil {
		return editlock.Mutex{}, err
	}
	done, err := w.g.charge(ctx, w.inner, editlock.OwnerFrom(ctx), 1)
	if err != nil {
		return editlock.Mutex{}, err
	}
	m, err := w.inner.Takeover(ctx, id, seen, reason, opts)
	done(taken(m, err))
	if err == nil {
		w.g.freed(held.Owner)
		w.g.remember(c, m, true)
		w.tell(ctx, c, editlock.KindTakenOver, held, reason)
	}
	return m, err
}

// ForceRelease implements editlock.Locker.
func (w *guarded) ForceRelease(ctx context.Context, id editlock.ID, seen editlock.Token, reason string) error {
	ctx, c, held, err := w.stepIn(ctx, id, seen, auth.ForceRelease, "release by force")
	if gone(err) && editlock.AttemptFrom(ctx).Key != "" && w.inner.ForceRelease(ctx, id, neverInForce, reason) == nil { // the retry of what was done
		return nil
	}
	if err != nil {
		return err
	}
	if err = w.inner.ForceRelease(ctx, id, seen, reason); err == nil {
		w.g.freed(held.Owner)
		w.tell(ctx, c, editlock.KindForceReleased, held, reason)
	}
	return err
}

// tell writes a decision that ended another's hold to the audit log.
func (w *guarded) tell(ctx context.Context, c *auth.Caller, do editlock.EventKind, held editlock.Mutex, reason string) {
	as := editlock.OwnerFrom(ctx)
	w.g.Log(ctx, string(do), c, "mutex", held.ID.String(), "token", uint64(held.Token),
		"holder_session", held.Owner.Session, "holder_user", held.Owner.UserID, "holder_kind", held.Owner.Kind.String(),
		"by_session", as.Session, "by_user", as.UserID, "by_kind", as.Kind.String(), "reason", reason)
}

// neverInForce is the largest token there could be, which none reaches.
const neverInForce editlock.Token = 1<<53 - 1

// stepIn checks whether a caller may end the hold seen. The token that was
// checked is the one that must be in force, so nobody else's hold is ended.
func (w *guarded) stepIn(ctx context.Context, id editlock.ID, seen editlock.Token, right auth.Right, do string) (context.Context, *auth.Caller, editlock.Mutex, error) {
	var held editlock.Mutex
	if err := id.Validate(); err != nil {
		return nil, nil, held, err
	}
	ctx, c, err := w.act(ctx)
	if err != nil {
		return nil, nil, held, err
	}
	if !w.g.May(c, right, id) {
		// The caller may be allowed to see their own holds only: tell no more before this is known.
		if err := w.need(ctx, c, auth.Use, id, do); err != nil {
			return nil, nil, held, err
		}
	}
	state, held, err := w.inner.Request(meant.With(ctx, uint64(seen)), id)
	if one, ok := held.ByToken(seen); ok {
		held = one
	}
	as := editlock.OwnerFrom(ctx)
	switch {
	case err != nil:
		return nil, nil, held, err
	case state == editlock.Free:
		return ctx, c, held, &editlock.NotHeldError{ID: id}
	case held.Token != seen && seen != 0: // what is 0, inner refuses
		return ctx, c, held, &editlock.BusyError{Holder: held, Self: samePerson(as, held.Owner)}
	case samePerson(as, held.Owner), right == auth.Takeover && held.Owner.YieldsTo(as):
		return ctx, c, held, w.need(ctx, c, auth.Use, id, do)
	case !as.MayEnd(held.Owner):
		err := &editlock.HeldByPersonError{Holder: held}
		w.g.Refuse(ctx, c, do, err)
		return nil, nil, held, err
	}
	if err := w.need(ctx, c, right, id, do); err != nil {
		return nil, nil, held, err
	}
	if !w.g.outranks(c, as, held) {
		return nil, nil, held, w.g.deny(ctx, c, do, id, "the rank of "+held.Owner.Label()+" is higher than yours, or not known")
	}
	return ctx, c, held, nil
}

// ReleaseSession implements editlock.Locker: of one's own sessions with Use; of
// others' only what ForceRelease allows, and only if it allows all of it.
func (w *guarded) ReleaseSession(ctx context.Context, session string) ([]editlock.ID, error) {
	c, err := w.who(ctx)
	if err != nil {
		return nil, err
	}
	as, mine := editlock.OwnerFrom(ctx), session == c.Owner.Session
	if c.Scope != nil {
		mine = session == as.Session || c.Covers(session)
	}
	switch {
	case c.Scope == nil || as.Session != "":
		if as, err = c.Acting(as); err != nil {
			return nil, err
		}
	case mine && !c.Kinds.Allow(editlock.Person): // else the session itself does it
		as = editlock.Owner{Session: session, Kind: c.Kinds[0]}
	}
	ctx = editlock.WithOwner(ctx, as)
	if !w.g.MayAny(c, auth.Use) && !w.g.MayAny(c, auth.ForceRelease) {
		return nil, w.g.deny(ctx, c, "release a session", editlock.ID{}, "you have no right use to anything")
	}
	if session == "" {
		return w.inner.ReleaseSession(ctx, session) // which refuses it
	}
	if mine {
		held, err := w.ownOf(ctx, c, as, session)
		if err != nil {
			return nil, err
		}
		if len(held) > 0 || !w.g.MayAny(c, auth.ForceRelease) {
			defer w.allFreed(held)
			return w.releaseOwn(ctx, c, session, held)
		}
	}
	if as.Session == "" { // a back end that does not say who does it
		as = editlock.Owner{Session: c.Stored(c.Name)}
		if !c.Kinds.Allow(editlock.Person) {
			as.Kind = c.Kinds[0]
		}
		ctx = editlock.WithOwner(ctx, as)
	}
	return w.releaseOthers(ctx, c, as, session)
}

func (w *guarded) allFreed(held []editlock.Mutex) {
	for _, m := range held {
		w.g.freed(m.Owner)
	}
}

// namesOf are a session and the one that the caller's was before sessions had
// realms.
func namesOf(c *auth.Caller, session string) []string {
	if old, ok := c.Former(session); ok {
		return []string{session, old}
	}
	return []string{session}
}

// ownOf is what a session of the caller's holds, and as may end. Each is charged.
func (w *guarded) ownOf(ctx context.Context, c *auth.Caller, as editlock.Owner, session string) (held []editlock.Mutex, err error) {
	for _, name := range namesOf(c, session) {
		some, _, err := everything(ctx, w.inner, name, func(editlock.Mutex) bool { return true })
		if err != nil {
			return nil, err
		}
		held = append(held, some...)
	}
	held = slices.DeleteFunc(held, func(m editlock.Mutex) bool {
		return m.Owner.Session != session && !c.Held(session, m.Owner) || !as.MayEnd(m.Owner)
	})
	return held, w.g.AdmitItems(c, len(held))
}

// othersOf is what a session holds, up to the first hold that the caller may not
// end: no is that one. Each before it is charged, so that nothing else shows in
// what the caller then owes.
func (w *guarded) othersOf(ctx context.Context, c *auth.Caller, session string, may func(editlock.Mutex) bool) (held []editlock.Mutex, no *editlock.Mutex, err error) {
	for _, name := range namesOf(c, session) {
		var some []editlock.Mutex
		if some, no, err = everything(ctx, w.inner, name, may); err != nil {
			return nil, nil, err
		}
		if held = append(held, some...); no != nil {
			break
		}
	}
	return held, no, w.g.AdmitItems(c, len(held))
}

// releaseOwn releases all of a session of the caller's, and holds of before.
func (w *guarded) releaseOwn(ctx context.Context, c *auth.Caller, session string, held []editlock.Mutex) ([]editlock.ID, error) {
	for _, m := range held {
		if err := w.need(ctx, c, auth.Use, m.ID, "release a session"); err != nil {
			return nil, err
		}
	}
	released, err := w.inner.ReleaseSession(ctx, session)
	for _, m := range held {
		if err != nil || m.Owner.Session == session {
			continue
		}
		var done bool
		if done, err = w.inner.Release(editlock.WithOwner(ctx, m.Owner), m.ID, editlock.IfToken(m.Token)); done {
			released = append(released, m.ID)
		}
	}
	return released, err
}

// notYours does not tell whether the session holds anything.
const notYours = "session is not yours, and you may not release all of it by force"

// releaseOthers releases holds of another session: of the same user's, or by
// force.
func (w *guarded) releaseOthers(ctx context.Context, c *auth.Caller, as editlock.Owner, session string) ([]editlock.ID, error) {
	same := func(m editlock.Mutex) bool {
		return c.Scope == nil && as.UserID != "" && m.Owner.UserID == as.UserID && as.MayEnd(m.Owner)
	}
	held, no, err := w.othersOf(ctx, c, session, func(m editlock.Mutex) bool {
		return same(m) || as.MayEnd(m.Owner) && w.g.May(c, auth.ForceRelease, m.ID) && w.g.outranks(c, as, m)
	})
	switch {
	case err != nil:
		return nil, err
	case no != nil:
		return nil, w.g.deny(ctx, c, "release a session", no.ID, notYours)
	case len(held) == 0 && !w.g.MayAny(c, auth.ForceRelease):
		return nil, w.g.deny(ctx, c, "release a session", editlock.ID{}, notYours)
	}
	defer w.allFreed(held)
	var released []editlock.ID
	if all(held, same) {
		for i, m := range held {
			if i > 0 && m.Owner.Session == held[i-1].Owner.Session {
				continue
			}
			done, err := w.inner.ReleaseSession(ctx, m.Owner.Session)
			if released = append(released, done...); err != nil {
				return released, err
			}
		}
		return released, nil
	}
	for _, m := range held {
		if editlock.AttemptFrom(ctx).Precedes(m) {
			continue
		}
		const reason = "session ended"
		switch err := w.inner.ForceRelease(ctx, m.ID, m.Token, reason); {
		case err == nil:
			w.tell(ctx, c, editlock.KindForceReleased, m, reason)
			released = append(released, m.ID)
		case !gone(err):
			return released, err
		}
	}
	return released, nil
}

// everything is what a session holds, up to the first hold of which may says no:
// that one.
func everything(ctx context.Context, l editlock.Locker, session string, may func(editlock.Mutex) bool) (held []editlock.Mutex, no *editlock.Mutex, err error) {
	for q := (editlock.Query{Session: session, Limit: editlock.MaxPage}); ; {
		page, err := l.List(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		for i := range page.Mutexes {
			if m := &page.Mutexes[i]; !may(*m) {
				return held, m, nil
			}
			held = append(held, page.Mutexes[i])
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return held, nil, nil
		}
	}
}
