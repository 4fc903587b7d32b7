package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/presence"
)

// actAs makes the call that of an owner: the one that the credentials name
// or allow. Without authentication o must not be nil.
func (c *call) actAs(o *wire.Owner) error {
	switch {
	case c.caller != nil:
		return c.actAsProved(o)
	case o == nil:
		return invalid("owner", "owner_missing", "is missing: it says who you are")
	}
	stated, err := o.Stated()
	c.ctx = editlock.WithOwner(c.ctx, stated)
	return err
}

// actAsProved makes the call that of the caller's owner, and refuses one that
// is another.
func (c *call) actAsProved(o *wire.Owner) error {
	var stated *editlock.Owner
	if o != nil {
		root, err := o.Stated()
		if err != nil {
			return err
		}
		stated = &root
	}
	owner, err := c.caller.ActAs(stated)
	if o != nil && o.Kind == editlock.Person.String() && err == nil {
		err = c.caller.StateKind(editlock.Person)
	}
	if err != nil {
		if errors.Is(err, editlock.ErrForbidden) {
			c.opts.Access.Refuse(c.ctx, c.caller, "act as another", err)
		}
		return err
	}
	c.ctx = editlock.WithOwner(c.ctx, owner)
	return nil
}

// actAsIfGiven makes the call that of an owner, or a stranger's.
func (c *call) actAsIfGiven(o *wire.Owner) error {
	if o != nil || c.known() {
		return c.actAs(o)
	}
	c.ctx = editlock.WithoutOwner(c.ctx)
	return nil
}

// known tells that the credentials say who the owner is.
func (c *call) known() bool { return c.caller != nil && c.caller.Scope == nil }

// one checks that a mutex is given.
func one(id *wire.ID) (editlock.ID, error) {
	if id == nil {
		return editlock.ID{}, invalid("mutex", "missing", "is missing")
	}
	return id.Root(), nil
}

// oneOrSeveral checks that either a mutex or several are given.
func oneOrSeveral(id *wire.ID, ids []wire.ID) (editlock.ID, error) {
	switch {
	case id != nil && ids != nil:
		return editlock.ID{}, invalid("mutexes", "mutexes_with_mutex", "is given beside mutex; give one of them")
	case ids != nil:
		return editlock.ID{}, nil
	}
	return one(id)
}

// first returns the first of several errors.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func grantAfter(d *wire.Duration) (time.Duration, error) {
	if d == nil {
		return 0, nil
	}
	if *d == 0 {
		return 0, invalid("grant_after", "out_of_range", "is %v; between %v and %v is allowed", time.Duration(0), time.Second, 24*time.Hour)
	}
	return time.Duration(*d), nil
}

// The headers that make a retry the same call: a key that all tries of it have,
// and, on a retry, how long ago the first try was sent.
const (
	idempotencyKey = "Idempotency-Key"
	idempotencyAge = "Idempotency-Age"
)

// try makes the call the one try of many that its headers say. The library
// scopes the key to who asks for what.
func (c *call) try() error {
	key, err := c.header(idempotencyKey)
	if err != nil {
		return err
	}
	old, err := c.header(idempotencyAge)
	if err != nil || key == "" && old == "" {
		return err
	}
	t := editlock.Attempt{Key: key}
	if old != "" {
		var age wire.Duration
		if err := age.UnmarshalText([]byte(old)); err != nil {
			return invalid(idempotencyAge, "not_a_duration", "must be a duration such as \"300s\", \"5m\" or \"8h\", not %q", short(old))
		}
		if age < 0 {
			return invalid(idempotencyAge, "negative_age", "must not be negative: it is how long ago the first try was sent")
		}
		t.First = time.Now().Add(-time.Duration(age))
	}
	c.ctx = editlock.WithAttempt(c.ctx, t)
	return nil
}

func (c *call) header(name string) (string, error) {
	switch values := c.r.Header[name]; {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", invalid(name, "given_again", "is given %d times; give it once", len(values))
	case values[0] == "":
		return "", invalid(name, "empty", "must not be empty")
	default:
		return values[0], nil
	}
}

// named makes an error about the request ID name the header it came in.
func named(err error) error {
	var bad *editlock.InvalidError
	if errors.As(err, &bad) && bad.Field == "request_id" {
		in := *bad
		in.Field = idempotencyKey
		return &in
	}
	return err
}

func capture(c *call, in *wire.CaptureRequest) (any, error) {
	id, err := oneOrSeveral(in.Mutex, in.Mutexes)
	if err != nil {
		return nil, err
	}
	opts, err := c.captureOptions(in)
	switch {
	case err != nil:
		return nil, err
	case in.Mutexes != nil:
		ms, err := c.locker.CaptureAll(c.ctx, wire.RootIDs(in.Mutexes), opts)
		return &wire.CaptureAllAnswer{Mutexes: wire.FromMutexes(ms)}, named(err)
	case opts.Wait > 0:
		ctx, end := patience.WithEnd(c.ctx)
		defer end(nil)
		defer context.AfterFunc(c.draining, func() { end(errDraining) })()
		within := time.Duration(0)
		if opts.RequestID != "" {
			within = answerWithin(c.r)
		}
		c.ctx, c.waiter = patience.WithCaller(ctx, within)
	}
	return c.captureOne(id, opts)
}

const (
	// usualWithin is shorter than what proxies commonly give a request.
	usualWithin = 25 * time.Second
	leastWithin = time.Second
)

// answerWithin is how soon a caller who comes back wants an answer (RFC 7240);
// 0 for one who waits for the end.
func answerWithin(r *http.Request) (within time.Duration) {
	async, wait := false, usualWithin
	for _, one := range strings.Split(strings.Join(r.Header["Prefer"], ","), ",") {
		one, _, _ = strings.Cut(one, ";")
		name, value, _ := strings.Cut(one, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "respond-async":
			async = true
		case "wait":
			seconds, err := strconv.ParseUint(strings.Trim(value, " \t\""), 10, 16)
			if err == nil {
				wait = max(time.Duration(seconds)*time.Second, leastWithin)
			}
		}
	}
	if !async {
		return 0
	}
	return wait
}

// captureOptions makes the call the owner's and reads the options from its
// body.
func (c *call) captureOptions(in *wire.CaptureRequest) (*editlock.CaptureOptions, error) {
	auto, badAuto := in.AutoRelease.Root("auto_release")
	cond, badCond := in.If.Root()
	grant, badGrant := grantAfter(in.GrantAfter)
	sharing, badSharing := wire.RootSharing(in.Sharing)
	if err := first(c.actAs(in.Owner), badAuto, badCond, badGrant, badSharing, c.try()); err != nil {
		return nil, err
	}
	opts := &editlock.CaptureOptions{
		StatusData: in.StatusData, AutoRelease: auto, If: cond, Message: in.Message, GrantAfter: grant,
		Sharing: sharing, Limit: in.Limit,
		RequestID: editlock.AttemptFrom(c.ctx).Key,
	}
	if in.Wait != nil {
		opts.Wait = time.Duration(*in.Wait)
	}
	return opts, nil
}

// captureOne stands alone for its small stack, which thousands may wait on.
func (c *call) captureOne(id editlock.ID, opts *editlock.CaptureOptions) (any, error) {
	m, err := c.locker.Capture(c.ctx, id, opts)
	var waits *patience.Waiting
	switch {
	case errors.As(err, &waits):
		return c.waiting(id, waits), nil
	case err != nil:
		return nil, named(err)
	}
	return captured(m), nil
}

// waiting tells a caller who comes back where it stands.
func (c *call) waiting(id editlock.ID, w *patience.Waiting) *wire.CaptureAnswer {
	c.status = http.StatusAccepted
	out := &wire.CaptureAnswer{State: wire.Waiting, Kept: wire.Duration(patience.Grace)}
	if _, m, err := c.locker.Request(c.ctx, id); err == nil && m.Token != 0 {
		form := wire.FromMutex(m)
		out.Mutex = &form
		out.Place = 1 + slices.IndexFunc(m.Waiters, func(q editlock.Waiter) bool { return q.ID == w.Ticket })
	}
	return out
}

func captured(m editlock.Mutex) *wire.CaptureAnswer {
	form := wire.FromMutex(m)
	return &wire.CaptureAnswer{State: editlock.CapturedByMe.String(), Mutex: &form}
}

func refresh(c *call, in *wire.RefreshRequest) (any, error) {
	items := make([]editlock.RefreshItem, len(in.Items))
	for i, item := range in.Items {
		at := fmt.Sprintf("items[%d].", i)
		if item.Mutex == nil {
			return nil, invalid(at+"mutex", "missing", "is missing")
		}
		auto, err := item.AutoRelease.Root(at + "auto_release")
		if err != nil {
			return nil, err
		}
		items[i] = editlock.RefreshItem{
			ID: item.Mutex.Root(), Token: editlock.Token(item.Token), StatusData: item.StatusData,
			AutoRelease: auto, ByToken: in.Owner == nil && !c.known(),
		}
	}
	var looks []presence.Look
	if in.Presence != nil {
		if in.Owner == nil && !c.known() {
			return nil, invalid("presence", "presence_without_owner", "needs an owner: it says who looks")
		}
		var err error
		if looks, err = looksOf(in.Presence, "presence."); err != nil {
			return nil, err
		}
	}
	if err := c.actAsIfGiven(in.Owner); err != nil {
		return nil, err
	}
	results, err := c.locker.Refresh(access.WithItems(c.ctx, len(looks)), items)
	if err != nil {
		return nil, err
	}
	out := &wire.RefreshAnswer{Results: make([]wire.RefreshResult, len(results))}
	for i, res := range results {
		if res.Err != nil {
			out.Results[i].Problem = c.problem(c.r, res.Err)
			continue
		}
		m := wire.FromMutex(res.Mutex)
		out.Results[i].Mutex = &m
	}
	if in.Presence != nil {
		out.Presence = c.look(in.Presence.Page, looks)
	}
	return out, nil
}

func request(c *call, in *wire.LookRequest) (any, error) {
	id, err := one(in.Mutex)
	if err != nil {
		return nil, err
	}
	if in.Owner != nil && in.Owner.Session == "" && !c.known() {
		return nil, invalid("owner.session", "empty_session_of_stranger", "must not be empty; leave owner out to ask as a stranger")
	}
	if err := c.actAsIfGiven(in.Owner); err != nil {
		return nil, err
	}
	state, m, err := c.locker.Request(c.ctx, id)
	if err != nil {
		return nil, err
	}
	out := &wire.CaptureAnswer{State: state.String()}
	if state != editlock.Free {
		form := wire.FromMutex(m)
		out.Mutex = &form
		if len(m.Others) > 0 {
			out.Holders = append([]wire.Mutex{form}, wire.FromMutexes(m.Others)...)
		}
	}
	return out, nil
}

func release(c *call, in *wire.ReleaseRequest) (any, error) {
	id, badID := oneOrSeveral(in.Mutex, in.Mutexes)
	cond, badCond := in.If.Root()
	if err := first(badID, c.actAs(in.Owner), badCond, c.try()); err != nil {
		return nil, err
	}
	if in.Mutexes != nil {
		if !cond.IsZero() {
			return nil, invalid("if", "condition_of_several", "goes with one mutex only: status data and token are one mutex's own")
		}
		if in.Grace != nil {
			return nil, invalid("grace", "goes_with_one_mutex", "goes with one mutex only")
		}
		ids, err := c.locker.ReleaseAll(c.ctx, wire.RootIDs(in.Mutexes))
		return &wire.ReleaseAllAnswer{Released: len(ids) > 0, Mutexes: wire.FromIDs(ids)}, named(err)
	}
	if in.Grace != nil {
		released, err := c.locker.ReleaseAfter(c.ctx, id, cond, time.Duration(*in.Grace))
		return &wire.ReleaseAnswer{Released: released}, named(err)
	}
	released, err := c.locker.Release(c.ctx, id, cond)
	return &wire.ReleaseAnswer{Released: released}, named(err)
}

func takeover(c *call, in *wire.TakeoverRequest) (any, error) {
	id, badID := one(in.Mutex)
	auto, badAuto := in.AutoRelease.Root("auto_release")
	grant, badGrant := grantAfter(in.GrantAfter)
	if err := first(badID, c.actAs(in.Owner), badAuto, badGrant, c.try()); err != nil {
		return nil, err
	}
	m, err := c.locker.Takeover(c.ctx, id, editlock.Token(in.SeenToken), in.Reason, &editlock.CaptureOptions{
		StatusData: in.StatusData, AutoRelease: auto, GrantAfter: grant, RequestID: editlock.AttemptFrom(c.ctx).Key,
	})
	return captured(m), named(err)
}

func forceRelease(c *call, in *wire.ForceReleaseRequest) (any, error) {
	id, badID := one(in.Mutex)
	if err := first(badID, c.actAs(in.Owner), c.try()); err != nil {
		return nil, err
	}
	err := c.locker.ForceRelease(c.ctx, id, editlock.Token(in.SeenToken), in.Reason)
	return &wire.ReleaseAnswer{Released: true}, named(err)
}

func releaseSession(c *call, in *wire.ReleaseSessionRequest) (any, error) {
	if err := first(c.actAsIfGiven(in.Owner), c.try()); err != nil {
		return nil, err
	}
	ids, err := c.locker.ReleaseSession(c.ctx, in.Session)
	return &wire.ReleaseAllAnswer{Released: len(ids) > 0, Mutexes: wire.FromIDs(ids)}, named(err)
}

func handOver(c *call, in *wire.HandOverRequest) (any, error) {
	id, badID := one(in.Mutex)
	if err := first(badID, c.actAs(in.Owner), c.try()); err != nil {
		return nil, err
	}
	passed, err := c.locker.HandOver(c.ctx, id)
	return &wire.HandOverAnswer{HandedOver: passed}, named(err)
}

func decline(c *call, in *wire.DeclineRequest) (any, error) {
	id, badID := one(in.Mutex)
	if err := first(badID, c.actAs(in.Owner), c.try()); err != nil {
		return nil, err
	}
	declined, err := c.locker.Decline(c.ctx, id, in.Waiter, in.Message)
	return &wire.DeclineAnswer{Declined: declined}, named(err)
}
