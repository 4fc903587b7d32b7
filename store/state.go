package store

import (
	"slices"
	"time"
)

// State is everything that a store knows under one name. Shared and Queue may hold
// only some of the holds and waiters, as long as Queue has the oldest live waiters,
// and both have the hold and the waiter that an operation is about.
type State struct {
	// Record is the one hold if it is Alone; otherwise Shared are the holds, oldest
	// first. A hold may have expired. No Record is changed in place.
	Record *Record
	Shared []*Record
	More   int // live holds that are not in Shared

	// Share is the share in force: Shared, or the limit. Zero if there is no hold, or
	// one that is Alone.
	Share Share

	Queue []Waiter
	Rest  int // live waiters after those in Queue

	// Tree says that names above or below may be held or waited for. Path has those
	// holds and waiters; nil: they are not known.
	Tree bool
	Path *Path
}

// holds returns the holds that are known, oldest first.
func (s *State) holds() []*Record {
	if s.Record != nil {
		return []*Record{s.Record}
	}
	return s.Shared
}

// holding counts the holds of a settled state.
func (s *State) holding() int {
	n := len(s.Shared) + s.More
	if s.Record != nil {
		n++
	}
	return n
}

// waiting reports whether there is a live waiter.
func (s *State) waiting(env Env) bool {
	return s.Rest > 0 || slices.ContainsFunc(s.Queue, func(t Waiter) bool { return env.Alive(t.Process) })
}

// room reports whether the holders of a settled state leave room for one more hold
// with this share.
func (s *State) room(share Share) bool { return share.Room(s.Share, s.holding()) }

// far reports whether the path must be read before a hold may begin.
func (s *State) far() bool { return s.Tree && s.Path == nil }

// open reports whether the path lets a session begin a hold. seq is the Seq of the
// session's waiter; 0: it has none. The holder of a name above need not wait for the
// waiters for that name.
func (s *State) open(session string, seq uint64) bool {
	return s.Path.clear(session) && (s.Path.Owns(session) || s.Path.turn(seq))
}

// Blocked reports whether the first waiter is blocked only by holds or waiters above
// or below the name: there is room, or its GrantAt has passed.
func (s *State) Blocked(env Env) bool {
	i := s.first(env)
	if i < 0 || s.Path == nil {
		return false
	}
	head := &s.Queue[i]
	return (s.room(head.Share) || s.claims(head, env.Now)) && !s.open(head.Holder.Session, head.Seq)
}

// mixes reports whether a share goes with the share in force of a settled state.
func (s *State) mixes(share Share, resize bool) bool {
	return s.holding() == 0 || s.Share.Mixes(share, resize)
}

// Meant returns the hold that a condition is about; nil: there is none.
func (s *State) Meant(x *Expect) *Record {
	for _, rec := range s.holds() {
		if (x.Token == 0 || rec.Token == x.Token) && (x.Token != 0 || x.Session == nil || rec.Holder.Session == *x.Session) {
			return rec
		}
	}
	return nil
}

// Granted returns the hold that the waiter with this ID was granted; nil: none.
func (s *State) Granted(waiter string) *Record {
	for _, rec := range s.holds() {
		if rec.Request == waiter {
			return rec
		}
	}
	return nil
}

// of returns the oldest hold of a session; nil: it has none.
func (s *State) of(session string) *Record { return s.Meant(&Expect{Session: &session}) }

// add adds a new hold.
func (s *State) add(rec *Record) {
	if s.Share = rec.Share; rec.Share == Alone {
		s.Record = rec
	} else {
		s.Shared = append(slices.Clip(s.Shared), rec)
	}
}

// replace replaces a hold by a changed copy.
func (s *State) replace(old, rec *Record) {
	if s.Record == old {
		s.Record = nil
		s.add(rec)
		return
	}
	s.Shared = slices.Clone(s.Shared)
	s.Shared[slices.Index(s.Shared, old)] = rec
}

// remove removes a hold.
func (s *State) remove(old *Record) {
	if s.Record == old {
		s.Record = nil
	} else {
		s.Shared = slices.DeleteFunc(slices.Clone(s.Shared), func(r *Record) bool { return r == old })
	}
	if s.holding() == 0 {
		s.Share = Alone
	}
}

// GrantAt returns when the name passes to a waiter although it is held; zero:
// never. It is zero while there is a hold that was not asked: one that is newer than
// Waiter.Asked.
func (s *State) GrantAt(t *Waiter) time.Time {
	if t.GrantAt.IsZero() || s.More > 0 || s.holding() == 0 {
		return time.Time{}
	}
	for _, rec := range s.holds() {
		if rec.Token > t.Asked {
			return time.Time{}
		}
	}
	return t.GrantAt
}

// claims reports whether the GrantAt of a waiter has passed.
func (s *State) claims(t *Waiter, now time.Time) bool {
	at := s.GrantAt(t)
	return !at.IsZero() && !now.Before(at)
}

// Live returns the state without expired holds.
func (s State) Live(now time.Time) State {
	if s.Record != nil && !s.Record.Live(now) {
		s.Record = nil
	}
	if slices.ContainsFunc(s.Shared, func(r *Record) bool { return !r.Live(now) }) {
		s.Shared = slices.DeleteFunc(slices.Clone(s.Shared), func(r *Record) bool { return !r.Live(now) })
	}
	return s
}

// InForce returns the oldest live hold, with the other holds and the waiters, as a
// Store returns it. nil: the name is free.
func (s State) InForce(env Env) *Record { return s.shown(&Expect{}, env) }

// HeldBy is like InForce, but returns the oldest hold of the session if it has one.
func (s State) HeldBy(session string, env Env) *Record {
	if session == "" {
		return s.InForce(env)
	}
	return s.shown(&Expect{Session: &session}, env)
}

// Shown returns the hold that an operation is about, as a Store returns it: the one
// with its token, or granted to its waiter, else the oldest one of its session, else
// the oldest.
func (s State) Shown(sw *Op, env Env) *Record {
	x := Expect{Token: sw.Expect.Token, Session: sw.Expect.Session}
	now := s.Live(env.Now)
	switch {
	case sw.Do == Join, sw.Do == Leave:
		if x.Session == nil {
			x.Session = &sw.Waiter.Holder.Session
		}
		if rec := now.Granted(sw.Waiter.ID); rec != nil {
			x = Expect{Token: rec.Token}
		}
	case sw.Do == Acquire && (x.Token == 0 || now.Meant(&x) == nil):
		x = Expect{Session: &sw.Holder.Session}
	}
	return s.shown(&x, env)
}

func (s State) shown(x *Expect, env Env) *Record {
	s = s.Live(env.Now)
	if s.holding() == 0 {
		return nil
	}
	holds := s.holds()
	rec := s.Meant(x)
	if rec == nil {
		rec = holds[0]
	}
	out := *rec
	out.Others, out.Beside, out.Agreed = nil, s.holding()-1, s.Share
	for _, r := range holds {
		if r != rec && len(out.Others) < MaxHolders-1 {
			other := *r
			other.Others, other.Waiters, other.Beside, other.Waiting = nil, nil, out.Beside, 0
			out.Others = append(out.Others, &other)
		}
	}
	out.Waiters, out.Waiting = nil, s.Rest
	for _, t := range s.Queue {
		if env.Alive(t.Process) {
			out.Waiting++
			if len(out.Waiters) < MaxWaiters {
				t.GrantAt = s.GrantAt(&t)
				out.Waiters = append(out.Waiters, t)
			}
		}
	}
	return &out
}

// Settle brings a name up to date with the clock. It removes expired holds, with a
// log entry each, and grants the name to the first live waiters while there is room.
// If the GrantAt of the first has passed, it ends the holds in its way. A second
// Settle at the same time changes nothing.
func Settle(name string, s State, env Env) (State, Effects) {
	var eff Effects
	for _, dead := range s.holds() {
		if dead.Live(env.Now) {
			continue
		}
		eff.Entries = append(eff.Entries, LogEntry{
			Seq: env.Next(), Kind: KindExpired, Name: name, Token: dead.Token, Share: dead.Share,
			At: dead.Expires, Owner: dead.Holder, Actor: dead.Holder,
		})
		s.remove(dead)
	}
	if i := s.first(env); i >= 0 && !s.room(s.Queue[i].Share) {
		switch head := &s.Queue[i]; {
		case !s.claims(head, env.Now):
		case s.far():
			eff.Far = true
		case s.open(head.Holder.Session, head.Seq):
			s.giveWay(name, head, env, &eff)
		}
	}
	return s.admit(name, env, eff)
}

// first returns the index of the first live waiter; negative: there is none.
func (s *State) first(env Env) int {
	return slices.IndexFunc(s.Queue, func(t Waiter) bool { return env.Alive(t.Process) })
}

// admit grants the name to the first live waiters while there is room.
func (s State) admit(name string, env Env, eff Effects) (State, Effects) {
	for {
		i := s.first(env)
		if i < 0 || !s.room(s.Queue[i].Share) {
			return s, eff
		}
		if s.far() {
			eff.Far = true
			return s, eff
		}
		if !s.open(s.Queue[i].Holder.Session, s.Queue[i].Seq) {
			return s, eff
		}
		if i == len(s.Queue)-1 && s.Rest > 0 { // the next one is not known
			eff.Short = true
			return s, eff
		}
		s, eff = grant(name, s, i, env, eff)
	}
}

// giveWay ends holds in the way of the first waiter, oldest first, until it has room.
func (s *State) giveWay(name string, head *Waiter, env Env, eff *Effects) {
	for !s.room(head.Share) {
		rec := s.holds()[0]
		eff.Entries = append(eff.Entries, LogEntry{
			Seq: env.Next(), Kind: KindHandedOver, Name: name, Token: rec.Token, Share: rec.Share, At: env.Now,
			Owner: rec.Holder, Actor: rec.Holder, Other: head.Holder, Reason: ReasonNoAnswer,
		})
		s.remove(rec)
	}
}

// grant begins a hold for waiter i, and removes it and the dead waiters before it
// from the queue.
func grant(name string, s State, i int, env Env, eff Effects) (State, Effects) {
	for _, t := range s.Queue[:i+1] {
		eff.Left = append(eff.Left, t.ID)
		eff.News = append(eff.News, Signal{Process: t.Process, Waiter: t.ID})
	}
	t := s.Queue[i]
	rec := &Record{
		Name: name, Token: env.Next(), Share: t.Share, Holder: t.Holder, Data: t.Data, Terms: t.Terms,
		Acquired: env.Now, Renewed: env.Now, Request: t.ID,
	}
	rec.expire(t.ConfirmWithin)
	if t.Event != nil {
		eff.Entries = append(eff.Entries, LogEntry{
			Seq: rec.Token, Kind: t.Event.Kind, Name: name, Token: rec.Token, Share: rec.Share, At: env.Now,
			Owner: rec.Holder, Actor: t.Event.Actor, Reason: t.Event.Reason, Request: t.ID,
		})
	}
	s.add(rec)
	s.Queue = slices.Clone(s.Queue[i+1:])
	return s, eff
}
