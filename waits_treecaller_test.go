package editlock_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
)

// treeCaller captures one mutex after the other, each time by a session of its own.
type treeCaller struct {
	*treeStory
	dice
	name, session string
	n, home       int
}

func (c *treeCaller) server() *server { return c.story.server(c.home) }

func (c *treeCaller) as(ctx context.Context) context.Context {
	return editlock.WithOwner(ctx, editlock.Owner{Session: c.session})
}

func (c *treeCaller) live() {
	for c.ctx.Err() == nil {
		c.n++
		c.session, c.home = fmt.Sprint(c.name, ".", c.n), c.number(2)
		if c.chance(10) {
			c.several()
		} else {
			c.one()
		}
		c.sleep(c.between(0, 2*time.Second))
	}
}

func (c *treeCaller) options(id editlock.ID) *editlock.CaptureOptions {
	o := &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(c.between(3*time.Second, 15*time.Second).Truncate(time.Millisecond))}
	switch {
	case id == treeIDs[len(treeIDs)-1]:
		o.Limit = treeLimit
	case c.chance(25):
		o.Sharing = editlock.Shared
	}
	return o
}

// one captures a mutex, perhaps by waiting for it, holds it for a while, and
// releases it.
func (c *treeCaller) one() {
	id := treeIDs[c.number(len(treeIDs))]
	o := c.options(id)
	if c.chance(60) {
		o.Wait, o.Message = c.between(2*time.Second, 40*time.Second), "please"
	}
	if c.chance(20) {
		o.GrantAfter = c.between(time.Second, 5*time.Second)
	}
	got, err := c.capture(id, o)
	var busy *editlock.BusyError
	switch {
	case err == nil:
		c.keep(got)
	case errors.As(err, &busy):
		c.trees.refused(id, busy)
		if c.chance(20) && busy.Holder.Token != 0 {
			c.force(busy.Holder)
		}
	}
}

// several captures two mutexes in one step.
func (c *treeCaller) several() {
	i := c.number(len(treeIDs) - 1)
	ids := []editlock.ID{treeIDs[i], treeIDs[(i+1+c.number(len(treeIDs)-2))%(len(treeIDs)-1)]}
	ctx, cancel := context.WithTimeout(c.as(context.Background()), 3*time.Second)
	defer cancel()
	got, err := c.server().CaptureAll(ctx, ids, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(5 * time.Second)})
	if err == nil {
		c.keep(got...)
	}
}

// capture asks until there is an answer, or the caller gives up or vanishes. Half of the
// callers are behind a network.
func (c *treeCaller) capture(id editlock.ID, o *editlock.CaptureOptions) (got editlock.Mutex, err error) {
	o.RequestID = c.session
	behind := c.chance(50)
	for range 10 {
		got, err = c.ask(id, o, behind)
		var on *patience.Waiting
		switch {
		case err == nil:
			c.trees.got(c.session, got)
			return got, nil
		case errors.As(err, &on), errors.Is(err, context.Canceled):
			if !behind || c.chance(15) {
				return got, err
			}
		case errors.Is(err, editlock.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
			c.home = 1 - c.home
		default:
			c.trees.answered(c.session, err)
			return got, err
		}
		if c.chance(10) {
			c.withdraw(id)
			return got, err
		}
		if !c.sleep(c.between(0, 4*time.Second)) {
			return got, err
		}
	}
	return got, err
}

// ask is one request, which may be cut off.
func (c *treeCaller) ask(id editlock.ID, o *editlock.CaptureOptions, behind bool) (editlock.Mutex, error) {
	ctx, cut := context.WithCancel(c.as(context.Background()))
	defer cut()
	if c.chance(25) || o.Wait == 0 {
		late := time.AfterFunc(c.between(0, 6*time.Second), cut)
		defer late.Stop()
	}
	if !behind {
		return c.server().Capture(ctx, id, o)
	}
	ctx, connection := patience.WithCaller(ctx, c.between(time.Second, 6*time.Second))
	got, err := c.server().Capture(ctx, id, o)
	connection.Answered(err == nil)
	return got, err
}

func (c *treeCaller) withdraw(id editlock.ID) {
	ctx, cancel := context.WithTimeout(c.as(context.Background()), 3*time.Second)
	defer cancel()
	_, _ = c.server().Release(ctx, id, editlock.IfRequest(c.session))
}

// keep holds what was captured for a while, with what is above and below it, and
// releases it, or dies.
func (c *treeCaller) keep(held ...editlock.Mutex) {
	dies := c.chance(25)
	for end := c.between(0, 6*time.Second); end > 0; end -= time.Second {
		if held = c.refresh(held); len(held) == 0 {
			return
		}
		switch {
		case c.chance(25):
			held = append(held, c.more(held)...)
		case c.chance(10):
			c.share(held)
		}
		if !c.sleep(min(end, c.between(200*time.Millisecond, time.Second))) {
			return
		}
	}
	if dies {
		return
	}
	for _, m := range held {
		c.release(m)
	}
}

// more captures another mutex of the tree, without waiting.
func (c *treeCaller) more(held []editlock.Mutex) []editlock.Mutex {
	id := treeIDs[c.number(len(treeIDs))]
	if slices.ContainsFunc(held, func(m editlock.Mutex) bool { return m.ID == id }) {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.as(context.Background()), 3*time.Second)
	defer cancel()
	got, err := c.server().Capture(ctx, id, c.options(id))
	if err != nil {
		return nil
	}
	c.trees.got(c.session, got)
	return []editlock.Mutex{got}
}

// share changes how the first of the held mutexes is shared.
func (c *treeCaller) share(held []editlock.Mutex) {
	if held[0].Limit > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(c.as(context.Background()), 3*time.Second)
	defer cancel()
	to := editlock.Shared
	if held[0].Sharing == editlock.Shared {
		to = editlock.Exclusive
	}
	if got, err := c.server().Capture(ctx, held[0].ID, &editlock.CaptureOptions{Sharing: to}); err == nil {
		held[0] = got
	}
}

// refresh returns those that are still held. One that the caller was granted is
// confirmed by it.
func (c *treeCaller) refresh(held []editlock.Mutex) []editlock.Mutex {
	items := make([]editlock.RefreshItem, len(held))
	for i, m := range held {
		items[i] = editlock.RefreshItem{ID: m.ID, Token: m.Token}
	}
	ctx, cancel := context.WithTimeout(c.as(context.Background()), 3*time.Second)
	defer cancel()
	results, err := c.server().Refresh(ctx, items)
	if err != nil {
		c.home = 1 - c.home
		return held
	}
	var left []editlock.Mutex
	for i, r := range results {
		if r.Err == nil || errors.Is(r.Err, editlock.ErrUnavailable) {
			left = append(left, held[i])
		}
	}
	return left
}

func (c *treeCaller) release(m editlock.Mutex) {
	pass := c.chance(20)
	for range 5 {
		ctx, cancel := context.WithTimeout(c.as(context.Background()), 3*time.Second)
		var err error
		if pass {
			pass, err = c.server().HandOver(ctx, m.ID)
		}
		if !pass && err == nil {
			_, err = c.server().Release(ctx, m.ID, editlock.IfToken(m.Token))
		}
		cancel()
		if !errors.Is(err, editlock.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
			return
		}
		c.home = 1 - c.home
	}
}

// force takes a mutex over, or ends the hold.
func (c *treeCaller) force(held editlock.Mutex) {
	ctx, cancel := context.WithTimeout(c.as(context.Background()), 3*time.Second)
	defer cancel()
	if c.chance(30) {
		_ = c.server().ForceRelease(ctx, held.ID, held.Token, "it must begin")
		return
	}
	got, err := c.server().Takeover(ctx, held.ID, held.Token, "it must begin", &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(5 * time.Second)})
	if err == nil {
		c.trees.got(c.session, got)
		c.keep(got)
	}
}
