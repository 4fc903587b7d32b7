package storetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock/store"
)

// turnRounds is how many short histories of one queue the suite checks.
const turnRounds = 150

var turnLaws = []law{
	{"each call on a queue, one at a time, has the answer of the reference", lawTurns, exactClock},
}

func lawTurns(t *test) {
	rounds := turnRounds
	switch {
	case t.quick():
		rounds /= 10
	case os.Getenv("EDITLOCK_LONG") != "":
		rounds *= 10
	}
	for n := range rounds {
		r := &turns{test: t, name: fmt.Sprintf("turns/%d", n), random: rand.New(rand.NewPCG(uint64(n), 0)), ref: newWorld()}
		r.ref.names[r.name] = place{}
		r.run()
	}
}

// turns are calls on one name, made one after the other. Time passes in whole
// seconds, so that waiters die and claims fall due at one moment now and then.
type turns struct {
	*test
	ref    world
	random *rand.Rand
	name   string
	token  uint64 // of the last holder that was seen
	script []string
}

func (r *turns) run() {
	for i := range 3 {
		r.keepAlive(i)
	}
	r.commit(acquire(r.name, "ann", store.Terms{}))
	for _, i := range r.random.Perm(3) {
		r.join(i)
	}
	for range r.random.IntN(10) {
		r.act()
	}
	for range 5 { // a sweeper that relies on what it is told
		r.clock.Advance(min(r.sweep(), time.Minute))
		r.get()
	}
}

func (r *turns) act() {
	i := r.random.IntN(3)
	waiter := fmt.Sprint("w", i)
	session := []string{"ann", "bob", waiter}[r.random.IntN(3)]
	switch n := r.random.IntN(100); {
	case n < 30:
		r.clock.Advance(time.Duration(1+r.random.IntN(2)) * time.Second)
	case n < 33:
		r.sweep()
	case n < 40:
		r.keepAlive(i)
	case n < 50:
		r.join(i)
	case n < 55:
		sw := leave(r.name, waiter)
		sw.Waiter.ID = r.name + waiter
		r.commit(sw)
	case n < 70:
		r.commit(acquire(r.name, session, r.idle(float64(r.random.IntN(3)*3))))
	case n < 73:
		r.commit(takeOver(r.name, session, r.token, store.Terms{}))
	case n < 83:
		r.commit(store.Op{Name: r.name, Do: store.Renew, Expect: store.Expect{Session: &session}})
	case n < 90:
		r.commit(release(r.name, session))
	default:
		r.get()
	}
}

func (r *turns) process(i int) string { return fmt.Sprint(r.name, "/p", i) }

// step makes a call and judges the answer.
func (r *turns) step(in *call, do func(out *answer) error) *answer {
	r.Helper()
	in.at = r.clock.Now()
	r.script = append(r.script, in.at.Format("05 ")+in.String())
	out := &answer{}
	err := do(out)
	if err == nil {
		r.ref, err = r.ref.step(in, out)
	}
	if err != nil {
		r.fail(err)
	}
	return out
}

func (r *turns) fail(err error) {
	r.Helper()
	r.Fatalf("after these calls:\n  %s\n%v", strings.Join(r.script, "\n  "), err)
}

func (r *turns) commit(sw store.Op) {
	r.Helper()
	in := &call{method: "Swap", req: store.Txn{ID: fmt.Sprint(r.name, ".", len(r.script)), Ops: []store.Op{sw}}}
	if sw.Do == store.Join {
		in.req.ID = sw.Waiter.ID
	}
	out := r.step(in, func(out *answer) (err error) {
		out.res, err = r.st.Commit(r.ctx, in.req)
		return err
	})
	if rec := out.res.Records[0]; rec != nil {
		r.token = rec.Token
	}
}

func (r *turns) join(i int) {
	r.Helper()
	session := fmt.Sprint("w", i)
	sw := r.claim(r.name, session, r.process(i), float64([]int{0, 2, 3, 6}[r.random.IntN(4)]))
	sw.Waiter.ID = r.name + session
	sw.Waiter.ConfirmWithin = time.Duration(r.random.IntN(2)*2) * time.Second
	r.commit(sw)
}

func (r *turns) get() {
	r.Helper()
	r.step(&call{method: "Get", name: r.name}, func(out *answer) (err error) {
		out.view, err = r.st.Get(r.ctx, r.name, "")
		return err
	})
}

func (r *turns) keepAlive(i int) {
	r.Helper()
	in := &call{method: "Beat", process: r.process(i), ttl: time.Duration([]int{2, 4, 30}[r.random.IntN(3)]) * time.Second}
	r.step(in, func(out *answer) (err error) {
		out.waiters, err = r.st.KeepAlive(r.ctx, in.process, in.ttl)
		return err
	})
}

// sweep sweeps; nothing may be due before it says so.
func (r *turns) sweep() (due time.Duration) {
	r.Helper()
	r.step(&call{method: "Sweep", name: r.name}, func(*answer) (err error) {
		due, err = r.st.Sweep(r.ctx, store.Retention{})
		return err
	})
	if due < 0 {
		due = 24 * time.Hour
	}
	p := r.ref.names[r.name]
	if s, _ := store.Settle(r.name, p.State, r.ref.env(r.clock.Now().Add(due-time.Microsecond))); s.Record != p.Record || !slices.Equal(s.Shared, p.Shared) {
		r.fail(fmt.Errorf("the sweep says that nothing is due before %v pass", due))
	}
	return due
}
