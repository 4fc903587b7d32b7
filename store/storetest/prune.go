package storetest

import (
	"fmt"
	"time"

	"github.com/editlock/editlock/store"
)

var pruneLaws = []law{
	{"nothing is pruned unless told to", lawKeepAll, exactClock},
	{"entries from before a moment are pruned, and the floor tells", lawPruneAge, exactClock},
	{"a clock that is ahead prunes no more than it is told to", lawPruneAhead, exactClock},
	{"the oldest entries beyond the number are pruned", lawPruneNumber, exactClock},
	{"both limits apply, whichever is first", lawPruneBoth, exactClock},
	{"what is younger than the retry window always stays", lawPruneYoung, exactClock},
	{"pruning takes no records, tickets or tokens", lawPruneRecords, exactClock},
	{"the floor is kept over a restart", lawPruneReopened, exactClock | disk},
}

// age writes n entries, a minute apart, and lets the retry window pass.
func (t *test) age(n int) []store.LogEntry {
	t.Helper()
	for i := range n {
		t.do(acquire(fmt.Sprint("n", i), "ann", store.Terms{}))
		t.pass(60)
	}
	t.clock.Advance(store.RetryWindow)
	return t.log(store.LogQuery{Limit: 1000}).Entries
}

// prune sweeps, and sweeps again as engines may prune now and then only.
func (t *test) prune(keep store.Retention) store.LogPage {
	t.Helper()
	for range 2 {
		if _, err := t.st.Sweep(t.ctx, keep); err != nil {
			t.Fatal(err)
		}
		t.pass(120)
	}
	t.pass(-240)
	return t.log(store.LogQuery{Limit: 1000})
}

func lawKeepAll(t *test) {
	all := t.age(5)
	t.clock.Advance(1000 * 24 * time.Hour)
	page := t.prune(store.Retention{})
	t.wantSame("entries", all, page.Entries)
	if page.Floor != 0 {
		t.Errorf("the floor is %d", page.Floor)
	}
}

func lawPruneAge(t *test) {
	all := t.age(10)
	const first = 3
	page := t.prune(store.Retention{Before: all[first].At})
	t.wantSame("entries", all[first:], page.Entries)
	if page.Floor < all[first-1].Seq || page.Floor >= all[first].Seq {
		t.Errorf("the floor is %d; pruned is up to %d, kept from %d", page.Floor, all[first-1].Seq, all[first].Seq)
	}
}

// lawPruneAhead sweeps while the clock is 400 days ahead for a moment: what that
// makes old is not for an engine to say.
func lawPruneAhead(t *test) {
	all := t.age(10)
	const ahead = 400 * 24 * time.Hour
	for range 3 {
		t.clock.Advance(ahead)
		page := t.prune(store.Retention{Before: all[3].At, MaxEntries: 9})
		t.wantSame("entries", all[3:], page.Entries)
		t.clock.Advance(-ahead)
	}
}

func lawPruneNumber(t *test) {
	all := t.age(10)
	page := t.prune(store.Retention{MaxEntries: 4})
	t.wantSame("entries", all[6:], page.Entries)
	if page.Floor < all[5].Seq || page.Floor >= all[6].Seq {
		t.Errorf("the floor is %d; kept is from %d", page.Floor, all[6].Seq)
	}
	if page.Last < all[9].Seq {
		t.Errorf("Last is %d", page.Last)
	}
	filtered := t.log(store.LogQuery{Name: "n0"})
	if filtered.Floor != page.Floor || len(filtered.Entries) != 0 {
		t.Errorf("filtered, the page is %+v", filtered)
	}
}

func lawPruneBoth(t *test) {
	all := t.age(10)
	page := t.prune(store.Retention{MaxEntries: 7, Before: all[2].At})
	t.wantSame("entries", all[3:], page.Entries)
	page = t.prune(store.Retention{MaxEntries: 1000, Before: t.clock.Now().Add(-store.RetryWindow - time.Second)})
	t.wantSame("entries", []store.LogEntry{}, page.Entries)
	if page.Floor < all[9].Seq {
		t.Errorf("the floor is %d; the last entry was %d", page.Floor, all[9].Seq)
	}
}

func lawPruneYoung(t *test) {
	old := t.age(3)
	for i := range 3 {
		t.do(acquire(fmt.Sprint("young", i), "ann", store.Terms{}))
	}
	all := t.log(store.LogQuery{}).Entries
	t.clock.Advance(store.RetryWindow - 5*time.Minute)
	page := t.prune(store.Retention{Before: t.clock.Now(), MaxEntries: 1})
	t.wantSame("entries", all[len(old):], page.Entries)
	t.clock.Advance(6 * time.Minute)
	page = t.prune(store.Retention{MaxEntries: 2})
	t.wantSame("entries", all[len(old)+1:], page.Entries)
}

func lawPruneRecords(t *test) {
	t.age(5)
	token := t.get("n4").Token
	t.keepAlive("peer", 3600)
	t.do(join("n4", "wendy", "peer", t.idle(3600)))
	before := t.list(store.RecordQuery{})
	t.clock.Advance(store.RetryWindow)
	if page := t.prune(store.Retention{Before: t.clock.Now()}); len(page.Entries) != 0 {
		t.Fatalf("the log is %+v", page.Entries)
	}
	t.wantSame("records", before, t.list(store.RecordQuery{}))
	if rec := t.do(release("n4", "ann")); rec.Holder != party("wendy") || rec.Token <= token {
		t.Errorf("granted is %+v", rec)
	}
}

func lawPruneReopened(t *test) {
	t.age(5)
	before := t.prune(store.Retention{MaxEntries: 2})
	t.reopen(false)
	t.wantSame("log", before, t.log(store.LogQuery{Limit: 1000}))
	t.reopen(true)
	t.wantSame("log", before, t.log(store.LogQuery{Limit: 1000}))
}
