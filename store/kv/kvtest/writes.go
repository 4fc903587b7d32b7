package kvtest

import (
	"time"

	"github.com/editlock/editlock/store/kv"
)

var writeLaws = []law{
	{"a row is kept as it was written", lawWhole},
	{"a renewal keeps what it does not give", lawRenew},
	{"a renewal moves the due time by the row's own terms", lawRenewTerms},
	{"within bounds one write only", lawWithin},
	{"a replaced row starts over", lawReplace},
	{"a numbered key continues with its number", lawNumbered},
	{"rows live as long as their lease, and no longer if it comes back", lawLease},
	{"a row whose lease has ended is absent, and makes room for another", lawLeaseAbsent},
	{"a row whose lease is not live is not written", lawLeaseDead},
	{"a lease that is deleted takes its rows along", lawLeaseDeleted},
	{"numbers rise, and stay below 2^53", lawNumbers},
	{"any text is kept as it is", lawTexts},
}

func lawWhole(t *test) {
	t.exact()
	t.put(kv.Write{Key: "lease", TTL: time.Hour})
	a := t.put(kv.Write{
		Key: "a", Number: 1, Value: value("a"), Data: ptr("data"), Tags: []string{"s", "u"}, Lease: "lease",
		TTL: time.Minute, Max: time.Hour,
	})
	now := t.clock.Now()
	want := &kv.Row{
		Key: "a", Value: value("a"), Data: "data", Tags: []string{"s", "u"}, Lease: "lease", Rev: a.First, Ver: 1,
		At: now, Seen: now, Due: now.Add(time.Minute), TTL: time.Minute, Max: time.Hour,
	}
	t.same("the row", want, t.row("a"))
	t.same("the time", now, a.Now)
	brief := *want
	brief.Value = nil
	t.same("the row in brief", []kv.Row{brief}, t.read(kv.Range{Prefix: "a", Brief: true})[0].Rows)
}

func lawRenew(t *test) {
	t.exact()
	t.put(kv.Write{Key: "lease"}, kv.Write{Key: "other"})
	t.put(kv.Write{Key: "a", Number: 1, Value: value("a"), Data: ptr("data"), Tags: []string{"s", "u"}, Lease: "lease", TTL: time.Minute, Max: time.Hour})
	want := t.row("a")
	for _, c := range []struct {
		write  kv.Write
		change func(r *kv.Row)
	}{
		{kv.Write{}, func(*kv.Row) {}},
		{kv.Write{Data: ptr("new")}, func(r *kv.Row) { r.Data = "new" }},
		{kv.Write{Data: ptr("")}, func(r *kv.Row) { r.Data = "" }},
		{kv.Write{Value: value("b")}, func(r *kv.Row) { r.Value, r.Ver = value("b"), r.Ver+1 }},
		{kv.Write{Tags: []string{"s2"}}, func(r *kv.Row) { r.Tags = []string{"s2"} }},
		{kv.Write{Lease: "other"}, func(r *kv.Row) { r.Lease = "other" }},
		{kv.Write{TTL: 2 * time.Minute}, func(r *kv.Row) { r.TTL = 2 * time.Minute }},
		{kv.Write{TTL: -1}, func(r *kv.Row) { r.TTL = 0 }},
		{kv.Write{Max: 2 * time.Hour}, func(r *kv.Row) { r.Max = 2 * time.Hour }},
		{kv.Write{Max: -1}, func(r *kv.Row) { r.Max = 0 }},
	} {
		t.clock.Advance(time.Second)
		c.write.Key, c.write.Renew = "a", true
		t.put(c.write)
		c.change(want)
		want.Seen = t.clock.Now()
		want.Due = kv.Due(want.At, want.Seen, want.TTL, want.Max, 0)
		t.same("the renewed row", want, t.row("a"))
	}
	t.same("found by its old tag", []string(nil), t.keys(kv.Range{Tag: "s"}))
	t.same("found by its new tag", []string{"a"}, t.keys(kv.Range{Tag: "s2"}))
	t.same("found by its old lease", []string(nil), t.keys(kv.Range{Lease: "lease"}))
	t.same("found by its new lease", []string{"a"}, t.keys(kv.Range{Lease: "other"}))
}

func lawRenewTerms(t *test) {
	t.exact()
	t.put(kv.Write{Key: "a", TTL: 10 * time.Second, Max: 25 * time.Second})
	start := t.clock.Now()
	for _, due := range []time.Duration{19, 25, 25} {
		t.clock.Advance(9 * time.Second)
		t.put(kv.Write{Key: "a", Renew: true})
		t.same("due", start.Add(due*time.Second), t.row("a").Due)
	}
	t.clock.Advance(-18 * time.Second)
	t.put(kv.Write{Key: "a", Renew: true, Max: 5 * time.Second})
	t.same("due before now", true, t.judge(kv.Cond{Key: "a", Dead: true}))
}

func lawWithin(t *test) {
	t.exact()
	for _, c := range []struct {
		name string
		w    kv.Write
		due  [2]time.Duration // after this write, and after another one; 0: never
	}{
		{"sooner than the terms", kv.Write{TTL: time.Minute, Within: time.Second}, [2]time.Duration{time.Second, time.Minute}},
		{"later than the terms", kv.Write{TTL: time.Minute, Within: time.Hour}, [2]time.Duration{time.Minute, time.Minute}},
		{"without terms", kv.Write{Within: time.Second}, [2]time.Duration{time.Second, 0}},
	} {
		c.w.Key = "a"
		t.put(c.w)
		for _, due := range c.due {
			want := time.Time{}
			if due > 0 {
				want = t.clock.Now().Add(due)
			}
			t.same(c.name, want, t.row("a").Due)
			t.put(kv.Write{Key: "a", Renew: true})
		}
	}
}

func lawReplace(t *test) {
	t.put(kv.Write{Key: "a", Number: 1, Value: value("a"), Data: ptr("data"), Tags: []string{"s"}, TTL: time.Hour, Max: time.Hour})
	a := t.put(kv.Write{Key: "a", Number: 1})
	r := t.row("a")
	if r == nil || r.Rev != a.First || r.Ver != 1 || r.Data != "" || len(r.Value)+len(r.Tags) > 0 || !r.Due.IsZero() || r.TTL+r.Max != 0 {
		t.Errorf("the row is %+v", r)
	}
	t.same("found by the tag of the row before", []string(nil), t.keys(kv.Range{Tag: "s"}))
}

func lawNumbered(t *test) {
	var keys []string
	for range 12 {
		a := t.put(kv.Write{Key: "q/", Number: 1, Numbered: true}, kv.Write{Key: "r/", Number: 2, Numbered: true})
		keys = append(keys, kv.Numbered("q/", a.First))
		if r := t.row(kv.Numbered("r/", a.First+1)); r == nil || r.Rev != a.First+1 {
			t.Fatalf("the row is %+v", r)
		}
	}
	t.same("keys", keys, t.keys(kv.Range{Prefix: "q/"}))
}

func lawLease(t *test) {
	t.put(kv.Write{Key: "lease", TTL: t.seconds(3)})
	t.put(kv.Write{Key: "a", Lease: "lease", Tags: []string{"t"}})
	t.clock.Advance(2 * time.Second)
	t.put(kv.Write{Key: "lease", Renew: true})
	t.clock.Advance(2 * time.Second)
	t.same("kept alive", []string{"a"}, t.keys(kv.Range{Lease: "lease"}))
	t.clock.Advance(2 * time.Second)
	gone := func(when string) {
		t.Helper()
		if t.row("a") != nil || !t.judge(kv.Cond{Key: "a", Absent: true}) {
			t.Errorf("%s: the row is there", when)
		}
		for _, r := range []kv.Range{{Prefix: "a"}, {Tag: "t"}, {Lease: "lease"}} {
			t.same(when, []string(nil), t.keys(r))
		}
	}
	gone("when the lease has ended")
	t.put(kv.Write{Key: "lease", TTL: t.seconds(60)})
	gone("when there is a lease of the same key again")
	t.put(kv.Write{Key: "a", Lease: "lease"})
	t.same("a row of the new lease", []string{"a"}, t.keys(kv.Range{Lease: "lease"}))
}

func lawLeaseAbsent(t *test) {
	t.put(kv.Write{Key: "dies", TTL: t.seconds(1)}, kv.Write{Key: "lives"})
	for _, key := range []string{"a", "b", "c"} {
		t.put(kv.Write{Key: key, Number: 1, Value: value("old"), Tags: []string{"old"}, Lease: "dies"})
	}
	t.clock.Advance(2 * time.Second)
	for _, w := range []kv.Write{{Key: "a", Number: 1}, {Key: "b", Lease: "lives", Tags: []string{"new"}}} {
		a := t.commit(kv.Txn{If: []kv.Cond{{Key: w.Key, Absent: true}}, Numbers: 1, Then: []kv.Write{w}, Read: []kv.Range{{Key: w.Key}}})[0]
		if !a.Done || len(a.Found[0].Rows) != 1 || a.Found[0].Rows[0].Lease != w.Lease || len(a.Found[0].Rows[0].Value) > 0 {
			t.Errorf("%s: %+v", w.Key, a)
		}
	}
	t.put(kv.Write{Key: "dies"})
	t.same("found by the tag of the rows before", []string(nil), t.keys(kv.Range{Tag: "old"}))
	t.same("found by the tag of the new row", []string{"b"}, t.keys(kv.Range{Tag: "new"}))
	t.same("rows", []string{"a", "b", "dies", "lives"}, t.keys(kv.Range{}))
}

func lawLeaseDead(t *test) {
	t.put(kv.Write{Key: "dead", TTL: t.seconds(1)})
	t.clock.Advance(2 * time.Second)
	t.put(kv.Write{Key: "a", Lease: "dead", Tags: []string{"t"}}, kv.Write{Key: "b", Lease: "unknown", Tags: []string{"t"}})
	for _, lease := range []string{"dead", "unknown"} {
		t.put(kv.Write{Key: lease})
	}
	t.same("rows", []string(nil), t.keys(kv.Range{Tag: "t"}))
}

func lawLeaseDeleted(t *test) {
	t.put(kv.Write{Key: "lease"}, kv.Write{Key: "other"})
	t.put(kv.Write{Key: "a", Lease: "lease"}, kv.Write{Key: "b", Lease: "lease", TTL: time.Hour}, kv.Write{Key: "c", Lease: "other"})
	t.put(kv.Write{Key: "lease", Delete: true})
	t.put(kv.Write{Key: "lease"})
	if t.row("a") != nil || t.row("b") != nil || t.row("c") == nil {
		t.Errorf("a, b, c are %v, %v, %v", t.row("a"), t.row("b"), t.row("c"))
	}
}

func lawNumbers(t *test) {
	last := uint64(0)
	for n := range 5 {
		a := t.commit(kv.Txn{Numbers: n})[0]
		if n == 0 {
			continue
		}
		if a.First <= last || a.First >= 1<<53 {
			t.Fatalf("number %d after %d", a.First, last)
		}
		last = a.First + uint64(n) - 1
		if got := t.page(kv.LogQuery{Limit: 1}).Last; got < last {
			t.Fatalf("the last number is %d; given out was %d", got, last)
		}
	}
}

func lawTexts(t *test) {
	for i, text := range []string{
		"'", "''", `"`, "`", `\`, `\'`, "%", "_", "*", "[", "]", "{}", "$1", ":a", "@p", "#", "--", "/*", ";", "\t", "\n", "\r\n", " ", "a ",
		" a", "null", "0", "Ж", "日本語", "🔒", "e\u0301", "\ufeff", "\uffff", "\u007f", "\u0080", "\x00", "a\x00b", "\xff", "\U0010ffff",
	} {
		key := nth("k", i) + text
		t.put(kv.Write{Key: key, Number: 1, Value: []byte(text), Data: ptr(text), Tags: []string{"t" + text}})
		r := t.row(key)
		if r == nil || r.Key != key || string(r.Value) != text || r.Data != text || r.Tags[0] != "t"+text {
			t.Fatalf("with %q, the row is %+v", text, r)
		}
		t.same("found by its tag", []string{key}, t.keys(kv.Range{Tag: "t" + text}))
		t.same("found by its data", true, t.judge(kv.Cond{Key: key, Data: &text, Tag: "t" + text}))
	}
}
