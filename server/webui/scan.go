package webui

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/editlock/editlock"
)

const (
	// maxLocks bounds what a scan keeps in memory; pages say so if there is
	// more.
	maxLocks = 100_000
	// maxParts bounds the scans of parts of a store that has more than maxLocks,
	// and maxPart what each keeps in memory.
	maxParts = 8
	maxPart  = 10_000
	// freshFor is how old a scan may be. It is taken once for all readers.
	freshFor = time.Second
	// rest is how many times its own duration a scan is good for at least, so
	// that reading a huge store never takes more than a tenth of the time.
	rest = 10
	// small is what a scan takes that is begun again whenever something was done.
	small = 20 * time.Millisecond
	// patience is how long a reader waits for the store.
	patience = 15 * time.Second
	// maxChoices bounds the values offered for one filter.
	maxChoices = 500
)

// lock is a hold of a mutex, in a scan.
type lock struct {
	editlock.Mutex
	Name    string // canonical
	Holders int    // of the mutex: those of a shared one have a lock each
	who     string // personKey of its owner
	at      int    // among the scan's locks
	name    int    // among the scan's names
	first   bool   // of its name
	person  int    // among the scan's people
}

func lockOf(m editlock.Mutex) *lock {
	return &lock{Mutex: m, Name: m.ID.String(), Holders: m.Beside + 1, who: personKey(m.Owner)}
}

// locksOf are the holds that a Request told of.
func locksOf(m editlock.Mutex) []*lock {
	out := []*lock{lockOf(m)}
	for _, other := range m.Others {
		other.Beside, other.Waiting, other.Waiters = m.Beside, m.Waiting, m.Waiters
		out = append(out, lockOf(other))
	}
	return out
}

// IsShared reports whether others may hold it, too, without a limit.
func (l *lock) IsShared() bool { return l.Sharing == editlock.Shared }

// scan is everything that was held at one time. It is not changed any more, so
// all readers share it.
type scan struct {
	locks  []*lock // by name
	cut    bool    // there are more than maxLocks
	waited []*lock // that somebody waits for
	people int     // how many hold them
	names  int     // how many names they have
	whole  *part
	orders map[string]*order // by columns other than the name
}

// choice is a value of a filter and how many locks have it.
type choice struct {
	Value, Label string
	Count        int
	Kind         editlock.OwnerKind // of people
}

// scanner reads everything through Locker.List, which counts nothing: a page
// that tells how many there are has to have seen them all.
type scanner struct {
	locker  editlock.Locker
	visible []editlock.Area // what it reads; nil: everything
	max     int             // as maxLocks

	turn   chan struct{} // holds one token; guards what follows
	last   *scan
	begun  time.Time // when last was begun, by this process's clock
	took   time.Duration
	passed bool // last is known to be out of date

	ahead atomic.Int64 // how far the store's clock is ahead of this one, in ns
}

func newScanner(l editlock.Locker, visible []editlock.Area, most int) *scanner {
	s := &scanner{locker: l, visible: visible, max: most, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// get returns a scan, and the store's time now.
func (s *scanner) get(ctx context.Context) (*scan, time.Time, error) {
	select {
	case <-s.turn:
	case <-ctx.Done():
		return nil, time.Time{}, ctx.Err()
	}
	defer func() { s.turn <- struct{}{} }()
	age := time.Since(s.begun)
	if s.last == nil || age > max(freshFor, rest*s.took) || s.passed && (s.took < small || age >= 2*s.took) {
		// For all, so that it goes on when this reader leaves.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		begun := time.Now()
		last, err := s.read(ctx)
		if err != nil {
			return nil, time.Time{}, err
		}
		s.last, s.begun, s.took, s.passed = last, begun, time.Since(begun), false
	}
	return s.last, s.now(), nil
}

// now is the store's time: this process's own, as long as no lock has told.
func (s *scanner) now() time.Time {
	return time.Now().Add(time.Duration(s.ahead.Load())).UTC()
}

// forget makes the next reader see what was just done. Of a huge store a reader
// sees it later: it is read no more than half of the time, whatever is done.
func (s *scanner) forget() {
	<-s.turn
	s.passed = true
	s.turn <- struct{}{}
}

func (s *scanner) read(ctx context.Context) (*scan, error) {
	var locks []*lock
	cut := false
	q := editlock.Query{Limit: editlock.MaxPage, Visible: s.visible}
	for {
		page, err := s.locker.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Mutexes {
			locks = append(locks, lockOf(m))
		}
		if n := len(page.Mutexes); n > 0 {
			s.ahead.Store(int64(time.Until(page.Mutexes[n-1].AsOf)))
		}
		if page.Next == "" {
			break
		}
		if len(locks) >= s.max {
			cut = true
			break
		}
		q.Cursor = page.Next
	}
	return newScan(locks, cut), nil
}

func newScan(locks []*lock, cut bool) *scan {
	s := &scan{locks: locks, cut: cut, orders: newOrders()}
	people := map[string]int{}
	for at, l := range locks {
		person, known := people[l.who]
		if !known {
			person = len(people)
			people[l.who] = person
		}
		l.at, l.person = at, person
		if l.first = at == 0 || locks[at-1].Name != l.Name; l.first {
			s.names++
		}
		l.name = s.names - 1
		if l.Waiting > 0 {
			s.waited = append(s.waited, l)
		}
	}
	holders := make([]int, s.names)
	for _, l := range locks {
		holders[l.name]++
	}
	for _, l := range locks {
		l.Holders = holders[l.name]
	}
	s.people = len(people)
	s.whole = s.partOf(nil, len(locks))
	return s
}

// choices are in the order of their labels; of too many, the most frequent.
func choices(counted map[string]choice) []choice {
	out := make([]choice, 0, len(counted))
	for _, c := range counted {
		out = append(out, c)
	}
	if len(out) > maxChoices {
		slices.SortFunc(out, func(a, b choice) int { return b.Count - a.Count })
		out = out[:maxChoices]
	}
	slices.SortFunc(out, func(a, b choice) int {
		if c := strings.Compare(fold(a.Label), fold(b.Label)); c != 0 {
			return c
		}
		return strings.Compare(a.Value, b.Value)
	})
	return out
}
