package store_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/editlock/editlock/store"
)

func TestRun(t *testing.T) {
	bob, ann := party("bob"), party("ann")
	acquire := func(name string) store.Op {
		return store.Op{
			Name: name, Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &bob, Terms: &store.Terms{},
			Event: &store.Event{Kind: "captured", Actor: bob},
		}
	}
	run := func(states map[string]store.State, ops ...store.Op) (store.Result, store.Effects) {
		env, _ := environment(start.Add(time.Minute), "peer")
		return store.Run(store.Txn{ID: "r1", Ops: ops}, env,
			func(name string) store.State { return states[name] },
			func(name string, s store.State) { states[name] = s })
	}
	t.Run("performs all swaps and returns what is in force", func(t *testing.T) {
		states := map[string]store.State{"a": {Record: held(store.Terms{}, 0)}}
		res, eff := run(states, store.Op{Name: "a", Do: store.Release, Expect: store.Expect{Session: &ann.Session}}, acquire("b"))
		if !res.Done || res.Records[0] != nil || res.Records[1] == nil || len(eff.Entries) != 1 {
			t.Errorf("%+v, %+v", res, eff)
		}
		if states["a"].Record != nil || states["b"].Record == nil {
			t.Errorf("states are %+v", states)
		}
	})
	t.Run("changes nothing if one swap is refused, and forgets what the others did", func(t *testing.T) {
		rec := held(store.Terms{}, 0)
		states := map[string]store.State{"a": {Record: rec}}
		res, eff := run(states, acquire("b"), acquire("a"), acquire("c"))
		if res.Done {
			t.Fatal("done")
		}
		same(t, "records", []*store.Record{nil, rec, nil}, res.Records)
		same(t, "effects", store.Effects{}, eff)
		if states["a"].Record != rec || states["b"].Record != nil || states["c"].Record != nil {
			t.Errorf("states are %+v", states)
		}
	})
	t.Run("keeps what settling did although it refuses", func(t *testing.T) {
		states := map[string]store.State{
			"a": {Record: held(store.Terms{Idle: time.Second}, time.Second), Queue: []store.Waiter{waiter("w", "peer", 8)}},
		}
		res, eff := run(states, acquire("a"))
		if res.Done || res.Records[0] == nil || res.Records[0].Request != "w" || len(eff.Entries) != 2 || states["a"].Record.Request != "w" {
			t.Errorf("%+v, %+v, %+v", res, eff, states)
		}
	})
	t.Run("a waiter that joins in the step that passed over its dead self has not left", func(t *testing.T) {
		states := map[string]store.State{
			"a": {
				Record: held(store.Terms{Idle: time.Second}, time.Second),
				Queue:  []store.Waiter{waiter("dead", "gone", 8), waiter("w", "peer", 9)},
			},
		}
		again := waiter("dead", "peer", 0)
		_, eff := run(states, store.Op{Name: "a", Do: store.Join, Waiter: &again})
		same(t, "left", []string{"w"}, eff.Left)
		granted := *states["a"].Record
		granted.Waiters, granted.Waiting = states["a"].Queue, 1
		same(t, "news", []store.Signal{{Process: "peer", Waiter: "w", Granted: store.View{Record: &granted, Now: granted.Acquired}}}, eff.News)
		if q := states["a"].Queue; len(q) != 1 || q[0].ID != "dead" || len(eff.Joined) != 1 {
			t.Errorf("queue is %+v, joined %+v", q, eff.Joined)
		}
	})
}

// model is an engine made of nothing but Run, with what must be true of it
// checked after each step.
type model struct {
	now       time.Time
	seq       uint64
	states    map[string]store.State
	processes map[string]time.Time
	queues    map[string][]string // waiters by name, as the effects tell
	tokens    map[string]uint64   // the largest by name
	logged    uint64
}

func (m *model) env() store.Env {
	return store.Env{
		Now:   m.now,
		Next:  func() uint64 { m.seq++; return m.seq },
		Alive: func(process string) bool { return m.now.Before(m.processes[process]) },
	}
}

// TestRun_Invariants draws random requests, deaths and moments.
func TestRun_Invariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			now: start, states: map[string]store.State{}, processes: map[string]time.Time{},
			queues: map[string][]string{}, tokens: map[string]uint64{},
		}
		for i := range 3 {
			m.keepAlive(fmt.Sprint("p", i), 20*time.Second)
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				m.now = m.now.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "seconds")) * time.Second)
			case 1:
				m.keepAlive(drawProcess(t), time.Duration(rapid.IntRange(1, 20).Draw(t, "ttl"))*time.Second)
			default:
				m.run(t, drawRequest(t, m))
			}
		}
	})
}

func drawProcess(t *rapid.T) string { return fmt.Sprint("p", rapid.IntRange(0, 2).Draw(t, "peer")) }

// keepAlive is the rule of Store.KeepAlive: who died has lost its waiters.
func (m *model) keepAlive(process string, ttl time.Duration) {
	if !m.env().Alive(process) {
		for name, s := range m.states {
			for _, tk := range s.Queue {
				if tk.Process == process {
					m.queues[name] = slices.DeleteFunc(m.queues[name], func(id string) bool { return id == tk.ID })
				}
			}
			s.Queue = slices.DeleteFunc(slices.Clone(s.Queue), func(tk store.Waiter) bool { return tk.Process == process })
			m.states[name] = s
		}
	}
	m.processes[process] = m.now.Add(ttl)
}

func drawRequest(t *rapid.T, m *model) store.Txn {
	names := rapid.Permutation([]string{"a", "b", "c"}).Draw(t, "names")
	names = names[:rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(t, "number of names")]
	req := store.Txn{ID: fmt.Sprint("r", m.seq)}
	for _, name := range names {
		req.Ops = append(req.Ops, drawOp(t, m, name))
	}
	return req
}

func drawOp(t *rapid.T, m *model, name string) store.Op {
	who := party(fmt.Sprint("s", rapid.IntRange(0, 3).Draw(t, "session")))
	seconds := func(label string) time.Duration {
		return time.Duration(rapid.SampledFrom([]int{0, 0, 1, 3, 9}).Draw(t, label)) * time.Second
	}
	actions := []store.Action{store.Acquire, store.Renew, store.Release, store.Join, store.Join, store.Join, store.Leave}
	sw := store.Op{
		Name: name, Do: rapid.SampledFrom(actions).Draw(t, "action"), Event: &store.Event{Kind: "noted", Actor: who},
		Holder: &who, Terms: &store.Terms{Idle: seconds("idle"), MaxHold: seconds("max hold")},
	}
	switch rapid.IntRange(0, 3).Draw(t, "condition") {
	case 0:
		sw.Expect.Free = true
	case 1:
		sw.Expect.Token = m.tokens[name]
	case 2:
		sw.Expect.Session = &who.Session
	}
	if sw.Do == store.Join || sw.Do == store.Leave {
		sw.Waiter = &store.Waiter{
			ID: fmt.Sprint(name, "#", rapid.IntRange(0, 15).Draw(t, "ticket")), Process: drawProcess(t), Holder: who, Terms: *sw.Terms,
			Event: sw.Event, GrantAfter: seconds("claim"), ConfirmWithin: seconds("confirm"),
		}
		if rapid.Bool().Draw(t, "unconditional") {
			sw.Expect = store.Expect{}
		}
	}
	return sw
}

func (m *model) run(t *rapid.T, req store.Txn) {
	before := maps.Clone(m.states)
	copies := map[string]store.Record{}
	for name, s := range before {
		if s.Record != nil {
			copies[name] = *s.Record
		}
	}
	seq := m.seq
	res, eff := store.Run(req, m.env(),
		func(name string) store.State { return m.states[name] },
		func(name string, s store.State) { m.states[name] = s })

	for name, was := range copies {
		if diff := cmp.Diff(was, *before[name].Record); diff != "" {
			t.Fatalf("a record was changed in place:\n%s", diff)
		}
	}
	m.checkEffects(t, req, res, eff, before)
	for i, sw := range req.Ops {
		m.checkState(t, sw.Name, res.Records[i])
	}
	m.checkWindow(t, req, seq, before, res, eff)
}

// checkEffects follows the effects: an engine that keeps queues by them, and
// nothing else, must have the same ones.
func (m *model) checkEffects(t *rapid.T, req store.Txn, res store.Result, eff store.Effects, before map[string]store.State) {
	for _, e := range eff.Entries {
		if e.Seq <= m.logged || e.Seq > m.seq {
			t.Fatalf("entry %d after %d, with numbers up to %d", e.Seq, m.logged, m.seq)
		}
		m.logged = e.Seq
	}
	for _, tk := range eff.Joined {
		if slices.Contains(eff.Left, tk.ID) {
			t.Fatalf("%s joined and left at once", tk.ID)
		}
		if !slices.Contains(m.queues[tk.Name], tk.ID) {
			m.queues[tk.Name] = append(m.queues[tk.Name], tk.ID)
		}
	}
	for name := range m.queues {
		m.queues[name] = slices.DeleteFunc(m.queues[name], func(id string) bool { return slices.Contains(eff.Left, id) })
	}
	for name, s := range m.states {
		var want []string
		for _, tk := range s.Queue {
			want = append(want, tk.ID)
		}
		slices.Sort(want)
		if got := slices.Sorted(slices.Values(m.queues[name])); !slices.Equal(want, got) {
			t.Fatalf("the queue of %s is %q; by the effects it is %q", name, want, got)
		}
	}
	if res.Done {
		return
	}
	for _, sw := range req.Ops { // refused: only settled
		env, _ := environment(m.now) // numbers of its own
		env.Alive = m.env().Alive
		settled, _ := store.Settle(sw.Name, before[sw.Name], env)
		got := m.states[sw.Name]
		if (settled.Record == nil) != (got.Record == nil) || len(settled.Queue) != len(got.Queue) {
			t.Fatalf("refused, the state of %s is %+v; settled it is %+v", sw.Name, got, settled)
		}
	}
}

func (m *model) checkState(t *rapid.T, name string, shown *store.Record) {
	s, env := m.states[name], m.env()
	if rec := s.Record; rec != nil && rec.Token < m.tokens[name] {
		t.Fatalf("token %d of %s after %d", rec.Token, name, m.tokens[name])
	} else if rec != nil {
		m.tokens[name] = rec.Token
	}
	for i, tk := range s.Queue {
		if i > 0 && tk.Seq <= s.Queue[i-1].Seq {
			t.Fatalf("the queue of %s is out of order: %+v", name, s.Queue)
		}
	}
	if diff := cmp.Diff(shown, s.InForce(env), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("in force is not what was returned (-returned +in force):\n%s", diff)
	}
	if s.Record != nil && !s.Record.Live(env.Now) {
		return // a renewal brought it to its end: the next step settles it
	}
	first := slices.IndexFunc(s.Queue, func(tk store.Waiter) bool { return env.Alive(tk.Process) })
	if first >= 0 {
		head := s.Queue[first]
		if s.Record == nil {
			t.Fatalf("%s waits before %s, which is free", head.ID, name)
		}
	}
}

// checkWindow runs the request again on windows of the queues, as an engine
// with long queues does.
func (m *model) checkWindow(t *rapid.T, req store.Txn, seq uint64, before map[string]store.State, want store.Result, wantEff store.Effects) {
	after := m.seq
	m.seq = seq
	env := m.env()
	const window = 2
	states := map[string]store.State{}
	for _, sw := range req.Ops {
		s := store.State{Record: before[sw.Name].Record}
		alive := 0
		for _, tk := range before[sw.Name].Queue {
			lives := env.Alive(tk.Process)
			own := sw.Waiter != nil && sw.Waiter.ID == tk.ID
			switch {
			case own || lives && alive < window:
				s.Queue = append(s.Queue, tk)
			case lives:
				s.Rest++
			}
			if lives {
				alive++
			}
		}
		states[sw.Name] = s
	}
	got, eff := store.Run(req, env,
		func(name string) store.State { return states[name] },
		func(name string, s store.State) { states[name] = s })
	if m.seq != after {
		t.Fatalf("on windows of the queues the last number is %d instead of %d", m.seq, after)
	}
	for _, res := range []*store.Result{&want, &got} {
		for i, rec := range res.Records {
			if rec != nil { // the window shows fewer
				shown := *rec
				shown.Waiters = nil
				res.Records[i] = &shown
			}
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("on windows of the queues the result differs (-whole +window):\n%s", diff)
	}
	if diff := cmp.Diff(wantEff.Entries, eff.Entries, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("on windows of the queues the entries differ (-whole +window):\n%s", diff)
	}
	if diff := cmp.Diff(wantEff.Joined, eff.Joined, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("on windows of the queues others join (-whole +window):\n%s", diff)
	}
}
