package core

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// A tree has a row of its own once somebody held or waited for one of its nodes
// or parts; it stays for good. Its Data says which of them: letters of treeKinds.
// Where there is none, names of the tree can't be in each other's way, and a step
// looks at its own name only.
const (
	withNodes = "n" // below the outermost
	withParts = "p"
	withRoot  = "r" // the outermost node
)

// treeKinds is what a step on a name lets be in the way of others.
func treeKinds(name string) string {
	switch {
	case store.Tree(name) == "":
		return ""
	case store.Tree(name) == name:
		return withRoot
	case store.IsNode(name):
		return withNodes
	case store.IsPart(name):
		return withParts
	}
	return ""
}

// treeCondition says that a tree has these kinds in use; of what is no path
// there is nothing to say.
func treeCondition(conds []kv.Cond, name, kinds string) []kv.Cond {
	switch root := store.Tree(name); {
	case root == "":
		return conds
	case kinds == "":
		return append(conds, kv.Cond{Key: treeKey(root), Absent: true})
	default:
		return append(conds, kv.Cond{Key: treeKey(root), Data: &kinds})
	}
}

// trees are the kinds that this process has seen in use, by tree. Kinds are never
// taken back.
type trees struct {
	mu    sync.Mutex
	kinds map[string]string
}

// maxTrees bounds how many are known; of others it is found out again.
const maxTrees = 1 << 14

func (t *trees) of(name string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.kinds) == 0 {
		return ""
	}
	return t.kinds[store.Tree(name)]
}

func (t *trees) saw(name, kinds string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	root := store.Tree(name)
	if root == "" || kinds == "" || len(kinds) < len(t.kinds[root]) {
		return
	}
	if t.kinds == nil || len(t.kinds) >= maxTrees {
		t.kinds = make(map[string]string)
	}
	t.kinds[root] = kinds
}

// above are the names above one that may be held where these kinds are in use.
func above(name, kinds string) []string {
	if kinds == "" {
		return nil
	}
	return slices.DeleteFunc(store.Above(name), func(node string) bool {
		return store.IsNode(node) && !strings.Contains(kinds, treeKinds(node))
	})
}

// below is how names below one begin that may be held where these kinds are in
// use; empty: none.
func below(name, kinds string) string {
	if kinds == "" || !store.IsNode(name) && !strings.Contains(kinds, withParts) {
		return ""
	}
	return store.Below(name)
}

// openTrees sees to it that the trees of a request say what kinds of names are in
// use, before any of them is. said is what the tree of an operation is known to say.
func (s *Store) openTrees(ctx context.Context, req store.Txn, said func(i int) string) error {
	for i := range req.Ops {
		sw := &req.Ops[i]
		kind := treeKinds(sw.Name)
		if kind == "" || sw.Do != store.Acquire && sw.Do != store.Join || strings.Contains(said(i), kind) {
			continue
		}
		if err := s.openTree(ctx, sw.Name, kind); err != nil {
			return err
		}
	}
	return nil
}

// inUse is how kinds are written: in one order.
func inUse(kinds string) string {
	letters := strings.Split(kinds, "")
	slices.Sort(letters)
	return strings.Join(letters, "")
}

func (s *Store) openTree(ctx context.Context, name, kind string) error {
	key := treeKey(store.Tree(name))
	txn := kv.Txn{Read: []kv.Range{{Key: key}}}
	for {
		answer, err := s.commits.do(ctx, []string{key}, nil, txn)
		if err != nil {
			return err
		}
		kinds := ""
		rows := answer.Found[0].Rows
		if len(rows) > 0 {
			kinds = rows[0].Data
		}
		s.trees.saw(name, kinds)
		if strings.Contains(kinds, kind) {
			return nil
		}
		more := inUse(kinds + kind)
		txn.If = treeCondition(nil, name, kinds)
		txn.Then = []kv.Write{{Key: key, Value: gateValue, Data: &more, Renew: len(rows) > 0}}
	}
}
