package storetest

import (
	"slices"

	"github.com/anishathalye/porcupine"
)

// search looks for an order of calls in which the reference gives the same
// answers. It is for histories that porcupine needs minutes for: many calls
// that overlap and change nothing. Where such a call fits it is taken at once
// and no other place is tried, as it stands in no other call's way. Sweeps are
// the exception: they have no answer to tell whether they changed something.
type search struct {
	ops    []porcupine.Operation // by the times of their calls
	failed map[uint64][]node
	budget int // nodes to look at
}

type node struct {
	done  []bool
	world *world
}

// found reports whether it has found an order within so many nodes. If not,
// there may be one all the same.
func found(ops []porcupine.Operation, from *world, budget int) bool {
	s := search{ops: slices.Clone(ops), failed: map[uint64][]node{}, budget: budget}
	slices.SortFunc(s.ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	return s.from(node{make([]bool, len(ops)), from})
}

func (s *search) from(n node) bool {
	var next []move
	n.done, next = s.acquire(n)
	if !slices.Contains(n.done, false) {
		return true
	}
	hash := n.world.hash()
	same := func(o node) bool { return slices.Equal(o.done, n.done) && o.world.equal(n.world) }
	if s.budget--; s.budget < 0 || slices.ContainsFunc(s.failed[hash], same) {
		return false
	}
	for _, m := range next {
		done := slices.Clone(n.done)
		done[m.op] = true
		if s.from(node{done, m.world}) {
			return true
		}
	}
	s.failed[hash] = append(s.failed[hash], n)
	return false
}

// move is a call that may come next, and the world after it.
type move struct {
	op    int
	world *world
}

// take takes the calls that change nothing, and tells what may come next.
func (s *search) acquire(n node) (done []bool, next []move) {
	done = slices.Clone(n.done)
	for again := true; again; {
		again, next = false, nil
		horizon := int64(1<<63 - 1)
		for i, op := range s.ops {
			if !done[i] {
				horizon = min(horizon, op.Return)
			}
		}
		for i, op := range s.ops {
			if op.Call > horizon {
				break
			}
			if done[i] {
				continue
			}
			in := op.Input.(*call)
			after, err := n.world.step(in, op.Output.(*answer))
			switch {
			case err != nil:
			case in.method != "Sweep" && after.equal(n.world):
				done[i], again = true, true
			default:
				next = append(next, move{i, &after})
			}
		}
	}
	return done, next
}
