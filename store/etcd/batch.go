package etcd

import (
	"maps"
	"slices"
	"time"

	"github.com/editlock/editlock/store"
)

// batch is what some jobs make of a view: the states they change, and the
// effects to write with them. It changes nothing but itself, so that it can be
// tried anew on a newer view.
type batch struct {
	view  *view
	now   int64 // microseconds
	seq   uint64
	drawn bool // a number was given out

	states  map[string]store.State // changed, or settled to what they were
	peers   map[string]int64       // changed; 0: gone
	refile  map[string]bool        // names whose due time has come
	done    map[string]bool        // requests that took effect
	entries []store.Entry
	news    []store.Signal
	stamp   bool // the time of the step must be written, whatever else is
	results []result
}

// result is what a batch makes of one job.
type result struct {
	swap    store.Result
	tickets []string
}

func newBatch(v *view, now int64) *batch {
	return &batch{
		view: v, now: now, seq: v.head.Seq,
		states: make(map[string]store.State), peers: make(map[string]int64),
		refile: make(map[string]bool), done: make(map[string]bool),
	}
}

// epoch is when numbers begin, in microseconds since 1970: 2025.
const epoch = 1_735_689_600_000_000

// maxByClock is the last number that the clock leads to, in 2167. A clock that is
// wrong leaves as many before 2^53, where JavaScript's end.
const maxByClock = 1 << 52

// next gives out a number: the one after the last. But none is below the
// store's revision, nor below the microseconds since epoch by this machine's
// clock. So numbers rise even if somebody restores a snapshot of etcd, which
// has not heard of those given out since it was taken: no store gives out a
// million a second.
func (b *batch) next() uint64 {
	if !b.drawn {
		b.drawn = true
		b.seq = max(b.seq, uint64(b.view.rev), uint64(min(max(0, wall()-epoch), maxByClock)))
	}
	b.seq++
	return b.seq
}

func (b *batch) env() store.Env {
	return store.Env{Now: fromMicros(b.now), Next: b.next, Alive: b.alive}
}

func (b *batch) alive(peer string) bool { return b.now < b.until(peer) }

// until is how long a peer lives, or has lived; 0: it is not known.
func (b *batch) until(peer string) int64 {
	if until, changed := b.peers[peer]; changed {
		return until
	}
	return b.view.peers[peer]
}

func (b *batch) load(name string) store.State {
	if st, ok := b.states[name]; ok {
		return st
	}
	return b.view.names[name].State
}

func (b *batch) save(name string, st store.State) { b.states[name] = st }

// swap performs a request.
func (b *batch) swap(req *store.Request) result {
	env := b.env()
	if req.ID != "" && (b.done[req.ID] || b.view.requests[req.ID]) {
		// Whoever tries again counts his lease from now on: it must be now.
		b.stamp = true
		res := store.Result{Done: true, Replayed: true, Now: env.Now}
		for _, sw := range req.Swaps {
			res.Records = append(res.Records, b.load(sw.Name).InForce(env))
		}
		return result{swap: res}
	}
	for _, sw := range req.Swaps {
		if sw.Do == store.Join && b.until(sw.Ticket.Peer) == 0 {
			b.peers[sw.Ticket.Peer] = b.now // dead, but known, so that a sweep buries it
		}
	}
	res, eff := store.Run(*req, env, b.load, b.save)
	b.take(eff)
	return result{swap: res}
}

func (b *batch) take(eff store.Effects) {
	b.entries = append(b.entries, eff.Entries...)
	b.news = append(b.news, eff.News...)
	for _, e := range eff.Entries {
		if e.Request != "" {
			b.done[e.Request] = true
		}
	}
}

// beat keeps a peer alive.
func (b *batch) beat(peer string, ttl time.Duration) result {
	if !b.alive(peer) {
		b.bury(peer)
	}
	b.peers[peer] = micros(fromMicros(b.now).Add(ttl))
	return result{tickets: slices.Collect(maps.Keys(b.waits(peer)))}
}

// waits are the tickets of a peer, with their names.
func (b *batch) waits(peer string) map[string]string {
	tickets := make(map[string]string)
	for id, name := range b.view.waits[peer] {
		if _, changed := b.states[name]; !changed {
			tickets[id] = name
		}
	}
	for name, st := range b.states {
		for _, t := range st.Queue {
			if t.Peer == peer {
				tickets[t.ID] = name
			}
		}
	}
	return tickets
}

// bury takes the tickets of a dead peer out of their queues.
func (b *batch) bury(peer string) {
	for id, name := range b.waits(peer) {
		st := b.load(name)
		st.Queue = slices.DeleteFunc(slices.Clone(st.Queue), func(t store.Ticket) bool { return t.ID == id && t.Peer == peer })
		b.save(name, st)
	}
	b.peers[peer] = 0
}

// sweep buries the dead, for behind them somebody may have a claim, and
// settles what is due.
func (b *batch) sweep(due *overdue) result {
	for _, peer := range due.peers {
		if !b.alive(peer) {
			b.bury(peer)
		}
	}
	for _, name := range due.names {
		st, eff := store.Settle(name, b.load(name), b.env())
		b.save(name, st)
		b.take(eff)
		b.refile[name] = true
	}
	return result{}
}

// fallsDue is when a name next needs settling: at the record's end, or when
// its first ticket claims it. 0: not by itself.
func fallsDue(st store.State) int64 {
	if st.Record == nil {
		return 0
	}
	at := micros(st.Record.Expires)
	if len(st.Queue) > 0 {
		if claim := micros(st.Queue[0].ClaimOn(st.Record)); claim != 0 && (at == 0 || claim < at) {
			at = claim
		}
	}
	return at
}

// file is the time to keep a name under among the dues. A touch leaves it where
// it was, too soon: a sweep finds that, and moves it, once for many touches.
func (b *batch) file(name string, st store.State) int64 {
	filed, at := b.view.names[name].due, fallsDue(st)
	if at == 0 || filed == 0 || at < filed || filed <= b.now && b.refile[name] {
		return at
	}
	return filed
}
