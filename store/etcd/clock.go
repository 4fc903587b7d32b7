package etcd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// clockTTL is how long the clock's lease is granted for, in seconds: 34
	// years, after which it gets another.
	clockTTL = 1 << 30
	// pollEvery is how often etcd is asked for the time while a second ends.
	pollEvery = 4 * time.Millisecond
	// maxOpen bounds how many of these questions wait for their answers.
	maxOpen = 100
	// exact is how closely a second's end is to be seen, if it can be within
	// some tries: on a busy machine some questions are late.
	exact      = 15 * time.Millisecond
	exactTries = 3
	// setEvery is how often the clock is set. Quartz drifts less than 0.1 ms
	// a second.
	setEvery = time.Minute
	// successor is how long a process that comes after a change of etcd's
	// leader waits for those who know the time from before.
	successor = 3 * time.Second
)

// clock tells the store's time. The only clock of etcd that can be read is
// what is left of a lease, which its leader counts; so one lease, which
// never ends, is the store's clock: its time is head.Zero plus the lease's
// age. Ages come in whole seconds, so clock watches until one second ends,
// and counts from there on this process's monotonic clock, which no
// administrator can set and which is compared with etcd's every minute. It is
// right but for half the time between two questions, and half the difference
// that their ways there and back may have.
//
// A new leader counts leases from the start. A process that was there before knows the time
// still, and writes a new Zero with the leader's Term. If nobody was, time goes
// on from the last step.
type clock struct {
	lease clientv3.Lease
	fixed func() time.Time // a test's clock instead; nil: none
	begun time.Time

	mu   sync.Mutex
	zero int64         // the store's time when this process began
	term uint64        // of the leader by whom it was set; 0: it was not
	from uint64        // head.Term before that
	set  chan struct{} // closed when it is set
	then instant       // when it was set

	wrong chan struct{} // somebody saw another term
}

func newClock(lease clientv3.Lease) *clock {
	return &clock{
		lease: lease, set: make(chan struct{}), wrong: make(chan struct{}, 1),
		begun: time.Now(), //nolint:forbidigo // the origin of the monotonic clock, compared with nothing else
	}
}

// elapsed is how long this process has been, in microseconds.
func (c *clock) elapsed() int64 {
	return time.Since(c.begun).Microseconds() //nolint:forbidigo // monotonic; etcd's clock says what it stands for
}

// wall is this machine's idea of the time, in microseconds. It decides
// nothing: a new store's clock begins with it, and tokens follow it.
func wall() int64 {
	return time.Now().UnixMicro() //nolint:forbidigo // see above
}

// now is the store's time, for a step after h.
func (c *clock) now(h head) int64 {
	if c.fixed != nil {
		return c.fixed().UnixMicro()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(c.zero+c.elapsed(), h.At)
}

// age is how old etcd says the clock's lease is.
type age struct {
	origin int64 // of the lease, on this process's clock
	term   uint64
	within int64 // between the last question before a second's end and the first answer behind it
	trip   int64 // the quickest answer to a question, which is a part of within
}

// reading is one answer about the lease. It was true at some moment between
// question and answer, and nobody knows at which.
type reading struct {
	sent, got int64
	seconds   int64
	term      uint64
	err       error
}

func (c *clock) ask(ctx context.Context, id int64) reading {
	sent := c.elapsed()
	resp, err := c.lease.TimeToLive(ctx, clientv3.LeaseID(id))
	if err != nil {
		return reading{err: err}
	}
	if resp.TTL < 0 {
		return reading{err: errNoClock}
	}
	// What is left is rounded down, so this many seconds have begun.
	return reading{sent: sent, got: c.elapsed(), seconds: resp.GrantedTTL - resp.TTL, term: resp.RaftTerm}
}

// measure finds out how old the lease is.
func (c *clock) measure(ctx context.Context, id int64) (best age, err error) {
	for try := range exactTries {
		a, err := c.watch(ctx, id)
		if err != nil {
			return a, err
		}
		if try == 0 || a.within < best.within {
			best = a
		}
		if best.within-best.trip <= exact.Microseconds() {
			break
		}
	}
	return best, nil
}

// watch asks for the lease's age, not waiting for the answers, until a second
// ends between two questions.
func (c *clock) watch(ctx context.Context, id int64) (age, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first := c.ask(ctx, id)
	if first.err != nil {
		return age{}, first.err
	}
	answers := make(chan reading)
	asked, open := time.NewTicker(pollEvery), 0
	defer asked.Stop()
	before, behind, trip := first.sent, int64(0), first.got-first.sent
	for behind == 0 || open > 0 {
		select {
		case <-asked.C:
			if behind == 0 && open < maxOpen {
				open++
				go func() { answers <- c.ask(ctx, id) }()
			}
		case r := <-answers:
			open--
			trip = min(trip, max(r.got-r.sent, 0))
			switch {
			case r.err != nil || r.term != first.term:
				cancel() // and start over with the new leader
				for ; open > 0; open-- {
					<-answers
				}
				if r.err == nil {
					r.err = errNewLeader
				}
				return age{}, r.err
			case r.seconds <= first.seconds:
				before = max(before, r.sent) // the second ended after this question
			case behind == 0 || r.got < behind:
				behind = r.got // and before this answer
			}
		}
	}
	return age{(before+behind)/2 - first.seconds*1e6, first.term, behind - before, trip}, nil
}

var (
	errNoClock   = errors.New("the store's clock, a lease, is gone")
	errNewLeader = errors.New("etcd has got a new leader meanwhile")
)

// adopt sets the clock: its time is zero plus the lease's age. It replaces what
// a head with term from said.
func (c *clock) adopt(a age, zero int64, from uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.zero, c.term, c.from, c.then = zero-a.origin, a.term, from, instant{wall(), c.elapsed()}
	close(c.set)
	c.set = make(chan struct{})
}

// agrees reports whether the clock tells the same time as those who wrote h.
// term is the one that etcd is in.
func (c *clock) agrees(h head, term uint64) bool {
	if c.fixed != nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slept() {
		c.term, c.from = 0, 0 // what it was set to says nothing any more
	}
	if term != c.term {
		c.setSoon() // a new leader counts, or the clock is not set
	}
	// Until somebody sets it by the new leader, who set it before is right.
	return h.Term == c.term || h.Term == c.from
}

// instant is one time on the wall clock and on the monotonic one.
type instant struct{ wall, elapsed int64 }

// maxStep is how far the wall clock may go ahead of the monotonic one before
// the latter is taken to have stood still.
const maxStep = time.Second

// slept reports whether this machine slept since the clock was set, or its wall
// clock was moved: the monotonic clock stands still meanwhile, etcd's doesn't.
func (c *clock) slept() bool {
	step := (wall() - c.then.wall) - (c.elapsed() - c.then.elapsed)
	return c.term != 0 && (step > maxStep.Microseconds() || step < -maxStep.Microseconds())
}

// setSoon has the clock set soon.
func (c *clock) setSoon() {
	select {
	case c.wrong <- struct{}{}:
	default:
	}
}

// await waits until the clock agrees with h.
func (c *clock) await(ctx context.Context, h head, term uint64) error {
	for {
		c.mu.Lock()
		set := c.set
		c.mu.Unlock()
		if c.agrees(h, term) {
			return nil
		}
		c.setSoon()
		select {
		case <-ctx.Done():
			return fmt.Errorf("etcd: the store's clock could not be read: %w", ctx.Err())
		case <-set:
		}
	}
}

// reconcile is the Zero that goes with the age of a lease: that of h if it is
// for this lease and the same leader, and credible, or else what makes time go on from here: known,
// or, by a process that just came, from the last step.
func (c *clock) reconcile(h head, lease int64, a age) (zero int64, known bool) {
	now := c.elapsed()
	if h.Lease == lease && h.Term == a.term && h.Zero+now-a.origin+2e6 >= h.At {
		return h.Zero, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.term != 0 {
		return max(c.zero+now, h.At) - (now - a.origin), true
	}
	return h.At - (now - a.origin), false
}
