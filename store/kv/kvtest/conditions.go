package kvtest

import (
	"time"

	"github.com/editlock/editlock/store/kv"
)

var conditionLaws = []law{
	{"a condition on a key tells absent, live and due rows apart", lawLiveness},
	{"a row is due to the microsecond", lawDueBoundary},
	{"revision, version, tag, lease and data are compared exactly", lawComparisons},
	{"a counted prefix is compared by bytes, up to the number", lawAtMost},
	{"counting leaves out what is due or has lost its lease", lawAtMostLive},
	{"counting may include what is due", lawAtMostDue},
	{"no row under a prefix is due", lawNoneDue},
	{"a transaction may have to wait for its time", lawSince},
	{"a row is created if others are not there, and one is as expected", lawCreatedBeside},
	{"all conditions must hold, or nothing is written", lawAllOrNothing},
	{"transactions of one call are judged one by one", lawJudgedApart},
	{"a thousand transactions go in one call", lawThousand},
}

func lawLiveness(t *test) {
	t.put(kv.Write{Key: "live"}, kv.Write{Key: "due", TTL: t.seconds(1)}, kv.Write{Key: "soon", TTL: t.seconds(60)})
	t.clock.Advance(2 * time.Second)
	for _, c := range []struct {
		key  string
		want [3]bool // absent, live, dead
	}{
		{"nothing", [3]bool{true, false, false}},
		{"live", [3]bool{false, true, false}},
		{"soon", [3]bool{false, true, false}},
		{"due", [3]bool{false, false, true}},
	} {
		got := [3]bool{t.judge(kv.Cond{Key: c.key, Absent: true}), t.judge(kv.Cond{Key: c.key}), t.judge(kv.Cond{Key: c.key, Dead: true})}
		t.same(c.key, c.want, got)
	}
}

func lawDueBoundary(t *test) {
	t.exact()
	t.put(kv.Write{Key: "a", TTL: time.Second})
	t.clock.Advance(time.Second - time.Microsecond)
	t.same("just before", true, t.judge(kv.Cond{Key: "a"}))
	t.clock.Advance(time.Microsecond)
	t.same("at its due time", true, t.judge(kv.Cond{Key: "a", Dead: true}))
}

func lawComparisons(t *test) {
	a := t.put(
		kv.Write{Key: "lease"},
		kv.Write{Key: "a", Number: 1, Value: value("a"), Data: ptr("data"), Tags: []string{"s1", "u1"}, Lease: "lease"},
	)
	for _, c := range []struct {
		cond kv.Cond
		want bool
	}{
		{kv.Cond{Rev: a.First}, true},
		{kv.Cond{Rev: a.First + 1}, false},
		{kv.Cond{Ver: 1}, true},
		{kv.Cond{Ver: 2}, false},
		{kv.Cond{Tag: "s1"}, true},
		{kv.Cond{Tag: "u1"}, true},
		{kv.Cond{Tag: "s"}, false},
		{kv.Cond{Tag: "S1"}, false},
		{kv.Cond{Tag: "s1 "}, false},
		{kv.Cond{Lease: "lease"}, true},
		{kv.Cond{Lease: "other"}, false},
		{kv.Cond{Data: ptr("data")}, true},
		{kv.Cond{Data: ptr("Data")}, false},
		{kv.Cond{Data: ptr("data ")}, false},
		{kv.Cond{Data: ptr("")}, false},
		{kv.Cond{Rev: a.First, Ver: 1, Tag: "u1", Lease: "lease", Data: ptr("data")}, true},
		{kv.Cond{Rev: a.First, Ver: 1, Tag: "u2", Lease: "lease", Data: ptr("data")}, false},
	} {
		c.cond.Key = "a"
		if got := t.judge(c.cond); got != c.want {
			t.Errorf("%+v holds: %v", c.cond, got)
		}
	}
	t.put(kv.Write{Key: "A"})
	t.same("a key in other letters", false, t.judge(kv.Cond{Key: "A", Rev: a.First}))
}

func lawAtMost(t *test) {
	for _, key := range []string{"q/1", "q/2", "q/3", "Q/1", "q0", "q", "q/\u0416"} {
		t.put(kv.Write{Key: key, Tags: []string{"t" + key[:1]}})
	}
	for _, c := range []struct {
		prefix, tag string
		n           int
	}{{"q/", "", 4}, {"q", "", 6}, {"Q", "", 1}, {"q/\u0416"[:3], "", 1}, {"r", "", 0}, {"q/", "tq", 4}, {"", "tQ", 1}, {"q/", "tQ", 0}} {
		for _, due := range []bool{false, true} {
			cond := kv.Cond{Prefix: c.prefix, Tag: c.tag, AtMost: c.n, Due: due}
			t.same("at most what there is", true, t.judge(cond))
			if cond.AtMost--; c.n > 0 && t.judge(cond) {
				t.Errorf("at most %d rows under %q with %q", cond.AtMost, c.prefix, c.tag)
			}
		}
	}
}

func lawAtMostLive(t *test) {
	t.put(kv.Write{Key: "lives"}, kv.Write{Key: "dies", TTL: t.seconds(1)})
	t.put(
		kv.Write{Key: "q/1", Lease: "lives"}, kv.Write{Key: "q/2", Lease: "dies"}, kv.Write{Key: "q/3", TTL: t.seconds(1)},
		kv.Write{Key: "q/4", Lease: "unknown"},
	)
	t.same("before", false, t.judge(kv.Cond{Prefix: "q/", AtMost: 2}))
	t.same("before", true, t.judge(kv.Cond{Prefix: "q/", AtMost: 3}))
	t.clock.Advance(2 * time.Second)
	t.same("after", true, t.judge(kv.Cond{Prefix: "q/", AtMost: 1}))
	t.same("after", false, t.judge(kv.Cond{Prefix: "q/", AtMost: 0}))
}

func lawAtMostDue(t *test) {
	t.put(kv.Write{Key: "dies", TTL: t.seconds(1)})
	for _, under := range []string{"a/b/", "a/b/7#", "g" + kv.Separator} {
		t.put(
			kv.Write{Key: under + "1", Tags: []string{"s"}}, kv.Write{Key: under + "2", Tags: []string{"s"}, TTL: t.seconds(60)},
			kv.Write{Key: under + "3", Tags: []string{"u", "s"}, TTL: t.seconds(1)}, kv.Write{Key: under + "4", TTL: t.seconds(1)},
			kv.Write{Key: under + "5", Tags: []string{"s"}, Lease: "dies"}, kv.Write{Key: under + "6", TTL: t.seconds(1), Lease: "dies"},
		)
	}
	t.put(kv.Write{Key: "a/b/7", TTL: t.seconds(1)}, kv.Write{Key: "a/b/70", TTL: t.seconds(1)}, kv.Write{Key: "a/b", TTL: t.seconds(1)})
	t.same("before", true, t.judge(kv.Cond{Prefix: "a/b/7#", AtMost: 6, Due: true}))
	t.same("before", false, t.judge(kv.Cond{Prefix: "a/b/7#", AtMost: 5, Due: true}))
	t.clock.Advance(2 * time.Second)
	for _, c := range []struct {
		prefix, tag string
		live, all   int
	}{
		{"a/b/7#", "", 2, 4},
		{"a/b/7#", "s", 2, 3},
		{"a/b/7#", "u", 0, 1},
		{"a/b/7#", "v", 0, 0},
		{"a/b/", "", 4, 10},
		{"a/b/", "s", 4, 6},
		{"a/", "", 4, 11},
		{"g" + kv.Separator, "", 2, 4},
		{"g" + kv.Separator, "s", 2, 3},
		{"a/b/7#3", "", 0, 1},
		{"a/b/7#4", "", 0, 1},
		{"a/b/7#5", "", 0, 0},
		{"a/b/7#6", "", 0, 0},
		{"a/b/7#7", "", 0, 0},
		{"h", "", 0, 0},
	} {
		for most := range c.all + 2 {
			got := [2]bool{t.judge(kv.Cond{Prefix: c.prefix, Tag: c.tag, AtMost: most}), t.judge(kv.Cond{Prefix: c.prefix, Tag: c.tag, AtMost: most, Due: true})}
			if want := [2]bool{c.live <= most, c.all <= most}; got != want {
				t.Errorf("under %q, with %q, at most %d that are live, and at most so many in all: %v", c.prefix, c.tag, most, got)
			}
		}
	}
	t.put(kv.Write{Key: "g" + kv.Separator + "3", Delete: true}, kv.Write{Key: "a/b/7#3", Delete: true})
	for _, prefix := range []string{"g" + kv.Separator, "a/b/7#"} {
		t.same("after a delete", []bool{false, true},
			[]bool{t.judge(kv.Cond{Prefix: prefix, AtMost: 2, Due: true}), t.judge(kv.Cond{Prefix: prefix, AtMost: 3, Due: true})})
	}
	const many = 60
	for i := range many {
		t.put(kv.Write{Key: "m" + kv.Separator + nth("", i), Tags: []string{[]string{"s", "u"}[i%2]}, TTL: t.seconds(1)})
	}
	t.clock.Advance(2 * time.Second)
	for _, c := range []kv.Cond{{AtMost: many - 1}, {}, {AtMost: many/2 - 1, Tag: "u"}, {Tag: "s"}} {
		c.Prefix = "m" + kv.Separator
		t.same("many, all due, and none counted", true, t.judge(c))
		c.Due = true
		t.same("many", false, t.judge(c))
	}
	t.same("as many as there are", true, t.judge(kv.Cond{Prefix: "m", AtMost: many, Due: true}, kv.Cond{Prefix: "m", Tag: "u", AtMost: many / 2, Due: true}))
}

func lawNoneDue(t *test) {
	t.put(kv.Write{Key: "dies", TTL: t.seconds(1)})
	t.put(kv.Write{Key: "a/1", TTL: t.seconds(1)}, kv.Write{Key: "b/1", TTL: t.seconds(60)}, kv.Write{Key: "c/1", TTL: t.seconds(1), Lease: "dies"})
	t.same("before", true, t.judge(kv.Cond{Prefix: "a/", NoneDue: true}))
	t.clock.Advance(2 * time.Second)
	t.same("a", false, t.judge(kv.Cond{Prefix: "a/", NoneDue: true}))
	t.same("b", true, t.judge(kv.Cond{Prefix: "b/", NoneDue: true}))
	t.same("c, whose lease has ended", true, t.judge(kv.Cond{Prefix: "c/", NoneDue: true}))
	t.same("nothing", true, t.judge(kv.Cond{Prefix: "d/", NoneDue: true}))
}

func lawSince(t *test) {
	now := t.commit(kv.Txn{})[0].Now
	txn := kv.Txn{Since: now.Add(t.seconds(1)), Read: []kv.Range{{Key: "a"}}}
	if a := t.commit(txn)[0]; a.Done || len(a.Found) != 1 {
		t.Errorf("before its time: %+v", a)
	}
	t.clock.Advance(2 * time.Second)
	if a := t.commit(txn)[0]; !a.Done {
		t.Errorf("after its time: %+v", a)
	}
	if t.clock.real == 0 {
		t.same("at its time", true, t.commit(kv.Txn{Since: t.clock.Now()})[0].Done)
		t.same("just before its time", false, t.commit(kv.Txn{Since: t.clock.Now().Add(time.Microsecond)})[0].Done)
	}
}

func lawAllOrNothing(t *test) {
	t.put(kv.Write{Key: "a"})
	last := t.page(kv.LogQuery{Limit: 1}).Last
	a := t.commit(kv.Txn{
		If:      []kv.Cond{{Key: "a"}, {Key: "b"}},
		Numbers: 1,
		Then:    []kv.Write{{Key: "a", Delete: true}, {Key: "c", Number: 1}},
		Log:     []kv.Entry{{Number: 1, ID: "id", Value: value("entry")}},
		Read:    []kv.Range{{Key: "a"}},
	})[0]
	if a.Done || a.Replayed || len(a.Found[0].Rows) != 1 {
		t.Fatalf("the answer is %+v", a)
	}
	if page := t.page(kv.LogQuery{Limit: 10}); page.Last != last || len(page.Entries) != 0 || t.row("c") != nil {
		t.Errorf("something was written: %+v", page)
	}
}

func lawJudgedApart(t *test) {
	t.put(kv.Write{Key: "b"})
	var txns []kv.Txn
	for _, key := range []string{"a", "b", "c"} {
		txns = append(txns, kv.Txn{
			If: []kv.Cond{{Key: key, Absent: true}}, Numbers: 2, Then: []kv.Write{{Key: key, Number: 2, Value: value(key)}},
			Log: []kv.Entry{{Number: 1, Value: value("1" + key)}, {Number: 2, Value: value("2" + key)}}, Read: []kv.Range{{Key: key}},
		})
	}
	answers := t.commit(txns...)
	if !answers[0].Done || answers[1].Done || !answers[2].Done {
		t.Fatalf("done: %+v", answers)
	}
	for _, i := range []int{0, 2} {
		if row := answers[i].Found[0].Rows[0]; row.Rev != answers[i].First+1 || string(row.Value) != string(value(row.Key)) {
			t.Errorf("the answer is %+v", answers[i])
		}
	}
	if answers[2].First <= answers[0].First+1 {
		t.Errorf("numbers from %d, then from %d", answers[0].First, answers[2].First)
	}
	if n := len(t.page(kv.LogQuery{Limit: 10}).Entries); n != 4 {
		t.Errorf("%d entries were logged", n)
	}
}

func lawThousand(t *test) {
	txns := make([]kv.Txn, 1000)
	for i := range txns {
		key := nth("k", i)
		txns[i] = kv.Txn{If: []kv.Cond{{Key: key, Absent: true}}, Numbers: 1, Then: []kv.Write{{Key: key, Number: 1}}, Read: []kv.Range{{Key: key}}}
	}
	last := uint64(0)
	for i, a := range t.commit(txns...) {
		if !a.Done || a.First <= last || a.Found[0].Rows[0].Key != nth("k", i) {
			t.Fatalf("answer %d, after number %d: %+v", i, last, a)
		}
		last = a.First
	}
}
