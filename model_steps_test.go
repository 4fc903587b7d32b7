package editlock_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/editlock/editlock"
)

// The steps of the model-based tests. Each does something in somebody's name,
// checks the outcome where the model knows it, and notes what the history may
// tell of it.

func (w *world) capture(t *rapid.T) {
	id, o := w.id(t), w.person(t)
	opts := w.options(t, id, o)
	l := w.model[id]
	opts.If = l.someCondition(t)
	if opts.If.IsZero() && rapid.IntRange(0, 3).Draw(t, "if free") == 0 {
		opts.If = editlock.IfFree()
	}
	want := l.expect(o, opts.If, time.Now())
	m, err := w.at(t).Capture(by(context.Background(), o), id, &opts)
	w.wantOutcome(t, want, m, err)
}

func (w *world) captureAll(t *rapid.T) {
	ids := rapid.Permutation(modelIDs).Draw(t, "ids")[:2]
	w.now.ids = ids
	o := w.person(t)
	ms, err := w.at(t).CaptureAll(by(context.Background(), o), ids, nil)
	var busy *editlock.BusyError
	if err != nil && !errors.As(err, &busy) {
		t.Fatalf("CaptureAll: %v", err)
	}
	if err == nil && (ms[0].ID != ids[0] || ms[1].ID != ids[1]) {
		t.Fatalf("CaptureAll(%v) gave %v and %v", ids, ms[0].ID, ms[1].ID)
	}
	if err != nil {
		w.now.owner = editlock.Owner{} // then it must have captured none
	}
}

func (w *world) release(t *rapid.T) {
	id, o := w.id(t), w.person(t)
	l, now := w.model[id], time.Now()
	cond := l.someCondition(t)
	mine := l.live(now) && l.owner.Session == o.Session
	data, isData := cond.StatusData()
	token, isToken := cond.Token()
	want := mine && (!isData || data == l.last.StatusData) && (!isToken || token == l.top)

	released, err := w.at(t).Release(by(context.Background(), o), id, cond)
	var busy *editlock.BusyError
	switch others := l.live(now) && !mine && cond.IsZero(); {
	case l.contested(now):
	case others && !errors.As(err, &busy):
		t.Fatalf("Release of another's: %v, want busy", err)
	case !others && (err != nil || released != want):
		t.Fatalf("Release = %v, %v; want %v", released, err, want)
	}
}

func (w *world) releaseSession(t *rapid.T) {
	o := w.person(t)
	w.now.ids = modelIDs
	if _, err := w.at(t).ReleaseSession(by(context.Background(), o), o.Session); err != nil {
		t.Fatalf("ReleaseSession: %v", err)
	}
}

func (w *world) refresh(t *rapid.T) {
	id, o := w.id(t), w.person(t)
	l := w.model[id]
	token := l.someToken(t)
	want, contested := l.live(time.Now()) && token == l.top && l.owner.SamePerson(o), l.contested(time.Now())
	res, err := w.at(t).Refresh(by(context.Background(), o), []editlock.RefreshItem{{ID: id, Token: token}})
	if err != nil {
		t.Fatalf("Refresh: %v", err)
	}
	if err := res[0].Err; want != (err == nil) && !contested || err != nil && !errors.Is(err, editlock.ErrLost) {
		t.Fatalf("Refresh: %v, want success %v", err, want)
	}
	if want && res[0].Err == nil {
		l.owner = o // a new session of the same user moves in
	}
}

func (w *world) wait(t *rapid.T) {
	id, o := w.id(t), w.person(t)
	opts := w.options(t, id, o)
	if slices.ContainsFunc(w.waits, func(x *modelWait) bool { return x.id == id && x.owner.Session == o.Session }) ||
		slices.ContainsFunc(w.model[id].queue, func(x *modelWait) bool { return x.owner.Session == o.Session }) {
		return
	}
	opts.Wait = rapid.SampledFrom([]time.Duration{3 * time.Second, 12 * time.Second, time.Hour}).Draw(t, "wait")
	opts.Message = rapid.SampledFrom([]string{"", "please"}).Draw(t, "message")
	ctx, cancel := context.WithCancel(by(context.Background(), o))
	p := w.at(t)
	x := &modelWait{
		id: id, owner: o, process: p, asks: opts.Message != "", offer: opts.GrantAfter,
		deadline: time.Now().Add(opts.Wait), cancel: cancel, done: make(chan struct{}),
	}
	w.waits, w.now.wait = append(w.waits, x), x
	go func() {
		defer close(x.done)
		x.mutex, x.err = p.Capture(ctx, id, &opts)
	}()
}

func (w *world) cancel(t *rapid.T) {
	if len(w.waits) == 0 {
		return
	}
	x := rapid.SampledFrom(w.waits).Draw(t, "wait")
	// What they are granted just then, they release.
	w.now.owner, w.now.ids = x.owner, []editlock.ID{x.id}
	x.cancelled = true
	x.cancel()
}

func (w *world) handOver(t *rapid.T) {
	id, l, found := w.holderOf(t)
	if !found {
		return
	}
	certain := slices.ContainsFunc(l.queue, func(x *modelWait) bool { return x.certain(time.Now()) })
	passed, err := w.at(t).HandOver(by(context.Background(), l.owner), id)
	if !l.contested(time.Now()) && (err != nil || certain && !passed || len(l.queue) == 0 && passed) {
		t.Fatalf("HandOver = %v, %v, with %d in the queue", passed, err, len(l.queue))
	}
}

func (w *world) decline(t *rapid.T) {
	id, l, found := w.holderOf(t)
	if !found || len(l.last.Waiters) == 0 {
		return
	}
	i := rapid.IntRange(0, len(l.last.Waiters)-1).Draw(t, "waiter")
	if declined, err := w.at(t).Decline(by(context.Background(), l.owner), id, l.last.Waiters[i].ID, "no"); (!declined || err != nil) && !l.contested(time.Now()) {
		t.Fatalf("Decline = %v, %v", declined, err)
	}
}

func (w *world) takeover(t *rapid.T) {
	id, o := w.id(t), w.person(t)
	l := w.model[id]
	token := l.someToken(t)
	want := l.live(time.Now()) && token == l.top
	m, err := w.at(t).Takeover(by(context.Background(), o), id, token, "because", nil)
	if !l.contested(time.Now()) && want != (err == nil) || err != nil && !errors.Is(err, editlock.ErrBusy) && !errors.Is(err, editlock.ErrNotHeld) {
		t.Fatalf("Takeover = %v, %v; want success %v", m.Token, err, want)
	}
}

func (w *world) forceRelease(t *rapid.T) {
	id, o := w.id(t), w.person(t)
	l := w.model[id]
	token := l.someToken(t)
	want := l.live(time.Now()) && token == l.top
	if err := w.at(t).ForceRelease(by(context.Background(), o), id, token, "because"); want != (err == nil) && !l.contested(time.Now()) {
		t.Fatalf("ForceRelease: %v, want success %v", err, want)
	}
}

// crash lets the second process die: nothing it asks for happens any more.
func (w *world) crash(t *rapid.T) {
	p := w.procs[1]
	if !p.died.IsZero() {
		return
	}
	p.line.off.Store(true)
	p.died = time.Now()
	_ = p.Close()
}

func (w *world) restart(t *rapid.T) {
	if w.procs[1].died.IsZero() {
		return
	}
	w.procs[1] = w.start()
}

// sleep lets time pass: less than any lease, so that none ends unseen.
func (w *world) sleep(t *rapid.T) {
	time.Sleep(rapid.SampledFrom([]time.Duration{
		4 * time.Second, time.Second, 2500 * time.Millisecond, 100 * time.Millisecond, time.Millisecond,
	}).Draw(t, "for"))
}

// lostCall is a call whose answer was lost on the way. It is sent again later,
// when its owner may have another job with holds of its own.
type lostCall struct {
	step step
	try  editlock.Attempt
	do   func(ctx context.Context, p *process) (tokens []editlock.Token, did bool, err error)

	// What a try that did its work was answered.
	tokens []editlock.Token
	fresh  bool // they were new
	did    bool
}

// lose makes a random call and forgets the answer.
func (w *world) lose(t *rapid.T) {
	id, o := w.id(t), w.person(t)
	l := w.model[id]
	c := &lostCall{try: editlock.Attempt{Key: fmt.Sprint("lost ", w.seen, len(w.lost))}}
	one := func(m editlock.Mutex, err error) ([]editlock.Token, bool, error) {
		return []editlock.Token{m.Token}, err == nil, err
	}
	w.now.name = rapid.SampledFrom([]string{
		"capture", "capture several", "take over", "release", "release all", "release session", "hand over", "force release",
	}).Draw(t, "lost call")
	switch w.now.name {
	case "capture":
		opts := w.options(t, id, o)
		opts.AutoRelease.MaxHold, opts.If = 0, l.someCondition(t)
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			return one(p.Capture(ctx, id, &opts))
		}
	case "capture several":
		ids := rapid.Permutation(modelIDs).Draw(t, "ids")[:2]
		w.now.ids = ids
		c.do = func(ctx context.Context, p *process) (tokens []editlock.Token, did bool, err error) {
			ms, err := p.CaptureAll(ctx, ids, nil)
			for _, m := range ms {
				tokens = append(tokens, m.Token)
			}
			return tokens, err == nil, err
		}
	case "take over":
		token := l.someToken(t)
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			return one(p.Takeover(ctx, id, token, "because", nil))
		}
	case "release":
		cond := l.someCondition(t)
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			did, err := p.Release(ctx, id, cond)
			return nil, did, err
		}
	case "release all":
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			ids, err := p.ReleaseAll(ctx, []editlock.ID{id})
			return nil, len(ids) > 0, err
		}
	case "release session":
		w.now.ids = modelIDs
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			_, err := p.ReleaseSession(ctx, o.Session)
			return nil, false, err // a retry tells of its own work only
		}
	case "hand over":
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			did, err := p.HandOver(ctx, id)
			return nil, did, err
		}
	case "force release":
		token := l.someToken(t)
		c.do = func(ctx context.Context, p *process) ([]editlock.Token, bool, error) {
			err := p.ForceRelease(ctx, id, token, "because")
			return nil, err == nil, err
		}
	}
	c.step = w.now
	sent := time.Now()
	c.send(t, w)
	c.try.First = sent
	time.Sleep(time.Millisecond) // what comes next is later than this
	if w.lost = append(w.lost, c); len(w.lost) > 5 {
		w.lost = w.lost[1:]
	}
}

// retry sends a lost call again.
func (w *world) retry(t *rapid.T) {
	if len(w.lost) == 0 {
		return
	}
	c := rapid.SampledFrom(w.lost).Draw(t, "lost call")
	w.now = c.step
	w.now.sent = c.try.First
	c.send(t, w)
}

// send sends a call, and checks that the answer is that of the tries before,
// if one of them did its work.
func (c *lostCall) send(t *rapid.T, w *world) {
	top := w.top()
	tokens, did, err := c.do(editlock.WithAttempt(by(context.Background(), c.step.owner), c.try), w.at(t))
	switch {
	case err != nil && !errors.Is(err, editlock.ErrBusy) && !errors.Is(err, editlock.ErrLost) && !errors.Is(err, editlock.ErrNotHeld):
		t.Fatalf("%s: %v", c.step.name, err)
	case c.did && !did && (c.tokens == nil || c.fresh) && !errors.Is(err, editlock.ErrLost):
		t.Fatalf("the retry of %q did nothing, %v; a try before did", c.step.name, err)
	case err != nil || slices.Equal(tokens, c.tokens):
		return
	case c.fresh, c.tokens != nil && slices.ContainsFunc(tokens, func(n editlock.Token) bool { return n <= top && !slices.Contains(c.tokens, n) }):
		t.Fatalf("the retry of %q got the tokens %d, a try before %d; the largest was %d", c.step.name, tokens, c.tokens, top)
	}
	c.tokens, c.did = tokens, did
	c.fresh = slices.ContainsFunc(tokens, func(n editlock.Token) bool { return n > top })
}

// top is the largest token of all mutexes.
func (w *world) top() (top editlock.Token) {
	for _, l := range w.model {
		top = max(top, l.top)
	}
	return top
}
