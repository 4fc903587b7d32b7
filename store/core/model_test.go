package core_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/memory"
	"github.com/editlock/editlock/store/storetest"
)

// seeds is how many worlds are tried. Raise it after a change of conditions: some
// of them matter in one world of some thousand only.
const seeds = 600

// requestKey is the key of the request that a context belongs to.
type requestKey struct{}

// judged is an engine that holds each commit of a request to the rules, run on
// all that is there at its moment.
type judged struct {
	*memory.Engine
	*testing.T
	meddle func()              // what others do right before
	done   bool                // whether the rules allowed the request at the last commit
	over   bool                // the request was done, and needs no other commit
	last   map[string][]string // what stood there then
}

// names are those that requests speak of: two by themselves, and some of a tree.
var (
	names = []string{"a", "b", "g/", "g/x", "g/x#p", "g/x#q", "g/y"}
	pairs = [][2]string{{"a", "b"}, {"a", "b"}, {"g/", "g/x"}, {"g/x", "g/x#p"}, {"g/x#q", "g/y"}, {"g/", "g/x#p"}}
)

func (e *judged) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	req, ok := ctx.Value(requestKey{}).(store.Txn)
	if !ok || len(txns[0].Then) > 0 && !speaks(&txns[0], req) {
		return e.Engine.Commit(ctx, txns) // it settles names above or below
	}
	if e.over {
		e.Fatalf("%+v was done before, and is committed again on %v", req, e.last)
	}
	e.meddle()
	states, env := e.look()
	before := show(states, env)
	e.last = before
	settled, entries := maps.Clone(states), 0
	for _, sw := range req.Ops {
		after, eff := store.Settle(sw.Name, states[sw.Name], env)
		settled[sw.Name], entries = after, entries+len(eff.Entries)
	}
	res, eff := store.Run(req, env, func(n string) store.State { return states[n] }, func(n string, s store.State) { states[n] = s })
	answers, err := e.Engine.Commit(ctx, txns)
	if e.done = res.Done; err != nil || !answers[0].Done || len(txns[0].If) == 0 {
		return answers, err
	}
	got, env := e.look()
	diff := cmp.Diff(show(states, env), show(got, env))
	if logged := len(txns[0].Log); diff == "" && logged == len(eff.Entries) {
		e.over = res.Done && !cmp.Equal(show(settled, env), show(got, env))
		return answers, nil
	} else if logged == entries && cmp.Equal(show(settled, env), show(got, env)) {
		e.done = false // it would have been refused a moment before, and is judged again
		return answers, nil
	}
	e.Fatalf("%+v on %v\nlogged %d entries, by the rules %d; state by the rules (-), and committed (+):\n%s",
		req, before, len(txns[0].Log), len(eff.Entries), diff)
	return answers, err
}

// speaks reports whether a transaction writes what is a request's own.
func speaks(txn *kv.Txn, req store.Txn) bool {
	return slices.ContainsFunc(txn.Then, func(w kv.Write) bool {
		name, _, _ := strings.Cut(w.Key[1:], kv.Separator)
		return slices.ContainsFunc(req.Ops, func(sw store.Op) bool { return sw.Name == name && w.Key[:1] != "t" })
	})
}

// show is what matters of states; tokens differ.
func show(states map[string]store.State, env store.Env) map[string][]string {
	out := make(map[string][]string)
	hold := func(name string, r *store.Record) {
		if r != nil {
			out[name] = append(out[name], fmt.Sprintf("%d %s %q %v %v %s", r.Share, r.Holder.Session, r.Data, r.Terms, r.Expires, r.Request))
		}
	}
	for name, s := range states {
		hold(name, s.Record)
		for _, r := range s.Shared {
			hold(name, r)
		}
		if s.Share != store.Alone {
			out[name] = append(out[name], fmt.Sprint("share ", s.Share))
		}
		for _, t := range s.Queue {
			if env.Alive(t.Process) {
				out[name] = append(out[name], fmt.Sprintf("%d %s of %s, claims at %v", t.Share, t.ID, t.Process, t.GrantAt))
			}
		}
	}
	return out
}

// look reads all that is there. It fails the test where a claim is without an alarm
// or an alarm without a waiter, where a free name has waiters, or where a gate does
// not stand for the holds.
func (e *judged) look() (map[string]store.State, store.Env) {
	ranges, each := []kv.Range{{Prefix: "p"}}, 0
	for _, n := range names {
		alarms := "a" + n + kv.Separator
		ranges = append(ranges, core.Lookup(n)...)
		bells := "b" + n + kv.Separator
		ranges = append(ranges, kv.Range{Prefix: alarms}, kv.Range{Prefix: alarms, Overdue: true}, kv.Range{Prefix: bells}, kv.Range{Prefix: bells, Overdue: true})
		if each == 0 {
			each = len(ranges) - 1
		}
	}
	a, err := e.Read(e.Context(), ranges...)
	if err != nil {
		e.Fatal(err)
	}
	states := make(map[string]store.State)
	for i, n := range names {
		found := a.Found[1+each*i:]
		s, err := core.Place(n, found)
		if err != nil {
			e.Fatal(err)
		}
		states[n] = s
		switch {
		case s.Record == nil && len(s.Shared) == 0 && len(s.Queue) > 0 && (len(found[0].Rows) == 0 || found[0].Rows[0].Data != "0"):
			e.Fatalf("%s is free, and %d wait", n, len(s.Queue))
		case s.Share == store.Alone && len(s.Shared) > 0, s.Record != nil && s.Record.Share != s.Share,
			s.Share != store.Alone && s.Record == nil && len(s.Shared) == 0:
			e.Fatalf("the gate of %s says %d, its holds are %v and %v", n, s.Share, s.Record, s.Shared)
		}
		alarms, bells := make(map[string]string), make(map[string]string)
		for _, r := range slices.Concat(found[each-4].Rows, found[each-3].Rows) {
			alarms[r.Key[1:]] = r.Lease
		}
		for _, r := range slices.Concat(found[each-2].Rows, found[each-1].Rows) {
			bells[r.Key[1:]] = r.Lease
		}
		for j, t := range s.Queue {
			key := found[1].Rows[j].Key[1:]
			if lease := alarms[key]; !s.GrantAt(&t).IsZero() && lease != "p"+t.Process {
				e.Fatalf("the claim of %+v has an alarm with the lease %q", t, lease)
			}
			if lease := bells[key]; j > 0 && t.Share != store.Alone && lease != "p"+t.Process {
				e.Fatalf("%+v has a bell with the lease %q", t, lease)
			}
			delete(alarms, key)
			delete(bells, key)
		}
		if len(alarms)+len(bells) > 0 {
			e.Fatalf("alarms without waiters: %v, bells: %v", alarms, bells)
		}
	}
	next := uint64(1 << 40)
	env := store.Env{
		Now:  a.Now,
		Next: func() uint64 { next++; return next },
		Alive: func(p string) bool {
			return slices.ContainsFunc(a.Found[0].Rows, func(r kv.Row) bool { return r.Key == "p"+p })
		},
	}
	for _, n := range names {
		if s := states[n]; store.Tree(n) != "" {
			s.Tree, s.Path = true, pathOf(n, states, env)
			states[n] = s
			if rec := s.InForce(env); rec != nil && slices.ContainsFunc(s.Path.Above, func(r *store.Record) bool { return r.Holder.Session != rec.Holder.Session }) {
				e.Fatalf("%+v holds below %+v", rec, show(states, env))
			}
		}
	}
	return states, env
}

// pathOf is what stands on the path of a name among these states.
func pathOf(name string, states map[string]store.State, env store.Env) *store.Path {
	p := new(store.Path)
	var first *store.Waiter
	for _, n := range names {
		above := slices.Contains(store.Above(name), n)
		if !above && !slices.Contains(store.Above(n), name) {
			continue
		}
		s := states[n]
		for _, r := range append(slices.Clone(s.Shared), s.Record) {
			switch {
			case r == nil:
			case !r.Live(env.Now):
				p.Dead = append(p.Dead, r)
			case above:
				p.Above = append(p.Above, r)
			default:
				p.Below = append(p.Below, r)
			}
		}
		i := slices.IndexFunc(s.Queue, func(t store.Waiter) bool { return env.Alive(t.Process) })
		switch {
		case i < 0:
		case above:
			p.Waits = append(p.Waits, s.Queue[i])
		case first == nil || s.Queue[i].Seq < first.Seq:
			first = &s.Queue[i]
		}
	}
	if first != nil {
		p.Waits = append(p.Waits, *first)
	}
	return p
}

// dice make up what processes do.
type dice struct{ *rand.Rand }

func (d dice) odds(n int) bool         { return d.IntN(n) == 0 }
func (d dice) one(of ...string) string { return of[d.IntN(len(of))] }
func (d dice) party() *store.Party     { return &store.Party{Session: d.one("ann", "bob", "cid")} }
func (d dice) data() *string           { return new(d.one("", "x")) }
func (d dice) seconds() time.Duration  { return time.Duration(d.IntN(4)) * time.Second }

func (d dice) share() store.Share {
	return []store.Share{store.Alone, store.Shared, store.Shared, 1, 2}[d.IntN(5)]
}

func (d dice) op(name string) store.Op {
	sw := store.Op{Name: name, Do: store.Action(1 + d.IntN(5))}
	if !d.odds(3) {
		sw.Event = &store.Event{Kind: "note"}
	}
	switch d.IntN(6) {
	case 0, 1:
		sw.Expect.Session = &d.party().Session
	case 2:
		sw.Expect.Data = d.data()
	case 3:
		sw.Expect.Waiting = d.odds(2)
	case 4:
		sw.Expect.Sole = d.odds(2)
	}
	switch sw.Do {
	case store.Acquire:
		if d.odds(2) {
			sw.Expect = store.Expect{Free: true}
		}
		if d.odds(2) {
			sw.Share, sw.Resize = new(d.share()), d.odds(2)
		}
		sw.Holder, sw.Terms = d.party(), &store.Terms{Idle: d.seconds(), MaxHold: d.seconds()}
	case store.Renew:
		if d.odds(2) {
			sw.Data = d.data()
		}
		if d.odds(3) {
			sw.Holder = d.party()
		}
		if d.odds(3) {
			sw.Terms = &store.Terms{Idle: d.seconds(), MaxHold: -1}
		}
		if sw.ConfirmWithin = d.seconds(); d.odds(5) {
			sw.Share, sw.Terms = new(store.Shared), &store.Terms{Idle: max(1, d.seconds()), MaxHold: -1}
		}
	case store.Join, store.Leave:
		if d.odds(2) {
			sw.Expect = store.Expect{}
		}
		sw.Waiter = &store.Waiter{ID: name + d.one("1", "2", "3", "4", "5", "6")}
		if sw.Do == store.Join {
			sw.Waiter.Process, sw.Waiter.Holder, sw.Waiter.Terms.Idle = d.one("p", "q", "r"), *d.party(), d.seconds()
			sw.Waiter.GrantAfter, sw.Waiter.ConfirmWithin = d.seconds(), d.seconds()
			sw.Waiter.Share, sw.Resize = d.share(), d.odds(2)
		}
	}
	return sw
}

func (d dice) request() store.Txn {
	pair := pairs[d.IntN(len(pairs))]
	i := d.IntN(2)
	req := store.Txn{Ops: []store.Op{d.op(pair[i])}}
	if d.odds(3) {
		req.Ops = append(req.Ops, d.op(pair[1-i]))
	}
	return req
}

// act does something, or lets time pass.
func (d dice) act(ctx context.Context, st store.Store, clock *storetest.Clock) (err error) {
	switch d.IntN(12) {
	case 0, 1:
		_, err = st.KeepAlive(ctx, d.one("p", "q", "r"), 3*time.Second)
	case 2:
		_, err = st.Sweep(ctx, store.Retention{})
	case 3, 4:
		clock.Advance(time.Duration(d.IntN(3)) * 500 * time.Millisecond)
	default:
		_, err = st.Commit(ctx, d.request())
	}
	return err
}

func TestEachCommitDoesWhatTheRulesDo(t *testing.T) {
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { tryWorld(t, dice{rand.New(rand.NewPCG(seed, 1))}) })
		if t.Failed() {
			return
		}
	}
}

// tryWorld lets two processes do requests, each commit of which is judged, while
// two others meddle.
func tryWorld(t *testing.T, d dice) {
	clock := storetest.NewClock()
	e := &judged{Engine: memory.NewEngine(&memory.Options{Now: clock.Now}), T: t}
	process := [2]*core.Store{core.New(e), core.New(e)}
	others := [2]*core.Store{core.New(e.Engine), core.New(e.Engine)}
	other := func() {
		if err := d.act(t.Context(), others[d.IntN(2)], clock); err != nil {
			t.Fatal(err)
		}
	}
	for range 60 {
		if d.odds(3) {
			other()
			continue
		}
		left := 3
		e.meddle = func() {
			if left > 0 && !d.odds(3) {
				left--
				other()
			}
		}
		req := d.request()
		e.over = false
		res, err := process[d.IntN(2)].Commit(context.WithValue(t.Context(), requestKey{}, req), req)
		if err != nil || res.Done != e.done {
			t.Fatalf("%+v was done: %v, by the rules: %v on %v; %v", req, res.Done, e.done, e.last, err)
		}
	}
	e.rest(others[0], clock)
}

// rest lets time pass until sweeps change nothing any more, and nobody waits for
// what is to be had.
func (e *judged) rest(st *core.Store, clock *storetest.Clock) {
	var states map[string]store.State
	var env store.Env
	last := map[string][]string{}
	for same := 0; same < 5; same++ { // longer than a closed gate stands
		for _, process := range []string{"p", "q", "r"} {
			if _, err := st.KeepAlive(e.Context(), process, 3*time.Second); err != nil {
				e.Fatal(err)
			}
		}
		clock.Advance(2 * time.Second)
		if _, err := st.Sweep(e.Context(), store.Retention{}); err != nil {
			e.Fatal(err)
		}
		states, env = e.look()
		if now := show(states, env); !cmp.Equal(last, now) {
			last, same = now, 0
		}
	}
	for _, name := range names {
		if after, eff := store.Settle(name, states[name], env); len(eff.Left) > 0 || len(eff.Entries) > 0 {
			e.Fatalf("%s waits for nothing: %v, by the rules %v", name, show(states, env), show(map[string]store.State{name: after}, env))
		}
	}
}
