package kvtest

import (
	"slices"
	"time"

	"github.com/editlock/editlock/store/kv"
)

var rangeLaws = []law{
	{"rows come in the order of their keys, by bytes", lawOrder},
	{"pages follow each other, and count all", lawPages},
	{"tags, prefixes and leases select together", lawTogether},
	{"what is due is found by its key, among the overdue, and where both are asked for", lawOverdue},
	{"rows that will be due come in that order", lawDueOrder},
	{"ranges beside rows are theirs", lawBeside},
	{"an answer shows what the transaction wrote", lawReadAfter},
	{"what is returned is a copy", lawCopies},
}

func lawOrder(t *test) {
	keys := []string{"a", "a\x00", "a\x001", "a ", "a/", "a/1", "a/10", "a/2", "aa", "b", "e\u0301", "\u00e9", "\u0416", "\uffff", "\U0001F512"}
	for i := range keys {
		t.put(kv.Write{Key: "k" + keys[(i*7)%len(keys)]})
	}
	var want []string
	for _, key := range keys {
		want = append(want, "k"+key)
	}
	t.same("keys", want, t.keys(kv.Range{Prefix: "k"}))
	t.same("keys after one", want[5:], t.keys(kv.Range{Prefix: "k", After: want[4]}))
	t.same("keys after what is not there", want[5:], t.keys(kv.Range{Prefix: "k", After: want[4] + "\x00"}))
	t.same("keys under a prefix", want[4:8], t.keys(kv.Range{Prefix: "ka/"}))
	t.same("keys under a prefix that ends within a letter", want[10:11], t.keys(kv.Range{Prefix: "ke\u0301"[:3]}))
}

func lawPages(t *test) {
	var all []string
	for i := range 25 {
		all = append(all, nth("k", i))
		t.put(kv.Write{Key: all[i], Tags: []string{"t"}}, kv.Write{Key: nth("l", i)})
	}
	for _, r := range []kv.Range{{Prefix: "k"}, {Tag: "t"}, {Prefix: "k", Tag: "t"}} {
		for _, limit := range []int{1, 7, 24, 25, 26} {
			var got []string
			r.After, r.Limit = "", limit
			for {
				page := t.keys(r)
				got = append(got, page...)
				if len(page) < limit {
					break
				}
				r.After = page[limit-1]
			}
			t.same("pages", all, got)
		}
	}
	found := t.read(kv.Range{Prefix: "k", Limit: 3, Count: true})[0]
	if len(found.Rows) != 3 || found.Count != 25 {
		t.Errorf("%d rows of %d", len(found.Rows), found.Count)
	}
}

func lawTogether(t *test) {
	t.put(kv.Write{Key: "lease"})
	for i := range 12 {
		t.put(kv.Write{Key: []string{"a", "b"}[i%2] + nth("", i), Tags: []string{[]string{"s", "t", "u"}[i%3]}, Lease: "lease"})
	}
	t.same("tag and prefix", []string{"a000", "a006"}, t.keys(kv.Range{Prefix: "a", Tag: "s"}))
	t.same("tag, prefix and after", []string{"a006"}, t.keys(kv.Range{Prefix: "a", Tag: "s", After: "a000"}))
	under := t.keys(kv.Range{Prefix: "b", Lease: "lease"})
	slices.Sort(under)
	t.same("lease and prefix", []string{"b001", "b003", "b005", "b007", "b009", "b011"}, under)
}

func lawOverdue(t *test) {
	t.put(kv.Write{Key: "k1", TTL: t.seconds(1), Tags: []string{"t"}}, kv.Write{Key: "k2", TTL: t.seconds(60), Tags: []string{"t"}}, kv.Write{Key: "k3"})
	t.clock.Advance(2 * time.Second)
	t.same("live", []string{"k2", "k3"}, t.keys(kv.Range{Prefix: "k"}))
	t.same("live, by tag", []string{"k2"}, t.keys(kv.Range{Tag: "t"}))
	t.same("overdue", []string{"k1"}, t.keys(kv.Range{Prefix: "k", Overdue: true}))
	t.same("by key", []string{"k1"}, t.keys(kv.Range{Key: "k1"}))
	t.same("either", []string{"k1", "k2", "k3"}, t.keys(kv.Range{Prefix: "k", Either: true, Limit: 9}))
	t.same("either, by tag", []string{"k1", "k2"}, t.keys(kv.Range{Tag: "t", Either: true, Limit: 9}))
}

func lawDueOrder(t *test) {
	t.put(kv.Write{Key: "dies", TTL: t.seconds(1)})
	t.put(
		kv.Write{Key: "never"}, kv.Write{Key: "k1", TTL: t.seconds(50)}, kv.Write{Key: "k2", TTL: t.seconds(1.5)},
		kv.Write{Key: "k3", TTL: t.seconds(70), Max: t.seconds(40)}, kv.Write{Key: "with", TTL: t.seconds(2), Lease: "dies"},
	)
	t.clock.Advance(4 * time.Second)
	t.same("due", []string{"dies", "k2", "k3", "k1"}, t.keys(kv.Range{Due: true}))
	t.same("the first to be due", []string{"dies", "k2"}, t.keys(kv.Range{Due: true, Limit: 2}))
	t.put(kv.Write{Key: "k2", Renew: true, TTL: t.seconds(90)}, kv.Write{Key: "k3", Delete: true}, kv.Write{Key: "dies", Delete: true})
	t.same("due after changes", []string{"k1", "k2"}, t.keys(kv.Range{Due: true}))
}

func lawBeside(t *test) {
	t.put(kv.Write{Key: "lives"}, kv.Write{Key: "dies", TTL: t.seconds(1)})
	for _, name := range []string{"x", "xy", "z"} {
		t.put(kv.Write{Key: "h" + name, Tags: []string{"t"}})
	}
	t.put(kv.Write{Key: "hx" + kv.Separator + "7", Tags: []string{"t"}}, kv.Write{Key: "hy" + kv.Separator + "8", Tags: []string{"t"}})
	for i, lease := range []string{"lives", "lives", "dies", "lives", "lives"} {
		t.put(kv.Write{Key: "qx" + kv.Separator + nth("", i), Lease: lease}, kv.Write{Key: "qz" + kv.Separator + nth("", i), Lease: "dies"})
	}
	t.clock.Advance(2 * time.Second)
	for _, r := range []kv.Range{{Prefix: "h"}, {Prefix: "h", Tag: "t"}} {
		r.Beside, r.BesideLimit = "q", 3
		found := t.read(r)[0]
		if len(found.Beside) != 5 {
			t.Fatalf("beside the rows is %+v", found.Beside)
		}
		ofX := []string{"qx\x00000", "qx\x00001", "qx\x00003"}
		for i, want := range [][]string{ofX, ofX, nil, nil, nil} { // the second row and the fourth one continue a name
			var got []string
			for _, row := range found.Beside[i].Rows {
				got = append(got, row.Key)
			}
			t.same("beside "+found.Rows[i].Key, want, got)
		}
		t.same("how many are beside x", []int{4, 4}, []int{found.Beside[0].Count, found.Beside[1].Count})
	}
}

func lawReadAfter(t *test) {
	t.put(kv.Write{Key: "q/1"}, kv.Write{Key: "h"})
	a := t.commit(kv.Txn{
		Numbers: 1, Then: []kv.Write{{Key: "h", Number: 1, Value: value("h")}, {Key: "q/1", Delete: true}, {Key: "q/2"}},
		Read: []kv.Range{{Key: "h"}, {Prefix: "q/", Limit: 5, Count: true}, {Key: "nothing"}},
	})[0]
	if a.Found[0].Rows[0].Rev != a.First || a.Found[1].Count != 1 || a.Found[1].Rows[0].Key != "q/2" || len(a.Found[2].Rows) != 0 {
		t.Errorf("the answer is %+v", a)
	}
}

func lawCopies(t *test) {
	t.put(kv.Write{Key: "a", Value: value("a"), Tags: []string{"t"}})
	for range 2 {
		r := t.row("a")
		t.same("value", value("a"), r.Value)
		t.same("tags", []string{"t"}, r.Tags)
		r.Value[0], r.Tags[0] = 'Y', "Y"
	}
}
