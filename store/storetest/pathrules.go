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

// The rules of a path, once more and from the other end: none of the store's own.

// others are the live holds of other sessions above a name, or below it.
func (m *moment) others(name, session string, up bool, now time.Time) (holds []*store.Record, own bool) {
	for _, n := range slices.Sorted(maps.Keys(m.states)) {
		if up && !isAbove(n, name) || !up && !isAbove(name, n) {
			continue
		}
		for _, rec := range (place{State: m.states[n]}).holds() {
			switch {
			case !rec.Live(now):
			case rec.Holder.Session == session:
				own = true
			default:
				holds = append(holds, rec)
			}
		}
	}
	return holds, own
}

// waits are those who wait for a name or on its path.
func (m *moment) waits(name string, itself bool, env store.Env) (waiters []store.Waiter) {
	for n, s := range m.states {
		if n == name && itself || isAbove(n, name) || isAbove(name, n) {
			waiters = append(waiters, slices.DeleteFunc(slices.Clone(s.Queue), func(t store.Waiter) bool { return !env.Alive(t.Process) })...)
		}
	}
	return waiters
}

// allowed reports what no step may do: let somebody hold what is above or below
// what another one holds, or in spite of one who has waited for longer, or let
// more hold a name than may.
func (r *replay) allowed(before, after *moment, req store.Txn, eff store.Effects) error {
	env := after.env(nil, after.now)
	written := uint64(0)
	if before.written > 0 {
		written = r.log[before.written-1].Seq
	}
	for name, s := range after.states {
		holds := slices.DeleteFunc(slices.Clone(place{State: s}.holds()), func(rec *store.Record) bool { return !rec.Live(env.Now) })
		for i, rec := range holds {
			isNew := slices.ContainsFunc(eff.Entries, func(e store.LogEntry) bool { return e.Kind == captured && e.Token == rec.Token })
			if len(holds) > 1 && (rec.Share == store.Alone || isNew && rec.Share > 0 && i >= int(rec.Share)) { // of those granted together, the last may let in more
				return fmt.Errorf("%d hold %s: %+v", len(holds), name, s)
			}
			above, own := after.others(name, rec.Holder.Session, true, env.Now)
			if len(above) > 0 {
				return fmt.Errorf("%s holds %s, and %s holds %s", rec.Holder.Session, name, above[0].Holder.Session, above[0].Name)
			}
			if !isNew || own {
				continue
			}
			seq := uint64(minted)
			if i := slices.IndexFunc(before.states[name].Queue, func(t store.Waiter) bool { return t.ID == rec.Request }); i >= 0 {
				seq = before.states[name].Queue[i].Seq
			}
			for _, t := range after.waits(name, true, env) {
				if t.Seq < seq && t.Seq <= written { // and did not come in the same step
					return fmt.Errorf("%s got %s, which %s had waited for since %v: %v", rec.Holder.Session, name, t.ID, t.Since, req)
				}
			}
		}
	}
	return nil
}

// refused reports what no refusal may do: keep somebody from a name that is free,
// or hide who is in the way.
func (r *replay) refused(m *moment, req store.Txn, got store.Result) error {
	env := m.env(nil, got.Now)
	for i, sw := range req.Ops {
		session := sw.Session()
		var told *store.Path
		if got.Paths != nil {
			told = got.Paths[i]
		}
		if told != nil {
			if err := r.told(m, sw.Name, session, told, env); err != nil {
				return err
			}
		}
		if len(req.Ops) > 1 || sw.Do != store.Acquire || !sw.Expect.Free || m.states[sw.Name].InForce(env) != nil {
			continue
		}
		if err := r.told(m, sw.Name, session, told, env); err != nil {
			return err
		}
		above, own := m.others(sw.Name, session, true, env.Now)
		below, _ := m.others(sw.Name, session, false, env.Now)
		if len(above)+len(below) == 0 && (own || len(m.waits(sw.Name, true, env)) == 0) {
			return fmt.Errorf("nothing is in the way of %v", req)
		}
	}
	return nil
}

// told compares what is told to be in the way with what is.
func (r *replay) told(m *moment, name, session string, got *store.Path, env store.Env) error {
	if got == nil {
		got = new(store.Path)
	}
	want := new(store.Path)
	var own bool
	want.Above, own = m.others(name, session, true, env.Now)
	want.Below, _ = m.others(name, session, false, env.Now)
	dead := len(m.state(name, env).Path.Dead) > 0
	if all, _ := m.others(name, "", false, env.Now); len(all) > store.MaxHolders || len(want.Above) > store.MaxHolders {
		return nil // they are not told of all
	}
	type hold struct {
		Name, Session string
		Token         uint64
	}
	type told struct {
		Above, Below []hold
		Waits        []string
	}
	in := func(p *store.Path) (t told) {
		for _, rec := range p.Above {
			t.Above = append(t.Above, hold{rec.Name, rec.Holder.Session, rec.Token})
		}
		for _, rec := range p.Below {
			t.Below = append(t.Below, hold{rec.Name, rec.Holder.Session, rec.Token})
		}
		for _, w := range p.Waits {
			t.Waits = append(t.Waits, w.ID)
		}
		return t
	}
	w, g := in(want), in(got)
	waits := m.waits(name, m.states[name].InForce(env) == nil, env)
	for _, id := range g.Waits {
		if !slices.ContainsFunc(waits, func(t store.Waiter) bool { return t.ID == id }) {
			return fmt.Errorf("%s is told to wait, and does not", id)
		}
	}
	if g.Waits == nil && len(waits) > 0 && !dead && !(own && len(want.Above)+len(want.Below) == 0) {
		return fmt.Errorf("of %d who wait nobody is told", len(waits))
	}
	w.Waits, g.Waits = nil, nil
	if diff := cmp.Diff(w, g, cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("in the way of %s (-want +told):\n%s", name, diff)
	}
	return nil
}
