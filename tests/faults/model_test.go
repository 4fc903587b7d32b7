package faults

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/editlock/editlock"
)

// checkWithin is how long the checker may think about one history.
const checkWithin = time.Minute

// unconfirmed is how long a grant to somebody who waited lasts if its
// confirmation is lost: see CaptureOptions.Wait.
const unconfirmed = 15 * time.Second

// state is what is known of one mutex.
type state struct {
	held    bool
	session string
	data    string
	token   editlock.Token // of the holder; 0: not known yet
	top     editlock.Token // the largest token known before
	granted int64          // when a wait was granted, at the earliest, and not touched since; else 0
}

// linearizable reports the first mutex for which there is no order of the
// calls, each between its sending and its return, that explains the answers.
func linearizable(calls []*call) error {
	byMutex := map[editlock.ID][]porcupine.Operation{}
	for _, c := range calls {
		for _, c := range append(repetitions(c), c) {
			if c.outcome == unknown && (c.kind == request || c.kind == refresh && c.data == "") {
				continue // no effect that the model knows
			}
			byMutex[c.id] = append(byMutex[c.id], porcupine.Operation{ClientId: c.client, Input: c, Call: c.sent, Return: c.until()})
		}
	}
	model := (&porcupine.NondeterministicModel{
		Init: func() []any { return []any{state{}} },
		Step: func(s, in, _ any) []any {
			var out []any
			for _, next := range step(s.(state), in.(*call)) {
				out = append(out, next)
			}
			return out
		},
		Equal: func(a, b any) bool { return a == b },
	}).ToModel()
	ids := make([]editlock.ID, 0, len(byMutex))
	for id := range byMutex {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b editlock.ID) int { return cmp.Compare(a.String(), b.String()) })
	for _, id := range ids {
		ops := byMutex[id]
		switch porcupine.CheckOperationsTimeout(model, ops, checkWithin) {
		case porcupine.Illegal:
			return explain(model, ops)
		case porcupine.Unknown:
			// Others would take as long, and this is a failure already.
			return fmt.Errorf("no verdict on %d operations on %s in %v", len(ops), id, checkWithin)
		}
	}
	return nil
}

// explain tells how far a history can be put in order.
func explain(model porcupine.Model, ops []porcupine.Operation) error {
	_, info := porcupine.CheckOperationsVerbose(model, ops, checkWithin)
	var longest []porcupine.Operation
	for _, partial := range info.PartialLinearizationsOperations()[0] {
		if len(partial) > len(longest) {
			longest = partial
		}
	}
	in := map[any]bool{}
	var text strings.Builder
	fmt.Fprintf(&text, "not linearizable: %d of %d calls can be put in order; the last of them:\n", len(longest), len(ops))
	for i, op := range longest {
		in[op.Input] = true
		if i >= len(longest)-8 {
			fmt.Fprintf(&text, "  %v\n", op.Input)
		}
	}
	fmt.Fprintf(&text, "but none of these can be next:\n")
	rest := slices.DeleteFunc(slices.Clone(ops), func(op porcupine.Operation) bool { return in[op.Input] })
	slices.SortFunc(rest, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	for _, op := range rest[:min(len(rest), 8)] {
		fmt.Fprintf(&text, "  %v\n", op.Input)
	}
	return errors.New(text.String())
}

// repetitions is what a call that was sent several times may do late, when a
// sending arrives that was given up. Captures of a free mutex, takeovers and
// what names a token are done once.
func repetitions(c *call) []*call {
	if !c.retried() {
		return nil
	}
	late := *c
	late.outcome, late.back, late.name = unknown, never, c.name+" (late)"
	switch {
	case c.kind == release && c.token == 0:
		late.kind = lateRelease
	case (c.kind == capture || c.kind == refresh) && c.data != "":
		late.kind = lateTouch
	default:
		return nil
	}
	return []*call{&late}
}

// step is what may stand under the name after a call that had this outcome:
// nothing, if it can't have had it.
func step(s state, c *call) []state {
	out := act(s, c)
	if s.granted != 0 && s.held && (c.back == never || c.back >= s.granted+int64(unconfirmed-time.Second)) {
		out = append(out, act(s.freed(), c)...)
	}
	return out
}

func act(s state, c *call) []state {
	var out []state
	for _, is := range s.cases(c) {
		out = append(out, is.act(c)...)
	}
	return out
}

// fact is a state, and whether the token that a call names is its holder's.
type fact struct {
	state
	match bool
}

// cases tells the two cases apart where the token is not known.
func (s state) cases(c *call) []fact {
	if !s.held || c.token == 0 {
		return []fact{{s, c.token == 0}}
	}
	if s.token != 0 {
		return []fact{{s, s.token == c.token}}
	}
	is := []fact{{s, false}}
	if c.token > s.top {
		s.token = c.token
		is = append(is, fact{s, true})
	}
	return is
}

func (s fact) act(c *call) []state {
	mine := s.held && s.session == c.session
	meets := mine && s.match && (c.ifData == nil || *c.ifData == s.data)
	var effect *state // of success
	switch c.kind {
	case capture:
		switch conditional := c.token != 0 || c.ifData != nil; {
		case !s.held && !conditional:
			effect = s.taken(c)
		case meets && !c.free:
			effect = s.touched(c)
		}
	case refresh:
		if meets {
			effect = s.touched(c)
		}
	case release:
		if meets {
			effect = ptr(s.freed())
		}
	case takeover:
		if s.held && s.match {
			effect = s.taken(c)
		}
	case force:
		if s.held && s.match {
			effect = ptr(s.freed())
		}
	case request:
		return s.as(c.holder)
	case lateTouch:
		if meets && !c.free {
			effect = s.touched(c)
		}
	case lateRelease:
		if meets {
			effect = ptr(s.freed())
		}
	}
	var out []state
	happened := func() {
		if effect != nil {
			out = append(out, *effect)
		}
	}
	switch c.outcome {
	case done:
		if effect == nil {
			return nil
		}
		if c.kind == release || c.kind == force {
			return []state{*effect}
		}
		return effect.as(c.holder)
	case unknown:
		out = append(out, s.state)
		happened()
	case abided:
		return []state{s.state}
	case no:
		if effect == nil && (!s.held || c.token != 0 || c.ifData != nil) {
			out = append(out, s.state)
		}
		if c.retried() {
			happened() // told by an earlier sending, whose answer was lost
		}
	case busy, lost:
		if effect == nil {
			out = s.as(c.holder)
		}
		switch {
		case c.outcome == lost && (c.kind == takeover || c.kind == capture && c.token == 0 && c.ifData == nil):
			happened() // and the answer came when it was another's again
		case c.retried():
			happened()
		}
	}
	return out
}

func ptr(s state) *state { return &s }

func (s state) freed() state { return state{top: max(s.top, s.token)} }

func (s state) taken(c *call) *state {
	out := state{held: true, session: c.session, data: c.data, top: max(s.top, s.token)}
	if c.wait > 0 {
		out.granted = c.sent
	}
	return &out
}

func (s state) touched(c *call) *state {
	s.granted = 0
	if c.data != "" {
		s.data = c.data
	}
	return &s
}

// as is the state if it looks so to a caller, its token known from then on.
func (s state) as(holder *editlock.Mutex) []state {
	if holder == nil || !s.held {
		if (holder == nil) == !s.held {
			return []state{s}
		}
		return nil
	}
	if holder.Owner.Session != s.session || holder.StatusData != s.data {
		return nil
	}
	if s.token == 0 && holder.Token > s.top {
		s.token = holder.Token
	}
	if s.token != holder.Token {
		return nil
	}
	return []state{s}
}
