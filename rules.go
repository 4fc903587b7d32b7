package editlock

import (
	"time"

	"github.com/editlock/editlock/store"
)

// The rules. Each decide function is pure: from the current record of a name and
// what a caller asks for it returns the store.Op to try, or the reason for a refusal. If
// the store refuses the operation, it returns the current record, and the rules are
// asked again. Nothing else in editlock knows them.

// standing is how a record looks to a caller; nil is free.
func standing(rec *store.Record, caller Owner) State {
	switch {
	case rec == nil:
		return Free
	case rec.Holder.Session == caller.key():
		return CapturedByMe
	}
	return CapturedByOther
}

// capture is a call that captures one mutex.
type capture struct {
	name   string
	owner  Owner
	opts   CaptureOptions
	resize bool // the limit is the Manager's, which may have had another one

	confirm time.Duration // it is taken for so long until the owner confirms; 0: on its terms
}

// guesses reports whether a guess is as good as a look: a hold that a capture would
// make a shared one, or an exclusive one, must be known.
func (c capture) guesses() bool {
	return c.opts.If.IsZero() || c.opts.If.Free() || c.resize || c.opts.keeps(unread)
}

// guess is what the caller hopes stands there, so that the first operation is the
// right one where nobody interferes. It never decides anything: the operation
// carries the condition itself.
func (c capture) guess() *store.Record {
	if c.opts.If.IsZero() || c.opts.If.Free() {
		return nil
	}
	return &store.Record{
		Holder: store.Party{Session: c.owner.key()},
		Data:   c.opts.If.statusData,
		Token:  uint64(c.opts.If.token),
		Share:  unread,
	}
}

// decideCapture is the Capture table. It returns ErrBusy, ErrConflict or ErrLost
// bare.
func decideCapture(c capture, rec *store.Record) (store.Op, error) {
	cond := c.opts.If
	switch standing(rec, c.owner) {
	case Free:
		if cond.IsZero() || cond.Free() {
			return c.acquire(), nil
		}
		return store.Op{}, ErrLost
	case CapturedByMe:
		switch cond.kind {
		case ifFree:
			return store.Op{}, ErrBusy
		case ifStatusData:
			if rec.Data != cond.statusData {
				return store.Op{}, ErrLost
			}
			return c.reshare(rec, store.Expect{Token: rec.Token, Data: &cond.statusData}) // a guess has no token
		case ifToken:
			if rec.Token != uint64(cond.token) {
				return store.Op{}, ErrLost
			}
			return c.reshare(rec, store.Expect{Token: uint64(cond.token)})
		default:
			return c.reshare(rec, store.Expect{Token: rec.Token})
		}
	default:
		switch {
		case !cond.IsZero() && !cond.Free():
			return store.Op{}, ErrLost
		case !c.mixes(rec):
			return store.Op{}, ErrConflict
		case c.room(rec):
			return c.acquire(), nil
		}
		return store.Op{}, ErrBusy
	}
}

// busy reports whether what stands there refuses the capture for now.
func (c capture) busy(rec *store.Record) bool {
	_, err := decideCapture(c, rec)
	return err == ErrBusy //nolint:errorlint // bare by contract
}

// futile reports whether a wait would be for the caller's own hold: it goes with
// IfFree, for a hold that is shared with nobody, as others let the caller in beside it.
func (c capture) futile(rec *store.Record) bool {
	return standing(rec, c.owner) == CapturedByMe && (!c.opts.If.Free() || rec.Share != store.Alone)
}

// renew refreshes the caller's own hold, and changes its share if asked to:
// exclusive to shared at any time, shared to exclusive only while nobody else holds
// the mutex or waits, as two who wait for each other to leave would wait without end.
func (c capture) reshare(rec *store.Record, expect store.Expect) (store.Op, error) {
	share := c.opts.share()
	switch {
	case rec.Share == unread || c.opts.keeps(rec.Share) || c.opts.Limit > 0 && c.opts.share() == agreed(rec):
		return c.renew(expect), nil
	case c.resize: // nobody is evicted by a limit
		return c.renew(expect), nil
	case share > 0 || rec.Share > 0:
		return store.Op{}, ErrConflict
	case share == store.Shared:
		expect.Token = rec.Token
		sw := c.renew(expect)
		sw.Share, sw.Terms = &share, allTerms(rec.Terms, sw.Terms)
		sw.Event = &store.Event{Kind: string(KindShared), Actor: party(c.owner, 0)}
		return sw, nil
	case rec.Beside > 0 || rec.Waiting > 0:
		return store.Op{}, ErrBusy
	}
	sw, alone, session := c.acquire(), store.Alone, c.owner.key()
	sw.Expect, sw.Share = expect, &alone
	sw.Expect.Token, sw.Expect.Session, sw.Expect.Data, sw.Expect.Sole = rec.Token, &session, &rec.Data, true
	sw.Event.Kind = string(KindUpgraded)
	if c.opts.StatusData == "" {
		sw.Data = &rec.Data
	}
	if c.opts.GrantAfter == 0 {
		sw.Holder = &rec.Holder
	}
	terms := rec.Terms
	if change := c.opts.AutoRelease.change(); change != nil {
		terms = c.terms()
	}
	sw.Terms = &terms
	return sw, nil
}

// allTerms are terms with what a change gives, as a change that says all.
func allTerms(t store.Terms, change *store.Terms) *store.Terms {
	if change != nil && change.Idle != 0 {
		t.Idle = change.Idle
	}
	if change != nil && change.MaxHold != 0 {
		t.MaxHold = change.MaxHold
	}
	if t.Idle == 0 {
		t.Idle = -1
	}
	if t.MaxHold == 0 {
		t.MaxHold = -1
	}
	return &t
}

// unread is the share of a hold that nobody has read.
const unread store.Share = -2

// terms are those of a new hold.
func (c capture) terms() store.Terms { return c.owner.Kind.lease(c.opts.AutoRelease).terms() }

func (c capture) acquire() store.Op {
	p, terms := party(c.owner, c.opts.GrantAfter), c.terms()
	sw := store.Op{
		Name: c.name, Do: store.Acquire, Expect: store.Expect{Free: true},
		Holder: &p, Data: &c.opts.StatusData, Terms: &terms, ConfirmWithin: c.confirm,
		Event: &store.Event{Kind: string(KindCaptured), Actor: p}, Resize: c.resize,
	}
	if share := c.opts.share(); share != store.Alone {
		sw.Share = &share
	}
	return sw
}

func (c capture) renew(expect store.Expect) store.Op {
	session := c.owner.key()
	expect.Session = &session
	sw := store.Op{Name: c.name, Do: store.Renew, Expect: expect, Terms: c.opts.AutoRelease.change()}
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
func (c capture) join(rec *store.Record, process string) store.Op {
	acquire := c.acquire()
	t := store.Waiter{
		ID: c.opts.RequestID, Process: process, Holder: *acquire.Holder, Data: *acquire.Data, Terms: *acquire.Terms,
		Event: acquire.Event, Value: c.opts.Message, ConfirmWithin: confirmWithin, Share: c.opts.share(),
	}
	// Those who hold it by now are queued behind; only promises are of those seen.
	var expect store.Expect
	if c.opts.Message != "" && rec != nil { // else something above or below is held
		if t.Asked, t.GrantAfter = asked(rec, c.owner); t.GrantAfter > 0 {
			expect.Token = rec.Token
		}
	}
	return store.Op{
		Name: c.name, Do: store.Join, Expect: expect, Waiter: &t, Resize: c.resize,
		Event: &store.Event{Kind: string(KindWaiting), Actor: t.Holder, Reason: c.opts.Message},
	}
}

// decideRelease is the Release table; with a grace time, what would be dropped
// is bounded instead. A nil operation with a nil error means that
// there is nothing to do.
func decideRelease(name string, caller Owner, cond Condition, grace time.Duration, rec *store.Record) (*store.Op, error) {
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
	session := caller.key()
	expect := store.Expect{Session: &session}
	switch cond.kind {
	case ifStatusData:
		if rec.Data != cond.statusData {
			return nil, nil
		}
		expect.Token, expect.Data = rec.Token, &cond.statusData // as above
	case ifToken:
		if rec.Token != uint64(cond.token) {
			return nil, nil
		}
		expect.Token = uint64(cond.token)
	default: // no condition; IfFree was refused before
	}
	if grace > 0 {
		return &store.Op{Name: name, Do: store.Renew, Expect: expect, ConfirmWithin: grace}, nil
	}
	return &store.Op{
		Name: name, Do: store.Release, Expect: expect,
		Event: &store.Event{Kind: string(KindReleased), Actor: party(caller, 0)},
	}, nil
}

// decideRefresh decides a refresh: by token, from the session that holds or from its
// user in a new session, which becomes the holder's. It returns ErrLost bare.
func decideRefresh(name string, caller Owner, item RefreshItem, rec *store.Record) (store.Op, error) {
	if rec == nil || rec.Token != uint64(item.Token) {
		return store.Op{}, ErrLost
	}
	sw := store.Op{
		Name: name, Do: store.Renew, Expect: store.Expect{Token: rec.Token}, Terms: item.AutoRelease.change(),
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
	return store.Op{}, ErrLost
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
