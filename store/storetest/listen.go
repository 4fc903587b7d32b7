package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/editlock/editlock/store"
)

// newsWithin is how late news may come before the suite calls it lost.
func newsWithin() time.Duration {
	if testing.Short() {
		return 2 * time.Second
	}
	return 10 * time.Second
}

var listenLaws = []law{
	{"a peer hears of the grant of its ticket", lawHearGrant, 0},
	{"a peer hears of a ticket that was declined", lawHearDecline, 0},
	{"a grant by sweep is news too", lawHearSweep, 0},
	{"everybody hears that the log grew", lawHearLog, 0},
	{"what is told has happened", lawHearTruth, 0},
	{"nothing is heard of a ticket that still waits", lawHearNothingFalse, 0},
	{"a closed subscription hears nothing more", lawHearClosed, 0},
}

// listen subscribes a process until the test ends.
func (t *test) listen(process string) *store.Subscription {
	sub := t.st.Subscribe(process)
	t.Cleanup(sub.Close)
	return sub
}

// hear waits until all of these waiters, or with none given a growth of the
// log, were told to a subscription, and returns all waiters that were.
func (t *test) hear(sub *store.Subscription, want ...string) []string {
	t.Helper()
	deadline := time.NewTimer(newsWithin())
	defer deadline.Stop()
	var heard []string
	grown := false
	for {
		news, log := sub.Drain()
		for _, n := range news {
			heard = append(heard, n.Waiter)
			t.checkGranted(n)
		}
		grown = grown || log
		missing := slices.ContainsFunc(want, func(id string) bool { return !slices.Contains(heard, id) })
		if !missing && (len(want) > 0 || grown) {
			return heard
		}
		select {
		case <-sub.C:
		case <-deadline.C:
			t.Fatalf("heard of %q (the log grew: %v) in %v; want %q", heard, grown, newsWithin(), want)
		}
	}
}

// checkGranted holds what a signal tells of a grant to what is there. One that comes
// twice may be older than what is there.
func (t *test) checkGranted(n store.Signal) {
	t.Helper()
	told := n.Granted.Record
	if told == nil || t.told[n.Waiter] {
		return
	}
	if t.told == nil {
		t.told = map[string]bool{}
	}
	t.told[n.Waiter] = true
	if told.Request != n.Waiter {
		t.Errorf("news of %q tells what %q was granted", n.Waiter, told.Request)
	}
	if is := t.get(told.Name); is != nil && is.Token == told.Token {
		t.wantSame("the grant as told", is, told)
	}
}

func lawHearGrant(t *test) {
	sub := t.listen("peer")
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.do(release("a", "ann"))
	t.hear(sub, "ticket of wendy")
}

func lawHearDecline(t *test) {
	sub := t.listen("peer")
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.do(join("a", "walt", "peer", t.idle(60)))
	sw := leave("a", "walt")
	sw.Event = note(declined, "ann")
	t.do(sw)
	t.do(leave("a", "wendy"))
	t.hear(sub, "ticket of walt", "ticket of wendy")
}

func lawHearSweep(t *test) {
	sub := t.listen("peer")
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(3)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	t.pass(4)
	t.sweep()
	t.hear(sub, "ticket of wendy")
}

func lawHearLog(t *test) {
	one, other := t.listen("one"), t.listen("other")
	for range 3 {
		rec := t.do(acquire("a", "ann", t.idle(60)))
		t.hear(one)
		t.hear(other)
		t.do(renew("a", rec.Token))
		t.do(release("a", "ann"))
		t.hear(one)
		t.hear(other)
	}
}

func lawHearTruth(t *test) {
	sub := t.listen("peer")
	t.keepAlive("peer", 1000)
	t.do(acquire("a", "ann", t.idle(600)))
	session := "ann"
	for _, next := range []string{"w0", "w1", "w2", "w3", "w4"} {
		t.do(join("a", next, "peer", t.idle(600)))
		freed := make(chan error, 1)
		go func() {
			_, err := t.st.Commit(t.ctx, store.Txn{Ops: []store.Op{release("a", session)}})
			freed <- err
		}()
		t.hear(sub, "ticket of "+next)
		t.wantHolder(t.get("a"), next) // committed before it was told
		if err := <-freed; err != nil {
			t.Fatal(err)
		}
		session = next
	}
}

func lawHearNothingFalse(t *test) {
	sub := t.listen("peer")
	t.keepAlive("peer", 100)
	t.keepAlive("other", 100)
	for _, name := range []string{"a", "b"} {
		t.do(acquire(name, "ann", t.idle(60)))
		t.do(join(name, "olga on "+name, "other", t.idle(60)))
		t.do(join(name, "wendy on "+name, "peer", t.idle(60)))
	}
	t.do(release("a", "ann"))
	t.do(release("a", "olga on a"))
	for _, id := range t.hear(sub, "ticket of wendy on a") {
		if id == "ticket of olga on b" || id == "ticket of wendy on b" {
			t.Errorf("heard of %q, which waits", id)
		}
	}
}

func lawHearClosed(t *test) {
	sub, witness := t.listen("peer"), t.listen("witness")
	sub.Drain()
	sub.Close()
	sub.Close()
	t.do(acquire("a", "ann", t.idle(60)))
	t.hear(witness)
	if news, log := sub.Drain(); len(news) > 0 || log {
		t.Errorf("heard of %+v, log %v", news, log)
	}
}
