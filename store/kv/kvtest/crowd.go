package kvtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock/store/kv"
)

// crowdLaws hold where thousands of rows share a prefix, and an engine may take
// other ways than among few.
var crowdLaws = []law{
	{"pages of thousands have their limit, and count the rest", lawCrowdPages},
	{"what is due first is found behind thousands that were renewed", lawCrowdRenewed},
	{"a prefix of thousands is counted up to the number", lawCrowdCounted},
}

const (
	crowdRows  = 2500 // under each prefix
	crowdWrite = 500  // in a transaction
	crowdTree  = "hcrm/doc/"
	crowdGroup = "hcrm" + kv.Separator
)

// crowd is what an engine has under two prefixes.
type crowd struct {
	*test
	rows map[string]*crowdRow
	keys []string // in their order
}

type crowdRow struct {
	tag       string
	due, dead bool // once the clock was advanced
}

// newCrowd writes the rows. Of a hundred, some are due when it returns, some live
// with a lease that has ended, one is both, and one was due but for a renewal.
func newCrowd(t *test) *crowd {
	t.exact()
	c := &crowd{test: t, rows: make(map[string]*crowdRow)}
	soon, late := t.seconds(1), t.seconds(300)
	t.put(kv.Write{Key: "dies", TTL: soon})
	var again []string
	for _, prefix := range []string{crowdTree, crowdGroup} {
		for n := 0; n < crowdRows; n += crowdWrite {
			var writes []kv.Write
			for i := n; i < n+crowdWrite; i++ {
				row := &crowdRow{tag: []string{"s", "t"}[i%2]}
				w := kv.Write{Key: prefix + fmt.Sprintf("%05d", i), Value: value("row"), Tags: []string{row.tag, "u"}, TTL: late}
				if i%3 == 0 {
					slices.Reverse(w.Tags)
				}
				switch i % 100 {
				case 10, 51:
					w.TTL, row.due = soon, true
				case 20, 61:
					w.Lease, row.dead = "dies", true
				case 31:
					w.Lease, w.TTL, row.due, row.dead = "dies", soon, true, true
				case 40:
					w.TTL = soon
					again = append(again, w.Key)
				}
				c.rows[w.Key] = row
				c.keys = append(c.keys, w.Key)
				writes = append(writes, w)
			}
			t.put(writes...)
		}
	}
	slices.Sort(c.keys)
	t.renewed(again...)
	t.clock.Advance(2 * time.Second)
	return c
}

// renewed renews holds, as is done most often.
func (t *test) renewed(keys ...string) {
	t.Helper()
	t.same("rows that will be due", 1, len(t.keys(kv.Range{Due: true, Limit: 1}))) // an engine may bring an index up to date
	for some := range slices.Chunk(keys, crowdWrite) {
		var txns []kv.Txn
		for _, key := range some {
			txns = append(txns, kv.Txn{
				If:   []kv.Cond{{Key: key}, {Prefix: "a" + key + kv.Separator, NoneDue: true}},
				Then: []kv.Write{{Key: key, Renew: true, TTL: t.seconds(300)}},
				Read: []kv.Range{{Key: key}, {Prefix: "q" + key + kv.Separator, Limit: 10, Count: true}},
			})
		}
		for _, a := range t.commit(txns...) {
			if !a.Done {
				t.Fatal("a renewal was not done")
			}
		}
	}
}

// find is what a range should find.
func (c *crowd) find(r *kv.Range) (keys []string, count int) {
	for _, key := range c.keys {
		row := c.rows[key]
		if row == nil || row.dead || row.due != r.Overdue && !r.Either || !strings.HasPrefix(key, r.Prefix) || key <= r.After || r.Tag != "" && r.Tag != row.tag {
			continue
		}
		if count++; r.Limit == 0 || len(keys) < r.Limit {
			keys = append(keys, key)
		}
	}
	return keys, count
}

func (c *crowd) check(way string, r *kv.Range, found *kv.Found) {
	c.Helper()
	keys, count := c.find(r)
	var got []string
	for i := range found.Rows {
		row := &found.Rows[i]
		got = append(got, row.Key)
		if r.Brief != (len(row.Value) == 0) || len(row.Tags) != 2 {
			c.Errorf("%s, %+v has %+v", way, *r, *row)
		}
	}
	if !slices.Equal(keys, got) || r.Count && count != found.Count {
		c.Errorf("%s, %+v has %d rows of %d, should have %d of %d", way, *r, len(got), found.Count, len(keys), count)
	}
}

func lawCrowdPages(t *test) {
	c := newCrowd(t)
	var all []kv.Range
	for _, prefix := range []string{crowdTree, crowdGroup, crowdTree + "01"} {
		for _, r := range []kv.Range{
			{Limit: 20, Count: true},
			{Limit: 20, Count: true, After: prefix + kv.Separator + "g"},
			{Limit: 1, Count: true, After: prefix + "01200", Brief: true},
			{Limit: 1500, Count: true},
			{Limit: 20, Count: true, Tag: "s"},
			{Limit: 20, Count: true, Tag: "t", After: prefix + "01200"},
			{Limit: 20, Count: true, Tag: "v"},
			{Limit: 20, Overdue: true},
			{Limit: 20, Overdue: true, Count: true, After: prefix + "01200"},
			{Overdue: true, Count: true, Brief: true},
			{Limit: 3, Overdue: true, Tag: "t"},
		} {
			r.Prefix = prefix
			all = append(all, r)
		}
	}
	look := func() {
		t.Helper()
		for i := range all {
			c.check("alone", &all[i], &t.read(all[i])[0])
		}
		for _, r := range []kv.Range{{Limit: 20}, {Limit: 1500}, {Limit: 20, Tag: "s"}, {Limit: 20, After: crowdTree + "01200", Tag: "t"}} {
			r.Prefix, r.Either = crowdTree, true
			c.check("either", &r, &t.read(r)[0])
		}
		for i, found := range t.read(all...) {
			c.check("with others", &all[i], &found)
		}
		refused := t.commit(kv.Txn{If: []kv.Cond{{Key: "nothing"}}, Read: all})[0]
		for i := range refused.Found {
			c.check("refused", &all[i], &refused.Found[i])
		}
	}
	look()
	// What was due goes, comes back to life, or is replaced; others join it.
	var writes []kv.Write
	for i, key := range c.keys {
		switch row := c.rows[key]; {
		case row.dead:
		case row.due && i%3 == 0:
			writes = append(writes, kv.Write{Key: key, Delete: true})
			delete(c.rows, key)
		case row.due:
			writes = append(writes, kv.Write{Key: key, Renew: true, TTL: t.seconds(300)})
			row.due = false
		case i%50 == 7:
			writes = append(writes, kv.Write{Key: key, Value: value("row"), Tags: []string{row.tag, "u"}, TTL: t.seconds(2)})
			row.due = true
		}
	}
	t.put(writes...)
	t.clock.Advance(3 * time.Second)
	look()
}

func lawCrowdRenewed(t *test) {
	var due, keys []string
	for n := 0; n < crowdRows; n += crowdWrite {
		var writes []kv.Write
		for i := n; i < n+crowdWrite; i++ {
			keys = append(keys, fmt.Sprintf("k%05d", i))
			writes = append(writes, kv.Write{Key: keys[i], TTL: t.seconds(60)})
		}
		t.put(writes...)
	}
	t.renewed(keys...)
	for i := range 3 {
		due = append(due, nth("x", i))
		t.put(kv.Write{Key: due[i], TTL: t.seconds(70 + float64(i))})
	}
	found := t.read(kv.Range{Due: true, Limit: 4, Brief: true}, kv.Range{Prefix: "x"})
	for i, want := range [][]string{append(slices.Clone(due), "k00000"), due} {
		var got []string
		for _, row := range found[i].Rows {
			got = append(got, row.Key)
		}
		t.same("rows", want, got)
	}
}

func lawCrowdCounted(t *test) {
	c := newCrowd(t)
	for _, prefix := range []string{crowdTree, crowdGroup, crowdTree + "01"} {
		for _, tag := range []string{"", "s", "v"} {
			_, live := c.find(&kv.Range{Prefix: prefix, Tag: tag})
			_, due := c.find(&kv.Range{Prefix: prefix, Tag: tag, Overdue: true})
			for _, most := range []int{0, 1, live - 1, live, live + due - 1, live + due} {
				got := [2]bool{
					t.judge(kv.Cond{Prefix: prefix, Tag: tag, AtMost: max(0, most)}),
					t.judge(kv.Cond{Prefix: prefix, Tag: tag, AtMost: max(0, most), Due: true}),
				}
				if want := [2]bool{live <= max(0, most), live+due <= max(0, most)}; got != want {
					t.Errorf("under %q with %q, at most %d of %d and %d: %v", prefix, tag, most, live, due, got)
				}
			}
		}
		t.same("some are due", false, t.judge(kv.Cond{Prefix: prefix, NoneDue: true}))
	}
	t.same("none are due", true, t.judge(kv.Cond{Prefix: crowdTree + "0100", NoneDue: true}))
	gone := []kv.Write{}
	for _, key := range c.keys {
		if row := c.rows[key]; row.due {
			gone = append(gone, kv.Write{Key: key, Delete: true})
		}
	}
	t.put(gone...)
	for _, prefix := range []string{crowdTree, crowdGroup} {
		t.same("none are due any more", true, t.judge(kv.Cond{Prefix: prefix, NoneDue: true}))
		// As long as it takes to join them, the numbers are those of one moment.
		_, live := c.find(&kv.Range{Prefix: prefix})
		a := t.commit(kv.Txn{
			If: []kv.Cond{{Prefix: prefix, Due: true, AtMost: live}}, Then: []kv.Write{{Key: prefix + "a"}, {Key: prefix + "b", TTL: time.Hour}},
			Read: []kv.Range{{Prefix: prefix, After: prefix + "02499", Limit: 1, Count: true}, {Prefix: prefix, Limit: 1, Count: true}},
		})[0]
		if !a.Done || a.Found[0].Count != 2 || a.Found[0].Rows[0].Key != prefix+"a" || a.Found[1].Count != live+2 {
			t.Errorf("two more than %d: %+v", live, a)
		}
	}
}
