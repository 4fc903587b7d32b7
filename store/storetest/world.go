package storetest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/editlock/editlock/store"
)

// world is the reference: what a store that runs store.Run must hold after
// the steps taken so far. It is a value; a step returns the next one. Each
// step takes the store's time, and the tokens the store minted, from what the
// engine answered, and judges all the rest.
type world struct {
	now       time.Time
	names     map[string]place
	processes map[string]time.Time // until when they live
	done      map[string]bool      // request IDs that took effect
	retry     map[string]bool      // the only ones to remember, if not nil
}

type place struct {
	store.State
	last uint64 // the largest token seen here
}

// unseen is the token of the oldest hold that the engine has not shown yet, such as
// a grant made by a sweep; younger ones have larger ones. Those that a step mints
// are from minted on.
const (
	unseen = 1 << 62
	minted = unseen + 1<<32
)

// renamed is the place with other tokens.
func (p place) renamed(token func(uint64) uint64) place {
	hold := func(rec *store.Record) *store.Record {
		if rec == nil || token(rec.Token) == rec.Token {
			return rec
		}
		out := *rec
		out.Token = token(rec.Token)
		return &out
	}
	p.Record = hold(p.Record)
	p.Shared = slices.Clone(p.Shared)
	for i := range p.Shared {
		p.Shared[i] = hold(p.Shared[i])
	}
	p.Queue = slices.Clone(p.Queue)
	for i := range p.Queue {
		p.Queue[i].Asked = token(p.Queue[i].Asked)
	}
	return p
}

// known is the place with the token of a hold that was unseen.
func (p place) known(was, token uint64) place {
	return p.renamed(func(t uint64) uint64 {
		if t == was {
			return token
		}
		return t
	})
}

// plain is the place with unseen tokens that do not tell how it came to be.
func (p place) plain() place {
	var tokens []uint64
	p.renamed(func(t uint64) uint64 {
		if t >= unseen {
			tokens = append(tokens, t)
		}
		return t
	})
	slices.Sort(tokens)
	tokens = slices.Compact(tokens)
	return p.renamed(func(t uint64) uint64 {
		if t < unseen {
			return t
		}
		i, _ := slices.BinarySearch(tokens, t)
		return unseen + uint64(i)
	})
}

// holds are the holds of a place, oldest first.
func (p place) holds() []*store.Record {
	if p.Record == nil {
		return p.Shared
	}
	return append([]*store.Record{p.Record}, p.Shared...)
}

// fits reports whether a token may be that of a hold that was unseen: larger than
// those before it, and smaller than those behind it, or than none seen here.
func (p place) fits(was, token uint64) bool {
	holds := p.holds()
	i := slices.IndexFunc(holds, func(r *store.Record) bool { return r.Token == was })
	if i < 0 || token >= unseen {
		return false
	}
	above := p.last
	for j, rec := range holds {
		if rec.Token < unseen && j > i {
			if above = 0; token >= rec.Token {
				return false
			}
		}
	}
	for _, rec := range holds[:i] {
		if rec.Token < unseen {
			above = max(above, rec.Token)
		}
	}
	return token > above
}

func newWorld() world {
	return world{names: map[string]place{}, processes: map[string]time.Time{}, done: map[string]bool{}}
}

// env is the environment of a step at a moment.
func (w world) env(now time.Time) store.Env {
	next := uint64(minted)
	return store.Env{
		Now:   now,
		Next:  func() uint64 { next++; return next },
		Alive: func(process string) bool { return now.Before(w.processes[process]) },
	}
}

// at moves the clock on.
func (w world) at(now time.Time) (world, error) {
	if now.Before(w.now) {
		return w, fmt.Errorf("the step read the clock at %v, after one that read %v", now, w.now)
	}
	w.now = now
	return w, nil
}

// put keeps a place, in a form that does not tell how it came to be.
func (w world) put(name string, p place) world {
	w.names = maps.Clone(w.names)
	w.names[name] = p.plain()
	return w
}

// operation judges the answer to a request, and tells what the step logged.
func (w world) commit(req store.Txn, got store.Result) (world, []store.LogEntry, error) {
	w, err := w.at(got.Now)
	if err != nil {
		return w, nil, err
	}
	env := w.env(got.Now)
	if w.done[req.ID] {
		want := store.Result{Done: true, Replayed: true, Now: got.Now}
		for i := range req.Ops {
			want.Records = append(want.Records, w.names[req.Ops[i].Name].Shown(&req.Ops[i], env))
		}
		next, err := w.adopt(req, want, got)
		if err != nil { // a retry may settle first, like any operation
			settled, entries := w.settle(req)
			for i := range req.Ops {
				want.Records[i] = settled.names[req.Ops[i].Name].Shown(&req.Ops[i], env)
			}
			if next, again := settled.adopt(req, want, got); again == nil {
				return next, entries, nil
			}
		}
		return next, nil, err
	}
	states := make(map[string]store.State, len(req.Ops))
	for _, sw := range req.Ops {
		states[sw.Name] = w.names[sw.Name].State
	}
	want, eff := store.Run(req, env,
		func(name string) store.State { return states[name] },
		func(name string, s store.State) { states[name] = s })
	for name, s := range states {
		w = w.put(name, place{s, w.names[name].last})
	}
	for i := range req.Ops { // with the tokens that put made plain
		want.Records[i] = w.names[req.Ops[i].Name].Shown(&req.Ops[i], env)
	}
	w = w.remember(eff.Entries)
	w, err = w.adopt(req, want, got)
	return w, eff.Entries, err
}

// remember notes the requests that took effect.
func (w world) remember(entries []store.LogEntry) world {
	for _, e := range entries {
		if e.Request != "" && !w.done[e.Request] && (w.retry == nil || w.retry[e.Request]) {
			w.done = maps.Clone(w.done)
			w.done[e.Request] = true
		}
	}
	return w
}

// settle settles the names of a request.
func (w world) settle(req store.Txn) (world, []store.LogEntry) {
	var entries []store.LogEntry
	for _, sw := range req.Ops {
		s, eff := store.Settle(sw.Name, w.names[sw.Name].State, w.env(w.now))
		w = w.put(sw.Name, place{s, w.names[sw.Name].last})
		entries = append(entries, eff.Entries...)
	}
	return w.remember(entries), entries
}

// adopt compares a result with what is due, and learns the new tokens.
func (w world) adopt(req store.Txn, want, got store.Result) (world, error) {
	if want.Done != got.Done || want.Replayed != got.Replayed || len(want.Records) != len(got.Records) {
		return w, &mismatch{want, got}
	}
	for i, sw := range req.Ops {
		var ok bool
		if w, ok = w.see(sw.Name, want.Records[i], got.Records[i]); !ok {
			return w, &mismatch{want, got}
		}
	}
	return w, nil
}

// see compares a record with what is due, and learns its token, and those of the
// holds beside it.
func (w world) see(name string, want, got *store.Record) (world, bool) {
	if want == nil || got == nil {
		return w, want == got
	}
	if len(want.Others) != len(got.Others) || want.Beside != got.Beside {
		return w, false
	}
	wants, gots := append([]*store.Record{want}, want.Others...), append([]*store.Record{got}, got.Others...)
	asked := map[uint64]uint64{}
	for i := range wants {
		was, token := wants[i].Token, gots[i].Token
		if was < unseen {
			if was != token {
				return w, false
			}
			continue
		}
		p := w.names[name]
		if !p.fits(was, token) {
			return w, false
		}
		p.last = max(p.last, token)
		w.names = maps.Clone(w.names)
		w.names[name], asked[was] = p.known(was, token), token
	}
	w = w.put(name, w.names[name])
	for i := range want.Waiters {
		if token, ok := asked[want.Waiters[i].Asked]; ok {
			want.Waiters[i].Asked = token
		}
	}
	for i := range wants {
		if !sameRecord(wants[i], gots[i]) {
			return w, false
		}
	}
	return w, true
}

// list judges what a List tells of a name: each hold by itself.
func (w world) list(name string, got []store.Record, now time.Time) (world, error) {
	if _, err := w.at(now); err != nil {
		return w, err
	}
	live := func() store.State {
		p := w.names[name]
		return p.Live(now)
	}
	if now := (place{State: live()}); len(now.holds()) != len(got) {
		return w, &mismatch{now.holds(), got}
	}
	for i := range got {
		p := place{State: live()} // one that is seen gives other unseen ones other tokens
		alone := store.State{Shared: p.holds()[i : i+1], Share: p.Share, Queue: p.Queue, Rest: p.Rest}
		want := alone.InForce(w.env(now))
		var ok bool
		if w, ok = w.see(name, want, &got[i]); !ok {
			return w, &mismatch{want, got[i]}
		}
	}
	return w, nil
}

// get judges a view. It must not show what is later than its Now; but a step
// that read the clock before it may become visible after it.
func (w world) get(name, session string, got store.View) (world, error) {
	if _, err := w.at(got.Now); err != nil {
		return w, err
	}
	want := w.names[name].HeldBy(session, w.env(got.Now))
	w, ok := w.see(name, want, got.Record)
	if !ok {
		return w, &mismatch{want, got.Record}
	}
	return w, nil
}

// keepAlive judges a keep-alive at a moment; got are its waiters on the world's names.
func (w world) keepAlive(process string, ttl time.Duration, now time.Time, got []string) (world, error) {
	w, err := w.at(now)
	if err != nil {
		return w, err
	}
	var want []string
	for name, p := range w.names {
		if !now.Before(w.processes[process]) { // it died: its waiters are gone for good
			p.Queue = slices.DeleteFunc(slices.Clone(p.Queue), func(t store.Waiter) bool { return t.Process == process })
			w = w.put(name, p)
		}
		for _, t := range p.Queue {
			if t.Process == process {
				want = append(want, t.ID)
			}
		}
	}
	slices.Sort(want)
	got = slices.Sorted(slices.Values(got))
	if !slices.Equal(want, got) {
		return w, &mismatch{want, got}
	}
	w.processes = maps.Clone(w.processes)
	w.processes[process] = now.Add(ttl)
	return w, nil
}

// sweep settles a name. If that changes nothing it is but a read, and may miss
// what is not visible yet.
func (w world) sweep(name string, now time.Time) (world, error) {
	p := w.names[name]
	s, eff := store.Settle(name, p.State, w.env(now))
	if len(eff.Entries)+len(eff.Left) == 0 {
		return w, nil
	}
	w, err := w.at(now)
	return w.put(name, place{s, p.last}).remember(eff.Entries), err
}

// mismatch is an answer that is not the one due.
type mismatch struct{ want, got any }

func (m *mismatch) Error() string {
	return "not what the reference answers (-want +got, token " + fmt.Sprint(uint64(unseen)) + ": any new one):\n" +
		cmp.Diff(m.want, m.got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(store.Waiter{}, "Seq"), cmpopts.IgnoreFields(store.LogEntry{}, "Seq"))
}

// sameRecord compares all but tokens; places in the queue must rise.
func sameRecord(a, b *store.Record) bool {
	if a.Name != b.Name || a.Share != b.Share || a.Beside != b.Beside || a.Holder != b.Holder || a.Data != b.Data || a.Terms != b.Terms ||
		!a.Acquired.Equal(b.Acquired) || !a.Renewed.Equal(b.Renewed) || !a.Expires.Equal(b.Expires) ||
		a.Request != b.Request || a.Waiting != b.Waiting || len(a.Waiters) != len(b.Waiters) {
		return false
	}
	for i := range a.Waiters {
		if !sameWaiter(&a.Waiters[i], &b.Waiters[i]) || i > 0 && b.Waiters[i].Seq <= b.Waiters[i-1].Seq {
			return false
		}
	}
	return true
}

func sameWaiter(a, b *store.Waiter) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Share == b.Share && a.Process == b.Process && a.Holder == b.Holder && a.Data == b.Data &&
		a.Terms == b.Terms && a.Value == b.Value && a.Since.Equal(b.Since) && a.ConfirmWithin == b.ConfirmWithin &&
		a.GrantAt.Equal(b.GrantAt) && a.Asked == b.Asked && a.GrantAfter == b.GrantAfter &&
		(a.Event == nil) == (b.Event == nil) && (a.Event == nil || *a.Event == *b.Event)
}

// sameEntry compares all but sequence numbers.
func sameEntry(a, b store.LogEntry) bool {
	return a.At.Equal(b.At) && a.Kind == b.Kind && a.Name == b.Name && a.Token == b.Token && a.Share == b.Share && a.Owner == b.Owner &&
		a.Actor == b.Actor && a.Other == b.Other && a.Reason == b.Reason && a.Request == b.Request
}
