package faults

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/editlock/editlock"
)

// records is what the store says in the end.
type records struct {
	entries []editlock.Event // oldest first
	held    map[editlock.ID]editlock.Mutex
}

// settleWithin is how long what is still under way may take to come to rest:
// what was in the network, and grants that nobody confirmed.
const settleWithin = 30 * time.Second

// read reads the history of a group of mutexes and what is held of it, as they
// stand together: when nothing happened between the two for a while.
func read(ctx context.Context, l editlock.Locker, group string) (records, error) {
	const quiet = 300 * time.Millisecond
	var before records
	for deadline := time.Now().Add(settleWithin); ; {
		now, err := readOnce(ctx, l, group)
		if err != nil {
			return now, err
		}
		if len(now.entries) == len(before.entries) && len(now.entries) > 0 && replay(now) == nil {
			return now, nil
		}
		if time.Now().After(deadline) {
			return now, nil // replay tells what is wrong
		}
		before = now
		select {
		case <-ctx.Done():
			return now, ctx.Err()
		case <-time.After(quiet):
		}
	}
}

func readOnce(ctx context.Context, l editlock.Locker, group string) (records, error) {
	out := records{held: map[editlock.ID]editlock.Mutex{}}
	for cursor := ""; ; {
		page, err := l.List(ctx, editlock.Query{Group: group, Limit: editlock.MaxPage, Cursor: cursor})
		if err != nil {
			return out, err
		}
		for _, m := range page.Mutexes {
			out.held[m.ID] = m
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	for cursor := ""; ; {
		page, err := l.History(ctx, editlock.HistoryQuery{Group: group, Limit: editlock.MaxPage, Cursor: cursor})
		if err != nil {
			return out, err
		}
		out.entries = append(out.entries, page.Entries...)
		if cursor = page.Next; cursor == "" {
			slices.Reverse(out.entries)
			return out, nil
		}
	}
}

// replay goes through history and reports what could not follow from what was
// before it, and where the end is not what the store holds.
func replay(r records) error {
	var problems []error
	bad := func(e editlock.Event, format string, args ...any) {
		problems = append(problems, fmt.Errorf("entry %d (%s of %s, token %d, owner %s, by %s) %s",
			e.Seq, e.Kind, e.ID, e.Token, e.Owner.Session, e.Actor.Login, fmt.Sprintf(format, args...)))
	}
	holder := map[editlock.ID]editlock.Event{} // the entry that began each hold
	top := map[editlock.ID]editlock.Token{}
	var seq uint64
	for _, e := range r.entries {
		if e.Seq <= seq {
			bad(e, "follows entry %d", seq)
		}
		seq = e.Seq
		was, held := holder[e.ID]
		switch e.Kind {
		case editlock.KindCaptured, editlock.KindTakenOver:
			switch {
			case e.Token <= top[e.ID]:
				bad(e, "does not raise the token from %d", top[e.ID])
			case e.Kind == editlock.KindCaptured && held:
				bad(e, "captures what %s holds", was.Owner.Session)
			case e.Kind == editlock.KindTakenOver && (!held || was.Owner.Session != e.Other.Session):
				bad(e, "takes over from %q, and the holder is %q", e.Other.Session, was.Owner.Session)
			}
			holder[e.ID], top[e.ID] = e, e.Token
		case editlock.KindReleased, editlock.KindForceReleased, editlock.KindExpired, editlock.KindHandedOver:
			if !held || was.Token != e.Token || was.Owner.Session != e.Owner.Session {
				bad(e, "ends a hold that is not: the holder is %q with token %d", was.Owner.Session, was.Token)
			}
			delete(holder, e.ID)
		}
	}
	for id, e := range holder {
		if m, ok := r.held[id]; !ok || m.Token != e.Token || m.Owner.Session != e.Owner.Session {
			problems = append(problems, fmt.Errorf("%s is held by %s, token %d, as history has it, but the list says %q, token %d",
				id, e.Owner.Session, e.Token, m.Owner.Session, m.Token))
		}
	}
	for id, m := range r.held {
		if _, ok := holder[id]; !ok {
			problems = append(problems, fmt.Errorf("%s is listed as held by %s, token %d; history knows nothing of it", id, m.Owner.Session, m.Token))
		}
	}
	return some(problems)
}

// effects are the entries that a call made for one mutex.
type effects struct{ began, ended []editlock.Event }

// accounted compares history with what callers were told: what was acknowledged
// is there, once; what was refused is not; the order is that of the calls; and
// several mutexes were captured all or none.
func accounted(calls []*call, r records) error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	type key struct {
		name string
		id   editlock.ID
	}
	made := map[key]*effects{}
	byKey := map[key]*call{}
	for _, c := range calls {
		byKey[key{c.name, c.id}] = c
		made[key{c.name, c.id}] = new(effects)
	}
	latest := int64(0) // when the call that made some entry before was sent
	for _, e := range r.entries {
		name := e.Actor.Login
		if e.Kind == editlock.KindExpired || e.Kind == editlock.KindWaiting {
			continue
		}
		c, ok := byKey[key{name, e.ID}]
		if !ok {
			bad("entry %d (%s of %s) is by %q, who made no such call", e.Seq, e.Kind, e.ID, name)
			continue
		}
		if c.until() < latest {
			bad("entry %d is out of order, a call sent after it had its entry before: %v", e.Seq, c)
		}
		latest = max(latest, c.sent)
		did := made[key{name, e.ID}]
		if e.Kind == editlock.KindCaptured || e.Kind == editlock.KindTakenOver {
			did.began = append(did.began, e)
		} else {
			did.ended = append(did.ended, e)
		}
	}
	for k, c := range byKey {
		for _, problem := range made[k].judge(c) {
			bad("%s: %v", problem, c)
		}
	}
	several := map[string]int{}
	for k, did := range made {
		several[k.name] += len(did.began)
	}
	for _, c := range calls {
		n := several[c.name]
		if c.several == 0 || c.outcome != unknown || n == 0 || len(made[key{c.name, c.id}].began) > 0 {
			continue
		}
		// It may have been the caller's before, and was refreshed.
		if !slices.ContainsFunc(calls, func(o *call) bool {
			return o.session == c.session && o.id == c.id && o != c && (o.kind == capture || o.kind == takeover) && o.sent < c.sent
		}) {
			bad("only %d of the %d mutexes of one call were captured: %v", n, c.several, c)
		}
	}
	return some(problems)
}

func (did *effects) judge(c *call) (problems []string) {
	if len(did.began) > 1 {
		problems = append(problems, "captured more than once")
	}
	if len(did.ended) > 1 && c.until() != never {
		problems = append(problems, "released more than once")
	}
	acts := len(did.began) + len(did.ended)
	switch c.outcome {
	case done:
		switch {
		case (c.kind == release || c.kind == force) && len(did.ended) == 0:
			problems = append(problems, "an acknowledged release is lost")
		case c.kind == takeover && len(did.began) == 0:
			problems = append(problems, "an acknowledged takeover is lost")
		case len(did.began) == 1 && did.began[0].Token != c.holder.Token:
			problems = append(problems, fmt.Sprintf("the token is %d in history", did.began[0].Token))
		case len(did.began) == 1 && did.began[0].Owner.Session != c.session:
			problems = append(problems, "history has another owner")
		}
	case busy, abided:
		if acts > 0 && !c.retried() {
			problems = append(problems, "refused, but done")
		}
	case no, lost, unknown:
	}
	return problems
}

// taken reports acknowledged captures whose token no hold in history has.
func taken(calls []*call, r records) error {
	began := map[editlock.ID]map[editlock.Token]string{}
	for _, e := range r.entries {
		if e.Kind == editlock.KindCaptured || e.Kind == editlock.KindTakenOver {
			if began[e.ID] == nil {
				began[e.ID] = map[editlock.Token]string{}
			}
			began[e.ID][e.Token] = e.Owner.Session
		}
	}
	var problems []error
	for _, c := range calls {
		if c.holder != nil && began[c.id][c.holder.Token] != c.holder.Owner.Session {
			problems = append(problems, fmt.Errorf("the holder was told, and is not in history: %v", c))
		}
	}
	return some(problems)
}

// some joins the first problems: more would hide them.
func some(problems []error) error {
	slices.SortFunc(problems, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	if n := len(problems); n > 10 {
		problems = append(problems[:10], fmt.Errorf("and %d more", n-10))
	}
	return errors.Join(problems...)
}

// clean reports errors that no fault excuses.
func clean(calls []*call) error {
	var problems []error
	for _, c := range calls {
		if c.outcome == unknown && !errors.Is(c.err, editlock.ErrUnavailable) && !errors.Is(c.err, editlock.ErrLost) &&
			!errors.Is(c.err, context.DeadlineExceeded) {
			problems = append(problems, fmt.Errorf("an error that no fault excuses: %v", c))
		}
	}
	return some(problems)
}

// judge is the whole judgement of a history.
func judge(calls []*call, r records) error {
	return errors.Join(clean(calls), replay(r), accounted(calls, r), taken(calls, r), linearizable(calls))
}
