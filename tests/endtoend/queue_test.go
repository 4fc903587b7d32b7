package endtoend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/netfault"
)

var record = editlock.ID{Group: "sales", Mode: "contract", ID: "17"}

func eightWaitersGetTheirTurnInOrder(t *testing.T, w *world) {
	s, other := w.servers(t)
	look := dial(t, other.url())
	hold(t, look, "holder")
	grants := make(chan grant, 8)
	for n := range 8 {
		at := []*server{s, other}[n%2]
		queueUp(t, dial(t, at.url()), look, record, fmt.Sprint("waiter-", n), n+1, grants)
	}
	release(t, look, "holder")
	last := editlock.Token(0)
	for n := range 8 {
		g := receive(t, grants)
		if want := fmt.Sprint("waiter-", n); g.who != want {
			t.Fatalf("turn %d went to %s, want %s", n, g.who, want)
		}
		if g.mutex.Token <= last {
			t.Errorf("token %d after %d", g.mutex.Token, last)
		}
		last = g.mutex.Token
		if waiting(t.Context(), look, record) != 7-n {
			t.Errorf("%d wait behind turn %d", waiting(t.Context(), look, record), n)
		}
		release(t, look, g.who)
	}
}

func passesOverACutConnection(t *testing.T, w *world) {
	s, other := w.servers(t)
	look := dial(t, other.url())
	hold(t, look, "holder")
	grants := make(chan grant, 2)
	wire := netfault.Start(t, s.address)
	c := dial(t, "http://"+wire.Address)
	queueUp(t, c, look, record, "cut off", 1, grants)
	queueUp(t, dial(t, s.url()), look, record, "next", 2, grants)
	wire.Set(netfault.Faults{CutBefore: 1}) // for good: its retries reach nobody
	wire.Cut()
	eventually(t, "who was cut off is out of the queue", func() bool { return waiting(t.Context(), look, record) == 1 })
	release(t, look, "holder")
	for {
		g := receiveAny(t, grants)
		if g.who == "next" {
			if g.err != nil {
				t.Fatal(g.err)
			}
			return
		}
		if !errors.Is(g.err, editlock.ErrUnavailable) {
			t.Errorf("who was cut off got %v, %v", g.mutex, g.err)
		}
	}
}

func refusesANewcomerWhoBarges(t *testing.T, w *world) {
	s, other := w.servers(t)
	look := dial(t, other.url())
	hold(t, look, "holder")
	grants := make(chan grant, 1)
	queueUp(t, dial(t, s.url()), look, record, "patient", 1, grants)
	// The newcomer tries all the while that the mutex changes hands.
	ctx, cancel := context.WithCancel(as(t.Context(), "newcomer"))
	barged := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if m, err := look.Capture(ctx, record, nil); err == nil {
				barged <- fmt.Errorf("captured %+v", m)
				return
			}
		}
		barged <- nil
	}()
	release(t, look, "holder")
	receive(t, grants)
	cancel()
	if err := <-barged; err != nil {
		t.Errorf("the newcomer barged past the queue: %v", err)
	}
}

func endsAWaitWithdrawnAtTheOtherServer(t *testing.T, w *world) {
	s, other := w.servers(t)
	look := dial(t, other.url())
	hold(t, look, "holder")
	grants := make(chan grant, 1)
	queueUpFor(t, dial(t, s.url()), look, record, "waiter", 1, editlock.CaptureOptions{RequestID: "wait"}, grants)
	ctx := as(t.Context(), "waiter")
	for _, request := range []string{"wait", "one that comes later"} {
		if released, err := look.Release(ctx, record, editlock.IfRequest(request)); err != nil || released != (request == "wait") {
			t.Fatalf("the withdrawal of %q: %v, %v", request, released, err)
		}
	}
	if g := receiveAny(t, grants); !errors.Is(g.err, editlock.ErrLost) {
		t.Errorf("the waiter got %v, %v", g.mutex, g.err)
	}
	if _, err := dial(t, s.url()).Capture(ctx, record, &editlock.CaptureOptions{RequestID: "one that comes later", Wait: time.Minute}); !errors.Is(err, editlock.ErrLost) {
		t.Errorf("who came later got %v", err)
	}
	for range 20 { // longer than a beat takes
		if n := waiting(t.Context(), look, record); n > 0 {
			t.Fatalf("%d wait", n)
		}
		time.Sleep(200 * time.Millisecond)
	}
	page, err := look.History(t.Context(), editlock.HistoryQuery{})
	for _, e := range page.Entries {
		if e.ID != record {
			t.Errorf("the history tells %+v", e)
		}
	}
	if err != nil || len(page.Entries) != 2 {
		t.Errorf("the history has %d entries, %v; want a capture and a wait", len(page.Entries), err)
	}
}

func outlivesAKilledServer(t *testing.T, w *world) {
	s, other := w.servers(t)
	look := dial(t, other.url())
	hold(t, look, "holder")
	grants := make(chan grant, 3)
	for n := range 3 {
		queueUp(t, dial(t, s.url()), look, record, fmt.Sprint("waiter-", n), n+1, grants)
	}
	s.restart()
	eventually(t, "all three wait again", func() bool { return waiting(t.Context(), look, record) == 3 })
	release(t, look, "holder")
	for n := range 3 {
		g := receive(t, grants)
		if want := fmt.Sprint("waiter-", n); g.who != want {
			t.Fatalf("turn %d went to %s, want %s", n, g.who, want)
		}
		release(t, look, g.who)
	}
}

// A server that dies between the grant and its answer: the waiter's retry
// finds the grant that its first try was given.
func givesTheRetryTheSameGrant(t *testing.T, w *world) {
	s, other := w.servers(t)
	look := dial(t, other.url())
	for round := range 10 {
		hold(t, look, "holder")
		grants := make(chan grant, 1)
		who := fmt.Sprint("waiter-", round)
		queueUp(t, dial(t, s.url()), look, record, who, 1, grants)
		release(t, look, "holder") // acknowledged: so the grant is durable
		s.restart()
		g := receive(t, grants)
		page, err := look.History(t.Context(), editlock.HistoryQuery{
			ID: &record, UserID: who, Kinds: []editlock.EventKind{editlock.KindCaptured},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Entries) != 1 || page.Entries[0].Token != g.mutex.Token {
			t.Errorf("the waiter holds token %d; the history says %+v", g.mutex.Token, page.Entries)
		}
		release(t, look, who)
	}
}

// The same when only the answer is lost on the way.
func givesTheGrantAgainWhenTheAnswerIsLost(t *testing.T, w *world) {
	s, other := w.servers(t)
	look := dial(t, other.url())
	hold(t, look, "holder")
	wire := netfault.Start(t, s.address)
	grants := make(chan grant, 1)
	queueUp(t, dial(t, "http://"+wire.Address), look, record, "waiter", 1, grants)
	wire.Set(netfault.Faults{BlackHole: true})
	release(t, look, "holder")
	eventually(t, "the waiter is granted it", func() bool {
		state, _, err := look.Request(as(t.Context(), "waiter"), record)
		return err == nil && state == editlock.CapturedByMe
	})
	wire.Cut()
	wire.Heal()
	g := receive(t, grants)
	page, err := look.History(t.Context(), editlock.HistoryQuery{ID: &record, Kinds: []editlock.EventKind{editlock.KindCaptured}})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Entries) != 2 || page.Entries[0].Token != g.mutex.Token {
		t.Errorf("the waiter holds token %d; the history says %+v", g.mutex.Token, page.Entries)
	}
}

// All servers are replaced, one after the other, as an update does it.
// A place is kept for ten seconds: where a restart takes longer, on a busy machine, the
// order is not.
func losesNothingInARollingRestart(t *testing.T, w *world) {
	s, other := w.servers(t)
	look := dial(t, other.url())
	hold(t, look, "holder")
	grants := make(chan grant, 4)
	var want, got []string
	for n := range 4 {
		at := []*server{s, other}[n%2]
		want = append(want, fmt.Sprint("waiter-", n))
		queueUp(t, dial(t, at.url()), look, record, want[n], n+1, grants)
	}
	ordered := true
	for _, each := range []*server{s, other} {
		begun := time.Now()
		each.stop()
		each.start()
		eventually(t, "all four wait again", func() bool { return waiting(t.Context(), look, record) == 4 })
		if took := time.Since(begun); took > 6*time.Second {
			t.Logf("a server was away for %v: the order is not looked at", took)
			ordered = false
		}
	}
	release(t, look, "holder")
	for range 4 {
		g := receive(t, grants)
		got = append(got, g.who)
		release(t, look, g.who)
	}
	if !ordered {
		slices.Sort(got)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
}

// A server that stands still for longer than the lease of its waiters, as in a
// paused virtual machine, brings them back in the order they had.
func standsStillAndKeepsTheOrder(t *testing.T, w *world) {
	s, other := w.servers(t)
	look := dial(t, other.url())
	hold(t, look, "holder")
	const many = 12
	grants := make(chan grant, many)
	want := make([]string, many)
	for n := range many {
		want[n] = fmt.Sprintf("waiter-%02d", n)
		queueUp(t, dial(t, s.url()), look, record, want[n], n+1, grants)
	}
	signal := func(what syscall.Signal) {
		if err := s.cmd.Process.Signal(what); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	eventually(t, "the waiters count as dead", func() bool { return waiting(t.Context(), look, record) == 0 })
	signal(syscall.SIGCONT)
	eventually(t, "all wait again", func() bool { return waiting(t.Context(), look, record) == many })
	_, m, err := look.Request(t.Context(), record)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, len(m.Waiters))
	for n, q := range m.Waiters {
		got[n] = q.Owner.Name
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the queue (-before +after):\n%s", diff)
	}
}

func hold(t *testing.T, l editlock.Locker, who string) {
	t.Helper()
	if _, err := l.Capture(as(t.Context(), who), record, &editlock.CaptureOptions{If: editlock.IfFree()}); err != nil {
		t.Fatal(err)
	}
}

func release(t *testing.T, l editlock.Locker, who string) {
	t.Helper()
	released, err := l.Release(as(t.Context(), who), record, editlock.Condition{})
	if err != nil || !released {
		t.Fatalf("release by %s: %v, %v", who, released, err)
	}
}

func receiveAny(t *testing.T, grants <-chan grant) grant {
	t.Helper()
	select {
	case g := <-grants:
		return g
	case <-time.After(2 * patience): // a wait lasts a minute at most
		t.Fatal("no wait ended")
		return grant{}
	}
}
