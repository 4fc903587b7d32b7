package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/editlock/editlock/store"
)

var pieceLaws = []law{
	{"a page examines a bounded number of entries, and reading on misses none", lawLogPieces, 0},
	{"entries of a name are found without examining those of others", lawLogOfName, 0},
	{"the end of a hold is its name's first entry of the kinds above its token", lawEnds, 0},
	{"the end of one hold is found behind many entries of its name", lawEndsFar, 0},
	{"ends are found before and after pruning", lawEndsPruned, exactClock},
}

// step is how many entries fill writes at a time.
const step = 500

// fill makes the log n entries longer, of names that begin with "bulk/".
func (t *test) fill(n int) {
	t.Helper()
	session, acquired := "bulk", t.get("bulk/000") != nil
	for ; n > 0; n -= step {
		ops := make([]store.Op, step)
		for i := range ops {
			name := fmt.Sprintf("bulk/%03d", i)
			if ops[i] = acquire(name, session, t.idle(60000)); acquired {
				ops[i] = store.Op{Name: name, Do: store.Renew, Expect: store.Expect{Session: &session}, Event: note(refreshed, session)}
			}
		}
		if !t.commit("", ops...).Done {
			t.Fatal("the log could not be filled")
		}
		acquired = true
	}
}

// readOn reads all pages of a query.
func (t *test) readOn(q store.LogQuery) (all []store.LogEntry) {
	t.Helper()
	const most = 200
	for range most {
		page := t.log(q)
		all = append(all, page.Entries...)
		if len(page.Entries) > q.Limit || page.Examined < len(page.Entries) || page.Examined > q.Limit+store.LogPiece+step {
			t.Fatalf("%d entries of %d examined for %+v", len(page.Entries), page.Examined, q)
		}
		if page.Next == 0 {
			return all
		}
		if q.Newest {
			q.Before = page.Next
		} else {
			q.After = page.Next
		}
	}
	t.Fatalf("%+v does not end in %d pages", q, most)
	return nil
}

func lawLogPieces(t *test) {
	first := t.do(acquire("rare/one", "ann", t.idle(60000)))
	t.fill(store.LogPiece + 2*step)
	t.do(acquire("rare/two", "bob", t.idle(60000)))
	t.commit("over", takeOver("rare/one", "bob", first.Token, t.idle(60000)))
	t.fill(step)
	all := t.log(store.LogQuery{Limit: 3 * store.LogPiece}).Entries
	last := all[len(all)-1].At
	for i, q := range []store.LogQuery{
		{Prefix: "rare/"},
		{Prefix: "nothing"},
		{Infix: "re/o"},
		{Infix: "nothing"},
		{Kinds: []string{takenOver}},
		{Kinds: []string{"nothing"}},
		{Kinds: []string{"nothing", takenOver}, Prefix: "rare"},
		{User: party("bob").User},
		{User: party("bulk").User, Kinds: []string{takenOver}},
		{User: party("bulk").User, Prefix: "bulk/07", Limit: 7},
		{Name: "rare/one", Infix: "two"},
		{Name: "bulk/007", Kinds: []string{captured}},
		{Request: "over"},
		{From: last.Add(t.seconds(3600))},
		{To: all[0].At.Add(-t.seconds(3600))},
		{From: all[0].At, To: last, Prefix: "rare"},
		{Prefix: "rare/", After: all[3].Seq, Before: all[len(all)-3].Seq},
	} {
		if q.Limit == 0 {
			q.Limit = 2
		}
		want := slices.DeleteFunc(slices.Clone(all), func(e store.LogEntry) bool { return !q.Matches(e) })
		for _, newest := range []bool{false, true} {
			if q.Newest = newest; newest {
				slices.Reverse(want)
			}
			if !t.quick() || newest == (i%2 == 0) {
				t.wantSame(fmt.Sprintf("entries for %+v", q), want, t.readOn(q))
			}
		}
	}
}

func lawLogOfName(t *test) {
	t.do(acquire("rare", "ann", t.idle(60000)))
	t.fill(store.LogPiece + step)
	t.do(release("rare", "ann"))
	for name, want := range map[string]int{"rare": 2, "nothing": 0, "rar": 0, "bulk/00": 0} {
		for _, newest := range []bool{false, true} {
			page := t.log(store.LogQuery{Name: name, Newest: newest})
			if len(page.Entries) != want || page.Next != 0 || page.Examined > max(1, want)*step {
				t.Errorf("%q: %d entries, %d examined, Next %d; want %d", name, len(page.Entries), page.Examined, page.Next, want)
			}
		}
	}
}

// ends looks up how holds ended, as kinds and numbers.
func (t *test) ends(holds ...store.Hold) (told []string, floor uint64) {
	t.Helper()
	got, err := t.st.Ends(t.ctx, holds, []string{released, takenOver, store.KindExpired})
	if err != nil {
		t.Fatalf("Ends: %v", err)
	}
	if len(got.Entries) != len(holds) {
		t.Fatalf("%d ends of %d holds", len(got.Entries), len(holds))
	}
	for i, e := range got.Entries {
		switch {
		case e == nil:
			told = append(told, "none")
			continue
		case e.Name != holds[i].Name || e.Seq <= holds[i].Token:
			t.Errorf("the end of %+v is %+v", holds[i], *e)
		}
		told = append(told, fmt.Sprint(e.Kind, " ", e.Token))
		t.wantSame("the entry", t.log(store.LogQuery{After: e.Seq - 1, Limit: 1}).Entries, []store.LogEntry{*e})
	}
	return told, got.Floor
}

func lawEnds(t *test) {
	if told, floor := t.ends(store.Hold{Name: "ends/a", Token: 1}); told[0] != "none" || floor != 0 {
		t.Errorf("a new store tells of %s, floor %d", told[0], floor)
	}
	one := t.do(acquire("ends/a", "ann", t.idle(60000))).Token
	t.do(release("ends/a", "ann"))
	two := t.do(acquire("ends/a", "ann", t.idle(60000))).Token
	three := t.do(takeOver("ends/a", "bob", two, t.idle(60000))).Token
	b := t.do(acquire("ends/b", "ann", t.idle(60000))).Token
	t.do(release("ends/b", "ann"))
	t.do(acquire("ends/aa", "ann", t.idle(60000)))
	holds := []store.Hold{
		{Name: "ends/a", Token: one},
		{Name: "ends/b", Token: b},
		{Name: "ends/a", Token: two},
		{Name: "ends/a", Token: three},
		{Name: "nothing", Token: 1},
		{Name: "", Token: 1},
		{Name: "ends/a", Token: 1<<63 - 1},
		{Name: "\xff", Token: 1},
		{Name: "ends/a", Token: one},
	}
	want := []string{
		fmt.Sprint(released, " ", one), fmt.Sprint(released, " ", b), fmt.Sprint(takenOver, " ", three), "none",
		"none", "none", "none", "none", fmt.Sprint(released, " ", one),
	}
	told, _ := t.ends(holds...)
	t.wantSame("ends", want, told)
	t.fill(step) // an engine may index by and by
	t.fill(5 * step)
	told, _ = t.ends(holds...)
	t.wantSame("ends", want, told)

	for _, name := range awkward {
		token := t.do(acquire(name, "ann", t.idle(60000))).Token
		t.do(release(name, "ann"))
		told, _ := t.ends(store.Hold{Name: name, Token: token})
		t.wantSame(fmt.Sprintf("the end of %q", name), []string{fmt.Sprint(released, " ", token)}, told)
	}
	var many []store.Hold
	for i := range 1000 {
		many = append(many, store.Hold{Name: "nothing/" + strings.Repeat("x", i), Token: uint64(i)})
	}
	many[500] = holds[0]
	told, _ = t.ends(many...)
	for i, one := range told {
		if (one != "none") != (i == 500) {
			t.Errorf("the end of %+v is %s", many[i], one)
		}
	}
}

func lawEndsFar(t *test) {
	rec := t.do(acquire("a", "ann", t.idle(60000)))
	for range 150 {
		sw := renew("a", rec.Token)
		sw.Event = note(refreshed, "ann")
		t.do(sw)
	}
	t.do(release("a", "ann"))
	told, _ := t.ends(store.Hold{Name: "a", Token: rec.Token})
	t.wantSame("ends", []string{fmt.Sprint(released, " ", rec.Token)}, told)
}

func lawEndsPruned(t *test) {
	var holds []store.Hold
	for i := range 4 {
		name := fmt.Sprint("n", i)
		holds = append(holds, store.Hold{Name: name, Token: t.do(acquire(name, "ann", store.Terms{})).Token})
		t.do(release(name, "ann"))
		t.pass(60)
	}
	t.clock.Advance(store.RetryWindow)
	page := t.prune(store.Retention{MaxEntries: 4})
	told, floor := t.ends(holds...)
	t.wantSame("ends", []string{
		"none", "none", fmt.Sprint(released, " ", holds[2].Token), fmt.Sprint(released, " ", holds[3].Token),
	}, told)
	if floor != page.Floor || floor == 0 {
		t.Errorf("the floor is %d, of the log %d", floor, page.Floor)
	}
	t.do(acquire("n0", "bob", store.Terms{}))
	if again := t.kinds("n0"); len(again) != 1 {
		t.Errorf("after pruning the log of a name is %q", again)
	}
}
