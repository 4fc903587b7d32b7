package core_test

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/editlock/editlock/store"
)

// simClient does one call at a time.
type simClient struct {
	s       *sim
	st      store.Store
	name    string
	process string // the process that it waits in
	as      string // its session now
	busy    bool
	n       int

	again *store.Txn     // a call that failed, to be sent once more
	seen  []store.Record // what it was told lately
}

// simOp is one call, and what the model says to it.
type simOp struct {
	by, of    string // a client, and its process
	req       store.Txn
	keepAlive string
	ttl       time.Duration
	sweep     bool
	get       string // a name to look at
	want      store.Result
	waiters   []string

	paths  []*store.Path // of each operation, what is in the way
	drains []string      // who waits above it
}

func (op *simOp) String() string {
	switch {
	case op.sweep:
		return op.by + ": sweep"
	case op.keepAlive != "":
		return op.by + ": beat of " + op.keepAlive
	case op.get != "":
		return op.by + ": get " + op.get
	}
	text := op.by + ": " + op.req.ID
	for _, sw := range op.req.Ops {
		text += fmt.Sprintf(" %d %s if %+v", sw.Do, sw.Name, sw.Expect)
	}
	return text
}

// begin begins a call; it goes on until it calls the engine.
func (c *simClient) begin(op *simOp) {
	c.busy = true
	ctx := context.WithValue(context.Background(), simOpKey{}, op)
	go func() {
		c.do(ctx, op)
		c.busy = false
		c.s.events <- nil
	}()
}

func (c *simClient) do(ctx context.Context, op *simOp) {
	m := c.s.model
	switch {
	case op.sweep:
		_, _ = c.st.Sweep(ctx, store.Retention{})
	case op.keepAlive != "":
		waiters, err := c.st.KeepAlive(ctx, op.keepAlive, op.ttl)
		slices.Sort(waiters)
		slices.Sort(op.waiters)
		if err == nil && !slices.Equal(waiters, op.waiters) {
			m.wrong("%v: the tickets are %q; want %q", op, waiters, op.waiters)
		}
	case op.get != "":
		if view, err := c.st.Get(ctx, op.get, c.name); err == nil {
			m.shows(op, c.name, view)
			if view.Record != nil {
				c.seen = append(c.seen, *view.Record)
			}
		}
	default:
		res, err := c.st.Commit(ctx, op.req)
		if err != nil {
			c.again = &op.req
			return
		}
		op.tells(m, &res)
		if !reflect.DeepEqual(op.want, res) { // it is fast; Diff is not
			if diff := gocmp.Diff(op.want, res, cmpopts.EquateEmpty()); diff != "" {
				m.wrong("%v (-want +got):\n%s", op, diff)
			}
		}
		for _, rec := range res.Records {
			if rec != nil {
				c.seen = append(c.seen, *rec)
			}
		}
		c.seen = c.seen[max(0, len(c.seen)-c.s.recalls()):]
	}
}

func (c *simClient) chance(n int) bool { return c.s.rng.IntN(n) == 0 }

// choose makes up the next call.
func (c *simClient) choose() *simOp {
	c.n++
	op := &simOp{by: c.name, of: c.process}
	switch {
	case c.again != nil:
		op.req, c.again = *c.again, nil
		return op
	case c.chance(15):
		op.sweep = true
		return op
	case c.chance(6):
		op.keepAlive, op.ttl = c.process, c.ttl()
		return op
	}
	id := fmt.Sprint(c.name, "#", c.n)
	if c.s.trees {
		c.chooseOnPath(op, id)
		return op
	}
	names := []string{"a", "b", "c"}
	c.s.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	if w := c.waiter(names[0]); c.chance(20) {
		op.req = store.Txn{ID: cmp.Or(w, id), Ops: []store.Op{{Name: names[0], Do: store.Revoke}}}
		return op
	}
	sw := c.op(names[0], id)
	op.req = store.Txn{ID: id, Ops: []store.Op{sw}}
	if sw.Do == store.Join && c.chance(2) {
		op.req.ID = sw.Waiter.ID
	}
	if sw.Event == nil {
		op.req.ID = ""
	}
	if c.chance(8) {
		op.req.Ops = append(op.req.Ops, c.op(names[1], id+"'"))
	}
	return op
}

// ttl is how long its process lives after a keep-alive.
func (c *simClient) ttl() time.Duration {
	return time.Duration(4+4*int(c.process[1]-'0')) * time.Second
}

func (c *simClient) party() store.Party {
	return store.Party{Session: c.as, User: "u" + strings.TrimSuffix(c.as, "'"), Value: "v"}
}

func (c *simClient) terms() *store.Terms {
	second := func(n int) time.Duration { return time.Duration(1+c.s.rng.IntN(n)) * time.Second }
	t := &store.Terms{}
	if !c.chance(4) {
		t.Idle = second(12)
	}
	if c.chance(3) {
		t.MaxHold = second(20)
	}
	if c.s.trees && *t == (store.Terms{}) { // else a node is held to the end
		t.Idle = second(6)
	}
	return t
}

// expect is a condition that may be right.
func (c *simClient) expect(name string) store.Expect {
	var x store.Expect
	if c.chance(2) {
		as := c.as
		x.Session = &as
	}
	for _, rec := range c.seen {
		if rec.Name == name && c.chance(2) {
			x.Token = rec.Token
			if c.chance(3) {
				x.Data = &rec.Data
			}
		}
	}
	return x
}

func (c *simClient) op(name, id string) store.Op {
	note := func(kind string) *store.Event { return &store.Event{Kind: kind, Actor: c.party(), Reason: id} }
	who := c.party()
	data := id
	sw := store.Op{Name: name}
	switch n := c.s.rng.IntN(100); {
	case n < 30:
		sw.Do, sw.Expect, sw.Holder, sw.Data, sw.Terms, sw.Event = store.Acquire, store.Expect{Free: true}, &who, &data, c.terms(), note("captured")
	case n < 35:
		sw.Do, sw.Expect, sw.Holder, sw.Terms, sw.Event = store.Acquire, c.expect(name), &who, c.terms(), note("taken_over")
	case n < 55:
		sw.Do, sw.Expect = store.Renew, c.expect(name)
		if c.chance(3) {
			sw.Data = &data
		}
		if c.chance(4) {
			sw.Terms = c.terms()
		}
		if c.chance(6) {
			sw.Holder = &who
		}
		if c.chance(8) {
			sw.Event = note("refreshed")
		}
		if c.chance(6) {
			sw.ConfirmWithin = 2 * time.Second
		}
	case n < 70:
		sw.Do, sw.Expect, sw.Event = store.Release, c.expect(name), note("released")
		if c.chance(6) {
			sw.Event = note(store.KindHandedOver)
		}
	case n < 90:
		t := &store.Waiter{ID: id, Process: c.process, Holder: who, Data: id, Terms: *c.terms(), Event: note("captured"), Value: "please"}
		if c.chance(2) {
			t.ConfirmWithin = 3 * time.Second
		}
		if c.chance(2) {
			t.GrantAfter = time.Duration(1+c.s.rng.IntN(8)) * time.Second
		}
		if w := c.waiter(name); w != "" && c.chance(4) {
			t.ID = w
		}
		sw.Do, sw.Waiter, sw.Event = store.Join, t, note("waiting")
	default:
		w := c.waiter(name)
		if w == "" {
			w = id
		}
		sw.Do, sw.Waiter = store.Leave, &store.Waiter{ID: w}
		if c.chance(2) {
			sw.Event = note("declined")
		}
		if c.chance(4) {
			sw.Waiter.Process = c.process
		}
	}
	c.share(&sw)
	return sw
}

// share lets an operation share a name with others, or one of a few permits, or hold it
// alone after that.
func (c *simClient) share(sw *store.Op) {
	share := c.shareOf(sw.Name)
	switch {
	case share == store.Alone || c.chance(3):
	case sw.Do == store.Join:
		sw.Waiter.Share, sw.Resize = share, !c.chance(4)
	case sw.Do == store.Acquire && sw.Expect.Free:
		sw.Share, sw.Resize = &share, !c.chance(4)
	case sw.Do == store.Acquire && c.chance(2):
		sw.Expect.Sole, sw.Share = true, new(store.Alone)
	case sw.Do == store.Renew && share == store.Shared && c.chance(3):
		sw.Share, sw.Terms = &share, c.terms()
		if sw.Terms.Idle == 0 {
			sw.Terms.Idle = -1
		}
		if sw.Terms.MaxHold == 0 {
			sw.Terms.MaxHold = -1
		}
	}
}

func (c *simClient) shareOf(name string) store.Share {
	if c.s.trees && store.IsNode(name) && c.chance(3) {
		return store.Shared
	}
	return map[string]store.Share{"b": store.Shared, "c": store.Share(1 + c.s.rng.IntN(3))}[name[len(name)-1:]]
}

// waiter is the ID of somebody who waited for a name lately; empty: of nobody.
func (c *simClient) waiter(name string) string {
	for _, rec := range c.seen {
		if rec.Name == name && len(rec.Waiters) > 0 {
			return rec.Waiters[c.s.rng.IntN(len(rec.Waiters))].ID
		}
	}
	return ""
}
