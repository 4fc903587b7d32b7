package kvtest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/editlock/editlock/store/kv"
)

var nodeLaws = []law{
	{"a node and what is below it exclude each other", func(t *test) { RaceForNode(t.T, 0, t.e, t.e, t.e) }},
	{"a node is taken beside what may stay below it", func(t *test) { RaceForNode(t.T, 70, t.e, t.e, t.e) }},
}

// RaceForNode has callers of engines on one store take a node, and leaves below it,
// each as long as the other is free. So many leaves stay there, and don't count. What
// was read with each transaction must be of its moment.
func RaceForNode(t *testing.T, stay int, engines ...kv.Engine) {
	const nodes, leaves = 5, 15 // that each caller takes
	r := &nodeRace{T: t, stay: stay}
	if stay > 0 {
		txn := kv.Txn{}
		for i := range stay {
			txn.Then = append(txn.Then, kv.Write{Key: raceNode + nth("stays", i)})
		}
		r.commit(engines[0], txn)
	}
	var callers sync.WaitGroup
	for i := range 2 * len(engines) {
		callers.Go(func() {
			e, taken := engines[i/2], 0
			for taken < leaves && !t.Failed() {
				switch {
				case i%3 > 0:
					taken += r.takeLeaf(e, fmt.Sprint(raceNode, "leaf", i))
				case taken < nodes:
					taken += r.takeNode(e)
				default:
					return
				}
			}
		})
	}
	callers.Wait()
}

const raceNode = "n/"

type nodeRace struct {
	*testing.T
	stay int
}

// raceReads are the node, and how much is below it.
var raceReads = []kv.Range{{Key: raceNode}, {Prefix: raceNode, After: raceNode, Limit: 2, Count: true}}

func (r *nodeRace) commit(e kv.Engine, txn kv.Txn) (a kv.Answer, ok bool) {
	answers, err := e.Commit(r.Context(), []kv.Txn{txn})
	if err != nil {
		r.Error(err)
		return a, false
	}
	return answers[0], true
}

func (r *nodeRace) takeNode(e kv.Engine) (taken int) {
	a, ok := r.commit(e, kv.Txn{
		If: []kv.Cond{{Prefix: raceNode, Due: true, AtMost: r.stay}}, Numbers: 1, Then: []kv.Write{{Key: raceNode, Number: 1}}, Read: raceReads,
	})
	if !ok {
		return 0
	}
	node, below := len(a.Found[0].Rows), a.Found[1].Count
	if a.Done && (node != 1 || below != r.stay) || !a.Done && node+below <= r.stay {
		r.Errorf("a node is answered %+v", a)
	}
	if !a.Done {
		return 0
	}
	a, ok = r.commit(e, kv.Txn{If: []kv.Cond{{Key: raceNode, Rev: a.First}}, Then: []kv.Write{{Key: raceNode, Delete: true}}, Read: raceReads})
	if ok && (!a.Done || len(a.Found[0].Rows) != 0 || a.Found[1].Count != r.stay) {
		r.Errorf("the end of a node is answered %+v", a)
	}
	return 1
}

func (r *nodeRace) takeLeaf(e kv.Engine, key string) (taken int) {
	a, ok := r.commit(e, kv.Txn{
		If: []kv.Cond{{Key: key, Absent: true}, {Key: raceNode, Absent: true}}, Numbers: 1, Then: []kv.Write{{Key: key, Number: 1}}, Read: raceReads,
	})
	if !ok {
		return 0
	}
	node, below := len(a.Found[0].Rows), a.Found[1].Count
	if a.Done == (node != 0) || a.Done == (below == r.stay) {
		r.Errorf("a leaf is answered %+v", a)
	}
	if !a.Done {
		return 0
	}
	a, ok = r.commit(e, kv.Txn{If: []kv.Cond{{Key: key, Rev: a.First}}, Then: []kv.Write{{Key: key, Delete: true}}, Read: raceReads})
	if ok && (!a.Done || len(a.Found[0].Rows) != 0) {
		r.Errorf("the end of a leaf is answered %+v", a)
	}
	return 1
}
