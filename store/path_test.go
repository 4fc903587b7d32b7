package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/store"
)

func TestNamesAreAboveAndBelowEachOther(t *testing.T) {
	for _, c := range []struct {
		name, below, tree string
		above             []string
	}{
		{"a", "", "", nil},
		{"a#b", "", "", nil},
		{"", "", "", nil},
		{"crm/", "crm/", "crm/", nil},
		{"/", "/", "/", nil},
		{"crm/contract/", "crm/contract/", "crm/", []string{"crm/"}},
		{"crm/contract/7", "crm/contract/7#", "crm/", []string{"crm/", "crm/contract/"}},
		{"//7", "//7#", "/", []string{"/", "//"}},
		{"crm/contract/7#address", "", "crm/", []string{"crm/", "crm/contract/", "crm/contract/7"}},
		{"crm/contract/7#a/b", "", "crm/", []string{"crm/", "crm/contract/", "crm/contract/7"}},
	} {
		if diff := cmp.Diff(c.above, store.Above(c.name)); diff != "" {
			t.Errorf("above %q (-want +got):\n%s", c.name, diff)
		}
		if got := store.Below(c.name); got != c.below {
			t.Errorf("names below %q begin with %q, not %q", c.name, got, c.below)
		}
		if got := store.Tree(c.name); got != c.tree {
			t.Errorf("the tree of %q is %q, not %q", c.name, got, c.tree)
		}
	}
}

func TestWhoHoldsMoreBelowThanIsKnownIsToldOfThat(t *testing.T) {
	own := &store.Record{Name: "crm/contract/7", Token: 1, Holder: store.Party{Session: "ann"}}
	state := store.State{Tree: true, Path: &store.Path{Below: []*store.Record{own}, More: 1}}
	env := store.Env{Alive: func(string) bool { return true }}
	way := state.InTheWay("ann", env)
	if way == nil || len(way.Below) != 1 || way.Below[0] != own {
		t.Errorf("what is in the way: %+v", way)
	}
}
