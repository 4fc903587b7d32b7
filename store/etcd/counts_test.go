package etcd_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store/etcd"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/kv/kvtest"
)

// TestNode_RaceOfProcesses has processes take a node, and what is below it.
func TestNode_RaceOfProcesses(t *testing.T) {
	s := &server{Etcd: enginetest.StartEtcd(t)}
	for _, stay := range []int{0, 70} {
		t.Run(fmt.Sprint(stay), func(t *testing.T) {
			url := s.url()
			kvtest.RaceForNode(t, stay, openNode(t, url), openNode(t, url), openNode(t, url))
		})
	}
}

func openNode(t *testing.T, url string) kv.Engine {
	t.Helper()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e, err := etcd.OpenEngine(t.Context(), url, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// TestCrowd_ReadsFewKeys: what is asked of a node does not grow with what is below it.
func TestCrowd_ReadsFewKeys(t *testing.T) {
	const many, atOnce = 3000, 500
	s := &server{Etcd: enginetest.StartEtcd(t)}
	url := s.url()
	e := openNode(t, url)
	commit := func(e kv.Engine, txn kv.Txn) kv.Answer {
		t.Helper()
		answers, err := e.Commit(t.Context(), []kv.Txn{txn})
		if err != nil {
			t.Fatal(err)
		}
		return answers[0]
	}
	for n := 0; n < many; n += atOnce {
		txn := kv.Txn{}
		for i := n; i < n+atOnce; i++ {
			w := kv.Write{Key: fmt.Sprintf("hcrm/doc/%05d", i), Tags: []string{"all"}, TTL: time.Hour}
			if i == 2999 {
				w.Tags = append(w.Tags, "few")
			}
			txn.Then = append(txn.Then, w)
		}
		commit(e, txn)
	}
	below := kv.Range{Prefix: "hcrm/doc/", Limit: 20, Count: true}
	overdue := kv.Range{Prefix: "hcrm/doc/", Overdue: true, Limit: 20}
	node := []kv.Write{{Key: "hcrm/doc/", Value: []byte("v")}}
	leaf := []kv.Write{{Key: "hcrm/doc/leaf", Value: []byte("v")}}
	for name, c := range map[string]struct {
		txn  kv.Txn
		done bool
		keys int
	}{
		"a node":                     {kv.Txn{If: []kv.Cond{{Prefix: "hcrm/doc/", Due: true}}, Then: node}, false, 70},
		"live rows":                  {kv.Txn{If: []kv.Cond{{Prefix: "hcrm/doc/", AtMost: 3}}, Then: node}, false, 70},
		"those with a tag of all":    {kv.Txn{If: []kv.Cond{{Prefix: "hcrm/doc/", Tag: "all", AtMost: 3}}, Then: node}, false, 90},
		"those with a tag of one":    {kv.Txn{If: []kv.Cond{{Prefix: "hcrm/doc/", Tag: "few", AtMost: 0}}, Then: node}, false, 90},
		"as many with a tag of one":  {kv.Txn{If: []kv.Cond{{Prefix: "hcrm/doc/", Tag: "few", AtMost: 1}}, Then: leaf}, true, 90},
		"none due":                   {kv.Txn{If: []kv.Cond{{Prefix: "hcrm/doc/", NoneDue: true}}, Then: leaf}, true, 90},
		"a leaf":                     {kv.Txn{If: []kv.Cond{{Key: "hcrm/doc/leaf", Absent: true}, {Key: "hcrm/doc/", Absent: true}}, Then: leaf}, true, 0},
		"a node, and what is below":  {kv.Txn{If: []kv.Cond{{Prefix: "hcrm/doc/", Due: true}}, Then: node, Read: []kv.Range{below, overdue}}, false, 100},
		"a leaf, and what is beside": {kv.Txn{If: []kv.Cond{{Key: "hcrm/doc/leaf", Absent: true}}, Then: leaf, Read: []kv.Range{below, overdue}}, true, 100},
		"what is below":              {kv.Txn{Read: []kv.Range{below, overdue}}, true, 100},
	} {
		t.Run(name, func(t *testing.T) {
			fresh := openNode(t, url)
			reads := etcd.CountReads(fresh)
			for try := range 2 {
				reads.Reset()
				a := commit(fresh, c.txn)
				if a.Done != c.done || len(c.txn.Read) > 0 && (a.Found[0].Count < many || len(a.Found[1].Rows) > 0) {
					t.Fatalf("the answer is %+v", a)
				}
				if reads.Keys > c.keys || reads.Compared > 100 {
					t.Errorf("in try %d, %d keys were read, and %d compared, in %d trips", try, reads.Keys, reads.Compared, reads.Calls)
				}
				commit(fresh, kv.Txn{Then: []kv.Write{{Key: "hcrm/doc/leaf", Delete: true}}})
			}
		})
	}
}
