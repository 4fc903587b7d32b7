package editlock_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
	"github.com/editlock/editlock/store/sqlite"
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
			st, err := sqlite.Open(context.Background(), filepath.Join(dir, fmt.Sprint(n)), &sqlite.Options{Now: time.Now})
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
	lost  []*lostCall  // that may be sent again
	seen  uint64       // the history is checked up to here
	now   step
}

// step is what is being done: it alone may cause what the history then tells.
type step struct {
	name  string
	owner editlock.Owner
	ids   []editlock.ID
	wait  *modelWait
	offer time.Duration // what they would promise as the holder
	sent  time.Time     // of a retry: when the first try was sent
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
		{"lose", w.lose},
		{"retry", w.retry},
		{"lose", w.lose},
		{"retry", w.retry},
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

// someToken draws the token in force, or one that is not and never will be: nobody
// knows a token before it is given out.
func (l *modelLock) someToken(t *rapid.T) editlock.Token {
	const never = 1 << 52
	if l.top == 0 || rapid.IntRange(0, 3).Draw(t, "token") == 0 {
		wrong := []editlock.Token{never}
		if l.top > 1 {
			wrong = append(wrong, l.top-1)
		}
		return rapid.SampledFrom(wrong).Draw(t, "wrong token")
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
