package editlock_test

import (
	"context"
	"errors"
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
