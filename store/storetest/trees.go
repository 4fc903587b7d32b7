package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/editlock/editlock/store"
)

var treeLaws = []law{
	{"a hold is in the way of others above and below, and of nobody else", lawPath, 0},
	{"names that only begin alike are on no path", lawNoPath, 0},
	{"a hold that others may share is in the way above and below like any", lawPathShared, 0},
	{"the first holders in the way are told and all are counted", lawPathCounts, 0},
	{"nothing on the path of a name is given out while somebody waits for it", lawDraining, 0},
	{"waiters along a path are served in the order they came", lawPathOrder, 0},
	{"who holds a name above need not wait for those who wait for it", lawOwnAbove, 0},
	{"who holds a name waits for none above or below it", lawHolderWaits, 0},
	{"a waiter that died is in nobody's way", lawPathDeadWaiter, 0},
	{"a takeover is refused while others hold above or below", lawPathTakeover, 0},
	{"a hold passes to nobody while others hold above or below", lawPathRenew, 0},
	{"a claim waits for what others hold above", lawPathClaim, 0},
	{"a hold that expired is in nobody's way, swept or not", lawPathExpired, 0},
	{"a name is granted within a second of the end of what is above or below", lawPathDeath, 0},
	{"where news are lost it is granted within six seconds", lawPathNoNews, exactClock},
	{"a request for several names of a path is done wholly or not at all", lawPathSeveral, 0},
	{"a restart forgets nothing of a path", lawPathRestart, disk},
}

// pathPairs are names of which one is above the other. Each tree is used for the
// first time.
func pathPairs(law string) [][2]string {
	var pairs [][2]string
	for i, p := range [][2]string{
		{"/m/", "/m/1"},
		{"/", "/m/1"},
		{"/", "/m/"},
		{"/m/1", "/m/1#a"},
		{"/m/", "/m/1#a"},
		{"/", "/m/1#a"},
		{"/", "/1"},
	} {
		for j, order := range []string{"down", "up"} {
			tree := fmt.Sprint(law, i, order)
			pairs = append(pairs, [2]string{tree + p[j], tree + p[1-j]})
		}
	}
	return pairs
}

// wantInTheWay fails unless these names above and below are told to be held, and a
// hold on the path keeps a session from a name.
func (t *test) wantInTheWay(name, session string, want ...string) {
	t.Helper()
	view, err := t.st.Get(t.ctx, name, session)
	if err != nil {
		t.Fatal(err)
	}
	t.wantSame("what is seen in the way of "+name, want, pathNames(view.Path))
	res := t.commit("", acquire(name, session, t.idle(600)))
	if res.Done || res.Paths == nil {
		t.Fatalf("the take of %s: %+v; want %v in the way", name, res, want)
	}
	t.wantSame("what a refusal says is in the way of "+name, want, pathNames(res.Paths[0]))
}

// pathNames are the names that are held above and below.
func pathNames(p *store.Path) (names []string) {
	if p != nil {
		for _, rec := range slices.Concat(p.Above, p.Below) {
			names = append(names, rec.Name)
		}
	}
	return names
}

// until sweeps, as a process does that relies on what it is told, until something is
// so.
func (t *test) until(what string, so func() bool) {
	t.Helper()
	for range 20 {
		due := t.sweep()
		if so() {
			return
		}
		if due < 0 {
			due = t.seconds(1)
		}
		t.clock.Advance(max(due, time.Millisecond))
	}
	t.Fatalf("not so after 20 sweeps: %s", what)
}

// untilHeld sweeps until a session holds a name.
func (t *test) untilHeld(name, session string) {
	t.Helper()
	t.until(name+" is held by "+session, func() bool {
		rec := t.get(name)
		return rec != nil && rec.Holder.Session == session
	})
}

func lawPath(t *test) {
	for _, p := range pathPairs("") {
		held, asked := p[0], p[1]
		t.do(acquire(held, "ann", t.idle(600)))
		t.wantInTheWay(asked, "bob", held)
		t.do(acquire(asked, "ann", t.idle(600)))
		t.do(release(held, "ann"))
		t.wantInTheWay(held, "bob", asked)
		t.do(release(asked, "ann"))
		if got := t.get(asked); got != nil {
			t.Errorf("%s is held: %+v", asked, got)
		}
		t.do(acquire(asked, "bob", t.idle(600)))
		t.wantInTheWay(held, "ann", asked)
		for range 3 { // what was free when it was seen last
			t.do(release(asked, "bob"))
			t.get(held)
			t.do(acquire(held, "ann", t.idle(600)))
			t.refuse(acquire(asked, "bob", t.idle(600)))
			t.do(release(held, "ann"))
			t.do(acquire(asked, "bob", t.idle(600)))
		}
	}
}

func lawNoPath(t *test) {
	for i, p := range [][2]string{
		{"g/m/1", "g/m/10"},
		{"g/m/1", "g/m/2"},
		{"g/m/", "g/mm/1"},
		{"g/m/", "g/n/"},
		{"g/m/", "g/m"},
		{"g/", "gg/m/1"},
		{"g/m/1#a", "g/m/1#ab"},
		{"g/m/1#a", "g/m/1#a#b"},
		{"g/m/1#a", "g/m/10#a"},
		{"g/m/1#a/", "g/m/1#a/b"},
		{"a", "a#p"},
	} {
		one, other := fmt.Sprint(i, p[0]), fmt.Sprint(i, p[1])
		t.do(acquire(one, "ann", t.idle(600)))
		t.do(acquire(other, "bob", t.idle(600)))
		t.do(release(one, "ann"))
		t.do(acquire(one, "ann", t.idle(600)))
	}
}

func lawPathShared(t *test) {
	share := func(name, session string, share store.Share) store.Op {
		sw := acquire(name, session, t.idle(600))
		sw.Share = &share
		return sw
	}
	for i, kind := range []store.Share{store.Shared, 2} {
		for _, p := range pathPairs(fmt.Sprint("share", i)) {
			held, asked := p[0], p[1]
			t.do(share(held, "ann", kind))
			t.do(share(held, "amy", kind)) // beside those who hold the same name
			t.wantInTheWay(asked, "bob", held, held)
			t.refuse(share(asked, "bob", kind))
			t.refuse(share(asked, "ann", kind)) // amy holds it, too
			t.do(release(held, "amy"))
			t.do(share(asked, "ann", kind))
			t.refuse(share(asked, "bob", kind))
			t.refuse(share(held, "bob", kind))
			t.do(release(held, "ann"))
			t.do(share(asked, "bob", kind))
			t.do(release(asked, "ann"))
			t.wantInTheWay(held, "ann", asked)
			t.do(release(asked, "bob"))
			t.do(share(held, "ann", kind))
		}
	}
}

func lawPathCounts(t *test) {
	const below = store.MaxHolders + 5
	var names []string
	for i := range below {
		names = append(names, fmt.Sprintf("g/m/%02d", i))
		t.do(acquire(names[i], fmt.Sprint("s", i%2), t.idle(600)))
	}
	for _, node := range []string{"g/m/", "g/"} {
		res := t.commit("", acquire(node, "bob", t.idle(600)))
		if res.Done || res.Paths == nil || res.Paths[0].More != below-store.MaxHolders {
			t.Fatalf("the take of %s: %+v", node, res)
		}
		t.wantSame("who is told", names[:store.MaxHolders], pathNames(res.Paths[0]))
	}
	for i, name := range names {
		t.refuse(acquire("g/m/", "bob", t.idle(600)))
		t.refuse(acquire("g/", "bob", t.idle(600)))
		t.do(release(name, fmt.Sprint("s", i%2)))
	}
	t.do(acquire("g/m/", "bob", t.idle(600)))
	t.wantInTheWay("g/m/00", "s0", "g/m/")
}
