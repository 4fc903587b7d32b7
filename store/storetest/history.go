package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/editlock/editlock/store"
)

// historyOps is how many operations the suite checks at least, over all
// histories.
const historyOps = 50_000

var historyLaws = []law{
	{"random histories of concurrent clients are linearizable, name by name", func(t *test) { lawHistories(t, false) }, restarts},
	{"so are those of requests for several names", func(t *test) { lawHistories(t, true) }, restarts},
}

func lawHistories(t *test, several bool) {
	want, clients, each := historyOps, 8, 45
	if several {
		// All names are judged together, which is harder: fewer at once.
		want, clients, each = historyOps/10, 5, 24
	}
	switch {
	case t.quick():
		want /= 20
	case os.Getenv("EDITLOCK_LONG") != "":
		want *= 10
	}
	if !t.clock.manual() {
		want /= 25
	}
	total, overlapping, n := 0, 0, 0
	for ; total < want; n++ {
		h := &history{test: t, revokes: !several, seed: uint64(n), each: each, clients: clients + n%(clients+1)}
		if several {
			h.several = 50
		}
		for _, name := range []string{"a", "b", "c"} {
			h.names = append(h.names, fmt.Sprintf("h%d/%s", n, name))
		}
		h.run(n%5 == 4 && t.h.Reopen != nil)
		total += len(h.ops)
		for _, op := range h.ops {
			if op.Return > op.Call+1 {
				overlapping++
			}
		}
		if err := h.err; err != nil {
			t.Fatalf("history %d: %v", n, err)
		}
		if err := linearizable(h.ops, h.names, several); err != nil {
			t.Fatalf("history %d: %v", n, err)
		}
		h.checkLog()
	}
	t.Logf("%d operations in %d histories, %d%% of them overlapping others", total, n, 100*overlapping/total)
	if overlapping < total/3 {
		t.Errorf("only %d of %d operations overlap others: this proves little", overlapping, total)
	}
}

// history is a number of clients at work on a few names.
type history struct {
	*test
	several int  // of a hundred requests are for several names
	revokes bool // requests are revoked
	seed    uint64
	each    int // calls of a client, retries apart
	clients int
	names   []string
	often   []string // names that are spoken of more often
	hasty   bool     // all holds end soon

	still sync.RWMutex // read-locked while the clock must not move
	tick  atomic.Int64
	ops   []porcupine.Operation
	err   error
}

// run lets the clients work; reopened, with a restart of the engine half-way.
func (h *history) run(reopened bool) {
	clients := make([]*client, h.clients)
	for i := range clients {
		clients[i] = h.newClient(i)
	}
	if reopened {
		h.work(clients, h.each/2)
		h.reopen(h.seed%2 == 0)
		h.work(clients, h.each/2)
	} else {
		h.work(clients, h.each)
	}
	for _, c := range clients {
		h.ops = append(h.ops, c.recorder.ops...)
		h.err = errors.Join(h.err, c.recorder.err)
	}
}

func (h *history) work(clients []*client, calls int) {
	var wg sync.WaitGroup
	for _, c := range clients {
		c.recorder.Store = h.st
		wg.Go(func() {
			for range calls {
				if c.recorder.err != nil {
					return
				}
				c.act()
			}
		})
	}
	wg.Wait()
}

// client is somebody at work. It acts on what it has seen, which may be old.
type client struct {
	*history
	random   *rand.Rand
	recorder *recorder
	st       store.Store // the recorder, behind faults
	session  string
	process  string
	ttl      time.Duration // of the process, which does not change
	seen     map[string]*store.Record
	waiters  map[string]string // by name, the last one
	count    int
}

func (h *history) newClient(i int) *client {
	c := &client{
		history:  h,
		random:   rand.New(rand.NewPCG(h.seed, uint64(i))),
		recorder: &recorder{client: i, clock: h.clock, tick: &h.tick, Store: h.test.st},
		session:  fmt.Sprintf("s%d", i),
		process:  fmt.Sprintf("%s/p%d", h.names[0], i),
		seen:     map[string]*store.Record{},
		waiters:  map[string]string{},
	}
	c.ttl = time.Duration(2+c.random.IntN(5)) * time.Second
	c.recorder.yield = func() {
		for range c.random.IntN(3) {
			runtime.Gosched()
		}
	}
	c.st = Faulty(c.recorder, func() Fault {
		return []Fault{BeforeCommit, AfterCommit, AfterCommit, NoFault}[min(3, c.random.IntN(25))]
	})
	if !h.clock.manual() {
		c.keepAlive(time.Hour) // the moment of a later one would not be known
	}
	return c
}

func (c *client) name() string {
	i := c.random.IntN(len(c.names) + len(c.often))
	if i < len(c.names) {
		return c.names[i]
	}
	return c.often[i-len(c.names)]
}

// chance is true so many times in a hundred.
func (c *client) chance(percent int) bool { return c.random.IntN(100) < percent }

// act does one thing.
func (c *client) act() {
	if c.chance(c.several) {
		c.request(c.opAll()...)
		return
	}
	name := c.name()
	switch n := c.random.IntN(100); {
	case n < 8:
		c.advance()
	case n < 14:
		c.keepAliveSoon()
	case n < 22:
		if view, err := c.st.Get(c.ctx, name, c.session); err == nil {
			c.see(name, view.Record)
		}
	case n < 24:
		_, _ = c.st.List(c.ctx, store.RecordQuery{Prefix: c.names[0][:len(c.names[0])-1], Limit: 100})
	default:
		if own := c.own(); own != "" && c.hasty && c.chance(40) {
			name = own
		}
		c.request(c.opOne(name))
	}
}

// own is a name that the client held when it was seen last; empty: none.
func (c *client) own() string {
	for _, name := range c.names {
		if rec := c.seen[name]; rec != nil && rec.Holder.Session == c.session {
			return name
		}
	}
	return ""
}

// advance moves the clock on, and may sweep. Nobody else does meanwhile.
func (c *client) advance() {
	if !c.clock.manual() {
		c.clock.Advance(c.seconds(0.2))
		return
	}
	c.still.Lock()
	defer c.still.Unlock()
	c.clock.Advance(time.Duration(c.random.IntN(1500)) * time.Millisecond)
	if c.chance(50) {
		_, _ = c.st.Sweep(c.ctx, store.Retention{})
	}
}

// moment lets the least time pass: what is left to who waits behind is looked at a
// microsecond after the join, which a clock that stands still never shows.
func (c *client) moment() {
	if c.clock.manual() {
		c.still.Lock()
		defer c.still.Unlock()
		c.clock.Advance(time.Microsecond)
	}
}

func (c *client) keepAliveSoon() {
	if c.clock.manual() {
		c.keepAlive(c.ttl)
	}
}

func (c *client) keepAlive(ttl time.Duration) {
	c.still.RLock()
	defer c.still.RUnlock()
	_, _ = c.st.KeepAlive(c.ctx, c.process, ttl)
}

func (c *client) see(name string, rec *store.Record) {
	if rec == nil {
		rec = &store.Record{Name: name, Token: 1}
	}
	c.seen[name] = rec
}

// request sends a request until an answer arrives.
func (c *client) request(ops ...store.Op) {
	c.count++
	if ops[0].Do == store.Join {
		c.moment()
	}
	req := store.Txn{ID: fmt.Sprintf("%s/%s.%d", c.names[0], c.session, c.count), Ops: ops}
	if len(ops) == 1 && ops[0].Do == store.Join {
		req.ID = ops[0].Waiter.ID
	} else if len(ops) == 1 && ops[0].Do == store.Revoke {
		req.ID = c.waiter(ops[0].Name)
	}
	for {
		res, err := c.st.Commit(c.ctx, req)
		if errors.Is(err, ErrFault) {
			runtime.Gosched()
			continue
		}
		if err != nil {
			return // the recorder has it
		}
		for i, rec := range res.Records {
			c.see(ops[i].Name, rec)
		}
		return
	}
}

// swapAll are operations on several names, of one kind mostly.
func (c *client) opAll() []store.Op {
	names := slices.Clone(c.names)
	c.random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	names = names[:2+c.random.IntN(len(names)-1)]
	kind := c.random.IntN(3)
	ops := make([]store.Op, len(names))
	for i, name := range names {
		switch kind {
		case 0:
			ops[i] = acquire(name, c.session, c.terms())
		case 1:
			ops[i] = release(name, c.session)
		default:
			ops[i] = c.opOne(name)
		}
	}
	return ops
}

func (c *client) terms() store.Terms {
	t := store.Terms{Idle: c.seconds(float64([]int{0, 2, 3, 5, 20}[c.random.IntN(5)]))}
	if c.chance(20) || c.hasty && t.Idle == 0 {
		t.MaxHold = c.seconds(4)
	}
	return t
}

// swapOne is something to do to a name, in the light of what was seen there.
func (c *client) opOne(name string) store.Op {
	seen := c.seen[name]
	if seen == nil {
		seen = &store.Record{Token: 1}
	}
	switch n := c.random.IntN(100); {
	case n < 25:
		return c.sharing(acquire(name, c.session, c.terms()))
	case n < 27 && strings.HasSuffix(name, "b"): // to hold it alone
		sw := takeOver(name, c.session, seen.Token, c.terms())
		sw.Expect.Sole, sw.Share = true, ptr(store.Alone)
		return sw
	case n < 30:
		return takeOver(name, c.session, seen.Token, c.terms())
	case n < 42:
		sw := renew(name, seen.Token)
		if c.chance(20) {
			sw.Share, sw.Event = ptr(store.Shared), note(refreshed, c.session)
			sw.Terms = &store.Terms{Idle: c.seconds(20), MaxHold: -1}
		}
		if c.chance(30) {
			sw.Data = ptr(fmt.Sprint("data ", c.random.IntN(3)))
		}
		return sw
	case n < 48:
		sw := store.Op{Name: name, Do: store.Renew, Expect: store.Expect{Session: &c.session}, Event: note(refreshed, c.session)}
		if c.chance(30) {
			sw.Terms = ptr(c.terms())
		}
		if c.chance(15) || c.hasty && c.chance(50) {
			sw.Holder = ptr(party(fmt.Sprintf("s%d", c.random.IntN(c.clients))))
		}
		return sw
	case n < 52:
		return store.Op{Name: name, Do: store.Renew, Expect: store.Expect{Data: &seen.Data, Session: &c.session}, Data: ptr("data")}
	case n < 66:
		return release(name, c.session)
	case n < 69:
		return store.Op{Name: name, Do: store.Release, Expect: store.Expect{Token: seen.Token}, Event: note(released, "admin")}
	case n < 73:
		sw := release(name, c.session)
		sw.Expect.Waiting, sw.Event = true, note(store.KindHandedOver, c.session)
		return sw
	case n < 92:
		return c.join(name)
	case n < 94 && c.revokes:
		return revoke(name)
	case n < 97 || len(seen.Waiters) == 0:
		return store.Op{Name: name, Do: store.Leave, Waiter: &store.Waiter{ID: c.waiter(name), Process: c.process}}
	default:
		sw := store.Op{Name: name, Do: store.Leave, Expect: store.Expect{Token: seen.Token}, Event: note(declined, c.session)}
		sw.Waiter = &store.Waiter{ID: seen.Waiters[c.random.IntN(len(seen.Waiters))].ID}
		return sw
	}
}

// sharing lets an operation share a name that several may hold. Half of them do.
func (c *client) sharing(sw store.Op) store.Op {
	share := store.Shared
	if strings.HasSuffix(sw.Name, "c") {
		share = store.Share(1 + c.random.IntN(2))
		sw.Resize = true
	}
	switch {
	case strings.HasSuffix(sw.Name, "a") || c.chance(40):
	case sw.Waiter != nil:
		sw.Waiter.Share = share
	default:
		sw.Share = &share
	}
	return sw
}

func (c *client) waiter(name string) string {
	if c.waiters[name] == "" {
		c.waiters[name] = fmt.Sprintf("%s#%s.%d", name, c.session, c.count)
	}
	return c.waiters[name]
}

// join queues up, under a waiter used before now and then.
func (c *client) join(name string) store.Op {
	if c.chance(70) {
		c.waiters[name] = ""
	}
	again := c.waiters[name] != ""
	sw := join(name, c.session, c.process, c.terms())
	c.sharing(sw)
	sw.Waiter.ID = c.waiter(name)
	sw.Waiter.GrantAfter = c.seconds(float64([]int{0, 0, 1, 3}[c.random.IntN(4)]))
	sw.Waiter.ConfirmWithin = c.seconds(float64([]int{0, 2}[c.random.IntN(2)]))
	if c.chance(10) || again && c.chance(40) { // it may wait elsewhere by now
		sw.Waiter.Process, sw.Expect.Here = fmt.Sprintf("%s/p%d", c.names[0], c.random.IntN(c.clients)), true
	}
	return sw
}

// checkLog compares the log of a history with what was acknowledged, and
// follows it from holder to holder.
func (h *history) checkLog() {
	h.Helper()
	prefix := h.names[0][:len(h.names[0])-1]
	entries := h.log(store.LogQuery{Prefix: prefix, Limit: 100_000}).Entries
	logged := map[string]int{}
	holders := map[string]map[uint64]store.Share{} // by name and token
	for _, e := range entries {
		logged[e.Request+"\n"+e.Name]++
		held := holders[e.Name]
		if held == nil {
			held = map[uint64]store.Share{}
			holders[e.Name] = held
		}
		share, known := held[e.Token]
		switch e.Kind {
		case captured, takenOver:
			if known || e.Token != e.Seq || !mayHold(held, e) {
				h.Errorf("history %d: token %d while %v hold: %+v", h.seed, e.Token, held, e)
			}
			if delete(held, e.Replaced); e.Kind == takenOver && e.Share == store.Alone {
				clear(held)
			}
			held[e.Token] = e.Share
		default:
			if known {
				held[e.Token] = e.Share
			}
			if !known || share != e.Share && e.Share != store.Shared {
				h.Errorf("history %d: %v hold, but the entry is %+v", h.seed, held, e)
			}
			if e.Kind == released || e.Kind == store.KindExpired || e.Kind == store.KindHandedOver {
				delete(held, e.Token)
			}
		}
	}
	for _, op := range h.ops {
		in, out := op.Input.(*call), op.Output.(*answer)
		for _, sw := range in.req.Ops {
			if sw.Event == nil || sw.Do == store.Join || sw.Do == store.Leave {
				continue
			}
			if n := logged[in.req.ID+"\n"+sw.Name]; out.res.Done && n != 1 || n > 1 {
				h.Errorf("history %d: %d entries for %v, done: %v", h.seed, n, in, out.res.Done)
			}
		}
	}
	for _, name := range h.names {
		if view, err := h.test.st.Get(context.WithoutCancel(h.ctx), name, ""); err != nil {
			h.Error(err)
		} else if view.Record != nil {
			for _, rec := range append(view.Record.Others, view.Record) {
				if share, known := holders[name][rec.Token]; !known || share != rec.Share {
					h.Errorf("history %d: token %d holds %s with share %d; the log says %v", h.seed, rec.Token, name, rec.Share, holders[name])
				}
			}
		}
	}
}

// mayHold reports whether an entry may tell of a new hold beside those held, or in
// place of one.
func mayHold(held map[uint64]store.Share, e store.LogEntry) bool {
	n := len(held)
	if _, replaces := held[e.Replaced]; e.Kind == takenOver && (e.Share != store.Alone && !replaces || n == 0) {
		return false
	} else if e.Kind == takenOver {
		n--
	}
	for _, share := range held {
		if n > 0 && (e.Share == store.Alone || !share.Mixes(e.Share, true) || share == store.Alone) {
			return false
		}
	}
	return e.Share <= 0 || n < int(e.Share) || e.Kind == takenOver
}
