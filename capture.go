package editlock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/editlock/editlock/store"
)

// Capture implements Locker.
func (m *Manager) Capture(ctx context.Context, id ID, opts *CaptureOptions) (Mutex, error) {
	c, err := m.newCapture(ctx, id, opts)
	if err != nil {
		return Mutex{}, err
	}
	try := m.captureNow
	if c.opts.Wait > 0 {
		try = m.wait
	}
	got, err := try(ctx, c)
	if err != nil {
		return Mutex{}, err
	}
	return *got, nil
}

func (m *Manager) newCapture(ctx context.Context, id ID, opts *CaptureOptions) (*capture, error) {
	c := &capture{name: id.String(), owner: OwnerFrom(ctx), opts: options(ctx, opts)}
	if err := firstError(id.Validate(), c.owner.Validate(), c.validate(), c.owner.Kind.checkWait(id, c.opts.Wait)); err != nil {
		return nil, err
	}
	if err := m.limited(c, id); err != nil {
		return nil, err
	}
	c.opts.RequestID = scoped(c.opts.RequestID, "capture", c.owner.key(), id)
	return c, nil
}

func (m *Manager) captureNow(ctx context.Context, c *capture) (*Mutex, error) {
	if err := m.waits.revive(ctx, c.name); err != nil {
		return nil, m.storeError(ctx, err)
	}
	rec, res, err := m.capture(ctx, c)
	if err != nil {
		if err == ErrBusy && c.opts.If.Free() { //nolint:errorlint // bare by contract
			return nil, m.busy(ctx, rec, inTheWay(res, 0), res.Now, c.owner, true)
		}
		return nil, m.refusal(ctx, err, c.name, c.owner, c.opts.If.token, rec, res)
	}
	got := mutex(rec, res.Now)
	return &got, nil
}

// capture asks the rules and commits until the two agree. A refusal is ErrBusy
// or ErrLost, bare, with the record in the way.
func (m *Manager) capture(ctx context.Context, c *capture) (*store.Record, store.Result, error) {
	seen, at, sent, session := c.guess(), store.Result{}, time.Time{}, c.owner.key()
	// A token says which hold is meant, by a retry too.
	looks := AttemptFrom(ctx).IsRetry() && c.opts.If.kind != ifToken
	for again := looks || !c.guesses(); ; again = false {
		rec, res, err := seen, at, error(nil)
		acquires := false
		if again {
			rec, res, sent, err = m.look(ctx, c.opts.RequestID, c.name, store.Expect{Session: &session, Token: uint64(c.opts.If.token)})
		} else {
			sw, refused := decideCapture(*c, seen)
			if refused == nil && looks && sw.Do == store.Renew {
				sw.Expect.Token = seen.Token
				refused = m.outlived(ctx, c.owner, seen, sent)
			}
			if refused != nil {
				return seen, at, refused
			}
			acquires = sw.Do == store.Acquire
			rec, res, err = m.commit(ctx, c.opts.RequestID, sw)
		}
		rec = began(rec, c.opts.RequestID)
		switch {
		case err != nil:
			return nil, res, err
		case res.Replayed && (rec == nil || rec.Request != c.opts.RequestID):
			if shared, err := m.shared(ctx, c.name, c.opts.RequestID); err != nil {
				return nil, res, err
			} else if rec != nil && shared != nil && shared.Token == rec.Token {
				return rec, res, nil
			}
			return rec, res, ErrLost // it was ours between the first try and this one
		case res.Done && rec == nil:
			return nil, res, ErrLost // by the max_hold just given it is over already
		case res.Done:
			if res.Replayed {
				m.confirm(ctx, rec) // it may be a grant whose answer was lost
			}
			return rec, res, nil
		}
		if acquires && inTheWay(res, 0) != nil {
			return rec, res, ErrBusy
		}
		seen, at = c.opts.If.among(rec, c.owner), res
	}
}

// shared is the entry of a request that made a hold a shared one; nil: there is none.
func (m *Manager) shared(ctx context.Context, name, request string) (*store.LogEntry, error) {
	page, err := m.store.Log(ctx, store.LogQuery{Name: name, Request: request, Kinds: []string{string(KindShared)}, Limit: 1})
	if err != nil {
		return nil, m.storeError(ctx, err)
	}
	if len(page.Entries) == 0 {
		return nil, nil
	}
	return &page.Entries[0], nil
}

// refusal makes a bare ErrBusy, ErrLost or ErrNotHeld tell what it knows.
func (m *Manager) refusal(ctx context.Context, err error, name string, caller Owner, token Token, rec *store.Record, res store.Result) error {
	if err == ErrBusy { //nolint:errorlint // bare by contract; anything wrapped is passed on
		return m.busy(ctx, rec, inTheWay(res, 0), res.Now, caller, false)
	}
	if err == ErrConflict { //nolint:errorlint // as above
		return conflict(rec, res.Now)
	}
	if err == ErrNotHeld { //nolint:errorlint // as above
		return m.notHeld(ctx, name, caller)
	}
	if err == ErrLost { //nolint:errorlint // as above
		return m.lost(ctx, name, caller, token, rec, res)
	}
	return err
}

// CaptureAll implements Locker.
func (m *Manager) CaptureAll(ctx context.Context, ids []ID, opts *CaptureOptions) ([]Mutex, error) {
	c := capture{owner: OwnerFrom(ctx), opts: options(ctx, opts)}
	if err := firstError(checkIDs(ids), c.owner.Validate(), c.validate()); err != nil {
		return nil, err
	}
	if c.opts.Wait != 0 {
		return nil, invalid("wait", "wait_for_several", "goes with one mutex only: who waits for several could wait forever")
	}
	if !c.opts.If.IsZero() && !c.opts.If.Free() {
		return nil, invalid("if", "not_free_of_several", "must be absent or free where several mutexes are captured: status data and token are one mutex's own")
	}
	c.opts.RequestID = scoped(c.opts.RequestID, "capture", c.owner.key(), inOrder(ids)...)
	for _, id := range ids {
		if err := m.waits.revive(ctx, id.String()); err != nil {
			return nil, m.storeError(ctx, err)
		}
	}
	seen := make([]*store.Record, len(ids))
	var now store.Result
	var sent time.Time // when the first try of a retry was sent
	for {
		ops, inTheWay, err := m.decideAll(c, ids, seen)
		if err == ErrConflict { //nolint:errorlint // bare by contract
			return nil, conflict(inTheWay[len(inTheWay)-1], now.Now)
		}
		if bad := (*InvalidError)(nil); errors.As(err, &bad) {
			return nil, err
		}
		if err != nil {
			e := busy(inTheWay[0], now.Now, c.owner, c.opts.If.Free())
			e.Holders, e.Total = nil, 0
			for _, rec := range inTheWay {
				e.Holders = append(e.Holders, mutex(rec, now.Now))
			}
			return nil, e
		}
		if limit := c.opts.AutoRelease.MaxHold; limit > 0 {
			for i, rec := range seen {
				if rec != nil && !rec.Acquired.Add(limit).After(now.Now) {
					// Its renewal would end it, while the others are captured.
					return nil, invalid("auto_release.max_hold", "held_longer", "is %v; mutexes[%d] is held longer than that already", limit, i)
				}
			}
		}
		if AttemptFrom(ctx).IsRetry() {
			for i, rec := range seen {
				if rec == nil {
					continue
				}
				if err := m.outlived(ctx, c.owner, rec, sent); err != nil {
					return nil, m.refusal(ctx, err, ids[i].String(), c.owner, 0, rec, now)
				}
			}
		}
		age := AttemptFrom(ctx).age()
		res, err := m.store.Commit(ctx, store.Txn{ID: c.opts.RequestID, Ops: ops})
		if err != nil {
			return nil, m.storeError(ctx, err)
		}
		if res.Done {
			return m.captured(ctx, c, ids, res)
		}
		if err := m.busyAll(ctx, ops, res, c.owner); err != nil {
			return nil, err
		}
		seen, now, sent = res.Records, res, res.Now.Add(-age)
	}
}

// busyAll tells who is in the way above and below some mutexes, as one error; nil:
// nobody.
func (m *Manager) busyAll(ctx context.Context, ops []store.Op, res store.Result, caller Owner) error {
	var all *BusyError
	for i := range ops {
		path := inTheWay(res, i)
		if path == nil || ops[i].Do != store.Acquire {
			continue
		}
		err := m.busy(ctx, res.Records[i], path, res.Now, caller, false)
		var one *BusyError
		if !errors.As(err, &one) {
			return err
		}
		if all == nil {
			all = one
			all.Holders, all.Total = nil, 0
		}
		all.Holders = append(all.Holders, one.Holder)
	}
	if all == nil {
		return nil
	}
	return all
}

// decideAll asks the Capture table for each ID; one refusal refuses all.
func (m *Manager) decideAll(c capture, ids []ID, seen []*store.Record) (ops []store.Op, inTheWay []*store.Record, err error) {
	asked := c.opts
	for i, id := range ids {
		c.name, c.opts, c.resize = id.String(), asked, false
		if err := m.limited(&c, id); err != nil {
			return nil, nil, err
		}
		sw, refused := decideCapture(c, seen[i])
		if refused != nil {
			inTheWay, err = append(inTheWay, seen[i]), refused
			if refused == ErrConflict { //nolint:errorlint // bare by contract
				return nil, inTheWay, refused
			}
			continue
		}
		ops = append(ops, sw)
	}
	return ops, inTheWay, err
}

func (m *Manager) captured(ctx context.Context, c capture, ids []ID, res store.Result) ([]Mutex, error) {
	out := make([]Mutex, len(ids))
	moment := uint64(0) // of the first try
	if res.Replayed {
		var err error
		if moment, err = m.moment(ctx, c.opts.RequestID, res.Records); err != nil {
			return nil, err
		}
	}
	for i, rec := range res.Records {
		if rec == nil || res.Replayed && !c.wrote(rec, moment) {
			return nil, m.lost(ctx, ids[i].String(), c.owner, 0, rec, res)
		}
		out[i] = mutex(rec, res.Now)
	}
	return out, nil
}

// wrote reports whether a record is what the first try of a capture of several
// left: taken by it, or refreshed by it and so older than its moment.
func (c capture) wrote(rec *store.Record, moment uint64) bool {
	return rec.Request == c.opts.RequestID || rec.Token < moment && standing(rec, c.owner) == CapturedByMe
}

// moment is a number that a capture of several drew: the token of a hold that it
// began and that is in force, else that of its entry on one that it made a shared
// one. 0: there is none.
func (m *Manager) moment(ctx context.Context, request string, inForce []*store.Record) (uint64, error) {
	for _, rec := range inForce {
		if rec != nil && rec.Request == request {
			return rec.Token, nil
		}
	}
	shared, err := m.shared(ctx, "", request)
	if err != nil || shared == nil {
		return 0, err
	}
	return shared.Seq, nil
}

// Takeover implements Locker.
func (m *Manager) Takeover(ctx context.Context, id ID, seen Token, reason string, opts *CaptureOptions) (Mutex, error) {
	c := capture{name: id.String(), owner: OwnerFrom(ctx), opts: options(ctx, opts)}
	if err := firstError(id.Validate(), c.owner.Validate(), checkSeen(seen), checkReason(reason), c.validate()); err != nil {
		return Mutex{}, err
	}
	if c.opts.Sharing != SharingUnset || c.opts.Limit != 0 {
		return Mutex{}, invalid("sharing", "sharing_with_takeover", "and limit don't go with a takeover: it keeps those of the hold seen")
	}
	if c.opts.Wait != 0 || !c.opts.If.IsZero() {
		return Mutex{}, invalid("if", "condition_with_takeover", "and wait don't go with a takeover: seen_token is its condition")
	}
	if err := m.permit(ctx, KindTakenOver, c.owner, c.name, seen); err != nil {
		return Mutex{}, err
	}
	c.opts.RequestID = scoped(c.opts.RequestID, "takeover", c.owner.key(), id)
	sw := c.acquire()
	sw.Expect = store.Expect{Token: uint64(seen)}
	sw.Event.Kind, sw.Event.Reason = string(KindTakenOver), reason
	rec, res, err := m.commit(ctx, c.opts.RequestID, sw)
	rec = began(rec, c.opts.RequestID)
	switch {
	case err != nil:
		return Mutex{}, err
	case res.Done && rec != nil && (!res.Replayed || rec.Request == c.opts.RequestID):
		return mutex(rec, res.Now), nil
	case res.Done:
		return Mutex{}, m.lost(ctx, c.name, c.owner, 0, rec, res)
	}
	refused := decideSeen(seen, rec)
	if path := inTheWay(res, 0); refused == nil && path != nil {
		return Mutex{}, m.busy(ctx, nil, path, res.Now, c.owner, false)
	}
	if refused == nil { // it is shared, and the caller holds it too
		return Mutex{}, &BusyError{Holder: mutex(rec, res.Now), Self: true}
	}
	return Mutex{}, m.refusal(ctx, refused, c.name, c.owner, seen, rec, res)
}

// permit says whether caller may end the hold of another person: by its kind, then
// by the hook.
func (m *Manager) permit(ctx context.Context, do EventKind, caller Owner, name string, seen Token) error {
	if m.opts.Permit == nil && caller.Kind != Agent {
		return nil
	}
	view, err := m.store.Get(ctx, name, "")
	if err != nil {
		return m.storeError(ctx, err)
	}
	if view.Record == nil {
		return nil // refused by the transaction itself
	}
	rec, err := m.holdBy(ctx, view.Record, uint64(seen))
	if err != nil || rec == nil { // as above
		return err
	}
	held := mutex(rec, view.Now)
	switch {
	case !caller.MayEnd(held.Owner):
		return &HeldByPersonError{Holder: held}
	case m.opts.Permit == nil, held.Owner.SamePerson(caller), do == KindTakenOver && held.Owner.YieldsTo(caller):
		return nil
	}
	return m.opts.Permit(ctx, do, caller, held)
}

// Refresh implements Locker.
func (m *Manager) Refresh(ctx context.Context, items []RefreshItem) ([]RefreshResult, error) {
	if len(items) == 0 || len(items) > MaxBatch {
		return nil, invalid("items", "item_count", "has %d items; between 1 and %d are allowed", len(items), MaxBatch)
	}
	caller := OwnerFrom(ctx)
	for i, item := range items {
		if !item.ByToken {
			if err := caller.Validate(); err != nil {
				return nil, err
			}
		}
		if err := firstError(item.validate(), caller.Kind.checkLease(item.AutoRelease)); err != nil {
			return nil, within(fmt.Sprintf("items[%d].", i), "", err)
		}
	}
	// Engines share the commit, or the round trip, of what arrives together.
	results := parallel(items, func(item RefreshItem) RefreshResult {
		if err := ctx.Err(); err != nil {
			return RefreshResult{Err: err}
		}
		return m.refresh(ctx, caller, item)
	})
	var losses []loss
	for i, res := range results {
		if e, lost := res.Err.(*LostError); lost { //nolint:errorlint // ours, never wrapped
			losses = append(losses, loss{
				hold: store.Hold{Name: items[i].ID.String(), Token: uint64(items[i].Token)}, byToken: items[i].ByToken, err: e,
			})
		}
	}
	m.tellHow(ctx, caller, losses)
	return results, nil
}

func (i RefreshItem) validate() error {
	if i.Token == 0 {
		return invalid("token", "not_a_token", "must be a token that a capture returned")
	}
	return firstError(i.ID.Validate(), checkStatusData(i.StatusData), i.AutoRelease.Validate())
}

// refresh refreshes one mutex. A loss does not tell how it came about.
func (m *Manager) refresh(ctx context.Context, caller Owner, item RefreshItem) RefreshResult {
	name := item.ID.String()
	seen, at := &store.Record{Token: uint64(item.Token), Holder: store.Party{Session: caller.key()}}, store.Result{}
	stays := false // with the session that has it
	for {
		sw, err := decideRefresh(name, caller, item, seen)
		if err != nil {
			return RefreshResult{Err: lostTo(name, seen, at)}
		}
		if stays {
			sw.Holder = nil
		}
		rec, res, err := m.commit(ctx, "", sw)
		switch {
		case err != nil:
			return RefreshResult{Err: err}
		case res.Done && rec != nil:
			return RefreshResult{Mutex: mutex(rec, res.Now)}
		case res.Done:
			return RefreshResult{Err: lostTo(name, nil, res)}
		}
		stays = sw.Holder != nil && inTheWay(res, 0) != nil // the caller's later refreshes may move it
		seen, at = rec, res
	}
}

// inOrder returns the names of mutexes in their order: a retry may list them in another one.
func inOrder(ids []ID) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id.String()
	}
	slices.Sort(names)
	return names
}
