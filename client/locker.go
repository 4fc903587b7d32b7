package client

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
)

// requestID returns the key of a call: the caller's, or a new one that
// sorts by time, so that a store's index of many grows at its end.
func requestID(ctx context.Context, given string) (string, error) {
	given = cmp.Or(given, editlock.AttemptFrom(ctx).Key)
	if given == "" {
		id, err := uuid.NewV7()
		return id.String(), err
	}
	if i := strings.IndexFunc(given, unicode.IsControl); i >= 0 {
		return "", invalid("request_id", "control_character", "has a control character at byte %d; none is allowed", i)
	}
	return given, nil
}

// form returns the form of an AutoRelease, nil if nothing is said.
func form(a editlock.AutoRelease) *wire.AutoRelease {
	if a == (editlock.AutoRelease{}) {
		return nil
	}
	out := wire.FromAutoRelease(a)
	return &out
}

func duration(d time.Duration) *wire.Duration {
	if d == 0 {
		return nil
	}
	return (*wire.Duration)(&d)
}

// me returns the form of the owner in ctx, who must be given to the server
// even where it does not know the caller, so that it refuses them.
func me(ctx context.Context) *wire.Owner {
	o := wire.OwnerForm(editlock.OwnerFrom(ctx))
	return &o
}

func (c *Client) capture(ctx context.Context, body *wire.CaptureRequest, opts *editlock.CaptureOptions, answer captureAnswer) error {
	var o editlock.CaptureOptions
	if opts != nil {
		o = *opts
	}
	key, err := requestID(ctx, o.RequestID)
	if err != nil {
		return err
	}
	body.Owner, body.StatusData, body.AutoRelease = me(ctx), o.StatusData, form(o.AutoRelease)
	body.If, body.Wait, body.Message, body.GrantAfter = wire.FromCondition(o.If), duration(o.Wait), o.Message, duration(o.GrantAfter)
	body.Sharing, body.Limit = wire.FromSharing(o.Sharing), o.Limit
	m := message{method: http.MethodPost, path: "/v1/capture", key: key, body: body, wait: body.Wait}
	if o.Wait <= 0 {
		return fields(c.send(ctx, m, answer))
	}
	err = c.wait(ctx, m, answer)
	if ctx.Err() != nil && o.RequestID == "" {
		c.withdraw(ctx, body, key)
	}
	return fields(err)
}

// Capture implements Locker. A repetition carries the same key, so it is the
// same capture; one that waits keeps its deadline. A wait is made of requests
// shorter than what proxies cut off. When ctx ends, the place in the queue is
// given up at once; with a RequestID of the caller's, it is kept some seconds
// for another Capture.
func (c *Client) Capture(ctx context.Context, id editlock.ID, opts *editlock.CaptureOptions) (editlock.Mutex, error) {
	form := wire.FromID(id)
	var out wire.CaptureAnswer
	if err := c.capture(ctx, &wire.CaptureRequest{Mutex: &form}, opts, &out); err != nil {
		return editlock.Mutex{}, err
	}
	m, err := c.mutex(out.Mutex)
	if err != nil || opts == nil || opts.Wait <= 0 || !provisional(m) {
		return m, err
	}
	return c.confirm(ctx, m)
}

// mutex reads a mutex that an answer must hold.
func (c *Client) mutex(form *wire.Mutex) (editlock.Mutex, error) {
	if form == nil || form.Token == 0 {
		return editlock.Mutex{}, unavailable("%s answers without a mutex; is it an editlock server?", c.base)
	}
	m, err := form.Root()
	if err != nil {
		return m, unavailable("%s answers with a mutex that makes no sense: %w", c.base, err)
	}
	return m, nil
}

func (c *Client) mutexes(forms []wire.Mutex) ([]editlock.Mutex, error) {
	var out []editlock.Mutex
	for i := range forms {
		m, err := c.mutex(&forms[i])
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// CaptureAll implements Locker. A repetition carries the same key, so it is
// the same capture.
func (c *Client) CaptureAll(ctx context.Context, ids []editlock.ID, opts *editlock.CaptureOptions) ([]editlock.Mutex, error) {
	var out wire.CaptureAllAnswer
	if err := c.capture(ctx, &wire.CaptureRequest{Mutexes: wire.FromIDs(ids)}, opts, &out); err != nil {
		return nil, err
	}
	return c.mutexes(out.Mutexes)
}

// Request implements Locker. It changes nothing, so it is repeated freely.
func (c *Client) Request(ctx context.Context, id editlock.ID) (editlock.State, editlock.Mutex, error) {
	form := wire.FromID(id)
	var out wire.CaptureAnswer
	body := &wire.LookRequest{Mutex: &form, Owner: wire.FromOwner(editlock.OwnerFrom(ctx))}
	if err := c.post(ctx, "/v1/request", body, &out); err != nil {
		return 0, editlock.Mutex{}, err
	}
	for _, state := range []editlock.State{editlock.CapturedByMe, editlock.CapturedByOther} {
		if out.State == state.String() {
			m, err := c.mutex(out.Mutex)
			if err != nil || len(out.Holders) == 0 {
				return state, m, err
			}
			holders, err := wire.RootMutexes(out.Holders)
			m.Others = slices.DeleteFunc(holders, func(other editlock.Mutex) bool { return other.Token == m.Token })
			return state, m, err
		}
	}
	if out.State != editlock.Free.String() {
		return 0, editlock.Mutex{}, unavailable("%s answers with the state %.40q; is it an editlock server?", c.base, out.State)
	}
	return editlock.Free, editlock.Mutex{}, nil
}

// Release implements Locker. A repetition carries the same key, so it is the
// same release; what the session captured after the first try it leaves alone.
func (c *Client) Release(ctx context.Context, id editlock.ID, cond editlock.Condition) (bool, error) {
	form := wire.FromID(id)
	var out wire.ReleaseAnswer
	err := c.once(ctx, "/v1/release", &wire.ReleaseRequest{Mutex: &form, Owner: me(ctx), If: wire.FromCondition(cond)}, &out)
	return out.Released, err
}

// ReleaseAfter implements Locker. A repetition leaves alone what was captured
// or refreshed after the first try.
func (c *Client) ReleaseAfter(ctx context.Context, id editlock.ID, cond editlock.Condition, grace time.Duration) (bool, error) {
	form, wait := wire.FromID(id), wire.Duration(grace)
	var out wire.ReleaseAnswer
	err := c.once(ctx, "/v1/release", &wire.ReleaseRequest{Mutex: &form, Owner: me(ctx), If: wire.FromCondition(cond), Grace: &wait}, &out)
	return out.Released, err
}

// ReleaseAll implements Locker. A repetition carries the same key, so it is
// the same release.
func (c *Client) ReleaseAll(ctx context.Context, ids []editlock.ID) ([]editlock.ID, error) {
	return c.releaseAll(ctx, "/v1/release", &wire.ReleaseRequest{Mutexes: wire.FromIDs(ids), Owner: me(ctx)})
}

// ReleaseSession implements Locker. A repetition leaves alone what the session
// captured after the first try, and tells only of what it released itself.
func (c *Client) ReleaseSession(ctx context.Context, session string) ([]editlock.ID, error) {
	return c.releaseAll(ctx, "/v1/release-session", &wire.ReleaseSessionRequest{
		Session: session, Owner: wire.FromOwner(editlock.OwnerFrom(ctx)),
	})
}

func (c *Client) releaseAll(ctx context.Context, path string, body any) ([]editlock.ID, error) {
	var out wire.ReleaseAllAnswer
	if err := c.once(ctx, path, body, &out); err != nil || len(out.Mutexes) == 0 {
		return nil, err
	}
	return wire.RootIDs(out.Mutexes), nil
}

// Takeover implements Locker. A repetition carries the same key, so it is the
// same takeover.
func (c *Client) Takeover(ctx context.Context, id editlock.ID, seen editlock.Token, reason string, opts *editlock.CaptureOptions) (editlock.Mutex, error) {
	var o editlock.CaptureOptions
	if opts != nil {
		o = *opts
	}
	switch {
	case o.Wait != 0 || !o.If.IsZero():
		return editlock.Mutex{}, invalid("if", "condition_with_takeover", "and wait don't go with a takeover: seen_token is its condition")
	case o.Message != "":
		return editlock.Mutex{}, invalid("message", "goes_with_wait", "goes with a wait only: the holder answers who waits")
	case o.Sharing != editlock.SharingUnset || o.Limit != 0:
		return editlock.Mutex{}, invalid("sharing", "sharing_with_takeover", "and limit don't go with a takeover: it keeps those of the hold seen")
	}
	key, err := requestID(ctx, o.RequestID)
	if err != nil {
		return editlock.Mutex{}, err
	}
	mutex := wire.FromID(id)
	body := &wire.TakeoverRequest{
		Mutex: &mutex, Owner: me(ctx), SeenToken: uint64(seen), Reason: reason,
		StatusData: o.StatusData, AutoRelease: form(o.AutoRelease), GrantAfter: duration(o.GrantAfter),
	}
	var out wire.CaptureAnswer
	if err := c.send(ctx, message{method: http.MethodPost, path: "/v1/takeover", key: key, body: body}, &out); err != nil {
		return editlock.Mutex{}, fields(err)
	}
	return c.mutex(out.Mutex)
}

// ForceRelease implements Locker. A repetition carries the same key, so it is
// the same release.
func (c *Client) ForceRelease(ctx context.Context, id editlock.ID, seen editlock.Token, reason string) error {
	mutex := wire.FromID(id)
	return c.once(ctx, "/v1/force-release", &wire.ForceReleaseRequest{
		Mutex: &mutex, Owner: me(ctx), SeenToken: uint64(seen), Reason: reason,
	}, new(wire.ReleaseAnswer))
}

// HandOver implements Locker. A repetition carries the same key, so it is the
// same hand-over.
func (c *Client) HandOver(ctx context.Context, id editlock.ID) (bool, error) {
	mutex := wire.FromID(id)
	var out wire.HandOverAnswer
	err := c.once(ctx, "/v1/hand-over", &wire.HandOverRequest{Mutex: &mutex, Owner: me(ctx)}, &out)
	return out.HandedOver, err
}

// Decline implements Locker. A repetition is the same answer to the waiter.
func (c *Client) Decline(ctx context.Context, id editlock.ID, waiter, text string) (bool, error) {
	mutex := wire.FromID(id)
	var out wire.DeclineAnswer
	err := c.once(ctx, "/v1/decline", &wire.DeclineRequest{Mutex: &mutex, Owner: me(ctx), Waiter: waiter, Message: text}, &out)
	return out.Declined, err
}

// query collects parameters, leaving out what is empty.
type query url.Values

func (q query) set(name, value string) {
	if value != "" {
		url.Values(q).Set(name, value)
	}
}

func (q query) id(id *editlock.ID, tree bool, group, mode string) error {
	if tree {
		if id == nil {
			return invalid("tree", "tree_without_mutex", "goes with a mutex: it stands for all that is below it")
		}
		q.set("tree", "true")
	}
	if id != nil {
		if err := id.Validate(); err != nil {
			return err
		}
		group, mode = id.Group, id.Mode
		q.set("id", id.ID)
		q.set("part", id.Part)
		if id.Below {
			q.set("below", "true")
		}
	}
	q.set("group", group)
	q.set("mode", mode)
	return nil
}

func (q query) limit(n int) {
	if n != 0 {
		q.set("limit", strconv.Itoa(n))
	}
}

// errVisible keeps rights from being passed over in silence.
var errVisible = invalid("visible", "visible_of_server", "is not for servers, which go by the rights of their caller; leave it out")

// List implements Locker. It changes nothing, so it is repeated freely.
func (c *Client) List(ctx context.Context, lq editlock.Query) (editlock.Page, error) {
	if lq.Visible != nil {
		return editlock.Page{}, errVisible
	}
	q := query{}
	for name, value := range map[string]string{
		"group": lq.Group, "mode": lq.Mode, "session": lq.Session, "user_id": lq.UserID, "text": lq.Text, "cursor": lq.Cursor,
	} {
		q.set(name, value)
	}
	q.limit(lq.Limit)
	var out wire.ListAnswer
	if err := c.get(ctx, "/v1/mutexes", url.Values(q), &out); err != nil {
		return editlock.Page{}, err
	}
	ms, err := c.mutexes(out.Mutexes)
	return editlock.Page{Mutexes: ms, Next: next(out.Next)}, err
}

func next(cursor *string) string {
	if cursor == nil {
		return ""
	}
	return *cursor
}

// History implements Locker. It changes nothing, so it is repeated freely.
func (c *Client) History(ctx context.Context, hq editlock.HistoryQuery) (editlock.HistoryPage, error) {
	if hq.Visible != nil {
		return editlock.HistoryPage{}, errVisible
	}
	q := query{}
	if err := q.id(hq.ID, hq.Tree, hq.Group, hq.Mode); err != nil {
		return editlock.HistoryPage{}, err
	}
	q.set("user_id", hq.UserID)
	q.set("text", hq.Text)
	q.set("cursor", hq.Cursor)
	for _, kind := range hq.Kinds {
		url.Values(q).Add("kind", string(kind))
	}
	for name, at := range map[string]time.Time{"from": hq.From, "to": hq.To} {
		if !at.IsZero() {
			q.set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	q.limit(hq.Limit)
	var out wire.HistoryAnswer
	if err := c.get(ctx, "/v1/history", url.Values(q), &out); err != nil {
		return editlock.HistoryPage{}, err
	}
	page := editlock.HistoryPage{Next: next(out.Next)}
	for i := range out.Entries {
		page.Entries = append(page.Entries, out.Entries[i].Root())
	}
	return page, nil
}
