package kvtest

import (
	"fmt"
	"time"

	"github.com/editlock/editlock/store/kv"
)

// lawCreatedBeside has transactions of one form, of which engines do many a day.
func lawCreatedBeside(t *test) {
	absent := func(keys ...string) (conds []kv.Cond) {
		for _, key := range keys {
			conds = append(conds, kv.Cond{Key: key, Absent: true})
		}
		return conds
	}
	t.put(kv.Write{Key: "dies", TTL: t.seconds(1)}, kv.Write{Key: "lives"})
	t.put(
		kv.Write{Key: "live", Data: ptr("data"), Tags: []string{"s", "u"}}, kv.Write{Key: "due", Data: ptr("data"), TTL: t.seconds(1)},
		kv.Write{Key: "soon", Data: ptr("data"), TTL: t.seconds(60)},
		kv.Write{Key: "gone", Data: ptr("data")}, kv.Write{Key: "ended", Data: ptr("data"), Lease: "dies"}, kv.Write{Key: "leased", Data: ptr("data"), Lease: "lives"},
	)
	t.put(
		kv.Write{Key: "part#a"}, kv.Write{Key: "part" + kv.Separator + "1"}, kv.Write{Key: "old#a", TTL: t.seconds(1)}, kv.Write{Key: "gone#a"},
		kv.Write{Key: "ended#a", Lease: "dies"}, kv.Write{Key: "several#a" + kv.Separator + "1"},
	)
	t.put(kv.Write{Key: "gone", Delete: true}, kv.Write{Key: "gone#a", Delete: true})
	part := kv.Txn{ // as holds are created, and end
		If: absent("one#a"), Then: []kv.Write{{Key: "one#a"}}, Read: []kv.Range{{Key: "one#a"}, {Prefix: "qone#a" + kv.Separator, Limit: 1, Count: true}},
	}
	for range 2 {
		t.same("a part", true, t.commit(part)[0].Done)
		t.same("a part is there", false, t.judge(kv.Cond{Prefix: "one#", Due: true}))
		end := part
		end.If, end.Then = []kv.Cond{{Key: "one#a"}}, []kv.Write{{Key: "one#a", Delete: true}}
		t.same("the end of a part", true, t.commit(end)[0].Done)
		t.same("no part is there", true, t.judge(kv.Cond{Prefix: "one#", Due: true}))
	}
	t.clock.Advance(2 * time.Second)
	data := func(key, is string, others ...string) []kv.Cond {
		return append(absent(others...), kv.Cond{Key: key, Data: &is})
	}
	for i, c := range []struct {
		others []kv.Cond
		want   bool
	}{
		{nil, true},
		{absent("a/"), true},
		{absent("a/", "a/b/", "gone"), true},
		{absent("gone", "ended"), true},
		{absent("live"), false},
		{absent("a/", "soon"), false},
		{absent("due", "a/"), false},
		{absent("a/", "leased"), false},
		{absent("dies"), false},
		{absent("lives"), false},
		{absent("a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10"), true},
		{absent("a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "live"), false},
		{data("live", "data"), true},
		{data("soon", "data", "a/"), true},
		{data("soon", "dat", "a/"), false},
		{data("live", "data1"), false},
		{data("live", "data", "soon"), false},
		{data("due", "data"), false},
		{data("gone", "data"), false},
		{data("gone", ""), false},
		{data("ended", "data"), false},
		{data("leased", "data", "a/"), true},
		{data("lives", ""), true},
		{append(data("live", "data"), absent("a/")...), true},
		{append(data("live", "data"), absent("soon")...), false},
		{[]kv.Cond{{Key: "live", Tag: "u"}}, true},
		{[]kv.Cond{{Key: "live", Tag: "v"}}, false},
		{[]kv.Cond{{Prefix: "a/"}}, true},
		{[]kv.Cond{{Prefix: "li"}}, false},
		{[]kv.Cond{{Prefix: "new#", Due: true}}, true},
		{append(data("live", "data", "a/"), kv.Cond{Prefix: "new#", Due: true}), true},
		{append(data("live", "dat", "a/"), kv.Cond{Prefix: "new#", Due: true}), false},
		{append([]kv.Cond{{Prefix: "new#", Due: true}, {Prefix: "part#", Due: true}}, data("live", "data", "a/")...), false},
		{append(data("live", "data", "a/"), kv.Cond{Prefix: "part" + kv.Separator, Due: true}), false},
		{[]kv.Cond{{Prefix: "part#", Due: true}}, false},
		{[]kv.Cond{{Prefix: "part#", Due: true, AtMost: 1}}, true},
		{[]kv.Cond{{Prefix: "part#"}}, false},
		{[]kv.Cond{{Prefix: "old#", Due: true}}, false},
		{[]kv.Cond{{Prefix: "old#"}}, true},
		{[]kv.Cond{{Prefix: "gone#", Due: true}}, true},
		{[]kv.Cond{{Prefix: "ended#", Due: true}}, true},
		{[]kv.Cond{{Prefix: "several#", Due: true}}, false},
		{[]kv.Cond{{Prefix: "several#a" + kv.Separator, Due: true}}, false},
		{[]kv.Cond{{Prefix: "several#b" + kv.Separator, Due: true}}, true},
		{[]kv.Cond{{Prefix: "one#", Due: true, AtMost: 1}}, true},
	} {
		for _, key := range []string{"new", "live"} {
			id := fmt.Sprint("id ", i, key)
			if key == "new" {
				key += fmt.Sprint(i)
			}
			txn := kv.Txn{
				Once: id, If: append(absent(key), c.others...), Numbers: 1,
				Then: []kv.Write{{Key: key, Number: 1, Value: value("new"), Data: ptr("of new"), Tags: []string{"s"}, TTL: t.seconds(60)}},
				Log:  []kv.Entry{{Number: 1, ID: id, Value: value("entry")}},
				Read: []kv.Range{{Key: key}, {Prefix: "q" + key + kv.Separator, Limit: 10, Count: true}},
			}
			beside := kv.Txn{If: absent("beside" + key), Then: []kv.Write{{Key: "beside" + key}}, Read: []kv.Range{{Key: "beside" + key}, {Prefix: "z" + kv.Separator, Limit: 1, Count: true}}}
			want := c.want && key != "live"
			answers := t.commit(txn, beside)
			if a := answers[0]; a.Done != want || a.Replayed || want && (a.Found[0].Rows[0].Data != "of new" || a.Found[0].Rows[0].Rev != a.First) {
				t.Errorf("%q, if %+v: %+v", key, c.others, a)
			}
			if row := t.row(key); (row != nil) != (want || key == "live") || !answers[1].Done && key != "live" {
				t.Errorf("after %q, if %+v, there is %+v, and beside it %+v", key, c.others, row, answers[1])
			}
			t.same("done before", want, t.commit(txn)[0].Replayed)
		}
	}
}
