package editlock

import (
	"time"

	"github.com/editlock/editlock/store"
)

// The rules. Each decide function is pure: from what stands under a name and
// what a caller wants it tells the compare-and-swap to try, or why not. A
// refused swap returns what stands there by then, and the rules are asked
// again. Nothing else in editlock knows them.

// standing is how a record looks to a caller; nil is free.
func standing(rec *store.Record, caller Owner) State {
	switch {
	case rec == nil:
		return Free
	case rec.Holder.Session == caller.Session:
		return CapturedByMe
	}
	return CapturedByOther
}

// capture is a wish to capture one mutex.
type capture struct {
	name  string
	owner Owner
	opts  CaptureOptions

	confirm time.Duration // it is taken for so long until the owner confirms; 0: on its terms
}

// guess is what the caller hopes stands there, so that the first swap is the
// right one where nobody interferes. It never decides anything: the swap
// carries the condition itself.
func (c capture) guess() *store.Record {
	if c.opts.If.IsZero() || c.opts.If.Free() {
		return nil
	}
	return &store.Record{
		Holder: store.Party{Session: c.owner.Session},
		Data:   c.opts.If.statusData,
		Token:  uint64(c.opts.If.token),
	}
}

// decideCapture is the Capture table. It returns ErrBusy or ErrLost bare.
func decideCapture(c capture, rec *store.Record) (store.Swap, error) {
	cond := c.opts.If
	switch standing(rec, c.owner) {
	case Free:
		if cond.IsZero() || cond.Free() {
			return c.take(), nil
		}
		return store.Swap{}, ErrLost
	case CapturedByMe:
		switch cond.kind {
		case ifFree:
			return store.Swap{}, ErrBusy
		case ifStatusData:
			if rec.Data != cond.statusData {
				return store.Swap{}, ErrLost
			}
			return c.touch(store.Expect{Data: &cond.statusData}), nil
		case ifToken:
			if rec.Token != uint64(cond.token) {
				return store.Swap{}, ErrLost
			}
			return c.touch(store.Expect{Token: uint64(cond.token)}), nil
		default:
			return c.touch(store.Expect{Token: rec.Token}), nil
		}
	default:
		if cond.IsZero() || cond.Free() {
			return store.Swap{}, ErrBusy
		}
		return store.Swap{}, ErrLost
	}
}

func (c capture) take() store.Swap {
	p, terms := party(c.owner, c.opts.GrantAfter), c.opts.AutoRelease.terms()
	return store.Swap{
		Name: c.name, Do: store.Take, Expect: store.Expect{Free: true},
		Holder: &p, Data: &c.opts.StatusData, Terms: &terms, Confirm: c.confirm,
		Note: &store.Note{Kind: string(KindCaptured), Actor: p},
	}
}

func (c capture) touch(expect store.Expect) store.Swap {
	expect.Session = &c.owner.Session
	sw := store.Swap{Name: c.name, Do: store.Touch, Expect: expect, Terms: c.opts.AutoRelease.change()}
	if c.opts.StatusData != "" {
		sw.Data = &c.opts.StatusData
	}
	if c.opts.GrantAfter != 0 {
		p := party(c.owner, c.opts.GrantAfter)
		sw.Holder = &p
	}
	return sw
}

// join queues for a mutex seen held. Who asks with a message gets it after
// the time that its holder promised.
func (c capture) join(rec *store.Record, peer string) store.Swap {
	take := c.take()
	t := store.Ticket{
		ID: c.opts.RequestID, Peer: peer, Holder: *take.Holder, Data: *take.Data, Terms: *take.Terms,
		Note: take.Note, Value: c.opts.Message, Confirm: confirmWithin,
	}
	// Whoever holds it by now is queued behind; only a promise is one holder's.
	var expect store.Expect
	if c.opts.Message != "" {
		_, t.ClaimAfter = owner(rec.Holder)
	}
	if t.ClaimAfter > 0 {
		expect.Token = rec.Token
	}
	return store.Swap{
		Name: c.name, Do: store.Join, Expect: expect, Ticket: &t,
		Note: &store.Note{Kind: string(KindWaiting), Actor: t.Holder, Reason: c.opts.Message},
	}
}

// decideRelease is the Release table; with a grace time, what would be dropped
// is bounded instead. A nil swap with a nil error means that
// there is nothing to do.
func decideRelease(name string, caller Owner, cond Condition, grace time.Duration, rec *store.Record) (*store.Swap, error) {
	switch standing(rec, caller) {
	case Free:
		return nil, nil
	case CapturedByOther:
		if cond.IsZero() {
			return nil, ErrBusy
		}
		return nil, nil
	case CapturedByMe:
	}
	expect := store.Expect{Session: &caller.Session}
	switch cond.kind {
	case ifStatusData:
		if rec.Data != cond.statusData {
			return nil, nil
		}
		expect.Data = &cond.statusData
	case ifToken:
		if rec.Token != uint64(cond.token) {
			return nil, nil
		}
		expect.Token = uint64(cond.token)
	default: // no condition; IfFree was refused before
	}
	if grace > 0 {
		return &store.Swap{Name: name, Do: store.Touch, Expect: expect, Confirm: grace}, nil
	}
	return &store.Swap{
		Name: name, Do: store.Drop, Expect: expect,
		Note: &store.Note{Kind: string(KindReleased), Actor: party(caller, 0)},
	}, nil
}

// decideRefresh is the beat: by token, from the session that holds or from
// its user in a new session, who moves in. It returns ErrLost bare.
func decideRefresh(name string, caller Owner, item RefreshItem, rec *store.Record) (store.Swap, error) {
	if rec == nil || rec.Token != uint64(item.Token) {
		return store.Swap{}, ErrLost
	}
	sw := store.Swap{
		Name: name, Do: store.Touch, Expect: store.Expect{Token: rec.Token}, Terms: item.AutoRelease.change(),
	}
	if item.StatusData != "" {
		sw.Data = &item.StatusData
	}
	if item.ByToken {
		return sw, nil
	}
	sw.Expect.Session = &rec.Holder.Session
	if standing(rec, caller) == CapturedByMe {
		return sw, nil
	}
	if holder, grantAfter := owner(rec.Holder); holder.SamePerson(caller) {
		p := party(caller, grantAfter)
		sw.Holder = &p
		return sw, nil
	}
	return store.Swap{}, ErrLost
}

// decideSeen judges a takeover or a forced release of the holder seen: ErrBusy
// if it is another by now, ErrNotHeld if the mutex is free.
func decideSeen(seen Token, rec *store.Record) error {
	switch {
	case rec == nil:
		return ErrNotHeld
	case rec.Token != uint64(seen):
		return ErrBusy
	}
	return nil
}
