package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/editlock/editlock/store"
)

// replaying looks for an order of calls. Where a call fits that changes nothing it is
// taken at once, as in search.
type replaying struct {
	*replay
	ops    []porcupine.Operation
	failed map[uint64][]replayed
	budget int
	best   replayed
}

type replayed struct {
	done   []bool
	left   int
	moment *moment
}

// order puts the calls in order and returns what stands there then.
func (r *replay) order(ops []porcupine.Operation) (*moment, error) {
	s := replaying{replay: r, ops: slices.Clone(ops), failed: map[uint64][]replayed{}, budget: searchNodes}
	slices.SortFunc(s.ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	begin := replayed{make([]bool, len(ops)), len(ops), &moment{states: map[string]store.State{}, processes: map[string]time.Time{}}}
	for _, name := range r.names {
		begin.moment.states[name] = store.State{}
	}
	s.best = begin
	if end := s.from(begin); end != nil {
		return end, nil
	}
	if s.budget < 0 {
		return nil, fmt.Errorf("no verdict on %d operations; %w", len(ops), s.explain())
	}
	return nil, s.explain()
}

func (s *replaying) from(n replayed) *moment {
	n, next := s.acquire(n)
	if n.left < s.best.left || n.left == s.best.left && n.moment.written > s.best.moment.written {
		s.best = n
	}
	if n.left == 0 && n.moment.written == len(s.log) {
		return n.moment
	}
	hash := n.moment.hash()
	same := func(o replayed) bool { return slices.Equal(o.done, n.done) && o.moment.equal(n.moment) }
	if s.budget--; s.budget < 0 || slices.ContainsFunc(s.failed[hash], same) {
		return nil
	}
	for _, m := range next {
		if end := s.from(m); end != nil {
			return end
		}
	}
	s.failed[hash] = append(s.failed[hash], n)
	return nil
}

// horizon is when the first call returned that is not done.
func (s *replaying) horizon(done []bool) int64 {
	horizon := int64(1<<63 - 1)
	for i, op := range s.ops {
		if !done[i] {
			if op.Call > horizon {
				break
			}
			horizon = min(horizon, op.Return)
		}
	}
	return horizon
}

// take takes the calls that change nothing, and tells what may come next.
func (s *replaying) acquire(n replayed) (replayed, []replayed) {
	n.done = slices.Clone(n.done)
	for {
		var next []replayed
		var times []time.Time
		again, horizon := false, s.horizon(n.done)
		for i, op := range s.ops {
			if op.Call > horizon {
				break
			}
			if n.done[i] {
				continue
			}
			in, out := op.Input.(*call), op.Output.(*answer)
			times = append(times, latest(out.res.Now, out.view.Now, out.page.Now, in.at))
			after, err := s.step(n.moment, in, out)
			switch {
			case err != nil:
			case after == n.moment:
				n.done[i], again = true, true
				n.left--
			default:
				done := slices.Clone(n.done)
				done[i] = true
				next = append(next, replayed{done, n.left - 1, after})
			}
		}
		if again {
			continue
		}
		for _, m := range s.settle(n.moment, times) {
			next = append(next, replayed{n.done, n.left, m})
		}
		return n, next
	}
}

// explain tells how far a history can be put in order, and what stands in the way of
// each call that could come next.
func (s *replaying) explain() error {
	var text strings.Builder
	n := s.best
	fmt.Fprintf(&text, "not linearizable: %d of %d calls can be put in order, and %d of %d entries of the log\n",
		len(s.ops)-n.left, len(s.ops), n.moment.written, len(s.log))
	for name, state := range n.moment.states {
		for _, rec := range (place{State: state}).holds() {
			fmt.Fprintf(&text, "  %s is held: %d of %s with share %d, until %v\n", name, rec.Token, rec.Holder.Session, rec.Share, rec.Expires)
		}
		for _, t := range state.Queue {
			fmt.Fprintf(&text, "  %s is waited for: %d, %s of %s, whose process lives until %v\n", name, t.Seq, t.ID, t.Holder.Session, n.moment.processes[t.Process])
		}
	}
	for i, e := range s.log[n.moment.written:min(n.moment.written+3, len(s.log))] {
		fmt.Fprintf(&text, "the log goes on with %+v\n", e)
		if i == 0 {
			env := n.moment.env(s.log, latest(e.At, n.moment.now))
			_, eff := store.Settle(e.Name, n.moment.state(e.Name, env), env)
			fmt.Fprintf(&text, "  to settle %s writes %+v\n", e.Name, eff.Entries)
		}
	}
	horizon := s.horizon(n.done)
	for i, op := range s.ops {
		if !n.done[i] && op.Call <= horizon {
			_, err := s.step(n.moment, op.Input.(*call), op.Output.(*answer))
			fmt.Fprintf(&text, "next may be client %d: %v, answered at %s\n  but %v\n", op.ClientId, op.Input, op.Output.(*answer).now(), err)
		}
	}
	return errors.New(text.String())
}
