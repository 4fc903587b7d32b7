package kvtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/editlock/editlock/store/kv"
)

const (
	treeNode = "hcrm/contract/"
	treeRows = 100_000
	// treeAtOnce is how many rows a transaction writes while the tree grows.
	treeAtOnce = 500
)

// BenchTree measures what a lock on a node costs that has 100,000 live rows below
// it, and what it costs to lock a leaf. It reports medians. The engine is on the
// real clock.
func BenchTree(b *testing.B, open func(b *testing.B) kv.Engine) {
	t := &tree{B: b, e: open(b)}
	for n := 0; n < treeRows; n += treeAtOnce {
		txn := kv.Txn{Numbers: treeAtOnce}
		for i := range treeAtOnce {
			txn.Then = append(txn.Then, t.hold(fmt.Sprintf("%s%07d", treeNode, n+i), i+1))
		}
		t.commit(txn)
	}
	below := kv.Range{Prefix: treeNode, After: treeNode + kv.Separator + "g", Limit: 20, Count: true}
	overdue := kv.Range{Prefix: treeNode, Overdue: true, Limit: 20}
	for _, m := range []struct {
		name string
		do   func()
	}{
		{"refused by all below", func() {
			t.expect(!t.commit(kv.Txn{If: []kv.Cond{{Prefix: treeNode, Due: true}}}).Done)
		}},
		{"refused by a node, and read what is below", func() {
			a := t.commit(kv.Txn{If: []kv.Cond{{Prefix: treeNode, Due: true}}, Read: []kv.Range{below, overdue}})
			t.expect(!a.Done && a.Found[0].Count == treeRows && len(a.Found[0].Rows) == 20 && len(a.Found[1].Rows) == 0)
		}},
		{"none below", func() {
			t.expect(t.commit(kv.Txn{If: []kv.Cond{{Prefix: treeNode + "x", Due: true}}}).Done)
		}},
		{"twenty of all below", func() { t.expect(t.read(below).Count == treeRows) }},
		{"all that is due below", func() { t.expect(len(t.read(overdue).Rows) == 0) }},
	} {
		b.Run(m.name, func(b *testing.B) {
			took := t.times(b, m.do)
			b.ReportMetric(median(took[0]), "µs")
			b.ReportMetric(took[0][0], "µs-best")
		})
	}
	b.Run("a leaf", func(b *testing.B) {
		n := 0
		leaf := func(prefix bool, above ...string) func() {
			return func() {
				n++
				key, id := treeNode+"x"+fmt.Sprint(n), fmt.Sprint("leaf ", n)
				txn := kv.Txn{
					Once: id, If: []kv.Cond{{Key: key, Absent: true}}, Numbers: 1, Then: []kv.Write{t.hold(key, 1)},
					Log:  []kv.Entry{{Number: 1, ID: id, Value: make([]byte, 300), Tags: []string{"n" + key[1:], "u7"}}},
					Read: []kv.Range{{Key: key}, {Prefix: "q" + key[1:] + kv.Separator, Limit: 10, Count: true}},
				}
				for _, node := range above {
					txn.If = append(txn.If, kv.Cond{Key: node, Absent: true})
				}
				if prefix {
					txn.If = append(txn.If, kv.Cond{Prefix: key + "#", Due: true})
				}
				t.expect(t.commit(txn).Done)
			}
		}
		took := t.times(b, leaf(false), leaf(false, "hcrm/", treeNode), leaf(true, "hcrm/", treeNode))
		b.ReportMetric(median(took[0]), "µs-alone")
		b.ReportMetric(median(took[1]), "µs-below-nodes")
		b.ReportMetric(median(took[1])/median(took[0]), "ratio")
		b.ReportMetric(median(took[2])/median(took[0]), "ratio-with-parts")
	})
}

// tree is an engine with rows below a node.
type tree struct {
	*testing.B
	e kv.Engine
}

// hold is a write as large as that of a hold.
func (t *tree) hold(key string, number int) kv.Write {
	return kv.Write{
		Key: key, Number: number, Value: make([]byte, 160), Data: ptr("request-0123456789"), Tags: []string{"s" + key, "u7"}, TTL: time.Hour,
	}
}

func (t *tree) commit(txn kv.Txn) kv.Answer {
	answers, err := t.e.Commit(t.Context(), []kv.Txn{txn})
	if err != nil {
		t.Fatal(err)
	}
	return answers[0]
}

func (t *tree) read(r kv.Range) kv.Found {
	a, err := t.e.Read(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return a.Found[0]
}

func (t *tree) expect(ok bool) {
	if !ok {
		t.Fatal("the answer is wrong")
	}
}

// times does some things by turns, and returns how long each took each time, in
// microseconds, the shortest first.
func (t *tree) times(b *testing.B, do ...func()) [][]float64 {
	took := make([][]float64, len(do))
	for b.Loop() {
		for i, f := range do {
			began := time.Now() //nolint:forbidigo // of what is measured
			f()
			took[i] = append(took[i], float64(time.Since(began).Nanoseconds())/1000) //nolint:forbidigo // see above
		}
	}
	for i := range took {
		slices.Sort(took[i])
	}
	return took
}

func median(sorted []float64) float64 { return sorted[len(sorted)/2] }
