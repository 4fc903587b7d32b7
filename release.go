package editlock

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/editlock/editlock/store"
)

// Release implements Locker.
func (m *Manager) Release(ctx context.Context, id ID, cond Condition) (bool, error) {
	caller := OwnerFrom(ctx)
	if err := firstError(id.Validate(), caller.Validate(), cond.validate(), AttemptFrom(ctx).validate()); err != nil {
		return false, err
	}
	if requestID, is := cond.Request(); is {
		return m.withdraw(ctx, id, caller, requestID)
	}
	return m.release(ctx, id.String(), caller, cond, 0)
}

// ReleaseAfter implements Locker.
func (m *Manager) ReleaseAfter(ctx context.Context, id ID, cond Condition, grace time.Duration) (bool, error) {
	caller := OwnerFrom(ctx)
	if err := firstError(id.Validate(), caller.Validate(), cond.validate(), checkGrace(grace), AttemptFrom(ctx).validate()); err != nil {
		return false, err
	}
	if _, is := cond.Request(); is {
		return false, invalid("if.request", "goes_without_grace", "goes without grace")
	}
	m.confirmed(ctx, id.String())
	return m.release(ctx, id.String(), caller, cond, grace)
}

// release frees a mutex, at once or after a grace time. A retry leaves a hold
// alone that began, or was refreshed to be kept, since the first try was sent.
func (m *Manager) release(ctx context.Context, name string, caller Owner, cond Condition, grace time.Duration) (bool, error) {
	if cond.Free() {
		return false, invalid("if.free", "free_at_release", "makes no sense at a release; status_data or token may be given")
	}
	id := ""
	if grace == 0 { // else nothing is logged by which it could be known
		id = scoped(AttemptFrom(ctx).Key, "release", caller.key(), name)
	}
	// The first operation supposes that all is as the caller says.
	seen, at := &store.Record{
		Holder: store.Party{Session: caller.key()}, Data: cond.statusData, Token: uint64(cond.token),
	}, store.Result{}
	var sent time.Time
	// A token says which hold is meant, by a retry too.
	looks := AttemptFrom(ctx).IsRetry() && (cond.kind != ifToken || grace > 0)
	if looks {
		var err error
		if seen, at, sent, err = m.look(ctx, id, name, store.Expect{Session: &seen.Holder.Session}); err != nil || at.Done {
			return at.Done, err
		}
		seen = cond.among(seen, caller)
	}
	for {
		sw, err := decideRelease(name, caller, cond, grace, seen)
		switch {
		case err != nil:
			return false, busy(seen, at.Now, caller, false)
		case sw == nil, looks && seen.Acquired.After(sent):
			return false, nil
		case looks && grace > 0 && seen.Renewed.After(sent):
			return !seen.Expires.IsZero() && !seen.Expires.After(seen.Renewed.Add(grace)), nil // by the first try, or kept since
		case looks:
			sw.Expect.Token = seen.Token
		}
		rec, res, err := m.commit(ctx, id, *sw)
		if err != nil || res.Done {
			return res.Done, err
		}
		seen, at = cond.among(rec, caller), res
	}
}

// ReleaseAll implements Locker.
func (m *Manager) ReleaseAll(ctx context.Context, ids []ID) ([]ID, error) {
	caller := OwnerFrom(ctx)
	if err := firstError(checkIDs(ids), caller.Validate(), AttemptFrom(ctx).validate()); err != nil {
		return nil, err
	}
	type outcome struct {
		released bool
		err      error
	}
	outcomes := parallel(ids, func(id ID) outcome {
		if err := ctx.Err(); err != nil {
			return outcome{false, err}
		}
		released, err := m.release(ctx, id.String(), caller, Condition{}, 0)
		if _, held := err.(*BusyError); held { //nolint:errorlint // ours, never wrapped
			err = nil
		}
		return outcome{released, err}
	})
	var released []ID
	for i, o := range outcomes {
		if o.err != nil {
			return released, o.err
		}
		if o.released {
			released = append(released, ids[i])
		}
	}
	return released, nil
}

// ReleaseSession implements Locker.
func (m *Manager) ReleaseSession(ctx context.Context, session string) ([]ID, error) {
	caller := OwnerFrom(ctx)
	if session == "" {
		return nil, invalid("session", "empty", "must not be empty")
	}
	if err := firstError(checkText("session", session, MaxOwnerField), AttemptFrom(ctx).validate()); err != nil {
		return nil, err
	}
	if caller.Session == "" {
		caller = Owner{Session: session}
	}
	note := store.Event{Kind: string(KindReleased), Actor: party(caller, 0)}
	if caller.Session != session {
		note.Reason = "session ended"
	}
	type outcome struct {
		released []ID
		err      error
	}
	var released []ID
	var failed error
	for _, o := range parallel(caller.sessionKeys(session), func(key string) outcome {
		ids, err := m.releaseKey(ctx, key, note)
		return outcome{ids, err}
	}) {
		released, failed = append(released, o.released...), cmp.Or(failed, o.err)
	}
	return released, failed
}

// releaseKey releases everything of a session of one kind.
func (m *Manager) releaseKey(ctx context.Context, key string, note store.Event) (released []ID, err error) {
	try := AttemptFrom(ctx)
	for q := (store.RecordQuery{Session: key, Limit: MaxBatch}); ; {
		age := try.age() // before the store tells the time, or what the first try meant could seem newer
		page, err := m.store.List(ctx, q)
		if err != nil {
			return released, m.storeError(ctx, err)
		}
		meant := slices.DeleteFunc(page.Records, func(rec store.Record) bool {
			return try.IsRetry() && rec.Acquired.After(page.Now.Add(-age))
		})
		ended, err := m.releaseAll(ctx, meant, note)
		released = append(released, ended...)
		if err != nil || page.Next == "" {
			return released, err
		}
		q.After, q.AfterToken = page.Next, page.NextToken
	}
}

// dropAll drops the holds seen, together; if one of them has ended meanwhile, or
// several are of one name, each for itself. One that began since is another.
func (m *Manager) releaseAll(ctx context.Context, recs []store.Record, note store.Event) ([]ID, error) {
	if len(recs) == 0 {
		return nil, nil
	}
	req := store.Txn{}
	var res store.Result
	twice := false
	for i, rec := range recs {
		twice = twice || i > 0 && rec.Name == recs[i-1].Name
		req.Ops = append(req.Ops, store.Op{
			Name: rec.Name, Do: store.Release, Expect: store.Expect{Token: rec.Token, Session: &rec.Holder.Session}, Event: &note,
		})
	}
	if !twice {
		var err error
		if res, err = m.store.Commit(ctx, req); err != nil {
			return nil, m.storeError(ctx, err)
		}
	}
	var ended []ID
	for i, rec := range recs {
		if !res.Done {
			_, one, err := m.commit(ctx, "", req.Ops[i])
			if err != nil {
				return ended, err
			}
			if !one.Done {
				continue
			}
		}
		id := parseName(rec.Name)
		ended = append(ended, id)
	}
	return ended, nil
}

// ForceRelease implements Locker.
func (m *Manager) ForceRelease(ctx context.Context, id ID, seen Token, reason string) error {
	caller, name := OwnerFrom(ctx), id.String()
	if err := firstError(id.Validate(), caller.Validate(), checkSeen(seen), checkReason(reason), AttemptFrom(ctx).validate()); err != nil {
		return err
	}
	if err := m.permit(ctx, KindForceReleased, caller, name, seen); err != nil {
		return err
	}
	key := scoped(AttemptFrom(ctx).Key, "force-release", caller.key(), name)
	rec, res, err := m.commit(ctx, key, store.Op{
		Name: name, Do: store.Release, Expect: store.Expect{Token: uint64(seen)},
		Event: &store.Event{Kind: string(KindForceReleased), Actor: party(caller, 0), Reason: reason},
	})
	if err != nil || res.Done {
		return err
	}
	return m.refusal(ctx, decideSeen(seen, rec), name, caller, seen, rec, res)
}

// HandOver implements Locker.
func (m *Manager) HandOver(ctx context.Context, id ID) (bool, error) {
	caller, name := OwnerFrom(ctx), id.String()
	if err := firstError(id.Validate(), caller.Validate(), AttemptFrom(ctx).validate()); err != nil {
		return false, err
	}
	session := caller.key()
	key, expect := scoped(AttemptFrom(ctx).Key, "hand-over", session, name), store.Expect{Session: &session, Waiting: true}
	if AttemptFrom(ctx).IsRetry() {
		rec, res, sent, err := m.look(ctx, key, name, store.Expect{Session: &session})
		switch {
		case err != nil || res.Done:
			return res.Done, err
		case rec == nil, rec.Acquired.After(sent):
			return false, m.lost(ctx, name, caller, 0, rec, res)
		}
		expect.Token = rec.Token
	}
	rec, res, err := m.commit(ctx, key, store.Op{
		Name: name, Do: store.Release, Expect: expect,
		Event: &store.Event{Kind: string(KindHandedOver), Actor: party(caller, 0)},
	})
	if err != nil || res.Done {
		return res.Done, err
	}
	if standing(rec, caller) == CapturedByMe {
		return false, nil // nobody waits
	}
	return false, m.lost(ctx, name, caller, 0, rec, res)
}

// Decline implements Locker.
func (m *Manager) Decline(ctx context.Context, id ID, waiter, message string) (bool, error) {
	caller, name := OwnerFrom(ctx), id.String()
	if waiter == "" {
		return false, invalid("waiter", "not_a_waiter", "must be the id of somebody who waits")
	}
	if err := firstError(id.Validate(), caller.Validate(), checkText("waiter", waiter, maxRequestID),
		checkWords("message", message, MaxMessage)); err != nil {
		return false, err
	}
	session := caller.key()
	rec, res, err := m.commit(ctx, "", store.Op{
		Name: name, Do: store.Leave, Expect: store.Expect{Session: &session}, Waiter: &store.Waiter{ID: waiter},
		Event: &store.Event{Kind: string(KindDeclined), Actor: party(caller, 0), Reason: message},
	})
	if err != nil || res.Done {
		return res.Done, err
	}
	if AttemptFrom(ctx).IsRetry() {
		page, err := m.store.Log(ctx, store.LogQuery{Name: name, Request: waiter, Kinds: []string{string(KindDeclined)}, Limit: 1})
		if err != nil {
			return false, m.storeError(ctx, err)
		}
		if len(page.Entries) > 0 && page.Entries[0].Actor.Session == session {
			return true, nil // the first try did it
		}
	}
	if standing(rec, caller) == CapturedByMe {
		return false, nil // the waiter waits no more
	}
	return false, m.lost(ctx, name, caller, 0, rec, res)
}
