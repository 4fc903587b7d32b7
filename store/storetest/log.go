package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/editlock/editlock/store"
)

var logLaws = []law{
	{"each change is an entry with the facts of its moment", lawEntries, 0},
	{"touches without a note and refusals are no entries", lawNoEntry, 0},
	{"a swap without a note changes and logs nothing of it", lawNoteless, 0},
	{"filters select by name, prefix, user, request and kind", lawLogFilters, 0},
	{"a prefix of the log is literal and compared by bytes", lawLogPrefix, 0},
	{"periods include their beginning and exclude their end", lawLogPeriods, exactClock},
	{"a tree is a name and all below it", lawLogTrees, 0},
	{"pages follow each other in both directions", lawLogPages, 0},
	{"a hundred is the limit unless another is given", lawLogDefault, 0},
	{"Last is the highest number given out", lawLogLast, 0},
	{"an entry and its change appear together", lawLogSameStep, 0},
	{"who reads on behind the last entry seen misses none", lawLogTail, 0},
}

func lawEntries(t *test) {
	t.keepAlive("peer", 100)
	acquired := t.commit("r1", acquire("a", "ann", t.idle(60)))
	token := acquired.Records[0].Token
	t.pass(1)
	again := renew("a", token)
	again.Event = note(refreshed, "somebody else")
	renewed := t.commit("r2", again)
	t.pass(1)
	sw := join("a", "wendy", "peer", t.idle(60))
	joined := t.commit("r3", sw)
	t.pass(1)
	over := t.commit("r4", takeOver("a", "bob", token, t.idle(60)))
	ended := t.commit("r5", release("a", "bob"))
	second, third := over.Records[0].Token, ended.Records[0].Token

	got := t.log(store.LogQuery{}).Entries
	want := []store.LogEntry{
		{Kind: captured, Token: token, At: acquired.Now, Owner: party("ann"), Actor: party("ann"), Reason: "because of ann", Request: "r1"},
		{Kind: refreshed, Token: token, At: renewed.Now, Owner: party("ann"), Actor: party("somebody else"), Reason: "because of somebody else", Request: "r2"},
		{Kind: waiting, Token: token, At: joined.Now, Owner: party("ann"), Actor: party("wendy"), Reason: "because of wendy"},
		{Kind: takenOver, Token: second, At: over.Now, Owner: party("bob"), Actor: party("bob"), Other: party("ann"), Reason: "because of bob", Request: "r4"},
		{Kind: released, Token: second, At: ended.Now, Owner: party("bob"), Actor: party("bob"), Reason: "because of bob", Request: "r5"},
		{Kind: captured, Token: third, At: ended.Now, Owner: party("wendy"), Actor: party("wendy"), Reason: "because of wendy", Request: "ticket of wendy"},
	}
	var last uint64
	for i, e := range got {
		if e.Seq <= last {
			t.Errorf("number %d follows %d", e.Seq, last)
		}
		if i < len(want) {
			want[i].Seq, want[i].Name = e.Seq, "a"
		}
		last = e.Seq
	}
	t.wantSame("entries", want, got)
}

func lawNoEntry(t *test) {
	rec := t.do(acquire("a", "ann", t.idle(60)))
	for range 5 {
		t.do(renew("a", rec.Token))
		t.refuse(acquire("a", "bob", t.idle(60)))
		t.refuse(release("a", "bob"))
		t.refuse(leave("a", "bob"))
	}
	t.wantSame("kinds", []string{captured}, t.kinds("a"))
}

func lawNoteless(t *test) {
	t.keepAlive("peer", 100)
	for _, sw := range []store.Op{
		acquire("a", "ann", t.idle(60)), join("a", "wendy", "peer", t.idle(60)), release("a", "ann"), release("a", "wendy"),
	} {
		sw.Event = nil
		if sw.Waiter != nil {
			sw.Waiter.Event = nil
		}
		t.do(sw)
	}
	t.wantSame("kinds", []string{}, t.kinds("a"))
	t.wantHolder(t.get("a"), "")
}

// history is a log with something for every filter.
func (t *test) history() []store.LogEntry {
	t.Helper()
	t.keepAlive("peer", 1000)
	for i, name := range []string{"a", "a/1", "a/2", "b", "A", "a%", "a_"} {
		t.commit(fmt.Sprint("take ", i), acquire(name, fmt.Sprint("holder ", i%3), t.idle(600)))
		t.pass(1)
	}
	rec := t.get("a/1")
	t.commit("over", takeOver("a/1", "olga", rec.Token, t.idle(600)))
	t.pass(1)
	t.do(join("b", "wendy", "peer", t.idle(600)))
	force := release("b", "holder 0")
	force.Event.Actor = party("admin")
	t.commit("force", force)
	t.pass(1)
	t.commit("release", release("a", "holder 0"))
	entries := t.log(store.LogQuery{Limit: 1000}).Entries
	if len(entries) != 12 {
		t.Fatalf("the history is %+v", entries)
	}
	return entries
}

func (t *test) wantLog(all []store.LogEntry, q store.LogQuery, keep func(e store.LogEntry) bool) {
	t.Helper()
	want := slices.DeleteFunc(slices.Clone(all), func(e store.LogEntry) bool { return !keep(e) })
	t.wantSame(fmt.Sprintf("entries for %+v", q), want, t.log(q).Entries)
	slices.Reverse(want)
	q.Newest = true
	t.wantSame(fmt.Sprintf("entries for %+v", q), want, t.log(q).Entries)
	if len(want) > 1 {
		q.Limit = 1
		t.wantSame(fmt.Sprintf("entries for %+v", q), want[:1], t.log(q).Entries)
	}
}

func lawLogFilters(t *test) {
	all := t.history()
	for _, name := range []string{"a", "a/1", "A", "a%", "a_", "b", "nothing"} {
		t.wantLog(all, store.LogQuery{Name: name}, func(e store.LogEntry) bool { return e.Name == name })
	}
	for _, prefix := range []string{"a", "a/", "a%", "a_", "A", "z"} {
		t.wantLog(all, store.LogQuery{Prefix: prefix}, func(e store.LogEntry) bool {
			return len(e.Name) >= len(prefix) && e.Name[:len(prefix)] == prefix
		})
	}
	for _, who := range []string{"holder 0", "holder 1", "olga", "wendy", "admin", "nobody"} {
		user := party(who).User
		t.wantLog(all, store.LogQuery{User: user}, func(e store.LogEntry) bool {
			return e.Owner.User == user || e.Actor.User == user || e.Other.User == user
		})
	}
	for _, request := range []string{"take 1", "over", "ticket of wendy", "nothing"} {
		t.wantLog(all, store.LogQuery{Request: request}, func(e store.LogEntry) bool { return e.Request == request })
	}
	for _, kinds := range [][]string{{captured}, {released, takenOver}, {"nothing"}, {"nothing", waiting}} {
		t.wantLog(all, store.LogQuery{Kinds: kinds}, func(e store.LogEntry) bool { return slices.Contains(kinds, e.Kind) })
	}
	q := store.LogQuery{Prefix: "a", User: party("holder 0").User, Kinds: []string{captured, released}, After: all[0].Seq}
	t.wantLog(all, q, func(e store.LogEntry) bool {
		return e.Seq > all[0].Seq && e.Name[0] == 'a' && e.Owner == party("holder 0") && e.Kind != takenOver
	})
}

func lawLogPrefix(t *test) {
	for _, name := range awkward {
		t.do(acquire(name, "ann", t.idle(600)))
	}
	all := t.log(store.LogQuery{}).Entries
	for _, prefix := range []string{"\u0416", "\u0416"[:1], "\U0001F512"[:3], "\xff", "\\", "a'", "e\u0301"[:2]} {
		t.wantLog(all, store.LogQuery{Prefix: prefix}, func(e store.LogEntry) bool { return strings.HasPrefix(e.Name, prefix) })
	}
}

func lawLogPeriods(t *test) {
	all := t.history()
	for _, e := range all {
		from := e.At
		t.wantLog(all, store.LogQuery{From: from}, func(e store.LogEntry) bool { return !e.At.Before(from) })
		t.wantLog(all, store.LogQuery{To: from}, func(e store.LogEntry) bool { return e.At.Before(from) })
		to := from.Add(t.seconds(2))
		t.wantLog(all, store.LogQuery{From: from, To: to}, func(e store.LogEntry) bool {
			return !e.At.Before(from) && e.At.Before(to)
		})
	}
}

func lawLogTrees(t *test) {
	names := []string{"g/m/7", "g/m/7#a", "g/m/70", "g/m/7#b", "g/", "g/m/7!", "g/m/", "g/o/7", "g/m/7#a%23", "gg/m/7", "7#a", "7"}
	for round := range 3 {
		for i, name := range names {
			t.do(acquire(name, "ann", t.idle(600)))
			t.do(release(name, "ann"))
			if (i+round)%2 == 0 {
				t.do(acquire("g/m/70", "bob", t.idle(600)))
				t.do(release("g/m/70", "bob"))
			}
		}
	}
	all := t.log(store.LogQuery{Limit: 1000}).Entries
	for _, tree := range append(names, "g/o/", "g/m/8", "/", "nothing") {
		in := func(e store.LogEntry) bool {
			below, isNode := strings.HasPrefix(e.Name, tree), strings.HasSuffix(tree, "/")
			return e.Name == tree || below && (isNode || strings.HasPrefix(e.Name, tree+"#") && strings.Contains(tree, "/"))
		}
		t.wantLog(all, store.LogQuery{Tree: tree}, in)
		t.wantLog(all, store.LogQuery{Tree: tree, User: party("ann").User, Kinds: []string{released}}, func(e store.LogEntry) bool {
			return in(e) && e.Kind == released && e.Owner == party("ann")
		})
		for _, limit := range []int{1, 2, 5} {
			q := store.LogQuery{Tree: tree, Limit: limit, After: all[1].Seq, Before: all[len(all)-1].Seq}
			want := slices.DeleteFunc(slices.Clone(all), func(e store.LogEntry) bool { return !q.Matches(e) })
			t.wantSame(fmt.Sprintf("pages of %+v", q), want, t.readOn(q))
			q.Newest = true
			slices.Reverse(want)
			t.wantSame(fmt.Sprintf("pages of %+v", q), want, t.readOn(q))
		}
	}
}

func lawLogPages(t *test) {
	all := t.history()
	for limit := 1; limit <= len(all)+1; limit++ {
		var forth, back []store.LogEntry
		q := store.LogQuery{Limit: limit}
		for {
			page := t.log(q).Entries
			forth = append(forth, page...)
			if len(page) < limit || len(forth) > len(all) {
				break
			}
			q.After = page[len(page)-1].Seq
		}
		q = store.LogQuery{Limit: limit, Newest: true}
		for {
			page := t.log(q).Entries
			back = append(back, page...)
			if len(page) < limit || len(back) > len(all) {
				break
			}
			q.Before = page[len(page)-1].Seq
		}
		slices.Reverse(back)
		t.wantSame(fmt.Sprint("pages of ", limit), all, forth)
		t.wantSame(fmt.Sprint("pages of ", limit, ", newest first"), all, back)
	}
	q := store.LogQuery{After: all[2].Seq, Before: all[5].Seq}
	t.wantLog(all, q, func(e store.LogEntry) bool { return e.Seq > q.After && e.Seq < q.Before })
	t.wantLog(all, store.LogQuery{After: all[len(all)-1].Seq + 100}, func(store.LogEntry) bool { return false })
}

func lawLogDefault(t *test) {
	ops := make([]store.Op, 120)
	for i := range ops {
		ops[i] = acquire(fmt.Sprintf("n%03d", i), "ann", t.idle(600))
	}
	t.commit("", ops...)
	for limit, want := range map[int]int{0: 100, 1: 1, 101: 101, 1000: 120} {
		if n := len(t.log(store.LogQuery{Limit: limit}).Entries); n != want {
			t.Errorf("%d entries with limit %d; want %d", n, limit, want)
		}
	}
}

func lawLogLast(t *test) {
	if page := t.log(store.LogQuery{}); page.Last != 0 || page.Floor != 0 || len(page.Entries) != 0 {
		t.Fatalf("the log of a new store is %+v", page)
	}
	for i := range 5 {
		t.do(acquire(fmt.Sprint("n", i), "ann", t.idle(60)))
		page := t.log(store.LogQuery{Newest: true})
		if page.Last < page.Entries[0].Seq || page.Last < t.get(fmt.Sprint("n", i)).Token {
			t.Fatalf("Last is %d; the newest entry has number %d", page.Last, page.Entries[0].Seq)
		}
		if filtered := t.log(store.LogQuery{Name: "nothing"}); filtered.Last != page.Last {
			t.Fatalf("Last is %d with a filter, %d without", filtered.Last, page.Last)
		}
	}
}

// lawLogSameStep reads records and log while others write: whatever record is
// seen, its capture is in a log read later, and whatever end is logged, the
// record is gone.
func lawLogSameStep(t *test) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	for i := range 4 {
		session := fmt.Sprint("s", i)
		wg.Go(func() {
			for !stop.Load() {
				for _, sw := range []store.Op{acquire("a", session, t.idle(600)), release("a", session)} {
					if _, err := t.st.Commit(t.ctx, store.Txn{Ops: []store.Op{sw}}); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for range 100 {
		rec := t.get("a")
		newest := t.log(store.LogQuery{Name: "a", Newest: true, Limit: 1}).Entries
		if rec != nil && (len(newest) == 0 || newest[0].Seq < rec.Token) {
			t.Errorf("token %d is seen, and the newest entry is %+v", rec.Token, newest)
			break
		}
		now := t.get("a")
		if len(newest) == 1 && newest[0].Kind == released && now != nil && now.Token <= newest[0].Token {
			t.Errorf("token %d is seen after its release was logged", now.Token)
			break
		}
	}
	stop.Store(true)
	wg.Wait()
}

func lawLogTail(t *test) {
	const writers, each, limit = 8, 40, 16
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for j := range each {
				name := fmt.Sprint("n", i, "/", j)
				if _, err := t.st.Commit(t.ctx, store.Txn{Ops: []store.Op{acquire(name, "ann", t.idle(6000))}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { wg.Wait(); close(written) }()

	var seen []store.LogEntry
	after, finished := uint64(0), false
	for {
		page := t.log(store.LogQuery{After: after, Limit: limit})
		seen = append(seen, page.Entries...)
		if n := len(page.Entries); n == limit {
			after = page.Entries[n-1].Seq
			continue
		}
		if page.Last < after {
			t.Fatalf("Last fell from %d to %d", after, page.Last)
		}
		after = page.Last // a page that is not full is all there is up to Last
		if finished {
			break
		}
		select {
		case <-written:
			finished = true
		default:
		}
	}
	t.wantSame("entries seen while they were written", t.log(store.LogQuery{Limit: 10000}).Entries, seen)
}
