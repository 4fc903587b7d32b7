package storetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/editlock/editlock/store"
)

var retryLaws = []law{
	{"the same request again is the same write", lawReplay, 0},
	{"a retry after the hold is over leaves the next holder alone", lawReplayLate, 0},
	{"a retry of a drop leaves the next hold of the same session alone", lawReplayRelease, 0},
	{"a drop that expects a free name is refused, and tells whether it was done under its ID before", lawLook, 0},
	{"a retry of a touch with a note logs and extends nothing more", lawReplayRenew, 0},
	{"a refused request is not remembered", lawRefusedForgotten, 0},
	{"several swaps are retried as one", lawReplaySeveral, 0},
	{"a retry may be sent while the first try is under way", lawReplayConcurrent, 0},
	{"requests without an ID are new each time", lawNoID, 0},
	{"a join repeated keeps one place and one entry", lawRejoinOnce, 0},
	{"a join repeated after its grant finds its record", lawRejoinGranted, 0},
	{"a join repeated under its ticket's ID after the grant is over joins no more", lawRejoinOver, 0},
	{"a leave repeated is refused", lawLeaveTwice, 0},
	{"what is revoked before it was done is not done, and changes nothing", lawRevoke, 0},
	{"what was done before it is revoked stays", lawRevokeLate, 0},
	{"a ticket that is revoked keeps its place until it leaves, and takes none again", lawRevokeWaiter, 0},
	{"requests are remembered for the whole window, sweeps or not", lawWindow, exactClock},
	{"a retry after a restart is the same write", func(t *test) { lawReplayReopened(t, false) }, disk},
	{"a retry after a crash is the same write", func(t *test) { lawReplayReopened(t, true) }, disk},
}

// replay sends a request again, which must be recognized.
func (t *test) replay(id string, ops ...store.Op) store.Result {
	t.Helper()
	res := t.commit(id, ops...)
	if !res.Done || !res.Replayed {
		t.Fatalf("Done, Replayed = %v, %v; want a replay", res.Done, res.Replayed)
	}
	return res
}

func lawReplay(t *test) {
	first := t.commit("r1", acquire("a", "ann", t.idle(60)))
	t.pass(1)
	again := t.replay("r1", acquire("a", "ann", t.idle(60)))
	t.wantSame("record in force", first.Records, again.Records)
	if first.Records[0].Request != "r1" {
		t.Errorf("the record says it was taken by request %q", first.Records[0].Request)
	}
	t.wantSame("kinds", []string{captured}, t.kinds("a"))
}

func lawReplayLate(t *test) {
	t.commit("r1", acquire("a", "ann", t.idle(3)))
	t.pass(4)
	if res := t.replay("r1", acquire("a", "ann", t.idle(3))); res.Records[0] != nil {
		t.Errorf("in force is %+v after the expiry", res.Records[0])
	}
	bobs := t.do(acquire("a", "bob", t.idle(60)))
	res := t.replay("r1", acquire("a", "ann", t.idle(3)))
	t.wantSame("record in force", bobs, res.Records[0])
	t.do(release("a", "bob"))
	if res := t.replay("r1", acquire("a", "ann", t.idle(3))); res.Records[0] != nil {
		t.Errorf("in force is %+v after bob's drop", res.Records[0])
	}
	t.wantHolder(t.get("a"), "")
}

func lawReplayRelease(t *test) {
	t.do(acquire("a", "ann", t.idle(60)))
	t.commit("r1", release("a", "ann"))
	again := t.do(acquire("a", "ann", t.idle(60)))
	res := t.replay("r1", release("a", "ann"))
	t.wantSame("record in force", again, res.Records[0])
	t.wantSame("what stands there", again, t.get("a"))
}

func lawLook(t *test) {
	look := release("a", "ann")
	look.Expect, look.Event = store.Expect{Free: true}, nil
	t.refuse(look)
	held := t.do(acquire("a", "ann", t.idle(60)))
	t.refuse(look)
	t.wantSame("what stands there", held, t.get("a"))
	t.commit("r1", release("a", "ann"))
	again := t.do(acquire("a", "ann", t.idle(60)))
	if res := t.commit("r2", look); res.Done {
		t.Error("done under an ID that is new")
	}
	res := t.replay("r1", look)
	t.wantSame("record in force", again, res.Records[0])
	t.wantSame("what stands there", again, t.get("a"))
}

func lawReplayRenew(t *test) {
	rec := t.do(acquire("a", "ann", t.idle(60)))
	sw := renew("a", rec.Token)
	sw.Event = note(refreshed, "ann")
	first := t.commit("r1", sw)
	t.pass(2)
	again := t.replay("r1", sw)
	t.wantSame("record in force", first.Records, again.Records)
	t.wantSame("kinds", []string{captured, refreshed}, t.kinds("a"))
}

func lawRefusedForgotten(t *test) {
	t.do(acquire("a", "ann", t.idle(60)))
	if res := t.commit("r1", acquire("a", "bob", t.idle(60))); res.Done {
		t.Fatal("done")
	}
	if res := t.commit("r1", acquire("a", "bob", t.idle(60))); res.Done || res.Replayed {
		t.Fatalf("Done, Replayed = %v, %v for the retry of a refused request", res.Done, res.Replayed)
	}
	t.do(release("a", "ann"))
	if res := t.commit("r1", acquire("a", "bob", t.idle(60))); !res.Done || res.Replayed {
		t.Fatalf("Done, Replayed = %v, %v for the retry that found it free", res.Done, res.Replayed)
	}
	t.replay("r1", acquire("a", "bob", t.idle(60)))
}

func lawReplaySeveral(t *test) {
	ops := []store.Op{acquire("a", "ann", t.idle(60)), acquire("b", "ann", t.idle(60))}
	first := t.commit("r1", ops...)
	again := t.replay("r1", ops...)
	t.wantSame("records in force", first.Records, again.Records)
	t.do(release("a", "ann"))
	bobs := t.do(acquire("a", "bob", t.idle(60)))
	again = t.replay("r1", ops...)
	t.wantSame("records in force", []*store.Record{bobs, first.Records[1]}, again.Records)
}

func lawReplayConcurrent(t *test) {
	for round := range 10 {
		name, id := fmt.Sprint("a", round), fmt.Sprint("r", round)
		results := make([]store.Result, 8)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				var err error
				req := store.Txn{ID: id, Ops: []store.Op{acquire(name, "ann", t.idle(60))}}
				if results[i], err = t.st.Commit(t.ctx, req); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		first := 0
		for _, res := range results {
			if !res.Done {
				t.Fatal("refused")
			}
			if !res.Replayed {
				first++
			}
			t.wantSame("records", results[0].Records, res.Records)
		}
		if first != 1 {
			t.Fatalf("%d of the tries were new writes", first)
		}
	}
}

func lawNoID(t *test) {
	t.do(acquire("a", "ann", t.idle(60)))
	t.do(release("a", "ann"))
	t.do(acquire("a", "ann", t.idle(60)))
	t.refuse(acquire("a", "ann", t.idle(60)))
	t.wantSame("kinds", []string{captured, released, captured}, t.kinds("a"))
}

func lawRejoinOnce(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	sw := join("a", "wendy", "peer", t.idle(60))
	first := t.commit(sw.Waiter.ID, sw)
	again := t.commit(sw.Waiter.ID, sw)
	if !again.Done || again.Records[0].Waiting != 1 {
		t.Fatalf("the repeated join: %+v", again)
	}
	t.wantSame("record in force", first.Records, again.Records)
	t.wantSame("kinds", []string{captured, waiting}, t.kinds("a"))
}

func lawRejoinGranted(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	sw := join("a", "wendy", "peer", t.idle(60))
	sw.Waiter.Event = nil // nothing but the record tells of the grant
	t.do(sw)
	granted := t.do(release("a", "ann"))
	if rec := t.do(sw); rec.Token != granted.Token || rec.Waiting != 0 || rec.Request != sw.Waiter.ID {
		t.Fatalf("the repeated join found %+v; granted was %+v", rec, granted)
	}
}

func lawRejoinOver(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	sw := join("a", "wendy", "peer", t.idle(60))
	t.commit(sw.Waiter.ID, sw)
	t.do(release("a", "ann"))
	t.do(release("a", "wendy"))
	t.do(acquire("a", "bob", t.idle(60)))
	res := t.replay(sw.Waiter.ID, sw)
	if rec := res.Records[0]; rec.Holder.Session != "bob" || rec.Waiting != 0 {
		t.Fatalf("in force is %+v", rec)
	}
	if ids := t.keepAlive("peer", 100); len(ids) != 0 {
		t.Errorf("the tickets %q wait", ids)
	}
}

func lawLeaveTwice(t *test) {
	t.keepAlive("peer", 100)
	t.do(acquire("a", "ann", t.idle(60)))
	t.do(join("a", "wendy", "peer", t.idle(60)))
	sw := leave("a", "wendy")
	sw.Event = note(declined, "ann")
	t.do(sw)
	t.refuse(sw)
	t.wantSame("kinds", []string{captured, waiting, declined}, t.kinds("a"))
}

func lawRevoke(t *test) {
	for _, held := range []string{"", "ann"} {
		name := "held by " + held
		if held != "" {
			t.do(acquire(name, held, t.idle(60)))
		}
		t.keepAlive("peer", 100)
		before, id, queued := t.get(name), "r of "+name, join(name, "wendy "+name, "peer", t.idle(60))
		res := t.commit(id, revoke(name))
		if !res.Done || res.Replayed {
			t.Fatalf("Done, Replayed = %v, %v", res.Done, res.Replayed)
		}
		t.wantSame("record in force", before, res.Records[0])
		t.replay(id, revoke(name))
		t.commit(queued.Waiter.ID, revoke(name))
		late := takeOver(name, "bob", 1, t.idle(60))
		if before != nil {
			late.Expect.Token = before.Token
		} else {
			late = acquire(name, "bob", t.idle(60))
		}
		for _, res := range []store.Result{t.replay(id, late), t.replay(queued.Waiter.ID, queued)} {
			t.wantSame("record in force", before, res.Records[0])
		}
		t.wantSame("what stands there", before, t.get(name))
		t.wantHolder(t.do(late), "bob") // another request may
	}
	if ids := t.keepAlive("peer", 100); len(ids) != 0 {
		t.Errorf("the tickets %q wait", ids)
	}
	entries := t.log(store.LogQuery{Request: "r of held by "}).Entries
	if len(entries) != 1 {
		t.Fatalf("entries: %+v", entries)
	}
	t.wantSame("the entry", store.LogEntry{Seq: entries[0].Seq, Kind: store.KindRevoked, At: entries[0].At, Request: "r of held by "}, entries[0])
	t.wantSame("entries of the name", []string{captured}, t.kinds("held by "))
}

func lawRevokeLate(t *test) {
	rec := t.commit("r1", acquire("a", "ann", t.idle(60))).Records[0]
	res := t.replay("r1", revoke("a"))
	t.wantSame("record in force", rec, res.Records[0])
	t.wantSame("what stands there", rec, t.get("a"))
	t.wantSame("kinds", []string{captured}, t.kinds(""))
}

func lawRevokeWaiter(t *test) {
	t.keepAlive("peer", 100)
	t.keepAlive("other", 100)
	for _, left := range []bool{true, false} {
		name := fmt.Sprint("left: ", left)
		t.do(acquire(name, "ann", t.idle(60)))
		sw := join(name, "wendy of "+name, "peer", t.idle(60))
		t.commit(sw.Waiter.ID, sw)
		if res := t.commit(sw.Waiter.ID, revoke(name)); !res.Done || res.Replayed || res.Records[0].Waiting != 1 {
			t.Fatalf("the answer: %+v", res)
		}
		again := sw
		again.Waiter = ptr(*sw.Waiter)
		again.Waiter.Process = "other"
		if res := t.replay(sw.Waiter.ID, again); res.Records[0].Waiting != 1 || res.Records[0].Waiters[0].Process != "peer" {
			t.Fatalf("who waits: %+v", res.Records[0].Waiters)
		}
		next := "wendy of " + name
		if left {
			t.do(leave(name, "wendy of "+name))
			if res := t.replay(sw.Waiter.ID, sw); res.Records[0].Waiting != 0 {
				t.Fatalf("who waits: %+v", res.Records[0].Waiters)
			}
			next = ""
		}
		t.wantHolder(t.do(release(name, "ann")), next)
	}
}

func lawWindow(t *test) {
	t.commit("r1", acquire("a", "ann", t.idle(60)))
	t.do(release("a", "ann"))
	keep := store.Retention{Before: t.clock.Now().Add(time.Hour), MaxEntries: 1}
	for range 10 {
		t.clock.Advance(store.RetryWindow/10 - time.Microsecond)
		if _, err := t.st.Sweep(t.ctx, keep); err != nil {
			t.Fatal(err)
		}
		t.replay("r1", acquire("a", "ann", t.idle(60)))
	}
}

func lawReplayReopened(t *test, crashed bool) {
	t.keepAlive("peer", 100)
	t.commit("r1", acquire("a", "ann", t.idle(60)))
	waiter := join("a", "wendy", "peer", t.idle(60))
	t.commit(waiter.Waiter.ID, waiter)
	t.commit("r2", release("a", "ann"))
	t.reopen(crashed)
	t.replay("r1", acquire("a", "ann", t.idle(60)))
	t.replay("r2", release("a", "ann"))
	t.replay(waiter.Waiter.ID, waiter)
	t.wantHolder(t.get("a"), "wendy")
	t.wantSame("kinds", []string{captured, waiting, released, captured}, t.kinds("a"))
}
