package store

import (
	"slices"
	"time"
)

// Env is what a transaction may ask of its store.
type Env struct {
	Now   time.Time
	Next  func() uint64             // the next number of the store's one counter
	Alive func(process string) bool // whether the lease of a waiting process is live
}

// Effects are what a transaction did besides changing records.
type Effects struct {
	Entries []LogEntry
	Joined  []Waiter // new in the queue, or replacing the waiter with their ID
	Left    []string // IDs of waiters removed from the queue
	News    []Signal
	Short   bool // State.Queue was too short: there may be room for more waiters
	Far     bool // the result depends on the path, which is not known
}

func (e *Effects) add(more Effects) {
	for _, t := range more.Joined { // a waiter that was removed in this transaction may join again
		e.Left = slices.DeleteFunc(e.Left, func(id string) bool { return id == t.ID })
		e.News = slices.DeleteFunc(e.News, func(n Signal) bool { return n.Waiter == t.ID })
	}
	if len(e.Entries) == 0 {
		e.Entries = slices.Clip(more.Entries) // they are large
	} else {
		e.Entries = append(e.Entries, more.Entries...)
	}
	e.Joined = append(e.Joined, more.Joined...)
	e.Left = append(e.Left, more.Left...)
	e.News = append(e.News, more.News...)
	e.Short = e.Short || more.Short
	e.Far = e.Far || more.Far
}

// Run performs a transaction on the states that load returns, and passes what changed
// to save. It settles every name first; that stays in force even if the transaction
// is then refused. Run is all of Commit except the recognition of retries.
func Run(req Txn, env Env, load func(name string) State, save func(name string, s State)) (Result, Effects) {
	var all Effects
	next, done := make([]State, len(req.Ops)), true
	for i, sw := range req.Ops {
		next[i] = load(sw.Name)
		if sw.Do == Revoke {
			continue
		}
		settled, eff := Settle(sw.Name, next[i], env)
		if len(eff.Left) > 0 && clashing(req, i, next, &settled) { // settling an earlier name may have begun a hold that blocks this grant
			done = false
			continue
		}
		save(sw.Name, settled)
		all.add(eff)
		next[i] = settled
	}

	did := Effects{}
	for i, sw := range req.Ops {
		if !done {
			break
		}
		after, eff, ok := Apply(next[i], sw, req.ID, env)
		if !ok || clashing(req, i, next, &after) {
			done = false
			all.Far = all.Far || eff.Far
			break
		}
		did.add(eff)
		next[i] = after
	}
	all.Far = all.Far || did.Far
	if done {
		all.add(did)
		for i, sw := range req.Ops {
			save(sw.Name, next[i])
		}
	}

	res := Result{Done: done, Now: env.Now, Records: make([]*Record, len(req.Ops))}
	for i := range req.Ops {
		res.Records[i] = load(req.Ops[i].Name).Shown(&req.Ops[i], env)
	}
	for i, n := range all.News {
		for _, rec := range res.Records {
			if rec != nil && rec.Request == n.Waiter {
				all.News[i].Granted = View{Record: rec, Now: env.Now}
			}
		}
	}
	return res, all
}

// Apply performs one operation of a transaction on a settled state, or refuses it
// and changes nothing. request is the ID of the transaction.
func Apply(s State, sw Op, request string, env Env) (State, Effects, bool) {
	switch {
	case sw.Do == Leave:
		return leave(s, sw, env)
	case sw.Do == Revoke:
		return s, Effects{Entries: []LogEntry{{Seq: env.Next(), Kind: KindRevoked, At: env.Now, Request: request}}}, true
	case sw.Do == Join && s.Granted(sw.Waiter.ID) != nil:
		return s, Effects{}, true // granted already: the caller's retry finds its record
	case s.far() && sw.moves(&s):
		return s, Effects{Far: true}, false
	case sw.Do != Join && !sw.Expect.holds(&s, &sw, env),
		sw.Do != Join && !sw.Expect.Free && sw.moves(&s) && !s.Path.lets(&sw),
		sw.Do == Join && s.Path.touches(sw.Waiter.Holder.Session), // a holder on the path that waited could deadlock
		sw.Do == Join && sw.Expect.ofHold() && !sw.Expect.holds(&s, &sw, env):
		return s, Effects{}, false
	}
	switch sw.Do {
	case Acquire:
		return acquire(s, &sw, request, env)
	case Renew:
		return renew(s, &sw, request, env)
	case Release:
		return release(s, &sw, request, env)
	case Join:
		return join(s, &sw, env)
	case Leave, Revoke:
	}
	return s, Effects{}, false
}

// moves reports whether an operation makes a session hold a name, or wait for it, that
// did not before.
func (sw *Op) moves(s *State) bool {
	switch sw.Do {
	case Join:
		return true
	case Acquire, Renew:
		old := s.Meant(&sw.Expect)
		return sw.Expect.Free || sw.Holder != nil && old != nil && old.Holder.Session != sw.Holder.Session
	case Release, Leave, Revoke:
	}
	return false
}

func acquire(s State, sw *Op, request string, env Env) (State, Effects, bool) {
	var eff Effects
	var old *Record
	var share Share
	if !sw.Expect.Free {
		old = s.Meant(&sw.Expect)
		if share = old.Share; share > 0 {
			share = s.Share
		}
	}
	if sw.Share != nil {
		share = *sw.Share
	}
	if own := s.of(sw.Holder.Session); old != nil && s.holding() > 1 && (share != s.Share || own != nil && own != old) {
		return s, eff, false
	}
	rec := &Record{
		Name: sw.Name, Token: env.Next(), Share: share, Holder: *sw.Holder, Terms: *sw.Terms,
		Acquired: env.Now, Renewed: env.Now, Request: request,
	}
	if sw.Data != nil {
		rec.Data = *sw.Data
	}
	rec.expire(sw.ConfirmWithin)
	if old != nil {
		s.remove(old)
	}
	s.add(rec)
	if sw.Event != nil {
		e := sw.entry(rec.Token, rec, request, env)
		if old != nil {
			e.Other = old.Holder
		}
		if old != nil && share != Alone {
			e.Replaced = old.Token
		}
		eff.Entries = append(eff.Entries, e)
	}
	return pass(s, sw, eff, env)
}

func renew(s State, sw *Op, request string, env Env) (State, Effects, bool) {
	var eff Effects
	old := s.Meant(&sw.Expect)
	if old == nil {
		return s, eff, false // a renewal never creates
	}
	rec := *old
	rec.Renewed = env.Now
	if sw.Holder != nil {
		rec.Holder = *sw.Holder
	}
	if sw.Data != nil {
		rec.Data = *sw.Data
	}
	if sw.Terms != nil {
		rec.Terms = rec.Terms.merge(*sw.Terms)
	}
	if sw.Share != nil && *sw.Share != old.Share {
		if old.Share != Alone || *sw.Share != Shared {
			return s, eff, false
		}
		rec.Share, rec.Place, rec.Placed = Shared, env.Next(), env.Now
	}
	rec.expire(sw.ConfirmWithin)
	s.replace(old, &rec)
	if sw.Event != nil {
		seq := rec.Place
		if rec.Share == old.Share {
			seq = env.Next()
		}
		eff.Entries = append(eff.Entries, sw.entry(seq, &rec, request, env))
	}
	return pass(s, sw, eff, env)
}

// pass grants the name to waiters for which an operation has made room.
func pass(s State, sw *Op, eff Effects, env Env) (State, Effects, bool) {
	after, passed := s.admit(sw.Name, env, Effects{})
	eff.add(passed)
	return after, eff, true
}

func release(s State, sw *Op, request string, env Env) (State, Effects, bool) {
	var eff Effects
	old := s.Meant(&sw.Expect)
	if old == nil {
		return s, eff, false
	}
	if sw.Event != nil {
		eff.Entries = append(eff.Entries, sw.entry(env.Next(), old, request, env))
	}
	s.remove(old)
	after, passed := s.admit(sw.Name, env, Effects{})
	if sw.Event != nil && sw.Event.Kind == KindHandedOver {
		for _, rec := range after.holds() {
			if slices.Contains(passed.Left, rec.Request) {
				eff.Entries[0].Other = rec.Holder
				break
			}
		}
	}
	eff.add(passed)
	return after, eff, true
}

func join(s State, sw *Op, env Env) (State, Effects, bool) {
	var eff Effects
	t := *sw.Waiter
	t.Name = sw.Name
	if !s.mixes(t.Share, sw.Resize) || s.room(t.Share) && !s.waiting(env) && s.open(t.Holder.Session, 0) {
		return s, eff, false // nothing would ever grant a free name
	}
	i := slices.IndexFunc(s.Queue, func(q Waiter) bool { return q.ID == t.ID })
	if i >= 0 && env.Alive(s.Queue[i].Process) {
		if sw.Expect.Here && s.Queue[i].Process != t.Process {
			return s, eff, false
		}
		// A waiter that is in the queue already keeps its place, under the new process.
		s.Queue = slices.Clone(s.Queue)
		s.Queue[i].Process = t.Process
		eff.Joined = append(eff.Joined, s.Queue[i])
		return s, eff, true
	}
	if i >= 0 { // its process died, so the place is lost
		s.Queue = slices.Delete(slices.Clone(s.Queue), i, i+1)
	}
	holds := s.holds()
	t.Seq, t.Since = env.Next(), env.Now
	if t.GrantAfter > 0 {
		t.GrantAt = after(env.Now, t.GrantAfter)
		if t.Asked == 0 && len(holds) > 0 {
			t.Asked = holds[len(holds)-1].Token
		}
	}
	s.Queue = append(slices.Clip(s.Queue), t)
	eff.Joined = append(eff.Joined, t)
	if sw.Event != nil {
		// A retry of a join is recognized by its waiter, not by the log.
		eff.Entries = append(eff.Entries, sw.entry(t.Seq, s.Meant(&sw.Expect), "", env))
	}
	return s, eff, true
}

func leave(s State, sw Op, env Env) (State, Effects, bool) {
	var eff Effects
	i := slices.IndexFunc(s.Queue, func(q Waiter) bool { return q.ID == sw.Waiter.ID })
	if i < 0 || !env.Alive(s.Queue[i].Process) ||
		sw.Waiter.Process != "" && sw.Waiter.Process != s.Queue[i].Process ||
		sw.Expect != (Expect{}) && !sw.Expect.holds(&s, &sw, env) {
		return s, eff, false
	}
	t := s.Queue[i]
	s.Queue = slices.Delete(slices.Clone(s.Queue), i, i+1)
	eff.Left = append(eff.Left, t.ID)
	eff.News = append(eff.News, Signal{Process: t.Process, Waiter: t.ID})
	if sw.Event != nil {
		e := sw.entry(env.Next(), s.Meant(&sw.Expect), "", env)
		e.Other, e.Request = t.Holder, t.ID
		eff.Entries = append(eff.Entries, e)
	}
	return pass(s, &sw, eff, env)
}

// entry returns the log entry of an operation on a hold; nil: on none.
func (sw *Op) entry(seq uint64, rec *Record, request string, env Env) LogEntry {
	if rec == nil {
		rec = new(Record)
	}
	return LogEntry{
		Seq: seq, Kind: sw.Event.Kind, Name: sw.Name, Token: rec.Token, Share: rec.Share, At: env.Now,
		Owner: rec.Holder, Actor: sw.Event.Actor, Reason: sw.Event.Reason, Request: request,
	}
}

// ofHold reports whether the condition is about a hold.
func (x Expect) ofHold() bool {
	x.Here = false
	return x != (Expect{})
}

// holds reports whether the condition is true of a settled state.
func (x *Expect) holds(s *State, sw *Op, env Env) bool {
	if x.Free {
		var share Share
		if sw.Share != nil {
			share = *sw.Share
		}
		if sw.Do != Acquire {
			return s.holding() == 0
		}
		session := sw.Holder.Session
		return s.mixes(share, sw.Resize) && s.room(share) && s.of(session) == nil && s.open(session, 0) &&
			(s.Path.Owns(session) || !s.waiting(env))
	}
	rec := s.Meant(x)
	switch {
	case rec == nil,
		x.Session != nil && rec.Holder.Session != *x.Session,
		x.Data != nil && rec.Data != *x.Data,
		x.Sole && (s.holding() > 1 || s.waiting(env)),
		x.Waiting && !s.waiting(env):
		return false
	}
	return true
}
