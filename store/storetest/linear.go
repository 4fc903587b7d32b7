package storetest

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/editlock/editlock/store"
)

// checkWithin is how long the checker may think about one history. Those of
// the suite take milliseconds.
const checkWithin = 60 * time.Second

// searchNodes is how far a history is searched before porcupine judges it.
const searchNodes = 20_000

// linearizable reports why a history has no order of its calls in which the
// reference gives the same answers, if it has none. If the requests speak of
// one name each, every name is judged for itself.
func linearizable(ops []porcupine.Operation, names []string, together bool) error {
	sent := map[string]int{}
	for _, op := range ops {
		in := op.Input.(*call)
		sent[in.req.ID]++
		for _, sw := range in.req.Ops {
			if sw.Do == store.Join && sw.Waiter.ID != in.req.ID {
				sent[sw.Waiter.ID]++ // a grant makes the waiter's ID known too
			}
		}
	}
	retry := map[string]bool{}
	for id, n := range sent {
		retry[id] = n > 1
	}
	if together {
		return check(sweepEach(ops, names), names, retry)
	}
	for _, name := range names {
		if err := check(only(ops, name), []string{name}, retry); err != nil {
			return fmt.Errorf("on %q: %w", name, err)
		}
	}
	return nil
}

// sweepEach makes of every sweep one for each name: it settles them one by one.
func sweepEach(ops []porcupine.Operation, names []string) []porcupine.Operation {
	var out []porcupine.Operation
	for _, op := range ops {
		if in := op.Input.(*call); in.method == "Sweep" {
			for _, name := range names {
				op.Input = &call{method: "Sweep", name: name, at: in.at}
				out = append(out, op)
			}
			continue
		}
		out = append(out, op)
	}
	return out
}

// only is what one name sees of a history.
func only(ops []porcupine.Operation, name string) []porcupine.Operation {
	joined := map[string]string{} // names by waiter
	for _, op := range ops {
		for _, sw := range op.Input.(*call).req.Ops {
			if sw.Do == store.Join {
				joined[sw.Waiter.ID] = sw.Name
			}
		}
	}
	var mine []porcupine.Operation
	for _, op := range ops {
		in, out := op.Input.(*call), op.Output.(*answer)
		switch in.method {
		case "Swap":
			if in.req.Ops[0].Name != name {
				continue
			}
		case "Get":
			if in.name != name {
				continue
			}
		case "Beat":
			waiters := slices.DeleteFunc(slices.Clone(out.waiters), func(id string) bool { return joined[id] != name })
			op.Output = &answer{waiters: waiters}
		case "Sweep":
			op.Input = &call{method: "Sweep", name: name, at: in.at}
		}
		mine = append(mine, op)
	}
	return mine
}

func check(ops []porcupine.Operation, names []string, retry map[string]bool) error {
	model := porcupine.Model{
		Init: func() any {
			w := newWorld()
			w.retry = retry
			for _, name := range names {
				w.names[name] = place{}
			}
			return &w
		},
		Step: func(state, in, out any) (bool, any) {
			next, err := state.(*world).step(in.(*call), out.(*answer))
			return err == nil, &next
		},
		Equal: func(a, b any) bool { return a.(*world).equal(b.(*world)) },
		Hash:  func(state any) uint64 { return state.(*world).hash() },
	}
	if found(ops, model.Init().(*world), searchNodes) {
		return nil
	}
	switch porcupine.CheckOperationsTimeout(model, ops, checkWithin) {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return fmt.Errorf("no verdict on %d operations in %v", len(ops), checkWithin)
	}
	return explain(model, ops)
}

// explain tells how far a history can be put in order, and what stands in the
// way of each call that could come next.
func explain(model porcupine.Model, ops []porcupine.Operation) error {
	_, info := porcupine.CheckOperationsVerbose(model, ops, checkWithin)
	var longest []porcupine.Operation
	for _, partial := range info.PartialLinearizationsOperations()[0] {
		if len(partial) > len(longest) {
			longest = partial
		}
	}
	state := model.Init()
	var text strings.Builder
	fmt.Fprintf(&text, "not linearizable: %d of %d calls can be put in order; the last of them:\n", len(longest), len(ops))
	done := map[any]bool{}
	horizon := int64(1<<63 - 1)
	for i, op := range longest {
		_, state = model.Step(state, op.Input, op.Output)
		done[op.Input] = true
		if i >= len(longest)-6 {
			fmt.Fprintf(&text, "  client %d: %v, answered at %s\n", op.ClientId, op.Input, op.Output.(*answer).now())
		}
	}
	for _, op := range ops {
		if !done[op.Input] {
			horizon = min(horizon, op.Return)
		}
	}
	for _, op := range ops {
		if !done[op.Input] && op.Call <= horizon {
			_, err := state.(*world).step(op.Input.(*call), op.Output.(*answer))
			fmt.Fprintf(&text, "next may be client %d: %v, answered at %s\n  but the answer is %v",
				op.ClientId, op.Input, op.Output.(*answer).now(), err)
		}
	}
	return fmt.Errorf("%s", text.String())
}

func (c *call) String() string {
	text := c.method
	switch c.method {
	case "Swap":
		text += " " + c.req.ID
		for _, sw := range c.req.Ops {
			text += fmt.Sprintf(" [%s %s", [...]string{"?", "take", "touch", "drop", "join", "leave", "revoke"}[sw.Do], sw.Name)
			x := sw.Expect
			if x.Free {
				text += " if free"
			}
			if x.Token != 0 {
				text += fmt.Sprint(" if token ", x.Token)
			}
			if x.Session != nil {
				text += " if session " + *x.Session
			}
			if x.Data != nil {
				text += " if data " + *x.Data
			}
			if x.Waiting {
				text += " if waiting"
			}
			if sw.Share != nil {
				text += fmt.Sprint(" share ", *sw.Share)
			}
			if x.Sole {
				text += " if sole"
			}
			if sw.Waiter != nil {
				text += " " + sw.Waiter.ID + " of " + sw.Waiter.Process
			}
			text += "]"
		}
	case "Beat":
		text += fmt.Sprintf(" %s for %v at %v", c.process, c.ttl, c.at.Format("05.000000"))
	case "Sweep":
		text += c.at.Format(" at 05.000000 of ") + c.name
	default:
		text += " " + c.name
	}
	return text
}

func (a *answer) now() string {
	for _, at := range []time.Time{a.res.Now, a.view.Now, a.page.Now} {
		if !at.IsZero() {
			return at.Format("05.000000")
		}
	}
	return "an unknown time"
}

// step judges one call.
func (w *world) step(in *call, out *answer) (world, error) {
	switch in.method {
	case "Swap":
		next, _, err := w.commit(in.req, out.res)
		return next, err
	case "Get":
		return w.get(in.name, in.session, out.view)
	case "List":
		next := *w
		for name := range w.names {
			var err error
			mine := slices.DeleteFunc(slices.Clone(out.page.Records), func(r store.Record) bool { return r.Name != name })
			if next, err = next.list(name, mine, out.page.Now); err != nil {
				return next, err
			}
		}
		return next, nil
	case "Beat":
		return w.keepAlive(in.process, in.ttl, in.at, out.waiters)
	case "Sweep":
		return w.sweep(in.name, in.at)
	}
	panic("storetest: no such method: " + in.method)
}

func (w *world) equal(o *world) bool {
	return w.now.Equal(o.now) && maps.Equal(w.done, o.done) &&
		maps.EqualFunc(w.processes, o.processes, time.Time.Equal) &&
		maps.EqualFunc(w.names, o.names, func(a, b place) bool {
			return a.last == b.last && a.Share == b.Share &&
				slices.EqualFunc(a.holds(), b.holds(), func(a, b *store.Record) bool { return a.Token == b.Token && sameRecord(a, b) }) &&
				slices.EqualFunc(a.Queue, b.Queue, func(a, b store.Waiter) bool { return sameWaiter(&a, &b) })
		})
}

var seed = maphash.MakeSeed()

func (w *world) hash() uint64 {
	h := maphash.Comparable(seed, w.now.UnixNano())
	for name, p := range w.names {
		for _, rec := range p.holds() {
			h += maphash.Comparable(seed, [3]any{name, rec.Token, rec.Renewed.UnixNano()})
		}
		h += maphash.Comparable(seed, [3]any{name, p.last, len(p.Queue)})
	}
	return h + uint64(len(w.done))
}
