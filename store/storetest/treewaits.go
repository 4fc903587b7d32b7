package storetest

import (
	"fmt"
	"time"

	"github.com/editlock/editlock/store"
)

func lawDraining(t *test) {
	t.keepAlive("peer", 1000)
	anns := t.do(acquire("g/m/1", "ann", t.idle(600)))
	t.do(join("g/m/", "wendy", "peer", t.idle(600)))
	for _, name := range []string{"g/m/2", "g/m/1#a", "g/m/2#a", "g/"} {
		res := t.commit("", acquire(name, "bob", t.idle(600)))
		if res.Done || res.Paths == nil {
			t.Fatalf("the take of %s while somebody waits for g/m/: %+v", name, res)
		}
		if w := res.Paths[0].Waits; len(w) != 1 || w[0].ID != "ticket of wendy" || w[0].Name != "g/m/" {
			t.Errorf("waits for what is in the way of %s: %+v", name, w)
		}
	}
	t.do(acquire("g/n/1", "bob", t.idle(600)))
	t.do(renew("g/m/1", anns.Token))
	t.do(leave("g/m/", "wendy")) // it is open again
	t.do(acquire("g/m/2", "bob", t.idle(600)))
	t.do(join("g/m/", "wendy", "peer", t.idle(600)))
	t.do(release("g/m/1", "ann"))
	t.sweep()
	t.wantHolder(t.get("g/m/"), "")
	t.refuse(acquire("g/m/1", "ann", t.idle(600)))
	t.do(release("g/m/2", "bob"))
	t.untilHeld("g/m/", "wendy")
	t.wantSame("kinds", []string{waiting, waiting, captured}, t.kinds("g/m/"))
	t.wantInTheWay("g/m/1", "ann", "g/m/")
	t.do(release("g/m/", "wendy"))
	t.do(acquire("g/m/1", "ann", t.idle(600)))
}

func lawPathOrder(t *test) {
	for i, p := range [][]string{
		{"g/m/", "g/m/1", "g/m/", "g/m/2"}, // the first one is held, the others are waited for
		{"g/m/1", "g/m/", "g/m/1#a", "g/"},
		{"g/m/1#a", "g/m/1", "g/m/", "g/m/2", "g/"},
		{"g/", "g/m/1#a", "g/m/1", "g/m/1#b"},
	} {
		t.keepAlive("peer", 3000)
		name := func(n int) string { return fmt.Sprint("order", i, p[n]) }
		waiter := func(n int) string { return fmt.Sprint("w", n, " of ", i) }
		t.do(acquire(name(0), "ann", t.idle(3000)))
		for n := 1; n < len(p); n++ {
			t.do(join(name(n), waiter(n), "peer", t.idle(3000)))
		}
		t.refuse(acquire(name(len(p)-1), "barger", t.idle(600)))
		t.do(release(name(0), "ann"))
		for n := 1; n < len(p); n++ {
			t.untilHeld(name(n), waiter(n))
			for later := n + 1; later < len(p); later++ {
				if rec := t.get(name(later)); rec != nil && rec.Holder.Session == waiter(later) {
					t.Fatalf("%s holds %s before %s has given back %s", waiter(later), name(later), waiter(n), name(n))
				}
			}
			t.refuse(acquire(name(len(p)-1), "barger", t.idle(600)))
			t.do(release(name(n), waiter(n)))
		}
	}
}

func lawOwnAbove(t *test) {
	t.keepAlive("peer", 1000)
	t.do(acquire("g/m/", "ann", t.idle(600)))
	t.do(join("g/m/1", "wendy", "peer", t.idle(600)))
	t.do(join("g/m/2#a", "walt", "peer", t.idle(600)))
	t.refuse(acquire("g/m/1", "bob", t.idle(600)))
	t.do(acquire("g/m/1", "ann", t.idle(600)))
	t.do(acquire("g/m/2", "ann", t.idle(600)))
	t.do(release("g/m/1", "ann"))
	t.sweep()
	t.wantHolder(t.get("g/m/1"), "")
	t.do(release("g/m/", "ann"))
	t.untilHeld("g/m/1", "wendy")
	t.wantHolder(t.get("g/m/2#a"), "")
	t.do(release("g/m/2", "ann"))
	t.untilHeld("g/m/2#a", "walt")
}

func lawHolderWaits(t *test) {
	t.keepAlive("peer", 1000)
	for _, p := range pathPairs("waits") {
		held, asked := p[0], p[1]
		t.do(acquire(held, "ann", t.idle(600)))
		t.do(join(asked, "wendy on "+asked, "peer", t.idle(600)))
		sw := join(asked, "ann", "peer", t.idle(600))
		sw.Waiter.ID = "ticket of ann for " + asked
		t.refuse(sw)
		t.do(release(held, "ann"))
		t.untilHeld(asked, "wendy on "+asked)
	}
}

func lawPathDeadWaiter(t *test) {
	t.keepAlive("peer", 1000)
	t.keepAlive("doomed", 3)
	t.do(acquire("g/m/1", "ann", t.idle(600)))
	t.do(join("g/m/", "dora", "doomed", t.idle(600)))
	t.do(join("g/", "wendy", "peer", t.idle(600)))
	t.do(acquire("h/m/", "ann", t.idle(600)))
	t.do(join("h/m/1", "dick", "doomed", t.idle(600)))
	t.do(release("h/m/", "ann"))
	t.pass(4)
	t.do(acquire("h/m/", "bob", t.idle(600)))
	t.do(release("g/m/1", "ann"))
	t.untilHeld("g/", "wendy")
}

func lawPathTakeover(t *test) {
	for _, p := range pathPairs("takeover") {
		one, other := p[0], p[1]
		anns := t.do(acquire(one, "ann", t.idle(600)))
		own := t.do(acquire(other, "ann", t.idle(600)))
		t.wantHolder(t.refuse(takeOver(one, "bob", anns.Token, t.idle(600))), "ann")
		t.wantHolder(t.refuse(takeOver(other, "bob", own.Token, t.idle(600))), "ann")
		if again := t.do(takeOver(one, "ann", anns.Token, t.idle(600))); again.Token <= anns.Token {
			t.Errorf("%s has the token %d after %d", one, again.Token, anns.Token)
		}
		t.do(release(other, "ann"))
		rec := t.get(one)
		if rec := t.do(takeOver(one, "bob", rec.Token, t.idle(600))); rec.Holder != party("bob") {
			t.Errorf("%s is held by %+v", one, rec.Holder)
		}
		t.wantInTheWay(other, "ann", one)
		t.wantSame("kinds", []string{captured, takenOver, takenOver}, t.kinds(one))
	}
}

func lawPathRenew(t *test) {
	for _, p := range pathPairs("touch") {
		one, other := p[0], p[1]
		anns := t.do(acquire(one, "ann", t.idle(600)))
		own := t.do(acquire(other, "ann", t.idle(600)))
		pass := renew(one, anns.Token)
		pass.Holder = ptr(party("bob"))
		t.wantHolder(t.refuse(pass), "ann")
		again := party("ann again")
		again.User = party("ann").User
		for _, sw := range []store.Op{renew(one, anns.Token), renew(other, own.Token)} {
			sw.Holder = &again // after a new login, one by one
			t.wantHolder(t.do(sw), "ann again")
		}
		t.do(release(other, "ann again"))
		t.wantHolder(t.do(pass), "bob")
		t.wantInTheWay(other, "ann again", one)
	}
}

func lawPathClaim(t *test) {
	t.keepAlive("peer", 1000)
	t.do(acquire("g/m/", "ann", t.idle(600)))
	t.do(acquire("g/m/1", "ann", t.idle(600)))
	t.do(t.claim("g/m/1", "wendy", "peer", 2))
	t.pass(3)
	t.sweep()
	t.wantHolder(t.get("g/m/1"), "ann")
	t.do(release("g/m/", "ann"))
	t.untilHeld("g/m/1", "wendy")
	t.wantSame("kinds", []string{captured, waiting, store.KindHandedOver, captured}, t.kinds("g/m/1"))
}

func lawPathExpired(t *test) {
	t.keepAlive("peer", 1000)
	for _, p := range pathPairs("expired") {
		t.do(acquire(p[0], "ann", t.idle(3)))
	}
	for _, p := range pathPairs("expired waited") {
		t.do(acquire(p[0], "ann", t.idle(3)))
		t.do(join(p[0], "wendy on "+p[0], "peer", t.idle(600)))
	}
	t.pass(4)
	for _, p := range pathPairs("expired") {
		t.do(acquire(p[1], "bob", t.idle(600)))
		t.wantSame("kinds of "+p[0], []string{captured, store.KindExpired}, t.kinds(p[0]))
	}
	for _, p := range pathPairs("expired waited") {
		t.refuse(acquire(p[1], "bob", t.idle(600)))
		t.wantHolder(t.get(p[0]), "wendy on "+p[0])
	}
}

// lawPathDeath lets a sweeper work that relies on what it is told.
func lawPathDeath(t *test) {
	t.keepAlive("peer", 1000)
	sub := t.listen("peer")
	var ends []time.Time
	var waiters []string
	pairs := pathPairs("death")
	for _, p := range pairs {
		held := t.do(acquire(p[0], "ann", t.idle(3)))
		t.do(join(p[1], "wendy on "+p[1], "peer", t.idle(600)))
		ends, waiters = append(ends, held.Expires), append(waiters, "ticket of wendy on "+p[1])
	}
	t.pass(2)
	for range 20 {
		due := t.sweep()
		if t.clock.Now().After(ends[len(ends)-1]) {
			break
		}
		t.clock.Advance(min(max(due, time.Millisecond), t.seconds(1)))
	}
	t.hear(sub, waiters...)
	for i, p := range pairs {
		rec := t.get(p[1])
		t.wantHolder(rec, "wendy on "+p[1])
		if late := rec.Acquired.Sub(ends[i]); late < 0 || late > time.Second {
			t.Errorf("%s was granted %v after the end of %s", p[1], late, p[0])
		}
	}
}

func lawPathNoNews(t *test) {
	t.keepAlive("peer", 1000)
	for i, p := range pathPairs("lost") {
		held := t.do(acquire(p[0], "ann", t.idle(3)))
		t.do(join(p[1], "wendy on "+p[1], "peer", t.idle(600)))
		t.pass(2)
		end := held.Expires
		if i%4 < 2 {
			t.do(release(p[0], "ann"))
			end = t.clock.Now()
		}
		t.untilHeld(p[1], "wendy on "+p[1])
		if late := t.get(p[1]).Acquired.Sub(end); late < 0 || late > 6*time.Second {
			t.Errorf("%s was granted %v after the end of %s", p[1], late, p[0])
		}
	}
}

func lawPathSeveral(t *test) {
	ann := func(name string) store.Op { return acquire(name, "ann", t.idle(600)) }
	bob := func(name string) store.Op { return acquire(name, "bob", t.idle(600)) }
	for i, c := range []struct {
		held string
		ops  []store.Op
		done bool
	}{
		{"", []store.Op{ann("g/m/1#a"), ann("g/m/1#b")}, true},
		{"", []store.Op{ann("g/m/1#a"), bob("g/m/1#b")}, true},
		{"", []store.Op{ann("g/m/"), ann("g/m/1"), ann("g/m/1#a")}, true},
		{"", []store.Op{ann("g/m/"), bob("g/m/1")}, false},
		{"", []store.Op{bob("g/m/1#a"), ann("g/m/2"), ann("g/m/1")}, false},
		{"g/m/1#b", []store.Op{ann("g/m/2"), ann("g/m/1")}, false},
		{"g/m/1#b", []store.Op{ann("g/m/2"), ann("g/m/1#a")}, true},
		{"g/", []store.Op{ann("h/m/1"), ann("g/m/1")}, false},
	} {
		tree := fmt.Sprint("several", i)
		if c.held != "" {
			t.do(acquire(tree+c.held, "cid", t.idle(600)))
		}
		for j := range c.ops {
			c.ops[j].Name = tree + c.ops[j].Name
		}
		if res := t.commit(tree, c.ops...); res.Done != c.done {
			t.Errorf("%d: Done is %v: %+v", i, res.Done, res)
		}
		if res := t.commit(tree, c.ops...); res.Done != c.done || res.Replayed != c.done {
			t.Errorf("%d, again: Done, Replayed are %v, %v", i, res.Done, res.Replayed)
		}
		for _, sw := range c.ops {
			if rec := t.get(sw.Name); (rec != nil) != c.done || c.done && rec.Holder != *sw.Holder {
				t.Errorf("%d: %s is %+v", i, sw.Name, rec)
			}
		}
	}
}

func lawPathRestart(t *test) {
	t.keepAlive("peer", 1000)
	for n := range 2 {
		pairs := pathPairs(fmt.Sprint("restart", n))
		for _, p := range pairs {
			t.do(acquire(p[0], "ann", t.idle(600)))
			t.do(join(p[1], "wendy on "+p[1], "peer", t.idle(600)))
		}
		t.reopen(n == 1)
		for _, p := range pairs {
			t.wantInTheWay(p[1], "bob", p[0])
			t.do(release(p[0], "ann"))
			t.refuse(acquire(p[0], "bob", t.idle(600)))
			t.untilHeld(p[1], "wendy on "+p[1])
			t.wantInTheWay(p[0], "bob", p[1])
		}
	}
}
