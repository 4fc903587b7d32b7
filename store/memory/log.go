package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"editlock/store"
)

// Log implements store.Store.
func (s *Store) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	if _, err := s.enter(ctx); err != nil {
		return store.LogPage{}, err
	}
	defer s.mu.Unlock()
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	page := store.LogPage{Floor: s.floor, Last: s.seq}
	from, _ := slices.BinarySearchFunc(s.log, q.After+1, bySeq)
	to := len(s.log)
	if q.Before > 0 {
		to, _ = slices.BinarySearchFunc(s.log, q.Before, bySeq)
	}
	for i := range max(0, to-from) {
		at := from + i
		if q.Newest {
			at = to - 1 - i
		}
		if e := s.log[at]; q.Matches(e) {
			page.Entries = append(page.Entries, e)
			if len(page.Entries) == limit {
				break
			}
		}
	}
	return page, nil
}

func bySeq(e store.Entry, seq uint64) int { return cmp.Compare(e.Seq, seq) }

// Sweep implements store.Store.
func (s *Store) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	env, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	lapse := s.buryDead(env) // first: who stood behind the dead may have a claim
	var due []string
	s.due.Ascend(func(d deadline) bool {
		if d.at.After(env.Now) {
			return false
		}
		due = append(due, d.name)
		return true
	})
	for _, name := range due {
		st, eff := store.Settle(name, s.states[name], env)
		s.save(name, st)
		s.commit(eff, env)
	}
	s.prune(keep, env)
	next, ok := s.due.Min()
	switch {
	case ok && (lapse.IsZero() || next.at.Before(lapse)):
		return max(0, next.at.Sub(env.Now)), nil
	case !lapse.IsZero():
		return lapse.Sub(env.Now), nil
	}
	return -1, nil
}

// buryDead takes the tickets of dead processes out of their queues, and tells
// when the next process that waits dies, unless it beats. Zero: none waits.
func (s *Store) buryDead(env store.Env) (next time.Time) {
	for peer := range s.tickets {
		if !env.Alive(peer) {
			s.bury(peer)
		} else if until := s.peers[peer]; next.IsZero() || until.Before(next) {
			next = until
		}
	}
	for peer := range s.peers {
		if !env.Alive(peer) {
			delete(s.peers, peer)
		}
	}
	return next
}

// bury takes the tickets of a process out of their queues.
func (s *Store) bury(peer string) {
	for id, name := range s.tickets[peer] {
		st := s.states[name]
		st.Queue = slices.DeleteFunc(slices.Clone(st.Queue), func(t store.Ticket) bool { return t.ID == id })
		s.save(name, st)
	}
	delete(s.tickets, peer)
}

// prune forgets old entries and old request IDs.
func (s *Store) prune(keep store.Retention, env store.Env) {
	young := env.Now.Add(-store.RetryWindow)
	n := 0
	for n < len(s.log) && s.log[n].At.Before(young) &&
		(keep.MaxAge > 0 && s.log[n].At.Before(env.Now.Add(-keep.MaxAge)) ||
			keep.MaxEntries > 0 && int64(len(s.log)-n) > keep.MaxEntries) {
		s.floor = s.log[n].Seq
		n++
	}
	s.log = slices.Delete(s.log, 0, n)
	n = 0
	for n < len(s.oldest) && !s.requests[s.oldest[n]].After(young) {
		delete(s.requests, s.oldest[n])
		n++
	}
	s.oldest = slices.Delete(s.oldest, 0, n)
}
