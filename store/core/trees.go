package core

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// A tree has a row of its own once one of its nodes or parts was held or waited for. The
// row is never deleted. Its Data says which kinds of names were: letters of treeKinds.
// Without the row, names of the tree can't block each other, and a transaction reads
// its own names only.
const (
	withNodes = "n" // below the outermost
	withParts = "p"
	withRoot  = "r" // the outermost node
)

// treeKinds returns the kind of a name whose holds and waiters may block others; empty:
// none.
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

// treeCondition adds the condition that a tree has these kinds in use. A name that is not
// a path needs none.
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

// trees caches the kinds that this process has seen in use, by tree. Kinds are only
// added.
type trees struct {
	mu    sync.Mutex
	kinds map[string]string
}

// maxTrees bounds how many trees are cached.
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

// above returns the names above a name that may be held if these kinds are in use.
func above(name, kinds string) []string {
	if kinds == "" {
		return nil
	}
	return slices.DeleteFunc(store.Above(name), func(node string) bool {
		return store.IsNode(node) && !strings.Contains(kinds, treeKinds(node))
	})
}

// below returns the prefix of the names below a name that may be held if these kinds are
// in use; empty: none.
func below(name, kinds string) string {
	if kinds == "" || !store.IsNode(name) && !strings.Contains(kinds, withParts) {
		return ""
	}
	return store.Below(name)
}

// openTrees adds the kinds of a transaction's names to the rows of their trees, before
// any of these names is in use. said returns the known kinds of an operation's tree.
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

// inUse returns kinds in the order in which they are written.
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
