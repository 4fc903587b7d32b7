package store

import (
	"slices"
	"time"
)

// State is everything a store knows under one name. Queue may be a window of
// the real one as long as it holds the oldest live tickets and the one a
// swap speaks of.
type State struct {
	Record *Record // may be dead; nil: none. Never changed in place
	Queue  []Ticket
	Rest   int // live tickets behind the window
}

// Env is what a step may ask of its engine.
type Env struct {
	Now   time.Time
	Next  func() uint64          // the next number of the store's one counter
	Alive func(peer string) bool // whether a waiting process still beats
}

// Effects are what a step did besides changing the record.
type Effects struct {
	Entries []Entry
	Joined  []Ticket // new in the queue, or in place of the one with their ID
	Left    []string // IDs gone from the queue
	News    []Signal
}

func (e *Effects) add(more Effects) {
	for _, t := range more.Joined { // who was passed over just now may join again
		e.Left = slices.DeleteFunc(e.Left, func(id string) bool { return id == t.ID })
		e.News = slices.DeleteFunc(e.News, func(n Signal) bool { return n.Ticket == t.ID })
	}
	if len(e.Entries) == 0 {
		e.Entries = slices.Clip(more.Entries) // they are large
	} else {
		e.Entries = append(e.Entries, more.Entries...)
	}
	e.Joined = append(e.Joined, more.Joined...)
	e.Left = append(e.Left, more.Left...)
	e.News = append(e.News, more.News...)
}

// Run performs a request on the states that load returns, and keeps what
// changed with save. It settles every name first, which stays in force even
// if the request is then refused. It is the whole of Swap but for retries.
func Run(req Request, env Env, load func(name string) State, save func(name string, s State)) (Result, Effects) {
	var all Effects
	next := make([]State, len(req.Swaps))
	for i, sw := range req.Swaps {
		settled, eff := Settle(sw.Name, load(sw.Name), env)
		save(sw.Name, settled)
		all.add(eff)
		next[i] = settled
	}

	done, did := true, Effects{}
	for i, sw := range req.Swaps {
		after, eff, ok := Apply(next[i], sw, req.ID, env)
		if !ok {
			done = false
			break
		}
		did.add(eff)
		next[i] = after
	}
	if done {
		all.add(did)
		for i, sw := range req.Swaps {
			save(sw.Name, next[i])
		}
	}

	res := Result{Done: done, Now: env.Now, Records: make([]*Record, len(req.Swaps))}
	for i, sw := range req.Swaps {
		res.Records[i] = load(sw.Name).InForce(env)
	}
	for i, n := range all.News {
		for _, rec := range res.Records {
			if rec != nil && rec.Request == n.Ticket {
				all.News[i].Granted = View{Record: rec, Now: env.Now}
			}
		}
	}
	return res, all
}

// InForce is the record as engines hand it out: nil if dead, with who waits.
func (s State) InForce(env Env) *Record {
	if !s.Record.Live(env.Now) {
		return nil
	}
	rec := *s.Record
	rec.Waiters, rec.Waiting = nil, s.Rest
	for _, t := range s.Queue {
		if env.Alive(t.Peer) {
			rec.Waiting++
			if len(rec.Waiters) < MaxWaiters {
				t.Claim = t.ClaimOn(&rec)
				rec.Waiters = append(rec.Waiters, t)
			}
		}
	}
	return &rec
}

// Settle brings a name up to date with the clock: a dead record goes, with an
// entry, and a name that is vacant, or claimed by its first ticket, passes to
// the first live ticket. Settling twice at one time changes nothing more.
func Settle(name string, s State, env Env) (State, Effects) {
	var eff Effects
	if s.Record != nil && !s.Record.Live(env.Now) {
		dead := s.Record
		eff.Entries = append(eff.Entries, Entry{
			Seq: env.Next(), Kind: KindExpired, Name: name, Token: dead.Token,
			At: dead.Expires, Owner: dead.Holder, Actor: dead.Holder,
		})
		s.Record = nil
	}
	first := slices.IndexFunc(s.Queue, func(t Ticket) bool { return env.Alive(t.Peer) })
	if first < 0 {
		return s, eff
	}
	head := s.Queue[first]
	if s.Record != nil {
		if at := head.ClaimOn(s.Record); at.IsZero() || env.Now.Before(at) {
			return s, eff
		}
		eff.Entries = append(eff.Entries, Entry{
			Seq: env.Next(), Kind: KindHandedOver, Name: name, Token: s.Record.Token, At: env.Now,
			Owner: s.Record.Holder, Actor: s.Record.Holder, Other: head.Holder, Reason: ReasonNoAnswer,
		})
	}
	return grant(name, s, first, env, eff)
}

// grant gives the name to ticket number i and drops the dead ones before it.
func grant(name string, s State, i int, env Env, eff Effects) (State, Effects) {
	for _, t := range s.Queue[:i+1] {
		eff.Left = append(eff.Left, t.ID)
		eff.News = append(eff.News, Signal{Peer: t.Peer, Ticket: t.ID})
	}
	t := s.Queue[i]
	rec := &Record{
		Name: name, Token: env.Next(), Holder: t.Holder, Data: t.Data, Terms: t.Terms,
		Taken: env.Now, Touched: env.Now, Request: t.ID,
	}
	rec.expire(t.Confirm)
	if t.Note != nil {
		eff.Entries = append(eff.Entries, Entry{
			Seq: rec.Token, Kind: t.Note.Kind, Name: name, Token: rec.Token, At: env.Now,
			Owner: rec.Holder, Actor: t.Note.Actor, Reason: t.Note.Reason, Request: t.ID,
		})
	}
	return State{Record: rec, Queue: slices.Clone(s.Queue[i+1:]), Rest: s.Rest}, eff
}

// Apply performs one swap on a settled state, or refuses it and changes
// nothing.
func Apply(s State, sw Swap, request string, env Env) (State, Effects, bool) {
	var eff Effects
	if sw.Do == Leave {
		return leave(s, sw, env)
	}
	if sw.Do == Join {
		switch {
		case s.Record == nil:
			return s, eff, false // nobody would ever grant a free name
		case s.Record.Request == sw.Ticket.ID:
			return s, eff, true // granted already: the caller's retry finds its record
		}
	}
	if !sw.Expect.holds(s, env) {
		return s, eff, false
	}
	old := s.Record
	switch sw.Do {
	case Take:
		rec := &Record{
			Name: sw.Name, Token: env.Next(), Holder: *sw.Holder, Terms: *sw.Terms,
			Taken: env.Now, Touched: env.Now, Request: request,
		}
		if sw.Data != nil {
			rec.Data = *sw.Data
		}
		rec.expire(sw.Confirm)
		s.Record = rec
		if sw.Note != nil {
			e := sw.entry(rec.Token, rec, request, env)
			if old != nil {
				e.Other = old.Holder
			}
			eff.Entries = append(eff.Entries, e)
		}
	case Touch:
		if old == nil {
			return s, eff, false // a touch never creates
		}
		rec := *old
		rec.Touched = env.Now
		if sw.Holder != nil {
			rec.Holder = *sw.Holder
		}
		if sw.Data != nil {
			rec.Data = *sw.Data
		}
		if sw.Terms != nil {
			rec.Terms = rec.Terms.merge(*sw.Terms)
		}
		rec.expire(sw.Confirm)
		s.Record = &rec
		if sw.Note != nil {
			eff.Entries = append(eff.Entries, sw.entry(env.Next(), &rec, request, env))
		}
	case Drop:
		if old == nil {
			return s, eff, false
		}
		if sw.Note != nil {
			eff.Entries = append(eff.Entries, sw.entry(env.Next(), old, request, env))
		}
		s.Record = nil
		after, passed := Settle(sw.Name, s, env)
		if after.Record != nil && sw.Note != nil && sw.Note.Kind == KindHandedOver {
			eff.Entries[0].Other = after.Record.Holder
		}
		s = after
		eff.add(passed)
	case Join:
		t := *sw.Ticket
		t.Name = sw.Name
		i := slices.IndexFunc(s.Queue, func(q Ticket) bool { return q.ID == t.ID })
		if i >= 0 && env.Alive(s.Queue[i].Peer) {
			if sw.Expect.Here && s.Queue[i].Peer != t.Peer {
				return s, eff, false
			}
			// Somebody who waits already keeps the place, under the new peer.
			s.Queue = slices.Clone(s.Queue)
			s.Queue[i].Peer = t.Peer
			eff.Joined = append(eff.Joined, s.Queue[i])
			return s, eff, true
		}
		if i >= 0 { // died, and lost the place
			s.Queue = slices.Delete(slices.Clone(s.Queue), i, i+1)
		}
		t.Seq, t.Since = env.Next(), env.Now
		if t.ClaimAfter > 0 {
			t.Claim, t.Asked = after(env.Now, t.ClaimAfter), old.Token
		}
		s.Queue = append(slices.Clip(s.Queue), t)
		eff.Joined = append(eff.Joined, t)
		if sw.Note != nil {
			// A retry of a join is known by its ticket, not by the log.
			eff.Entries = append(eff.Entries, sw.entry(t.Seq, old, "", env))
		}
	default:
		return s, eff, false
	}
	return s, eff, true
}

func leave(s State, sw Swap, env Env) (State, Effects, bool) {
	var eff Effects
	i := slices.IndexFunc(s.Queue, func(q Ticket) bool { return q.ID == sw.Ticket.ID })
	if i < 0 || !env.Alive(s.Queue[i].Peer) ||
		sw.Ticket.Peer != "" && sw.Ticket.Peer != s.Queue[i].Peer ||
		sw.Expect != (Expect{}) && !sw.Expect.holds(s, env) {
		return s, eff, false
	}
	t := s.Queue[i]
	s.Queue = slices.Delete(slices.Clone(s.Queue), i, i+1)
	eff.Left = append(eff.Left, t.ID)
	eff.News = append(eff.News, Signal{Peer: t.Peer, Ticket: t.ID})
	if sw.Note != nil {
		e := sw.entry(env.Next(), s.Record, "", env)
		e.Other, e.Request = t.Holder, t.ID
		eff.Entries = append(eff.Entries, e)
	}
	return s, eff, true
}

func (sw Swap) entry(seq uint64, rec *Record, request string, env Env) Entry {
	return Entry{
		Seq: seq, Kind: sw.Note.Kind, Name: sw.Name, Token: rec.Token, At: env.Now,
		Owner: rec.Holder, Actor: sw.Note.Actor, Reason: sw.Note.Reason, Request: request,
	}
}

// holds reports whether the condition is true of a settled state.
func (x Expect) holds(s State, env Env) bool {
	rec := s.Record
	if x.Free {
		return rec == nil
	}
	switch {
	case rec == nil,
		x.Token != 0 && rec.Token != x.Token,
		x.Session != nil && rec.Holder.Session != *x.Session,
		x.Data != nil && rec.Data != *x.Data:
		return false
	}
	if x.Waiting {
		return slices.ContainsFunc(s.Queue, func(t Ticket) bool { return env.Alive(t.Peer) })
	}
	return true
}
