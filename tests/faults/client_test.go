package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/editlock/editlock"
)

// A client waits so long for an answer before it gives up, not knowing what
// came of its call: some are more patient than others.
const (
	patience   = 5 * time.Second
	impatience = 200 * time.Millisecond
)

// history is what concurrent clients do to a group of mutexes.
type history struct {
	group   string
	ids     []editlock.ID
	lockers []editlock.Locker // the same store, over different servers
	start   time.Time
	names   atomic.Int64
	left    atomic.Int64 // calls to make still
	floor   atomic.Int64 // of left, which wait for a fault to end
	pace    time.Duration

	mu    sync.Mutex
	calls []*call
}

// newHistory gives each history names of its own: the calls on one mutex must
// be few enough to be put in order.
func newHistory(group string, mutexes, calls int, pace time.Duration, lockers ...editlock.Locker) *history {
	h := &history{group: group, lockers: lockers, start: time.Now(), pace: pace}
	h.ids = ids(group, "m", mutexes)
	h.left.Store(int64(calls))
	return h
}

func ids(group, mode string, n int) []editlock.ID {
	all := make([]editlock.ID, n)
	for i := range all {
		all[i] = editlock.ID{Group: group, Mode: mode, ID: fmt.Sprint(i)}
	}
	return all
}

func (h *history) now() int64 { return int64(time.Since(h.start)) }

// run lets clients work until the calls are made.
func (h *history) run(ctx context.Context, clients int) {
	var wg sync.WaitGroup
	for i := range clients {
		c := h.worker(i)
		wg.Go(func() {
			for h.left.Load() > 0 && ctx.Err() == nil {
				if h.left.Load() > h.floor.Load() {
					c.act(ctx)
				}
				time.Sleep(rand.N(h.pace))
			}
		})
	}
	wg.Wait()
}

func (h *history) worker(number int) *worker {
	return &worker{
		history: h, number: number, session: fmt.Sprintf("%s/s%d", h.group, number),
		mine: map[editlock.ID]editlock.Mutex{}, seen: map[editlock.ID]editlock.Mutex{},
	}
}

// look ends a history: what stands in the end is asked for, by all ways.
func (h *history) look(ctx context.Context, lockers ...editlock.Locker) {
	c := &worker{history: h, number: -1, session: h.group + "/last"}
	for _, id := range h.ids {
		for _, l := range lockers {
			c.request(ctx, l, id)
		}
	}
}

// worker is a client, who does one thing after the other, in one session. What it knows may be
// old, or wrong where it was not told what came of a call.
type worker struct {
	*history
	number  int
	session string
	mine    map[editlock.ID]editlock.Mutex
	seen    map[editlock.ID]editlock.Mutex
}

func (c *worker) act(ctx context.Context) {
	l := c.lockers[rand.IntN(len(c.lockers))]
	id := c.ids[min(rand.IntN(len(c.ids)), rand.IntN(len(c.ids)))] // some are wanted more
	if rand.IntN(2) == 0 {
		for held := range c.mine { // one of its own
			id = held
			break
		}
	}
	m, mine := c.mine[id]
	other, seen := c.seen[id]
	data := &m.StatusData
	switch n := rand.IntN(100); {
	case mine && n < 40:
		c.release(ctx, l, &call{id: id, token: m.Token})
	case mine && n < 48:
		c.release(ctx, l, &call{id: id, ifData: data})
	case mine && n < 51:
		c.release(ctx, l, &call{id: id})
	case mine && n < 65:
		c.refresh(ctx, l, &call{id: id, token: m.Token})
	case mine && n < 75:
		name := c.name()
		c.refresh(ctx, l, &call{name: name, id: id, token: m.Token, data: name})
	case mine && n < 80:
		c.capture(ctx, l, &call{id: id, ifData: data})
	case mine && n < 85:
		c.capture(ctx, l, &call{id: id, token: m.Token})
	case mine && n < 92:
		c.capture(ctx, l, &call{id: id, free: true})
	case mine && n < 95, !mine && n < 35:
		name := c.name()
		c.capture(ctx, l, &call{name: name, id: id, data: name})
	case !mine && n < 50:
		name := c.name()
		c.capture(ctx, l, &call{name: name, id: id, data: name, free: true})
	case !mine && n < 67:
		name := c.name()
		got := c.capture(ctx, l, &call{name: name, id: id, data: name, wait: 20*time.Millisecond + rand.N(500*time.Millisecond)})
		if got.outcome == done {
			c.refresh(ctx, l, &call{id: id, token: got.holder.Token})
		}
	case !mine && n < 72:
		c.captureAll(ctx, l, id)
	case seen && n < 82:
		name := c.name()
		c.takeover(ctx, l, &call{name: name, id: id, token: other.Token, data: name})
	case seen && n < 87:
		c.force(ctx, l, &call{id: id, token: other.Token})
	case seen && n < 90: // what was never its own
		c.release(ctx, l, &call{id: id, token: other.Token})
	case seen && n < 92:
		c.refresh(ctx, l, &call{id: id, token: other.Token})
	case !mine && n < 93:
		c.release(ctx, l, &call{id: id})
	default:
		c.request(ctx, l, id)
	}
}

func (c *worker) name() string { return fmt.Sprintf("%s/%d", c.group, c.names.Add(1)) }

// do makes a call and books what came of it.
func (c *worker) do(ctx context.Context, in *call, f func(context.Context) (*editlock.Mutex, error)) *call {
	if in.name == "" {
		in.name = c.name()
	}
	in.client, in.session = c.number, c.session
	sendings, end := c.send(ctx, in, func(ctx context.Context) { in.holder, in.err = f(ctx) })
	in.sendings, in.back = sendings, end
	in.tell(in.err)
	c.book(in)
	return in
}

// send calls f as the owner that the call says, and counts how often it goes
// out.
func (c *worker) send(ctx context.Context, in *call, f func(context.Context)) (sendings int32, back int64) {
	var n atomic.Int32
	within := patience
	if rand.IntN(4) == 0 {
		within = impatience
	}
	ctx, cancel := context.WithTimeout(ctx, within+in.wait)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { n.Add(1) }})
	ctx = editlock.WithOwner(ctx, editlock.Owner{Session: in.session, UserID: in.session, Login: in.name})
	in.sent = c.now()
	f(ctx)
	return n.Load(), c.now()
}

// tell reads what an answer says.
func (c *call) tell(err error) {
	var inTheWay *editlock.BusyError
	var gone *editlock.LostError
	switch {
	case err == nil:
		c.outcome = done
	case errors.As(err, &inTheWay):
		c.outcome, c.holder = busy, &inTheWay.Holder
	case errors.As(err, &gone):
		c.outcome, c.holder = lost, gone.Holder
	case errors.Is(err, editlock.ErrNotHeld):
		c.outcome, c.holder = lost, nil
	default:
		c.outcome, c.back, c.holder = unknown, never, nil
	}
}

// book writes a call down, and what the client knows now.
func (c *worker) book(in *call) {
	c.left.Add(-1)
	c.mu.Lock()
	c.calls = append(c.calls, in)
	c.mu.Unlock()
	if c.mine == nil {
		return
	}
	switch {
	case in.holder != nil && in.holder.Owner.Session == c.session:
		c.mine[in.id] = *in.holder
	case in.holder != nil:
		c.seen[in.id] = *in.holder
		delete(c.mine, in.id)
	case in.outcome != unknown:
		delete(c.mine, in.id)
	}
}

// hold are the options of a capture or takeover. Where nothing is said, time
// plays no part.
func (in *call) hold() *editlock.CaptureOptions {
	opts := &editlock.CaptureOptions{StatusData: in.data, AutoRelease: editlock.Never, Wait: in.wait}
	if in.idle > 0 {
		opts.AutoRelease = editlock.TimeoutAutoRelease(in.idle)
	}
	switch {
	case in.kind == takeover: // the token seen is no condition
	case in.free:
		opts.If = editlock.IfFree()
	default:
		opts.If = in.condition()
	}
	return opts
}

func (in *call) condition() editlock.Condition {
	switch {
	case in.ifData != nil:
		return editlock.IfStatusData(*in.ifData)
	case in.token != 0:
		return editlock.IfToken(in.token)
	}
	return editlock.Condition{}
}

func (c *worker) capture(ctx context.Context, l editlock.Locker, in *call) *call {
	in.kind = capture
	return c.do(ctx, in, func(ctx context.Context) (*editlock.Mutex, error) {
		m, err := l.Capture(ctx, in.id, in.hold())
		return &m, err
	})
}

func (c *worker) refresh(ctx context.Context, l editlock.Locker, in *call) *call {
	in.kind = refresh
	return c.do(ctx, in, func(ctx context.Context) (*editlock.Mutex, error) {
		res, err := l.Refresh(ctx, []editlock.RefreshItem{{ID: in.id, Token: in.token, StatusData: in.data}})
		if err != nil {
			return nil, err
		}
		return &res[0].Mutex, res[0].Err
	})
}

func (c *worker) release(ctx context.Context, l editlock.Locker, in *call) {
	in.kind = release
	nothing := false
	c.do(ctx, in, func(ctx context.Context) (*editlock.Mutex, error) {
		released, err := l.Release(ctx, in.id, in.condition())
		nothing = err == nil && !released
		return nil, err
	})
	if nothing {
		in.outcome = no
	}
}

func (c *worker) takeover(ctx context.Context, l editlock.Locker, in *call) {
	in.kind = takeover
	c.do(ctx, in, func(ctx context.Context) (*editlock.Mutex, error) {
		m, err := l.Takeover(ctx, in.id, in.token, "wanted", in.hold())
		return &m, err
	})
}

func (c *worker) force(ctx context.Context, l editlock.Locker, in *call) {
	in.kind = force
	c.do(ctx, in, func(ctx context.Context) (*editlock.Mutex, error) {
		return nil, l.ForceRelease(ctx, in.id, in.token, "wanted")
	})
}

func (c *worker) request(ctx context.Context, l editlock.Locker, id editlock.ID) {
	c.do(ctx, &call{kind: request, id: id}, func(ctx context.Context) (*editlock.Mutex, error) {
		state, m, err := l.Request(ctx, id)
		if err != nil || state == editlock.Free {
			return nil, err
		}
		return &m, nil
	})
}

// captureAll captures three mutexes, or two, together.
func (c *worker) captureAll(ctx context.Context, l editlock.Locker, first editlock.ID) {
	ids := []editlock.ID{first}
	for _, i := range rand.Perm(len(c.ids))[:2] {
		if c.ids[i] != first {
			ids = append(ids, c.ids[i])
		}
	}
	name := c.name()
	one := &call{name: name, session: c.session}
	var got []editlock.Mutex
	var err error
	sendings, back := c.send(ctx, one, func(ctx context.Context) {
		got, err = l.CaptureAll(ctx, ids, &editlock.CaptureOptions{StatusData: name, AutoRelease: editlock.Never})
	})
	var inTheWay *editlock.BusyError
	errors.As(err, &inTheWay)
	for i, id := range ids {
		in := &call{
			name: name, several: len(ids), kind: capture, client: c.number, session: c.session, id: id, data: name,
			sent: one.sent, back: back, sendings: sendings, err: err,
		}
		in.tell(err)
		switch {
		case in.outcome == done:
			in.holder = &got[i]
		case inTheWay != nil:
			in.outcome, in.holder = abided, nil
			for _, m := range inTheWay.Holders {
				if m.ID == id {
					in.outcome, in.holder = busy, &m
				}
			}
		case in.outcome == lost:
			in.outcome, in.holder = unknown, nil // one of them, after all were captured
		}
		c.book(in)
	}
}
