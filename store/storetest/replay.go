package storetest

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock/store"
)

// replay puts a history of names on a path in order. A name may be settled at any
// moment, by a sweep, by a step on another name, or by who looks on. So the log
// leads: each step must write what comes next in it, and what no call of the
// history wrote must be what settling the name makes of it.
type replay struct {
	names []string
	log   []store.LogEntry
	known map[string]int // by request: how much of the log there is once it is known
	read  time.Time      // when the log was read
}

func newReplay(names []string, log []store.LogEntry, now time.Time) *replay {
	r := &replay{names: names, log: log, known: map[string]int{}, read: now}
	for i, e := range log {
		if e.Request != "" && r.known[e.Request] == 0 {
			r.known[e.Request] = i + 1
		}
	}
	return r
}

// moment is what stands there once so much of the log is written. It is a value.
type moment struct {
	written   int
	now       time.Time
	states    map[string]store.State
	processes map[string]time.Time // until when they live
}

func (m *moment) env(log []store.LogEntry, now time.Time) store.Env {
	next := m.written
	return store.Env{
		Now: now,
		Next: func() uint64 {
			if next++; next <= len(log) {
				return log[next-1].Seq
			}
			return minted + uint64(next)
		},
		Alive: func(process string) bool { return now.Before(m.processes[process]) },
	}
}

// isAbove reports whether one name is above another.
func isAbove(name, other string) bool {
	if strings.HasSuffix(name, "/") {
		return name != other && strings.HasPrefix(other, name)
	}
	return strings.HasPrefix(other, name+"#")
}

// state is what stands under a name, and on its path.
func (m *moment) state(name string, env store.Env) store.State {
	s := m.states[name]
	s.Tree, s.Path = true, new(store.Path)
	var first *store.Waiter
	for _, n := range slices.Sorted(maps.Keys(m.states)) { // what is above comes first
		up := isAbove(n, name)
		if !up && !isAbove(name, n) {
			continue
		}
		other := m.states[n]
		for _, rec := range (place{State: other}).holds() {
			switch {
			case !rec.Live(env.Now):
				s.Path.Dead = append(s.Path.Dead, rec)
			case up:
				s.Path.Above = append(s.Path.Above, rec)
			default:
				s.Path.Below = append(s.Path.Below, rec)
			}
		}
		i := slices.IndexFunc(other.Queue, func(t store.Waiter) bool { return env.Alive(t.Process) })
		switch {
		case i < 0:
		case up:
			s.Path.Waits = append(s.Path.Waits, other.Queue[i])
		case first == nil || other.Queue[i].Seq < first.Seq:
			first = &other.Queue[i]
		}
	}
	if first != nil {
		s.Path.Waits = append(s.Path.Waits, *first)
	}
	return s
}

// with is the moment after a step that changed states.
func (m *moment) with(now time.Time, states map[string]store.State, wrote int) *moment {
	next := &moment{m.written + wrote, now, maps.Clone(m.states), m.processes}
	for name, s := range states {
		s.Tree, s.Path = false, nil
		next.states[name] = s
	}
	return next
}

// writes reports how many entries of the log are these; an error: they do not
// come next.
func (r *replay) writes(m *moment, entries []store.LogEntry) error {
	for i, e := range entries {
		if m.written+i >= len(r.log) {
			return fmt.Errorf("the log ends before %+v", e)
		}
		if next := r.log[m.written+i]; next.Seq != e.Seq || !sameEntry(next, e) || next.Replaced != e.Replaced {
			return fmt.Errorf("the log goes on with %+v; want %+v", next, e)
		}
	}
	return nil
}

// step judges one call.
func (r *replay) step(m *moment, in *call, out *answer) (*moment, error) {
	switch in.method {
	case "Swap":
		return r.commit(m, in.req, out.res)
	case "Get":
		return m, r.get(m, in, out.view)
	case "List":
		return m, r.list(m, out.page)
	case "Beat":
		return m.keepAlive(in, out.waiters)
	case "Sweep":
		return m, nil // what it settled is in the log
	}
	panic("storetest: no such method: " + in.method)
}

func (r *replay) commit(m *moment, req store.Txn, got store.Result) (*moment, error) {
	env := m.env(r.log, got.Now)
	if known := r.known[req.ID]; known > 0 && known <= m.written && req.ID != "" {
		want := store.Result{Done: true, Replayed: true, Now: got.Now}
		for i := range req.Ops {
			want.Records = append(want.Records, m.states[req.Ops[i].Name].Shown(&req.Ops[i], env))
		}
		return m, sameResult(want, got)
	}
	if got.Now.Before(m.now) {
		return m, fmt.Errorf("the step read the clock at %v, after one that read %v", got.Now, m.now)
	}
	next, err := r.run(m, req, got, true)
	if renewals := !slices.ContainsFunc(req.Ops, func(sw store.Op) bool { return sw.Do != store.Renew || sw.Holder != nil || sw.Event != nil }); err != nil && renewals {
		// A renewal does not look whether the path of who claims the name is clear by now.
		if again, err := r.run(m, req, got, false); err == nil {
			return again, nil
		}
	}
	return next, err
}

// run judges a request that was not done before. It may look at paths or not.
func (r *replay) run(m *moment, req store.Txn, got store.Result, looks bool) (*moment, error) {
	env := m.env(r.log, got.Now)
	want, changed, eff := Judge(req, env, func(name string) store.State { return m.state(name, env) }, looks)
	if err := sameResult(want, got); err != nil {
		return m, err
	}
	if err := r.writes(m, eff.Entries); err != nil {
		return m, err
	}
	if !want.Done && len(eff.Entries)+len(eff.Left) == 0 {
		return m, r.refused(m, req, got)
	}
	next := m.with(got.Now, changed, len(eff.Entries))
	if !want.Done {
		return next, r.refused(next, req, got)
	}
	return next, r.allowed(m, next, req, eff)
}

// Judge runs a request by the rules on the states of its names, with what is known of
// their paths if it looks there, and returns the states that it changed.
func Judge(req store.Txn, env store.Env, state func(name string) store.State, looks bool) (store.Result, map[string]store.State, store.Effects) {
	states, changed := map[string]store.State{}, map[string]store.State{}
	for _, sw := range req.Ops {
		s := state(sw.Name)
		if !looks {
			s.Path = nil
		}
		states[sw.Name] = s
	}
	res, eff := store.Run(req, env,
		func(name string) store.State { return states[name] },
		func(name string, s store.State) { states[name], changed[name] = s, s })
	return res, changed, eff
}

func sameResult(want, got store.Result) error {
	if want.Done != got.Done || want.Replayed != got.Replayed || len(want.Records) != len(got.Records) {
		return &mismatch{want, got}
	}
	for i := range want.Records {
		if !sameShown(want.Records[i], got.Records[i]) {
			return &mismatch{want.Records[i], got.Records[i]}
		}
	}
	return nil
}

// sameShown compares what is handed out of a name, with tokens.
func sameShown(want, got *store.Record) bool {
	if want == nil || got == nil {
		return want == got
	}
	return want.Token == got.Token && want.Place == got.Place && sameRecord(want, got) &&
		slices.EqualFunc(want.Others, got.Others, sameShown)
}

func (r *replay) get(m *moment, in *call, got store.View) error {
	if got.Now.Before(m.now) {
		return fmt.Errorf("the view is of %v, after a step that read %v", got.Now, m.now)
	}
	env := m.env(nil, got.Now)
	if want := m.states[in.name].HeldBy(in.session, env); !sameShown(want, got.Record) {
		return &mismatch{want, got.Record}
	}
	return r.told(m, in.name, in.session, got.Path, env)
}

func (r *replay) list(m *moment, got store.RecordPage) error {
	if got.Now.Before(m.now) {
		return fmt.Errorf("the page is of %v, after a step that read %v", got.Now, m.now)
	}
	rest := got.Records
	for _, name := range slices.Sorted(slices.Values(r.names)) {
		s := m.states[name].Live(got.Now)
		for _, rec := range (place{State: s}).holds() {
			alone := store.State{Shared: []*store.Record{rec}, Share: s.Share, Queue: s.Queue}
			want := alone.InForce(m.env(nil, got.Now))
			if len(rest) == 0 || !sameShown(want, &rest[0]) {
				return &mismatch{want, rest}
			}
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		return &mismatch{nil, rest}
	}
	return nil
}

func (m *moment) keepAlive(in *call, got []string) (*moment, error) {
	next := &moment{m.written, m.now, maps.Clone(m.states), maps.Clone(m.processes)}
	var want []string
	for name, s := range m.states {
		if !in.at.Before(m.processes[in.process]) { // it died: its waiters are gone for good
			s.Queue = slices.DeleteFunc(slices.Clone(s.Queue), func(t store.Waiter) bool { return t.Process == in.process })
			next.states[name] = s
		}
		for _, t := range s.Queue {
			if t.Process == in.process {
				want = append(want, t.ID)
			}
		}
	}
	slices.Sort(want)
	if got = slices.Sorted(slices.Values(got)); !slices.Equal(want, got) {
		return m, &mismatch{want, got}
	}
	next.processes[in.process] = in.at.Add(in.ttl)
	return next, nil
}

// settle are the moments after the name was settled of which the log goes on to
// tell; none: settling it is not what the log tells. It was at one of these times, or
// when the log says that somebody was granted the name.
func (r *replay) settle(m *moment, at []time.Time) (next []*moment) {
	if m.written == len(r.log) {
		return nil
	}
	first := r.log[m.written]
	for _, e := range r.log[m.written:] {
		if e.Name != first.Name {
			break
		}
		if e.Kind != store.KindExpired { // that has the time of the end
			at = append(at, e.At)
			break
		}
	}
	// Who looks on tells no time of theirs: what they find changes with each of these.
	for _, end := range m.processes {
		at = append(at, end)
	}
	for _, rec := range (place{State: m.states[first.Name]}).holds() {
		at = append(at, rec.Expires)
	}
	for _, now := range append(at, first.At, m.now, r.read) {
		if now.Before(m.now) || now.Before(first.At) {
			continue
		}
		env := m.env(r.log, now)
		s, eff := store.Settle(first.Name, m.state(first.Name, env), env)
		n := len(eff.Entries)
		if n == 0 || r.writes(m, eff.Entries) != nil || slices.ContainsFunc(next, func(o *moment) bool { return o.written == m.written+n }) {
			continue
		}
		if eff.Entries[n-1].Kind == store.KindExpired {
			now = m.now // it is not known when
		}
		after := m.with(now, map[string]store.State{first.Name: s}, n)
		if r.allowed(m, after, store.Txn{}, eff) == nil {
			next = append(next, after)
		}
	}
	return next
}

func (m *moment) equal(o *moment) bool {
	return m.written == o.written && m.now.Equal(o.now) && maps.EqualFunc(m.processes, o.processes, time.Time.Equal) &&
		maps.EqualFunc(m.states, o.states, func(a, b store.State) bool {
			return a.Share == b.Share &&
				slices.EqualFunc(place{State: a}.holds(), place{State: b}.holds(), sameShown) &&
				slices.EqualFunc(a.Queue, b.Queue, func(a, b store.Waiter) bool { return a.Seq == b.Seq && sameWaiter(&a, &b) })
		})
}

func (m *moment) hash() uint64 {
	h := maphash.Comparable(seed, [2]int64{m.now.UnixNano(), int64(m.written)})
	for name, s := range m.states {
		for _, rec := range (place{State: s}).holds() {
			h += maphash.Comparable(seed, [3]any{name, rec.Token, rec.Renewed.UnixNano()})
		}
		h += maphash.Comparable(seed, [2]any{name, len(s.Queue)})
	}
	return h
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }
