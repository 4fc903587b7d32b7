package editlock_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// The model of waits lets callers wait for one mutex in many requests, at two
// servers on one store, while requests are cut off, callers withdraw or vanish, and
// servers lose their store or restart. All is drawn from a seed and runs on a
// synthetic clock. The judge sees each step of the store, and knows of each caller
// what it did: see waits_judge_test.go.

func TestWaits_Model(t *testing.T) {
	stories := 100
	if os.Getenv("EDITLOCK_LONG") != "" {
		stories = 10_000
	}
	for seed := range stories {
		if wrong, told := tellStory(t, uint64(seed)); wrong != "" {
			t.Fatalf("seed %d: %s\n%s", seed, wrong, told)
		}
	}
}

// graceOf is how long a place is kept for a caller who is away, and confirmOf how
// long a grant that it does not take up.
const (
	graceOf   = 10 * time.Second
	confirmOf = 15 * time.Second
)

// story is one run.
type story struct {
	judge
	dice
	seed    uint64
	store   *memoryStore
	open    func(l *wire) // gives a server's line its store
	servers [2]*server
	ctx     context.Context
	running sync.WaitGroup
	change  sync.Mutex // of servers
}

// dice are drawn from by one part of the story, so that the others' draws are the same
// however the parts take turns.
type dice struct {
	mu  sync.Mutex
	rnd *rand.Rand
}

func (d *dice) throw(seed uint64, part string) {
	for _, c := range part {
		seed = 31*seed + uint64(c)
	}
	d.rnd = rand.New(rand.NewPCG(seed, 7))
}

// chance is true so many times in a hundred.
func (d *dice) chance(percent int) bool { return d.number(100) < percent }

func (d *dice) number(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rnd.IntN(n)
}

// between is a duration of whole microseconds.
func (d *dice) between(from, to time.Duration) time.Duration {
	return from + time.Duration(d.number(int((to-from)/time.Microsecond)))*time.Microsecond
}

// memoryStore outlives the Managers on it.
type memoryStore struct{ store.Store }

func (memoryStore) Close() error { return nil }

// server is a Manager with a line of its own to the store. Restarted, it is another.
type server struct {
	n int
	*editlock.Manager
	wire *wire
}

func tellStory(t *testing.T, seed uint64) (wrong, told string) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{seed: seed, store: &memoryStore{memory.New(nil)}}
		s.throw(seed, "story")
		ctx, stop := context.WithCancel(t.Context())
		s.ctx = ctx
		s.init(s.store)
		s.open = func(l *wire) { l.Store = &s.judge }
		for n := range s.servers {
			s.servers[n] = s.start(n)
		}
		s.run()
		stop()
		s.running.Wait()
		s.quiet()
		time.Sleep(75 * time.Second)
		s.rest()
		for _, srv := range s.servers {
			_ = srv.Close()
		}
		_ = s.store.Store.Close()
		wrong, told = s.judge.wrong, strings.Join(s.judge.told, "\n")
	})
	return wrong, told
}

func (s *story) server(n int) *server {
	s.change.Lock()
	defer s.change.Unlock()
	return s.servers[n]
}

func (s *story) start(n int) *server {
	l := &wire{}
	s.open(l)
	l.throw(s.seed, fmt.Sprint("wire", n, time.Since(s.begun)))
	return &server{n: n, Manager: editlock.NewManager(l, nil), wire: l}
}

// run lets callers come, and troubles.
func (s *story) run() {
	for n := range s.servers {
		if n == 0 || s.chance(50) {
			s.running.Go(func() { s.troubles(n) })
		}
	}
	crowd := 2 + s.number(12)
	if s.chance(40) {
		crowd = 1 + s.number(3)
	}
	if s.chance(70) {
		s.hold(s.between(2*time.Second, 30*time.Second))
	}
	for n := range crowd {
		c := s.newCaller(fmt.Sprintf("c%02d", n))
		s.running.Go(c.live)
		time.Sleep(s.between(time.Millisecond, 3*time.Second))
	}
	time.Sleep(s.between(5*time.Second, 60*time.Second))
}

// hold lets somebody hold the mutex who never comes back.
func (s *story) hold(idle time.Duration) {
	ctx := editlock.WithOwner(s.ctx, editlock.Owner{Session: "holder"})
	_, _ = s.server(0).Capture(ctx, report, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(idle)})
}

// troubles come to a server, one after the other.
func (s *story) troubles(n int) {
	var d dice
	d.throw(s.seed, fmt.Sprint("troubles", n))
	for s.sleep(d.between(time.Second, 20*time.Second)) {
		switch {
		case d.chance(15):
			s.restart(n, &d)
		case d.chance(60):
			s.cut(n, &d, d.between(8*time.Second, 16*time.Second))
		default:
			s.cut(n, &d, d.between(100*time.Millisecond, 6*time.Second))
		}
	}
}

// cut takes a server's store away for a while. Afterwards it may be slow.
func (s *story) cut(n int, d *dice, pause time.Duration) {
	l := s.server(n).wire
	over := s.trouble(n, pause >= 2*time.Second, fmt.Sprint("no store for ", pause))
	l.set(func() { l.off, l.hangs = true, d.chance(50) })
	s.sleep(pause)
	slow := d.chance(50)
	l.set(func() {
		l.off = false
		if slow {
			l.slow, l.loses = d.between(time.Millisecond, 600*time.Millisecond), d.number(20)
		}
	})
	if slow {
		s.sleep(d.between(time.Second, 8*time.Second))
		l.set(func() { l.slow, l.loses = 0, 0 })
	}
	over()
}

// restart ends a server, orderly or not, and starts the next.
func (s *story) restart(n int, d *dice) {
	old := s.server(n)
	orderly := d.chance(60)
	over := s.trouble(n, true, "restart")
	if !orderly {
		old.wire.set(func() { old.wire.off, old.wire.gone = true, true })
	}
	s.running.Go(func() { _ = old.Close() })
	s.sleep(d.between(time.Millisecond, 3*time.Second))
	next := s.start(n)
	s.change.Lock()
	s.servers[n] = next
	s.change.Unlock()
	over()
}

// sleep is false if the story ends.
func (s *story) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.ctx.Done():
		return false
	}
}

// wire is a server's way to the store.
type wire struct {
	store.Store
	dice

	state sync.Mutex
	off   bool
	hangs bool          // while off: calls don't fail, but last
	gone  bool          // for good
	slow  time.Duration // a call takes at most, there and back
	loses int           // so many answers in a hundred
}

func (l *wire) set(f func()) {
	l.state.Lock()
	defer l.state.Unlock()
	f()
}

func (l *wire) way(ctx context.Context) error {
	for {
		var off, hangs, gone bool
		var slow time.Duration
		l.set(func() { off, hangs, gone, slow = l.off, l.hangs, l.gone, l.slow })
		if slow > 0 {
			time.Sleep(l.between(0, slow))
		}
		switch {
		case !off:
			return ctx.Err()
		case !hangs || gone:
			return errCut
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// through makes a call over the line, whose answer may be lost.
func through[T any](ctx context.Context, l *wire, call func() (T, error)) (T, error) {
	var none T
	if err := l.way(ctx); err != nil {
		return none, err
	}
	got, err := call()
	if err != nil {
		return none, err
	}
	loses := 0
	l.set(func() { loses = l.loses })
	if l.chance(loses) {
		return none, errCut
	}
	return got, l.way(ctx)
}

func (l *wire) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	return through(ctx, l, func() (store.Result, error) { return l.Store.Commit(ctx, req) })
}

func (l *wire) Get(ctx context.Context, name, session string) (store.View, error) {
	return through(ctx, l, func() (store.View, error) { return l.Store.Get(ctx, name, session) })
}

func (l *wire) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	return through(ctx, l, func() (store.LogPage, error) { return l.Store.Log(ctx, q) })
}

func (l *wire) KeepAlive(ctx context.Context, process string, ttl time.Duration) ([]string, error) {
	return through(ctx, l, func() ([]string, error) { return l.Store.KeepAlive(ctx, process, ttl) })
}

func (l *wire) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	return through(ctx, l, func() (time.Duration, error) { return l.Store.Sweep(ctx, keep) })
}

func (l *wire) Close() error { return nil }
