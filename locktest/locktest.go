// Package locktest is the behaviour suite of editlock: what every
// [editlock.Locker] does, whether it is a Manager on a store or a client of a
// server. A new Locker proves itself with
//
//	func TestBehaviour(t *testing.T) {
//		locktest.Run(t, locktest.Harness{Open: open})
//	}
//
// Set EDITLOCK_LONG=1 for the long mode, which repeats the races more often.
package locktest

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// Harness makes what the suite tests.
type Harness struct {
	// Open returns a Locker on a fresh, empty store for one test, and closes
	// it by t.Cleanup. It is called from parallel tests.
	Open func(t *testing.T) System
}

// System is one store and the Lockers on it.
type System struct {
	Locker editlock.Locker
	// Second is a Locker on the same store as another process would have
	// it. Nil if there can be none: the tests of two processes then use the
	// one Locker twice.
	Second editlock.Locker
	// Advance puts the store's clock forward. The clock must run in between
	// (see Clock). Nil if that can't be done: the tests then wait for leases
	// of one second to end, and leave out what takes longer.
	Advance func(d time.Duration)
}

// Run checks every rule of the Locker contract.
func Run(t *testing.T, h Harness) {
	for _, topic := range []struct {
		name string
		test func(t *testing.T, h Harness)
	}{
		{"Capture", testCapture},
		{"Release", testRelease},
		{"ReleaseAfter", testReleaseAfter},
		{"Request", testRequest},
		{"Refresh", testRefresh},
		{"AutoRelease", testAutoRelease},
		{"Retry", testRetry},
		{"Identity", testIdentity},
		{"EditLock", testEditLock},
		{"List", testList},
		{"Invalid", testInvalid},
		{"Contention", testContention},
		{"Several", testSeveral},
		{"ReleaseSession", testReleaseSession},
		{"Wait", testWait},
		{"Queue", testQueue},
		{"Ask", testAsk},
		{"Sharing", testSharing},
		{"Trees", testTrees},
		{"Death", testDeath},
		{"Takeover", testTakeover},
		{"Kinds", testKinds},
		{"ForceRelease", testForceRelease},
		{"History", testHistory},
		{"Watch", testWatch},
	} {
		t.Run(topic.name, func(t *testing.T) {
			t.Parallel()
			topic.test(t, h)
		})
	}
}

// Clock is a clock for stores under test: it runs like the real one, and can
// be put forward. The zero Clock is ready.
type Clock struct{ ahead atomic.Int64 }

// Now is the clock's time.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Advance puts the clock forward.
func (c *Clock) Advance(d time.Duration) { c.ahead.Add(int64(d)) }

// rounds is how often a race is repeated.
func rounds(short, long int) int {
	if os.Getenv("EDITLOCK_LONG") != "" {
		return long
	}
	return short
}

// lease is the idle time of mutexes that a test lets expire: the shortest
// allowed, as it may have to be waited for.
const lease = editlock.MinAutoRelease

// nap is how far the clock may jump while somebody waits: a longer jump looks
// like the death of the waiting process.
const nap = 2 * time.Second

// patience bounds what a test waits for. It says nothing about speed.
const patience = 30 * time.Second

// other is the second Locker, or the only one twice.
func (s System) other() editlock.Locker {
	if s.Second != nil {
		return s.Second
	}
	return s.Locker
}

// lapse lets a mutex expire.
func (s System) lapse(t *testing.T, m editlock.Mutex) {
	t.Helper()
	in, ok := m.ExpiresIn()
	if !ok {
		t.Fatalf("%v never expires", m.ID)
	}
	if s.Advance != nil {
		s.Advance(in)
		return
	}
	stranger := editlock.WithoutOwner(t.Context())
	eventually(t, "the lease to end", func() bool {
		_, now, err := s.Locker.Request(stranger, m.ID)
		if err != nil {
			t.Fatalf("Request: %v", err)
		}
		return now.Token != m.Token
	})
}

// pass lets time go by, if the clock allows it.
func (s System) pass(d time.Duration) {
	if s.Advance != nil {
		s.Advance(d)
	}
}

// rest lets time go by on any clock, where nothing is to happen that could be
// awaited.
func (s System) rest(d time.Duration) {
	if s.Advance != nil {
		s.Advance(d)
		return
	}
	time.Sleep(d)
}

// prompt bounds what must not be left to the death of a waiting process, whose
// lease is twice as long.
const prompt = 5 * time.Second

// eventually waits until a condition comes true that no event tells of.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	within(t, patience, what, done)
}

func within(t *testing.T, patience time.Duration, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(patience)
	defer end.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// as is the context of somebody's calls.
func as(t *testing.T, o editlock.Owner) context.Context {
	return editlock.WithOwner(t.Context(), o)
}

// The cast. A browser's tabs share one session; a login makes a new one.
var (
	ivanov      = editlock.Owner{Session: "s-ivanov", UserID: "17", Login: "ivanov", Name: "Иванов И. И.", Host: "10.0.0.17"}
	ivanovAgain = editlock.Owner{Session: "s-ivanov-2", UserID: "17", Login: "ivanov", Name: "Иванов И. И.", Host: "10.0.0.99"}
	petrova     = editlock.Owner{Session: "s-petrova", UserID: "18", Login: "petrova", Name: "Петрова А. А.", Host: "10.0.0.18"}
	smith       = editlock.Owner{Session: "s-smith", UserID: "19", Login: "smith", Name: "John Smith", Host: "10.0.0.19"}
)

// doc is the mutex most tests are about.
var doc = editlock.ID{Group: "demo", Mode: "document", ID: "42"}
