package editlock_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/editlock/editlock"
)

// modelLock is what must be true of one mutex.
type modelLock struct {
	held  bool
	owner editlock.Owner
	top   editlock.Token // the largest token so far; of the holder, if held
	since time.Time      // when the holder got it
	offer time.Duration  // what the holder promises to those who ask
	queue []*modelWait
	last  editlock.Mutex // as it stood after the last step

	first      string // ID of who is shown as the first to wait
	firstSince time.Time
}

// modelWait is somebody who waits, or did when they died.
type modelWait struct {
	id       editlock.ID
	owner    editlock.Owner
	process  *process
	asks     bool          // with a message
	asked    time.Time     // when they did
	offer    time.Duration // what they would promise as the holder
	deadline time.Time
	cancel   context.CancelFunc

	cancelled, declined bool
	granted             editlock.Token

	done  chan struct{}
	mutex editlock.Mutex
	err   error
}

// certain reports whether the wait surely stood in the queue at a time.
func (x *modelWait) certain(at time.Time) bool {
	return !x.cancelled && x.process.died.IsZero() && at.Before(x.deadline)
}

// possible reports whether it may have stood there.
func (x *modelWait) possible(at time.Time) bool {
	return x.process.died.IsZero() || at.Before(x.process.died.Add(waiterLease))
}

func (l *modelLock) live(now time.Time) bool {
	return l.held && (l.last.ExpiresAt.IsZero() || now.Before(l.last.ExpiresAt))
}

// contested reports whether the mutex passes to somebody who waits, as soon as
// anybody looks.
func (l *modelLock) contested(now time.Time) bool {
	if l.live(now) {
		return l.promised(now)
	}
	return slices.ContainsFunc(l.queue, func(x *modelWait) bool { return x.possible(now) })
}

type outcome int

const (
	unknown outcome = iota
	captured
	refreshed
	busy
	lost
)

// expect is the Capture table.
func (l *modelLock) expect(o editlock.Owner, cond editlock.Condition, now time.Time) outcome {
	data, isData := cond.StatusData()
	token, isToken := cond.Token()
	claims := isData || isToken
	switch {
	case l.contested(now):
		return unknown
	case !l.live(now) && claims:
		return lost
	case !l.live(now):
		return captured
	case l.owner.Session != o.Session && claims:
		return lost
	case l.owner.Session != o.Session, cond.Free():
		return busy
	case isData && data != l.last.StatusData, isToken && token != l.top:
		return lost
	}
	return refreshed
}

func (w *world) wantOutcome(t *rapid.T, want outcome, m editlock.Mutex, err error) {
	l := w.model[w.now.ids[0]]
	ok := true
	switch want {
	case captured:
		ok = err == nil && m.Token > l.top
	case refreshed:
		ok = err == nil && m.Token == l.top
	case busy:
		ok = errors.Is(err, editlock.ErrBusy)
	case lost:
		ok = errors.Is(err, editlock.ErrLost)
	}
	if !ok {
		t.Fatalf("outcome %d wanted, got token %d, error %v; the largest so far is %d", want, m.Token, err, l.top)
	}
	if err != nil && want != unknown {
		w.now.owner = editlock.Owner{} // a refusal causes nothing
	}
}

// check brings the model up to date with the history of the last step, and
// then compares it with what stands.
func (w *world) check(t *rapid.T) {
	all := w.history(t)
	for _, e := range all {
		if e.Seq > w.seen {
			w.apply(t, e)
			w.seen = e.Seq
		}
	}
	w.settleWaits(t)
	for id, l := range w.model {
		w.compare(t, id, l)
	}
	w.replay(t, all)
}

// history is all of it, oldest first.
func (w *world) history(t *rapid.T) []editlock.Event {
	page, err := w.procs[0].History(context.Background(), editlock.HistoryQuery{Limit: editlock.MaxPage})
	if err != nil || page.Next != "" {
		t.Fatalf("History: %v, next %q", err, page.Next)
	}
	slices.Reverse(page.Entries)
	return page.Entries
}

// apply checks that an entry may follow, and does to the model what it tells.
func (w *world) apply(t *rapid.T, e editlock.Event) {
	l := w.model[e.ID]
	bad := func(why string) { t.Fatalf("%s: %s in %q; the model is %+v", why, e.Kind, w.now.name, l) }
	if e.Seq <= w.seen || e.At.After(time.Now()) {
		bad("out of order")
	}
	ends := e.Kind == editlock.KindReleased || e.Kind == editlock.KindExpired || e.Kind == editlock.KindForceReleased || e.Kind == editlock.KindHandedOver
	if ends && (!l.held || e.Token != l.top || e.Owner.Session != l.owner.Session) {
		bad("not theirs that it ends")
	}
	if ends && !w.now.sent.IsZero() && e.Kind != editlock.KindExpired && e.Kind != editlock.KindForceReleased && e.Reason != "no_answer" && l.since.After(w.now.sent) {
		bad("a retry ended a hold that began after the first try")
	}
	mine := e.Actor.Session == w.now.owner.Session && slices.Contains(w.now.ids, e.ID)
	switch e.Kind {
	case editlock.KindCaptured:
		if l.held || e.Token <= l.top {
			bad("two holders, or a token that does not rise")
		}
		l.offer = l.grant(e, mine, w.now.offer, bad)
		l.held, l.owner, l.top, l.since = true, e.Owner, e.Token, e.At
	case editlock.KindTakenOver:
		if !l.held || !mine || e.Token <= l.top || e.Other.Session != l.owner.Session {
			bad("a takeover from another")
		}
		l.owner, l.top, l.since, l.offer = e.Owner, e.Token, e.At, 0
	case editlock.KindReleased, editlock.KindForceReleased:
		if !mine {
			bad("nobody did that")
		}
		l.held = false
	case editlock.KindExpired:
		if l.last.Token != e.Token || !e.At.Equal(l.last.ExpiresAt) {
			bad("not its time")
		}
		l.held = false
	case editlock.KindHandedOver:
		if w.now.name != "hand over" && (!l.promised(e.At) || e.Reason != "no_answer") {
			bad("nobody did that, nor did this holder promise it")
		}
		l.held = false
	case editlock.KindWaiting:
		x := w.now.wait
		if x == nil || x.id != e.ID || x.owner.Session != e.Actor.Session || !l.held || e.Owner.Session != l.owner.Session {
			bad("nobody did that")
		}
		x.asked = e.At
		l.queue = append(l.queue, x)
	case editlock.KindDeclined:
		i := slices.IndexFunc(l.queue, func(x *modelWait) bool { return x.owner.Session == e.Other.Session })
		if w.now.name != "decline" || i < 0 {
			bad("nobody did that")
		}
		l.queue[i].declined = true
		l.queue = slices.Delete(l.queue, i, i+1)
	default:
		bad("not a kind of entry")
	}
}

// promised reports whether the holder has promised to pass the mutex by now,
// to the first who waits.
func (l *modelLock) promised(at time.Time) bool {
	for _, x := range l.queue {
		if x.possible(at) && x.asks && l.offer > 0 && !at.Before(x.due(l)) {
			return true
		}
		if x.certain(at) {
			break
		}
	}
	return false
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// due is when the holder's promise to them falls due, if there is one: it can't
// have begun before they asked, nor before the holder was one.
func (x *modelWait) due(l *modelLock) time.Time {
	return latest(x.asked, l.since).Add(l.offer)
}

// grant checks who captures: the first who waits, or somebody new if nobody
// does. It returns what they promise to those who ask.
func (l *modelLock) grant(e editlock.Event, mine bool, offer time.Duration, bad func(string)) time.Duration {
	i := slices.IndexFunc(l.queue, func(x *modelWait) bool { return x.owner.Session == e.Owner.Session && x.possible(e.At) })
	ahead := l.queue
	if i >= 0 {
		ahead = l.queue[:i]
	}
	if slices.ContainsFunc(ahead, func(x *modelWait) bool { return x.certain(e.At) }) {
		bad("past the queue")
	}
	switch {
	case i >= 0:
		x := l.queue[i]
		x.granted, offer = e.Token, x.offer
		l.queue = slices.Clone(l.queue[i+1:])
	case !mine:
		bad("nobody did that")
	default:
		l.queue = nil
	}
	return offer
}

// settleWaits checks how waits ended.
func (w *world) settleWaits(t *rapid.T) {
	w.waits = slices.DeleteFunc(w.waits, func(x *modelWait) bool {
		select {
		case <-x.done:
		default:
			if x.granted != 0 || x.declined || x.cancelled || time.Now().After(x.deadline.Add(time.Second)) {
				t.Fatalf("%s still waits for %v, granted %d, declined %v, cancelled %v", x.owner.Session, x.id, x.granted, x.declined, x.cancelled)
			}
			return false
		}
		x.cancel()
		l := w.model[x.id]
		if !x.process.died.IsZero() {
			return true // their place is kept until the lease of their process ends
		}
		l.queue = slices.DeleteFunc(l.queue, func(q *modelWait) bool { return q == x })
		var no *editlock.BusyError
		switch {
		case x.err == nil:
			if x.mutex.Token != cmp.Or(x.granted, l.top) || x.mutex.Owner.Session != x.owner.Session {
				t.Fatalf("%s got %+v; granted was %d, the last token is %d", x.owner.Session, x.mutex, x.granted, l.top)
			}
		case x.cancelled && errors.Is(x.err, context.Canceled):
		case x.granted != 0:
			t.Fatalf("%s was granted %d and told %v", x.owner.Session, x.granted, x.err)
		case errors.As(x.err, &no):
			if x.declined != (no.Declined != nil) || !x.declined && time.Now().Before(x.deadline) {
				t.Fatalf("%s was told %v; declined %v, patient until %v", x.owner.Session, x.err, x.declined, x.deadline)
			}
		default:
			t.Fatalf("the wait of %s ended with %v", x.owner.Session, x.err)
		}
		return true
	})
}

// compare checks that what stands is what the model says.
func (w *world) compare(t *rapid.T, id editlock.ID, l *modelLock) {
	_, m, err := w.procs[0].Request(editlock.WithoutOwner(context.Background()), id)
	if err != nil {
		t.Fatalf("Request: %v", err)
	}
	if m.Token == 0 {
		if l.held && (l.last.Token != l.top || l.live(time.Now())) {
			t.Fatalf("%v is free, but the model is %+v", id, l)
		}
		return
	}
	if !l.held || m.Token != l.top || m.Owner.Session != l.owner.Session {
		t.Fatalf("%v is held by %s with token %d, but the model is %+v", id, m.Owner.Session, m.Token, l)
	}
	ends := time.Time{}
	if !m.AutoRelease.IsNever() {
		ends = m.RefreshedAt.Add(m.AutoRelease.Idle)
	}
	if most := m.CapturedAt.Add(m.AutoRelease.MaxHold); m.AutoRelease.MaxHold != 0 && (ends.IsZero() || most.Before(ends)) {
		ends = most
	}
	unconfirmed := m.ExpiresAt.Sub(m.CapturedAt) <= 2*waiterLease && m.RefreshedAt.Equal(m.CapturedAt)
	if !m.ExpiresAt.Equal(ends) && !unconfirmed {
		t.Fatalf("%v expires at %v, want %v: %+v", id, m.ExpiresAt, ends, m)
	}
	l.last, l.offer = m, m.GrantAfter
	first := editlock.Waiter{}
	if len(m.Waiters) > 0 {
		first = m.Waiters[0]
	}
	if first.ID != l.first {
		l.first, l.firstSince = first.ID, time.Now()
	}
	if due := latest(first.GrantAt, l.firstSince); !first.GrantAt.IsZero() && time.Now().After(due.Add(time.Second)) {
		t.Fatalf("%v was promised to %s at %v", id, first.Owner.Session, due)
	}

	// Those who wait are shown in the order of the queue, and nobody who
	// surely waits is left out.
	shown := m.Waiters
	for _, x := range l.queue {
		if len(shown) > 0 && shown[0].Owner.Session == x.owner.Session {
			shown = shown[1:]
		} else if x.certain(time.Now()) {
			t.Fatalf("%s waits for %v, but %+v are shown", x.owner.Session, id, m.Waiters)
		}
	}
	if len(shown) > 0 || m.Waiting != len(m.Waiters) {
		t.Fatalf("%d wait for %v (%+v), the model's queue is %d long", m.Waiting, id, m.Waiters, len(l.queue))
	}
}

// replay checks that the whole history, told again from its beginning, comes
// to what is held now.
func (w *world) replay(t *rapid.T, all []editlock.Event) {
	told := make(map[editlock.ID]editlock.Token)
	for _, e := range all {
		switch e.Kind {
		case editlock.KindCaptured, editlock.KindTakenOver:
			told[e.ID] = e.Token
		case editlock.KindReleased, editlock.KindExpired, editlock.KindForceReleased, editlock.KindHandedOver:
			delete(told, e.ID)
		}
	}
	page, err := w.procs[0].List(context.Background(), editlock.Query{})
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	for _, m := range page.Mutexes {
		if told[m.ID] != m.Token {
			t.Fatalf("%v is held with token %d, by the history with %d", m.ID, m.Token, told[m.ID])
		}
		delete(told, m.ID)
	}
	for id, token := range told {
		if w.model[id].live(time.Now()) {
			t.Fatalf("by the history %v is held with token %d, but it is not listed", id, token)
		}
	}
}
