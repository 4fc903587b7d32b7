package editlock_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"editlock"
	"editlock/store"
	"editlock/store/memory"
	"editlock/store/sqlite"
)

// The model-based tests do random things in the name of several owners, at two
// processes of which one may die, on a synthetic clock. After each step
// everything has come to rest, and the history of the step is checked entry by
// entry against a model (see model_check_test.go).

func TestModel_Memory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		inBubble(t, func() { play(rt, memory.New(nil)) })
	})
}

func TestModel_SQLite(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		if n++; n > 10 {
			return // each run writes to a disk
		}
		inBubble(t, func() {
			st, err := sqlite.Open(context.Background(), filepath.Join(dir, fmt.Sprint(n)), nil)
			if err != nil {
				rt.Fatalf("Open: %v", err)
			}
			play(rt, st)
		})
	})
}

// inBubble runs f on a synthetic clock of its own. What f panics with, as rapid
// does to end a run, gets out of the bubble.
func inBubble(t *testing.T, f func()) {
	var failure any
	synctest.Test(t, func(*testing.T) {
		defer func() { failure = recover() }()
		f()
	})
	if fmt.Sprintf("%T", failure) == "rapid.invalidData" {
		panic(failure) // on a line of its own: rapid tells failures apart by these
	}
	if failure != nil {
		panic(failure)
	}
}

// waiterLease is how long the places of a dead process may outlive it.
const waiterLease = 10 * time.Second

// process is a Manager with its own line to the store.
type process struct {
	*editlock.Manager
	line *cuttable
	died time.Time // zero: alive
}

// world is editlock in use, beside the model of what must be true of it.
type world struct {
	store store.Store
	procs [2]*process
	model map[editlock.ID]*modelLock
	waits []*modelWait // under way
	seen  uint64       // the history is checked up to here
	now   step
}

// step is what is being done: it alone may cause what the history then tells.
type step struct {
	name  string
	owner editlock.Owner
	ids   []editlock.ID
	wait  *modelWait
	offer time.Duration // what he would promise as the holder
}

var (
	modelIDs    = []editlock.ID{{ID: "a"}, {ID: "b"}, {Group: "g", Mode: "m", ID: "c"}}
	modelPeople = []editlock.Owner{
		{Session: "s1", UserID: "u1"},
		{Session: "s1b", UserID: "u1"},
		{Session: "s2", UserID: "u2"},
		{Session: "s3", UserID: "u3"},
		{Session: "s4"},
		{Session: "s5"},
	}
)

// play is one run of random steps.
func play(t *rapid.T, st store.Store) {
	w := &world{store: st, model: make(map[editlock.ID]*modelLock)}
	for _, id := range modelIDs {
		w.model[id] = &modelLock{}
	}
	for i := range w.procs {
		w.procs[i] = w.start()
	}
	defer w.end()
	// Steps that led to a failure shrink towards rest, the first; rapid is fond
	// of the first ones anyway.
	actions := []struct {
		name string
		do   func(*rapid.T)
	}{
		{"rest", func(*rapid.T) {}},
		{"sleep", w.sleep},
		{"wait", w.wait},
		{"capture", w.capture},
		{"sleep", w.sleep},
		{"wait", w.wait},
		{"refresh", w.refresh},
		{"sleep", w.sleep},
		{"hand over", w.handOver},
		{"sleep", w.sleep},
		{"decline", w.decline},
		{"crash", w.crash},
		{"sleep", w.sleep},
		{"restart", w.restart},
		{"take over", w.takeover},
		{"capture", w.capture},
		{"sleep", w.sleep},
		{"cancel", w.cancel},
		{"release", w.release},
		{"sleep", w.sleep},
		{"capture several", w.captureAll},
		{"force release", w.forceRelease},
		{"sleep", w.sleep},
		{"release session", w.releaseSession},
	}
	for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(actions)-1), 100, 300).Draw(t, "steps") {
		w.now = step{name: actions[i].name}
		actions[i].do(t)
		synctest.Wait()
		w.check(t)
	}
}

func (w *world) start() *process {
	line := &cuttable{Store: w.store}
	return &process{Manager: editlock.NewManager(line, nil), line: line}
}

func (w *world) end() {
	for _, wait := range w.waits {
		wait.cancel()
	}
	for _, p := range w.procs {
		_ = p.Close()
	}
	synctest.Wait()
	_ = w.store.Close()
}

// at draws one of the processes that are alive.
func (w *world) at(t *rapid.T) *process {
	if w.procs[1].died.IsZero() && rapid.Bool().Draw(t, "at the second process") {
		return w.procs[1]
	}
	return w.procs[0]
}

func (w *world) person(t *rapid.T) editlock.Owner {
	w.now.owner = rapid.SampledFrom(modelPeople).Draw(t, "owner")
	return w.now.owner
}

func (w *world) id(t *rapid.T) editlock.ID {
	id := rapid.SampledFrom(modelIDs).Draw(t, "id")
	w.now.ids = []editlock.ID{id}
	return id
}

// holderOf draws a mutex that is held, if any is, and acts for its holder.
func (w *world) holderOf(t *rapid.T) (id editlock.ID, l *modelLock, found bool) {
	var held []editlock.ID
	for _, id := range modelIDs {
		if w.model[id].live(time.Now()) {
			held = append(held, id)
		}
	}
	if len(held) == 0 {
		return editlock.ID{}, nil, false
	}
	id = rapid.SampledFrom(held).Draw(t, "held")
	w.now.ids, w.now.owner = []editlock.ID{id}, w.model[id].owner
	return id, w.model[id], true
}

// token draws the token in force, or one that is not.
func (l *modelLock) someToken(t *rapid.T) editlock.Token {
	if l.top == 0 || rapid.IntRange(0, 3).Draw(t, "token") == 0 {
		return rapid.SampledFrom([]editlock.Token{1, l.top + 1}).Draw(t, "wrong token")
	}
	return l.top
}

func (l *modelLock) someCondition(t *rapid.T) editlock.Condition {
	switch rapid.IntRange(0, 5).Draw(t, "condition") {
	case 0:
		return editlock.IfStatusData(rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "if status data"))
	case 1:
		return editlock.IfToken(l.someToken(t))
	}
	return editlock.Condition{}
}

func (w *world) options(t *rapid.T, id editlock.ID, o editlock.Owner) editlock.CaptureOptions {
	opts := editlock.CaptureOptions{
		StatusData: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "status data"),
		AutoRelease: rapid.SampledFrom([]editlock.AutoRelease{
			{}, {}, {Idle: 5 * time.Second}, {Idle: 20 * time.Second}, {Idle: 20 * time.Second, MaxHold: 30 * time.Second}, editlock.Never,
		}).Draw(t, "auto release"),
		GrantAfter: rapid.SampledFrom([]time.Duration{0, 0, 3 * time.Second}).Draw(t, "grant after"),
	}
	if w.now.name == "wait" || w.model[id].owner.Session == o.Session {
		opts.AutoRelease.MaxHold = 0 // of a refresh it might be over already, which is tested elsewhere
	}
	w.now.offer = opts.GrantAfter
	return opts
}

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
	// What he is granted just then, he releases.
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
	if !l.contested(time.Now()) && want != (err == nil) || err != nil && !errors.Is(err, editlock.ErrBusy) && !errors.Is(err, editlock.ErrLost) {
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
